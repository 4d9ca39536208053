"""Calendar feeds: the mails' entries at a secret address, read by another library; nobody's name, no link in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject

from services.notify.feeds import FeedChangedMeanwhile, FeedUnknown
from services.notify.usecases import feeds
from services.notify.usecases.erasure import erase_due
from shared.auth import Identity
from shared.schemas import events, outreach
from shared.schemas.outreach import Role
from tests.support.notify_builders import (
    COMPANY,
    NOW,
    STARTS,
    TEACHER,
    coordinator,
    registration,
    said,
    slot,
    slot_moved,
    visit,
    visit_said,
)
from tests.support.notify_world import World, part


def person(id: str, email: str, *roles: tuple[Any, str]) -> Any:
    """Somebody entered."""
    held = [Role(kind=kind, organisation_id=organisation) for kind, organisation in roles]
    return coordinator().model_copy(
        update={"person_id": id, "aggregate": f"person:{id}", "name": id, "email": email, "roles": held}
    )


def known(message: Any) -> Identity:
    return Identity(message.person_id, "person", message.name, tuple(message.roles), names={"school1": "Schule"})


TESSA = person("tessa", TEACHER.email.title(), ("teacher", "school1"))
KONRAD = person("konrad", COMPANY.email, ("company", "company1"))
ADA = person("person1", "ada1@betrieb.example", ("ambassador", "company1"))
OTHER = person("other", "other@schule.example", ("teacher", "school1"))


@pytest.fixture(autouse=True)
async def people(world: World) -> None:
    await world.hear(TESSA, KONRAD, ADA, OTHER)


async def address(world: World, who: Any, scope: str = "me", version: int = 0) -> str:
    made = await feeds.renew_feed(world.context, known(who), scope, version, now=NOW)
    return made.secret


async def read(world: World, secret: str) -> list[Any]:
    """The entries of a feed as another library reads them."""
    found = await feeds.read_feed(world.context, secret, now=world.clock.now())
    calendar = vobject.readOne(found.ics)
    assert calendar.method.value == "PUBLISH"
    return getattr(calendar, "vevent_list", [])


async def etag(world: World, secret: str) -> str:
    return (await feeds.read_feed(world.context, secret, now=world.clock.now())).etag


async def test_a_feed_has_the_mails_entry_with_its_uid_and_follows_it(world: World) -> None:
    secret = await address(world, TESSA)
    assert await read(world, secret) == []
    await world.hear(said(events.RegistrationConfirmed, registration()))
    await world.send_all()
    mails = dict(zip(world.server.recipients, world.server.mails, strict=True))
    mailed = vobject.readOne(part(mails[TEACHER.email], "text/calendar").get_content()).vevent
    (entry,) = await read(world, secret)
    for name in ("uid", "sequence", "status", "dtstart", "dtend", "summary", "location"):
        assert getattr(entry, name).value == getattr(mailed, name).value, name
    await world.hear(slot_moved(slot(2, STARTS + timedelta(days=1))))
    (moved,) = await read(world, secret)
    assert (moved.uid.value, moved.sequence.value) == (entry.uid.value, "1")
    assert moved.dtstart.value == entry.dtstart.value + timedelta(days=1)
    cancelled = registration("cancelled", 2, slot=slot(2, STARTS + timedelta(days=1)), cancelled_by="school")
    await world.hear(said(events.RegistrationCancelled, cancelled))
    (gone,) = await read(world, secret)
    assert (gone.uid.value, gone.status.value, gone.sequence.value) == (entry.uid.value, "CANCELLED", "2")


async def test_company_ambassador_and_school_find_what_they_were_told_of(world: World) -> None:
    await world.hear(
        said(events.RegistrationConfirmed, registration()), visit_said(outreach.VisitConfirmed, visit("confirmed")),
        said(events.RegistrationWaitlisted, registration("waitlisted", id="reg2")),
    )  # fmt: skip
    of_school = ["registration-reg1-teacher", "visit-visit1-teacher"]
    for who, scope, uids in (
        (KONRAD, "me", ["registration-reg1-company"]), (KONRAD, "company-company1", ["registration-reg1-company"]),
        (ADA, "me", ["visit-visit1-ambassador-amb1"]), (OTHER, "me", []),
        (OTHER, "teacher-school1", of_school), (TESSA, "me", of_school),
    ):  # fmt: skip
        entries = await read(world, await address(world, who, scope))
        assert sorted(entry.uid.value.partition("@")[0] for entry in entries) == uids, (who.person_id, scope)


async def test_no_feed_names_a_person_or_leads_anywhere(world: World) -> None:
    await world.hear(
        said(events.RegistrationConfirmed, registration()), visit_said(outreach.VisitConfirmed, visit("confirmed"))
    )
    for who, scope in ((TESSA, "me"), (KONRAD, "me"), (ADA, "me"), (OTHER, "teacher-school1")):
        found = await feeds.read_feed(world.context, await address(world, who, scope), now=NOW)
        text = found.ics.replace("\r\n ", "")
        private = ("Tessa", "Konrad", "Ada", "02761", "0271", "betrieb.example", "schule.example", "http", "mailto")
        assert [each for each in private if each in text] == []
        assert "Rollstuhl" not in text


@pytest.mark.parametrize(
    ("starts", "moment"),
    [
        (datetime(2027, 3, 27, 9), datetime(2027, 3, 27, 8, tzinfo=UTC)),
        (datetime(2027, 3, 28, 9), datetime(2027, 3, 28, 7, tzinfo=UTC)),
        (datetime(2027, 10, 30, 9), datetime(2027, 10, 30, 7, tzinfo=UTC)),
        (datetime(2027, 10, 31, 9), datetime(2027, 10, 31, 8, tzinfo=UTC)),
    ],
)
async def test_the_feed_s_own_zone_gives_the_right_moment_around_both_clock_changes(
    world: World, starts: datetime, moment: datetime
) -> None:
    early = registration(id="early", slot=slot(starts=datetime(2026, 12, 1, 9), slot_id="slot0"))
    await world.hear(
        said(events.RegistrationConfirmed, early),
        said(events.RegistrationConfirmed, registration(slot=slot(starts=starts))),
    )
    entries = await read(world, await address(world, TESSA))
    entry = next(each for each in entries if "reg1" in each.uid.value)
    assert entry.dtstart.value.astimezone(UTC) == moment and len(entries) == 2


async def test_a_new_address_ends_the_old_one_and_a_revoked_one_leads_nowhere(world: World) -> None:
    first = await address(world, TESSA)
    with pytest.raises(FeedChangedMeanwhile):
        await address(world, TESSA)
    second = await address(world, TESSA, version=1)
    with pytest.raises(FeedUnknown):
        await read(world, first)
    assert await read(world, second) == []
    await feeds.revoke_feed(world.context, known(TESSA), "me")
    with pytest.raises(FeedUnknown):
        await read(world, second)
    assert await address(world, TESSA)


async def test_nobody_makes_a_feed_of_an_organisation_they_do_not_act_for(world: World) -> None:
    for scope in ("teacher-school2", "company-school1", "company-company1", "else", ""):
        with pytest.raises(FeedUnknown):
            await address(world, TESSA, scope)
        with pytest.raises(FeedUnknown):
            await feeds.revoke_feed(world.context, known(TESSA), scope)
    stranger = Identity("tessa", "person", "T")
    with pytest.raises(FeedUnknown):
        await feeds.show_feed(world.context, stranger, "teacher-school1")


async def test_who_loses_the_role_or_leaves_loses_the_feed(world: World) -> None:
    own, school = await address(world, TESSA), await address(world, TESSA, "teacher-school1")
    await world.hear(TESSA.model_copy(update={"id": "left1", "aggregate_version": 2, "roles": []}))
    assert await read(world, own) == []
    with pytest.raises(FeedUnknown):
        await read(world, school)
    await world.hear(TESSA.model_copy(update={"id": "left2", "aggregate_version": 3, "active": False}))
    with pytest.raises(FeedUnknown):
        await read(world, own)
    assert await world.db.feeds.count_documents({}) == 0


async def test_the_etag_stays_while_nothing_changes_and_goes_with_the_copies(world: World) -> None:
    await world.hear(said(events.RegistrationConfirmed, registration()))
    secret = await address(world, TESSA)
    before = await etag(world, secret)
    world.clock.forward(timedelta(hours=5))
    assert await etag(world, secret) == before
    await world.hear(slot_moved(slot(2, STARTS + timedelta(days=1))))
    assert await etag(world, secret) != before
    await erase_due(world.context, now=NOW + timedelta(days=200))
    assert await read(world, secret) == []
