"""What the agency's own pages show: imports, messages set aside, invitations, feedback, keys, pauses."""

from datetime import timedelta

from services.outreach.domain.invitations import Invitation
from services.outreach.store.core import Store
from shared.auth import hash_of_key
from shared.ids import random_id
from shared.mongo import Database, hold_lease
from tests.support.estate import NOBODY, REGISTER, Estate
from tests.support.estate_traces import send
from tests.support.front_door import NOW
from tests.support.kernel import campaign
from tests.support.states.common import database_of

A_DAY_SECONDS = 86_400
COMPANIES = "name;street;postal_code;town\nNeue GmbH;Weg 1;59821;Arnsberg\n;Weg 2;59821;Arnsberg\nOhne Ort;Weg 3;123;\n"
SELF_FOUND = "company_name;day\nWerkstatt;2026-12-15\n"


async def agency_in_every_state(estate: Estate) -> dict[str, str]:
    """Ids and tokens by state."""
    async with database_of(estate, "outreach") as db:
        found = await _imports(estate, db)
        found |= await _invitations(estate, Store(db))
    found |= await _registers(estate)
    found["message_set_aside"] = await _message_set_aside(estate)
    await send(estate, NOBODY, "/outreach/accessibility", {"text": "Die Karte ist zu klein."})
    await estate.key(("events:read",))
    return found


async def _imports(estate: Estate, db: Database) -> dict[str, str]:
    """A file with faults, looked at and imported; and copies of it in the states that it passes through too quickly, or
    reaches only when something breaks."""
    checked = await _uploaded(estate, "/outreach/import/companies", COMPANIES)
    done = await _uploaded(estate, "/outreach/import/companies", COMPANIES)
    await send(estate, "coordinator", f"/outreach/import/companies/{done}", {})
    found = {"import_checked": checked, "import_done": done}
    row = await db.table_imports.find_one({"_id": checked})
    for state in ("checking", "importing", "stopped", "failed"):
        found[f"import_{state}"] = copy = random_id()
        await hold_lease(db, f"import:{copy}", "a test", A_DAY_SECONDS)  # or the worker would go on with it
        broken = {"state": "stopped", "failed": True} if state == "failed" else {"state": state}
        await db.table_imports.insert_one({**row, "_id": copy, "at": 1, **broken})
    found["import_self_found"] = await _uploaded(estate, "/events/import/self-found", SELF_FOUND)
    return found


async def _registers(estate: Estate) -> dict[str, str]:
    """The school register, looked at and taken over: lines with faults, changes, and schools that are missing."""
    lines = REGISTER.read_bytes().splitlines(keepends=True)
    content = b"".join([*lines[:6], b"1;2;3\n", lines[40]]).decode("utf-8", "surrogateescape")
    checked = await _uploaded(estate, "/outreach/imports", content)
    done = await _uploaded(estate, "/outreach/imports", content)
    await send(estate, "coordinator", f"/outreach/imports/{done}", {})
    return {"register_checked": checked, "register_done": done}


async def _uploaded(estate: Estate, path: str, content: str) -> str:
    http = await estate.client("coordinator")
    hidden = {"csrf": estate.tokens["coordinator"], "request_id": random_id()}
    file = {"file": ("list.csv", content.encode("utf-8", "surrogateescape"), "text/csv")}
    answer = await http.post(path, data=hidden, files=file)
    assert answer.status_code == 303, (path, answer.status_code, answer.text[-2000:])
    return answer.headers["location"].rsplit("/", 1)[-1]


async def _invitations(estate: Estate, store: Store) -> dict[str, str]:
    """Tokens of an open invitation, of one to decline, and of one that nobody answered in time."""
    found = {}
    for name, days in (("invitation_open", 14), ("invitation_to_decline", 14), ("invitation_expired", -1)):
        found[name] = random_id()
        asked = Invitation(
            id=random_id(), organisation_id=estate.ids["school_id"], organisation_name="Beispielschule",
            invited_by=estate.people["teacher"], invited_by_name="Teacher", token_hash=hash_of_key(found[name]),
            expires_at=NOW + timedelta(days=days), kind="teacher", name="Vera Vertretung",
            email=f"{name.replace('_', '-')}@schule.example", language="de",
        )  # fmt: skip
        await store.insert("invitations", asked)
    found["invitation_ambassador"] = random_id()
    to_visit = Invitation(
        id=random_id(), organisation_id=estate.ids["company_id"], organisation_name="Beispielwerk",
        invited_by=estate.people["company"], invited_by_name="Company",
        token_hash=hash_of_key(found["invitation_ambassador"]), expires_at=NOW + timedelta(days=14), kind="ambassador",
        name="Ada Azubi", email="ada@firma.example", language="de", fields=("EL", "M"), home_postal_code="57072",
    )  # fmt: skip
    await store.insert("invitations", to_visit)
    return found


async def _message_set_aside(estate: Estate) -> str:
    wire = campaign(7).to_wire()
    row = {"_id": wire["id"], "wire": wire, "error": "tests", "attempts": 5, "set_aside_at": NOW - timedelta(hours=1)}
    for service in ("outreach", "events", "notify"):
        async with database_of(estate, service) as db:
            await db.set_aside.insert_one(row)
    return wire["id"]
