"""What a coordinator does with the words of a campaign's mails: look, try, save, take back, send to oneself."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from services.notify import domain, wording
from services.notify.domain import Delivery, Recipient
from services.notify.rendering import Content
from services.notify.urgency import TRANSITION
from services.notify.usecases import coming
from services.notify.usecases.context import Context
from services.notify.wording import (
    FIXED,
    PARTS,
    TEST,
    Parts,
    Wording,
    WordingChangedMeanwhile,
    WordingKey,
    WordingUnknown,
)
from services.notify.wording_fields import BY_CASE, Field, fields_of, required_of
from shared import mongo
from shared.auth import Identity
from shared.errors import RuleBroken
from shared.mongo import Session

TEST_KEPT = timedelta(days=7)
LANGUAGES = ("de", "en")


@dataclass(frozen=True)
class Line:
    """A kind of mail to one role, and the newest version of its words by language."""

    kind: str
    role: str
    changed: dict[str, Wording]


@dataclass(frozen=True)
class WordingPage:
    """Everything that somebody needs who changes the words. `standard` are the words to start from."""

    key: WordingKey
    campaign: str
    standard: Parts
    fields: list[tuple[str, Field, str]]
    required: tuple[str, ...]
    versions: list[Wording]
    names: dict[str, str]

    @property
    def parts(self) -> Parts:
        """The words that count now, the standard ones where nothing was changed."""
        own = self.versions[0].parts if self.versions else Parts()
        return Parts(**{part: getattr(own, part) or getattr(self.standard, part) for part in PARTS})

    @property
    def changed(self) -> bool:
        """Whether anything differs from the standard now."""
        return bool(self.versions) and not self.versions[0].parts.standard

    @property
    def by_case(self) -> bool:
        """Whether the standard words depend on the case."""
        return self.key.kind in BY_CASE

    @property
    def version(self) -> int:
        """The number of the newest version; 0 when nothing was ever changed."""
        return self.versions[0].version if self.versions else 0


async def list_campaigns(context: Context, identity: Identity) -> list[tuple[str, str]]:
    """(id, name) of every campaign, the last to end first."""
    identity.must_coordinate()
    return await context.store.wordings.campaigns()


async def list_wordings(context: Context, identity: Identity, campaign_id: str, *, now: datetime) -> list[Line]:
    """Every kind of mail whose words can be changed, to each of its roles. WordingUnknown for another campaign."""
    await _campaign(context, identity, campaign_id)
    changed = await context.store.wordings.of_campaign(campaign_id)
    lines = []
    for kind, deliveries in coming.list_samples(identity, "de", now=now).items():
        for role in dict.fromkeys(delivery.to.role for delivery in deliveries if kind not in FIXED):
            keys = {language: WordingKey(campaign_id, kind, role, language) for language in LANGUAGES}
            lines.append(Line(kind, role, {code: changed[key] for code, key in keys.items() if key in changed}))
    return lines


async def show_wording(context: Context, identity: Identity, key: WordingKey, *, now: datetime) -> WordingPage:
    """The words of one mail with their history, the standard ones, and what they may name. WordingUnknown."""
    campaign = await _campaign(context, identity, key.campaign_id)
    sample = _samples(identity, key, now)[0]
    versions = await context.store.wordings.versions(key)
    values = context.writer.values(sample, now)
    examples = wording.told_by(key.kind, sample.to, "before", values)
    known = fields_of(key.kind, key.role)
    return WordingPage(
        key, campaign, context.writer.standard_parts(sample, now),
        [(name, field, examples[name]) for name, field in known.items()],
        tuple(name for name in required_of(key.kind) if name in known),
        versions, await context.store.names_of(each.by for each in versions),
    )  # fmt: skip


def try_wording(
    context: Context, identity: Identity, key: WordingKey, parts: Parts, *, now: datetime
) -> tuple[dict[str, RuleBroken], Content | None]:
    """Why the parts cannot be saved, by part, and else the sample mail written with them. Nothing is kept."""
    identity.must_coordinate()
    samples = _samples(identity, key, now)
    parts = _own(context, samples[0], parts, now)
    faults = wording.faults_of(key.kind, parts, [(each.to, context.writer.values(each, now)) for each in samples])
    return faults, None if faults else context.writer.content(samples[0], now, wording=parts)


async def save_wording(
    context: Context, identity: Identity, key: WordingKey, parts: Parts, version: int, *, now: datetime, request_id: str
) -> Wording:
    """Use these words from now on; `version` is the one that was looked at. The first fault, WordingChangedMeanwhile,
    WordingUnchanged."""
    await _campaign(context, identity, key.campaign_id)
    faults, _ = try_wording(context, identity, key, parts, now=now)
    if faults:
        raise next(iter(faults.values()))
    parts = _own(context, _samples(identity, key, now)[0], parts, now)
    versions = await context.store.wordings.versions(key)
    latest = versions[0] if versions else None
    if latest and latest.request_id == request_id:
        return latest
    if (latest.version if latest else 0) != version:
        raise WordingChangedMeanwhile
    return await _add(context, wording.next_version(latest, key, parts, now, identity.id, request_id))


async def take_back(
    context: Context, identity: Identity, key: WordingKey, version: int, *, now: datetime, request_id: str
) -> Wording:
    """Use an earlier version again, or with 0 the standard words. WordingUnknown, WordingUnchanged; the first fault
    that those words have by today's rules, which may be stricter than when they were saved."""
    await _campaign(context, identity, key.campaign_id)
    versions = await context.store.wordings.versions(key)
    earlier = next((each for each in versions if each.version == version), None)
    if not versions or (version and earlier is None):
        raise WordingUnknown
    if versions[0].request_id == request_id:
        return versions[0]
    faults, _ = try_wording(context, identity, key, earlier.parts if earlier else Parts(), now=now)
    if faults:
        raise next(iter(faults.values()))
    return await _add(context, wording.taken_back(versions[0], earlier, now, identity.id, request_id))


