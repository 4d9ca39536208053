"""Class links, pupils and parents in every state."""

from typing import Any

from deploy.local.demo.client import until
from services.notify.consent import Participant
from services.notify.store.core import Store
from services.notify.usecases.tokens import Action, Tokens
from shared.mongo import Database
from tests.support.estate import NOBODY, Estate
from tests.support.estate_traces import send
from tests.support.front_door import SECRET
from tests.support.states.common import database_of


async def pupils_in_every_state(estate: Estate, ids: dict[str, str]) -> dict[str, str]:
    """Secrets of class links, and the tokens in mails to pupils and parents, by the states to which they lead."""
    async with database_of(estate, "notify") as db:
        secrets = {
            "class_open": await _secret(db, ids["registration_confirmed"]),
            "class_closed": await _secret(db, ids["link_closed"]),
            "class_cancelled": await _secret(db, ids["cancelled_by_company"]),
        }
        await send(estate, "teacher", f"/notify/class-links/{ids['link_closed']}/close", {})
        called_off = {"_id": ids["cancelled_by_company"], "facts.state": "cancelled"}
        await until("the cancellation to be known", lambda: db.registrations.find_one(called_off))
        return {**secrets, **await _asked(_Class(estate, db, secrets["class_open"]))}


class _Class:
    """Pupils of one class, as their pages let them be."""

    def __init__(self, estate: Estate, db: Database, secret: str) -> None:
        self.estate, self.db, self.secret = estate, db, secret
        self.tokens = Tokens(SECRET, estate.door.url)

    async def asks(self, name: str, parent: bool = False) -> None:
        """A pupil has asked to be reminded; with a parent: is under 16."""
        form = {"first_name": name, "email": f"{name.lower()}@post.example", "under_16": str(parent).lower()}
        more = {"parent_email": f"eltern-{name.lower()}@post.example"} if parent else {}
        await send(self.estate, NOBODY, f"/notify/class/{self.secret}", {**form, **more})

    async def link(self, name: str, action: Action) -> str:
        """The token in a mail to this pupil, or to the parent."""
        row = await self.db.participants.find_one({"first_name": name})
        assert row, name
        pupil: Participant | None = await Store(self.db, retention_days=90, secret_key=SECRET).participants.get(
            row["_id"]
        )
        assert pupil
        return self.tokens.write(action, pupil)

    async def answers(self, action: Action, name: str, form: dict[str, Any] | None = None, then: str = "") -> str:
        """The token, with which the form of its page was sent."""
        token = await self.link(name, action)
        await send(self.estate, NOBODY, f"/notify/{action}/{token}{then}", form or {})
        return token


async def _asked(of: _Class) -> dict[str, str]:
    for name, under_16 in (("Anna", False), ("Cora", False), ("Dora", False), ("Emil", False)):
        await of.asks(name, under_16)
    for name in ("Bela", "Finn", "Gila", "Hugo"):
        await of.asks(name, parent=True)
    for name in ("Cora", "Dora", "Emil"):
        await of.answers("confirm", name)
    await of.answers("mine", "Dora", {"coming": "no"}, "/coming")
    return {
        "pupil_asked": await of.link("Anna", "confirm"),
        "parent_asked": await of.link("Bela", "parent"),
        "pupil_waits_for_parent": await of.link("Bela", "confirm"),
        "pupil_confirmed": await of.link("Cora", "mine"),
        "pupil_cannot_come": await of.link("Dora", "mine"),
        "pupil_withdrew": await of.answers("mine", "Emil", {}, "/withdraw"),
        "parent_consented": await of.answers("parent", "Finn", {"answer": "yes"}),
        "pupil_with_consent": await of.link("Finn", "confirm"),
        "parent_refused": await of.answers("parent", "Gila", {"answer": "no"}),
        "parent_withdrew": await _parent_withdraws(of, "Hugo"),
    }


async def _parent_withdraws(of: _Class, name: str) -> str:
    await of.answers("parent", name, {"answer": "yes"})
    return await of.answers("parent", name, {"answer": "withdraw"})


async def _secret(db: Database, registration: str) -> str:
    link = await until("the class link", lambda: db.class_links.find_one({"_id": registration}))
    return link["secret"]
