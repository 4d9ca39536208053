"""Mails about a visit that did not arrive: who organises sees it at the visit."""

from datetime import timedelta

import pytest

from services.outreach.consumer import HANDLERS
from services.outreach.domain.people import Person
from services.outreach.usecases.visit_erasure import erase_visit_contacts
from shared.inbox import Dispatcher
from shared.schemas.notify import DeliveryFailed
from shared.schemas.outreach import Role
from tests.support.visits import NOW
from tests.support.visits_db import asked, fill

pytestmark = pytest.mark.processes_only


@pytest.fixture(autouse=True)
async def _filled(store):
    await fill(store)


def failed(concerns: str) -> DeliveryFailed:
    return DeliveryFailed.about(
        "delivery:1", 1, now=NOW, delivery_id="1", kind="visit_requested", concerns=concerns,
        recipient_role="teacher", answer="550 5.1.1 no such user", failed_at=NOW,
    )  # fmt: skip


@pytest.fixture
def as_person(store, sign_in):
    """Signs in somebody with one role."""

    async def enter(kind: str, organisation_id: str):
        role = Role(kind=kind, organisation_id=organisation_id)
        person = Person(id=f"{kind}-{organisation_id}", name="Erika Muster", email=f"{kind}@x.example", roles=(role,))
        await store.insert("people", person, email_key=person.email)
        return await sign_in(person.id)

    return enter


async def test_a_mail_that_failed_shows_at_its_visit_until_the_contact_is_erased(store, clock, as_person):
    visit = await asked(store)
    dispatcher = Dispatcher(store.db, HANDLERS, store, clock)
    for message in (failed(f"visit:{visit.id}"), failed(f"visit:{visit.id}"), failed("registration:r1")):
        await dispatcher.receive(message.to_wire(), 1)
    assert await store.db.inbox.count_documents({"_id": {"$regex": "mark_mail_trouble"}}) == 1
    for kind, organisation, at_visit, in_list in (
        ("coordinator", "agency", True, True), ("teacher", "100001", True, False), ("company", "works", False, False),
    ):  # fmt: skip
        person = await as_person(kind, organisation)
        page = (await person.get(f"/outreach/visits/{visit.id}")).text
        assert ("550 5.1.1 no such user" in page and "A mail did not arrive" in page) is at_visit, kind
        assert ("a mail did not arrive" in (await person.get("/outreach/visits")).text) is in_list, kind
    await erase_visit_contacts(store, NOW + timedelta(days=2000))
    assert "mail_trouble" not in await store.db.visits.find_one({"_id": visit.id})