async def send_test(
    context: Context, identity: Identity, key: WordingKey, parts: Parts, *, now: datetime, request_id: str
) -> Delivery:
    """Send the sample mail with these words to whoever asks for it, without a calendar entry. The first fault."""
    await _campaign(context, identity, key.campaign_id)
    faults, content = try_wording(context, identity, key, parts, now=now)
    if faults or content is None:
        raise next(iter(faults.values()))
    sample = _samples(identity, key, now)[0]
    parts = _own(context, sample, parts, now)
    test = _test_of(context, identity, sample, parts, f"Test: {content.subject}", now, request_id)

    async def work(session: Session) -> None:
        await context.store.deliveries.add([test], session)

    await mongo.transaction(context.store.db, work)
    context.store.deliveries.planned()
    return test


def _test_of(
    context: Context, identity: Identity, sample: Delivery, parts: Parts, subject: str, now: datetime, request_id: str
) -> Delivery:
    key = domain.wording_test_key(request_id)
    return replace(
        sample, key=key, kind=TEST, about=f"wording:{sample.kind}", subject=subject, calendar=None, priority=TRANSITION,
        to=Recipient(sample.to.role, identity.name, identity.email, sample.to.language),
        erase_after=now + TEST_KEPT, message_id=domain.message_id(key, context.writer.domain), cause="",
        facts={**(sample.facts or {}), "kind": sample.kind, "wording": {**asdict(parts), "subject": subject}},
    )  # fmt: skip


async def _add(context: Context, fresh: Wording) -> Wording:
    if not await context.store.wordings.add(fresh):
        raise WordingChangedMeanwhile
    return fresh


async def _campaign(context: Context, identity: Identity, campaign_id: str) -> str:
    identity.must_coordinate()
    name = dict(await context.store.wordings.campaigns()).get(campaign_id)
    if name is None:
        raise WordingUnknown
    return name


def _own(context: Context, sample: Delivery, parts: Parts, now: datetime) -> Parts:
    """The typed parts; one that says what the standard says stays the standard, which knows every case."""
    typed, standard = wording.cleaned(parts), context.writer.standard_parts(sample, now)
    kept = {part: getattr(typed, part) for part in PARTS if getattr(typed, part) != getattr(standard, part)}
    return Parts(**kept)


def _samples(identity: Identity, key: WordingKey, now: datetime) -> list[Delivery]:
    """The made-up mails to which these words would apply; WordingUnknown when there are none."""
    if key.language not in LANGUAGES or key.kind in FIXED:
        raise WordingUnknown
    found = coming.list_samples(identity, key.language, now=now).get(key.kind, [])  # type: ignore[arg-type]
    samples = [delivery for delivery in found if delivery.to.role == key.role]
    if not samples:
        raise WordingUnknown
    return samples
