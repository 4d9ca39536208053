"""A person's calendar addresses: made, renewed, revoked; and what a calendar program finds there."""

import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from services.notify import feeds
from services.notify.calendar import feed_ics
from services.notify.feeds import MINE, Feed, FeedChangedMeanwhile, FeedUnknown, Item
from services.notify.usecases.context import Context
from shared.auth import Identity
from shared.mongo import Document
from shared.ui.language import translate

ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Address:
    """One that somebody may have: its scope, the organisation's name (empty for the own dates), and whether there is
    one."""

    scope: str
    organisation: str
    feed: Feed | None
    url: str


@dataclass(frozen=True)
class FeedText:
    """What a calendar program gets. `etag` changes only when an entry does."""

    ics: str
    etag: str


async def list_feeds(context: Context, identity: Identity) -> list[Address]:
    """Every feed that this person has or could have."""
    there = await context.store.feeds.of_person(identity.id)
    return [_address(context, identity, scope, there.get(scope)) for scope in feeds.scopes_of(identity)]


async def show_feed(context: Context, identity: Identity, scope: str) -> Address:
    """One of them; FeedUnknown when it is not for this person."""
    found = next((each for each in await list_feeds(context, identity) if each.scope == scope), None)
    if found is None:
        raise FeedUnknown
    return found


async def renew_feed(context: Context, identity: Identity, scope: str, version: int, *, now: datetime) -> Feed:
    """Make the address, or a new one in place of that with this `version`, which then leads nowhere. FeedUnknown,
    FeedChangedMeanwhile."""
    await show_feed(context, identity, scope)
    fresh = Feed(identity.id, scope, secrets.token_urlsafe(24), version + 1, now)
    if not await context.store.feeds.put(fresh):
        raise FeedChangedMeanwhile
    return fresh


async def revoke_feed(context: Context, identity: Identity, scope: str) -> None:
    """Make the address lead nowhere; a second time changes nothing. FeedUnknown."""
    await show_feed(context, identity, scope)
    await context.store.feeds.delete(identity.id, scope)


async def read_feed(context: Context, secret: str, *, now: datetime) -> FeedText:
    """The feed at a secret address; FeedUnknown, also when its person left or does not act for the organisation any
    more."""
    feed = await context.store.feeds.with_secret(secret)
    person = await context.store.active_person(feed.person_id) if feed else None
    if feed is None or person is None or not _holds(person, feed.scope):
        raise FeedUnknown
    items = [item async for item in _items(context, feed, person)]
    name = translate("My dates" if feed.scope == MINE else "All dates", person["language"])
    name = f"Perspektive: {name}"
    etag = hashlib.sha256(feed_ics(items, name, ANY_MOMENT).encode()).hexdigest()[:32]
    return FeedText(feed_ics(items, name, now), f'W/"{etag}"')


def _holds(person: Document, scope: str) -> bool:
    kind, _, organisation_id = scope.partition("-")
    roles = [(role["kind"], role["organisation_id"]) for role in person["roles"]]
    return scope == MINE or (kind, organisation_id) in roles


async def _items(context: Context, feed: Feed, person: Document) -> AsyncIterator[Item]:
    """The entries, each once."""
    seen: set[str] = set()
    found = _of_person(context, person) if feed.scope == MINE else _of_organisation(context, feed.scope, person)
    async for item in found:
        if item and item[0].uid not in seen:
            seen.add(item[0].uid)
            yield item


async def _of_person(context: Context, person: Document) -> AsyncIterator[Item | None]:
    rows, language, domain = context.store.feeds, person["language"], context.writer.domain
    for copy in await rows.registrations_by_email("contact", person["email"]):
        yield feeds.of_registration(copy.facts, copy.calendar, "teacher", domain, language)
    for copy in await rows.registrations_by_email("slot.offer.contact", person["email"]):
        yield feeds.of_registration(copy.facts, copy.calendar, "company", domain, language)
    for facts, entries in await rows.visits_by_email(person["email"]):
        yield feeds.of_visit(facts, entries, feeds.to_school(language), domain)
    for facts, entries in await rows.visits_by_id("team.person_id", person["_id"]):
        for member in facts.team:
            if member.person_id == person["_id"]:
                yield feeds.of_visit(facts, entries, feeds.to_ambassador(member.ambassador_id, language), domain)


async def _of_organisation(context: Context, scope: str, person: Document) -> AsyncIterator[Item | None]:
    rows, language, domain = context.store.feeds, person["language"], context.writer.domain
    kind, _, id = scope.partition("-")
    if kind == "company":
        for copy in await rows.registrations_by_id("slot.offer.company_id", id):
            yield feeds.of_registration(copy.facts, copy.calendar, "company", domain, language)
        return
    for copy in await rows.registrations_by_id("school_id", id):
        yield feeds.of_registration(copy.facts, copy.calendar, "teacher", domain, language)
    for facts, entries in await rows.visits_by_id("school_id", id):
        yield feeds.of_visit(facts, entries, feeds.to_school(language), domain)


def _address(context: Context, identity: Identity, scope: str, feed: Feed | None) -> Address:
    organisation = identity.names.get(scope.partition("-")[2], "") if scope != MINE else ""
    return Address(scope, organisation, feed, context.tokens.feed(feed.secret) if feed else "")
