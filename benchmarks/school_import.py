"""The import of a register as large as the whole state's into an empty database: seconds and memory.

In a process of its own, with a database of its own on the MongoDB of a running instance (or MONGODB_URL); the database
is dropped afterwards. Prints one line of JSON.
"""

import argparse
import asyncio
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.data_folder import DataFolder
from deploy.local.demo.register import REGISTER, whole_state
from deploy.local.settings import read_settings
from services.outreach.store import collections
from services.outreach.store.core import Store
from services.outreach.usecases.schools import import_schools
from shared.auth import Identity
from shared.mongo import database
from shared.schemas.outreach import Role

COORDINATOR = Identity("measuring", "program", "measuring", (Role(kind="coordinator", organisation_id="agency"),))


def main() -> None:
    """Measure once and print {"rows", "created", "seconds", "peak_mb"}."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, help="a register file; else one is made from the region's")
    parser.add_argument("--database", default="measured_school_import")
    options = parser.parse_args()
    url = (
        os.environ.get("MONGODB_URL")
        or DataFolder(read_settings(os.environ).data_dir).running_instance()["mongodb_url"]
    )
    data = options.file.read_bytes() if options.file else whole_state(REGISTER.read_bytes())
    print(json.dumps(asyncio.run(_measured(url, options.database, data))))


async def _measured(url: str, name: str, data: bytes) -> dict[str, float]:
    async with database(url, name) as db:
        store = Store(db)
        await collections.prepare(store)
        began = time.monotonic()
        done = await import_schools(
            store, COORDINATOR, data, None, dry_run=False, now=datetime.now(UTC), request_id="whole state"
        )
        seconds = time.monotonic() - began
        await db.client.drop_database(name)
    return {"rows": done.rows, "created": done.created, "seconds": round(seconds, 2), "peak_mb": _peak_mb()}


def _peak_mb() -> int:
    """The most memory that this program held; rusage would count the process that started it, too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
