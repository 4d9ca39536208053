"""The main journey of each person: once in each of four ways, which together are both languages, both sizes, the
keyboard alone and no JavaScript.

| person                                    | German, phone | English, desktop | German, desktop, keyboard | English, phone, no JavaScript |
|-------------------------------------------|---------------|------------------|---------------------------|-------------------------------|
| anyone: offers, filter, offer, feedback   | yes           | yes              | yes                       | yes                           |
| teacher: book, change, cancel             | yes           | yes              | yes                       | yes                           |
| company: offer, series, approve           | yes           | yes              | yes                       | yes                           |
| ambassador: block days, accept            | yes           | yes              | yes                       | yes                           |
| pupil: ask for reminders, leave           | yes           | yes              | yes                       | yes                           |
| parent: say yes, take it back             | yes           | yes              | yes                       | yes                           |
| coordinator: campaign, check offers       | yes           | yes              | yes                       | yes                           |
| operator: messages set aside              | yes           | yes              | yes                       | yes                           |

Every way is the same function, done by another hand (tests/support/hands.py). Every page on the way is searched for
texts left in the other language; the keyboard sees its focus at every stop. More of each person, in one way only:
test_sign_in_and_switch, test_teacher_journey, test_booking_journey, test_company_journey, test_visit_journey,
test_pupil_journeys.
"""  # noqa: E501

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date

import pytest

from services.events.consumer import HANDLERS as EVENTS
from services.events.consumer import Context
from services.notify.consumer import HANDLERS as NOTIFY
from services.notify.rendering import Writer
from services.notify.store.core import Store as NotifyStore
from services.notify.usecases.context import Context as NotifyContext
from services.notify.usecases.tokens import Tokens
from services.outreach.domain.people import Person
from services.outreach.store import people
from services.outreach.store.core import Store
from shared.auth import Directory
from shared.mongo import Database, database
from shared.region import career_fields
from shared.schemas.outreach import PersonChanged, Role, SchoolChanged
from tests.browser.conftest import Class, OpenPage
from tests.browser.test_booking_journey import register
from tests.support.front_door import ADDRESS, NOW, ROLES, SECRET, FrontDoor, World
from tests.support.hands import Hand, hand_of
from tests.support.visits_db import asked, propose

WAYS = {
    "German on a phone": {"language": "de", "width": 360, "scripts": True, "kind": "pointer"},
    "English on a desktop": {"language": "en", "width": 1280, "scripts": True, "kind": "pointer"},
    "German by keyboard alone": {"language": "de", "width": 1280, "scripts": True, "kind": "keyboard"},
    "English without JavaScript": {"language": "en", "width": 360, "scripts": False, "kind": "pointer"},
}
FIRST_TUESDAY, SECOND_TUESDAY = date(2026, 12, 1), date(2026, 12, 8)
HandOf = Callable[[str], Awaitable[Hand]]


@pytest.fixture(params=WAYS.values(), ids=WAYS.keys())
def hand(request: pytest.FixtureRequest, page_of: OpenPage) -> HandOf:
    """The hand of a person of ROLES, or of nobody, in one of the four ways."""

    async def made(person: str = "") -> Hand:
        way = dict(request.param)
        kind = way.pop("kind")
        page = await page_of(person, **way)
        return hand_of(kind, page, way["language"])

    return made


async def test_anyone_finds_an_offer_and_says_what_does_not_work(world: World, hand: HandOf) -> None:
    await world.slot()
    await world.slot({"title": "Licht und Labor", "field": "EL"}, starts_local="2026-12-02T09:00",
                     ends_local="2026-12-02T12:00")  # fmt: skip
    anyone = await hand()
    await anyone.open("/outreach/start")
    await anyone.follow("Find a place")
    await anyone.unfold("Narrow the choice")
    await anyone.choose("Grade", "9")
    await anyone.press("Show dates")
    assert "grade=9" in anyone.page.url
    await anyone.follow("Licht und Labor")
    await anyone.stands_at("Licht und Labor")
    await anyone.reads("You confirm these points when you register; the reminder names them again.")
    await anyone.follow("Accessibility")
    await anyone.press("Send feedback")
    await anyone.is_told_of_errors()
    await anyone.type("What happened, and on which page?", "Die Karte ist zu klein.")
    await anyone.press("Send feedback")
    await anyone.stands_at("Thank you")


