"""The demo's first step: the school register, whole, broken on purpose, and as large as the whole state's."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.local.demo.client import Client, must

REGISTER = Path(__file__).parents[3] / "shared" / "data" / "schuldaten.csv"
WHOLE_STATE_ROWS = 5_637


async def import_register(client: Client, say: Callable[[str], None]) -> None:
    """Dry run, import again, a file broken on purpose, and a file as large as the whole state's."""
    register = REGISTER.read_bytes()
    dry = await _import(client, register, dry_run=True)
    must(dry["counts"]["schools"] == 482 and dry["counts"]["set_aside"] == 18, f"482 + 18 expected: {dry['counts']}")
    real = await _import(client, register, dry_run=False)
    must((real["created"], real["changed"], real["unchanged"]) == (0, 0, 482), "the second import changes nothing")
    say(f"register: 482 schools, 18 offices set aside ({dry['set_aside'][0]['reason']}); again: 482 unchanged")
    broken = await _import(client, _broken(register), dry_run=True)
    for error in broken["errors"]:
        say(f"  broken line {error['line']}, {error['field']} = {error['value']!r}: {error['reason']}")
    must(len(broken["errors"]) == 3, f"three broken lines expected: {broken['errors']}")
    must(broken["counts"]["schools"] == 479, "the good lines of a broken file are kept")
    whole = await _import(client, whole_state(register), dry_run=True)
    must(whole["counts"]["rows"] == WHOLE_STATE_ROWS, f"{WHOLE_STATE_ROWS} rows expected: {whole['counts']}")
    say(f"a register of the whole state's size: {whole['counts']['rows']} rows read")


async def _import(client: Client, content: bytes, dry_run: bool) -> Any:
    path = f"/outreach/api/v1/imports/schools?dry_run={str(dry_run).lower()}"
    return (await client.post(path, files={"file": ("schuldaten.csv", content, "text/csv")})).ok()


def _broken(register: bytes) -> bytes:
    """The register with three lines broken: a letter in a coordinate, an unknown school type, missing columns."""
    lines = register.decode().splitlines()
    lines[10] = lines[10].rsplit(";", 1)[0] + ';"weit oben"'
    number, _, rest = lines[20].split(";", 2)
    lines[20] = f'{number};"77";{rest}'
    lines[30] = lines[30].rsplit(";", 3)[0]
    return "\n".join(lines).encode()


def whole_state(register: bytes) -> bytes:
    """As many rows as the whole state has, made from the region's by giving them other numbers."""
    header, columns, *lines = register.decode().splitlines()
    rows = list(csv.reader(lines, delimiter=";"))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    for index in range(WHOLE_STATE_ROWS):
        row = list(rows[index % len(rows)])
        row[0] = str(300_000 + index)
        writer.writerow(row)
    return f"{header}\n{columns}\n{out.getvalue()}".encode()