async def test_a_teacher_books_changes_the_number_and_cancels(world: World, hand: HandOf) -> None:
    slot = await world.slot()
    teacher = await hand("teacher")
    await teacher.open("/events/home")
    await teacher.follow("Find a place")
    await teacher.follow("Vom Stahl zum Zahnrad")
    await teacher.follow("Register a class")
    await teacher.type("Class or course", "9a")
    await teacher.choose("Grade", "9")
    await teacher.press("Register now")
    await teacher.is_told_of_errors()
    await teacher.type("Pupils", "24")
    await teacher.tick("I have read this and see to it that everybody in the class knows.")
    await teacher.press("Register now")
    await teacher.stands_at("Confirmed")
    await teacher.unfold("The class is larger or smaller")
    await teacher.type("Pupils", "22")
    await teacher.press("Change the number")
    await teacher.reads("The number has been changed. The company knows it.")
    assert (await world.store.slot(slot.id)).taken == 22
    await teacher.follow("Cancel the registration")
    await teacher.stands_at("Really cancel?")
    await teacher.press("Yes, cancel")
    await teacher.stands_at("Cancelled")
    assert (await world.store.slot(slot.id)).taken == 0


async def test_a_company_offers_a_series_and_approves(world: World, page_of: OpenPage, hand: HandOf) -> None:
    company = await hand("company")
    await company.open("/events/company")
    await company.follow("New offer")
    await company.press("Publish and enter dates")
    await company.is_told_of_errors()
    await company.type("Title", "Ein Tag in der Lehrwerkstatt")
    await company.type("What you require", "Feste Schuhe")
    await company.choose("Field of work", career_fields(company.language)["M"])
    await company.tick("We look at each registration")
    await company.press("Publish and enter dates")
    await company.stands_at("Ein Tag in der Lehrwerkstatt")
    await company.follow("Enter a weekly series")
    await company.tick("Tuesday")
    await company.date("First day", FIRST_TUESDAY)
    await company.date("Last day", SECOND_TUESDAY)
    await company.press("Check the dates")
    await company.press("Open the ticked dates")
    slots = await world.db.slots.find({}).sort("starts_utc", 1).to_list(None)
    assert [slot["starts_local"][:10] for slot in slots] == [str(FIRST_TUESDAY), str(SECOND_TUESDAY)]

    registration = await register(await page_of("teacher"), slots[0]["_id"])
    await company.follow("My company")
    await company.press("Approve the chosen")
    await company.reads("Approved. The school gets the confirmation with the calendar entry.")
    row = await world.db.registrations.find_one({"_id": registration})
    assert row and row["state"] == "confirmed"


async def test_an_ambassador_blocks_days_and_accepts_a_visit(store: Store, hand: HandOf) -> None:
    visit = await propose(store, await asked(store), "a")
    ambassador = await hand("person-a")
    await ambassador.open("/outreach/my-visits")
    await ambassador.unfold("Block days")
    await ambassador.press("Block")
    await ambassador.is_told_of_errors()
    await ambassador.date("Day", date(2026, 12, 7))
    await ambassador.type("Reason", "Prüfung")
    await ambassador.press("Block")
    await ambassador.reads("Prüfung")
    await ambassador.press("I will come")
    row = await store.db.visits.find_one({"_id": visit.id})
    assert row and row["state"] == "confirmed"


async def test_a_pupil_asks_for_reminders_cannot_come_and_leaves(school_class: Class, hand: HandOf) -> None:
    pupil, address = await hand(), school_class.address("lena")
    await pupil.open(f"/notify/class/{school_class.secret}")
    await pupil.type("First name", "Lena")
    await pupil.press("Remind me")
    await pupil.is_told_of_errors()
    await pupil.type("Your mail address", address)
    await pupil.tick("16 or older")
    await pupil.press("Remind me")
    await pupil.stands_at("Now look into your mailbox")
    await pupil.open(await school_class.link(address, "confirm"))
    await pupil.press("Yes, remind me")
    await pupil.stands_at("We remind you, {first_name}", first_name="Lena")
    await pupil.press("I cannot come")
    await pupil.stands_at("You cannot come")
    await pupil.press("Stop the reminders and erase everything")
    await pupil.stands_at("Everything is erased")
    assert await school_class.db.participants.count_documents({"registration_id": school_class.id}) == 0


async def test_a_parent_says_yes_and_takes_it_back(school_class: Class, hand: HandOf) -> None:
    child, address = await hand(), school_class.address("mama")
    await child.open(f"/notify/class/{school_class.secret}")
    await child.type("First name", "Emil")
    await child.type("Your mail address", school_class.address("emil"))
    await child.tick("under 16")
    await child.type("Your parent’s mail address", address)
    await child.press("Remind me")
    await child.stands_at("Now we ask your parents")

    parent = await hand()
    await parent.open(await school_class.link(address, "parent"))
    await parent.stands_at("May {first_name} be reminded?", first_name="Emil")
    await parent.press("Yes, that is fine")
    await parent.stands_at("You have said yes")
    await parent.press("Take my consent back and erase everything")
    await parent.stands_at("Everything is erased")
    assert await school_class.db.participants.count_documents({"registration_id": school_class.id}) == 0


@dataclass
class Staff:
    """The three databases, in which coordinator and operator are known."""

    outreach: Database
    events: Database


@pytest.fixture
async def staff(world: World, door: FrontDoor, mongodb_url: str) -> AsyncIterator[Staff]:
    async with (
        database(mongodb_url, f"{door.prefix}_outreach") as outreach,
        database(mongodb_url, f"{door.prefix}_notify") as notify,
    ):
        await outreach.campaigns.delete_many({})
        writer = Writer(door.url, "mail@perspektive.example", "perspektive.example", "Europe/Berlin")
        mails = NotifyContext(NotifyStore(notify, 90, secret_key=SECRET), writer, Tokens(SECRET, door.url))
        for id, (name, role) in STAFF.items():
            email = f"{id}@agentur.example"
            said = PersonChanged.about(f"person:{id}", 1, now=NOW, person_id=id, name=name, email=email, language="de",
                                       roles=[role], session_epoch=1, active=True)  # fmt: skip
            await EVENTS[PersonChanged](said, Context(world.store, Directory(world.db)), NOW)
            await NOTIFY[PersonChanged](said, mails, NOW)
            person = Person(id=id, last_request_id="", roles=(role,), erase_after=None, name=name, email=email,
                            phone="", language="de", session_epoch=1)  # fmt: skip
            await people.insert(Store(outreach), person, [], None)
        yield Staff(outreach, world.db)
        await outreach.people.delete_many({"_id": {"$in": [*STAFF]}})
        await outreach.campaigns.delete_many({})
        await world.db.set_aside.delete_many({})


STAFF = {
    "coordinator": ROLES["coordinator"], "operator": ("Ola Betrieb", Role(kind="operator", organisation_id="")),
}  # fmt: skip


async def test_a_coordinator_opens_a_campaign_and_checks_an_offer(world: World, staff: Staff, hand: HandOf) -> None:
    await world.db.campaigns.update_one({"_id": "campaign-1"}, {"$set": {"check_offers": True}})
    await world.slot()
    coordinator = await hand("coordinator")
    await coordinator.open("/outreach/")
    await coordinator.follow("Open the first campaign")
    await coordinator.press("Save")
    await coordinator.is_told_of_errors()
    await coordinator.type("Name of the campaign", "Herbst")
    await coordinator.date("First day", date(2026, 11, 1))
    await coordinator.date("Last day", date(2026, 12, 18))
    await coordinator.moment("Companies can make offers from", date(2026, 10, 1))
    await coordinator.moment("Schools can book from", date(2026, 11, 1))
    await coordinator.moment("Booking closes at", date(2026, 12, 1))
    await coordinator.press("Save")
    await coordinator.stands_at("Herbst")
    assert await staff.outreach.campaigns.count_documents({"name": "Herbst"}) == 1

    await coordinator.open("/events/offers/waiting")
    await coordinator.tick("Publish")
    await coordinator.press("Publish the chosen")
    await coordinator.reads(
        "No offer waits. New ones appear here when a campaign says that you look at offers before they are published."
    )
    offer = await world.db.offers.find_one({})
    assert offer and offer["facts"]["state"] == "published"


async def test_an_operator_handles_what_was_set_aside_again(staff: Staff, hand: HandOf) -> None:
    said = SchoolChanged.about("school:school-3", 1, now=NOW, school_id="school-3", name="Dritte Schule", pupils=9,
                               short_name="Dritte", school_type="15", open=True, **ADDRESS)  # fmt: skip
    row = {"_id": said.id, "wire": said.to_wire(), "error": "TimeoutError", "attempts": 6, "set_aside_at": NOW}
    await staff.events.set_aside.insert_one(row)
    operator = await hand("operator")
    await operator.open("/notify/")
    await operator.follow("Messages set aside")
    await operator.follow("Offers and registrations")
    await operator.follow("Handle all again")
    await operator.press("Yes, handle them again")
    await operator.reads("Handled again: {worked} worked, {failed} failed.", worked=1, failed=0)
    assert await staff.events.set_aside.count_documents({}) == 0
    assert await staff.events.schools.count_documents({"_id": "school-3"}) == 1
