"""An uploaded register between its dry run and the confirmation: kept here for an hour, not uploaded again."""

import asyncio
import dataclasses
import zlib
from datetime import datetime, timedelta
from typing import Any

import bson

from services.outreach.school_register import LineError, SetAside
from services.outreach.store.collections import gone_at
from services.outreach.store.core import Store
from services.outreach.usecases.schools import Imported, RegisterFileTooLarge, import_schools
from shared.auth import Identity
from shared.errors import NotFound
from shared.ids import derived_id
from shared.mongo import AlreadyThere

KEPT = timedelta(hours=1)
LARGEST = 15 * 1024 * 1024


class UploadNotFound(NotFound):
    """This upload is older than an hour. Please choose the file again."""


async def keep_upload(
    store: Store, identity: Identity, register: bytes, pupils: bytes | None, *, now: datetime, request_id: str
) -> str:
    """The id under which the files are kept for an hour. RegisterFileUnreadable, RegisterFileTooLarge."""
    identity.must_coordinate()
    expected = await import_schools(store, identity, register, pupils, dry_run=True, now=now, request_id=request_id)
    packed = await asyncio.to_thread(_packed, register, pupils, expected)
    if sum(len(part) for part in packed.values() if part) > LARGEST:
        raise RegisterFileTooLarge(
            reason_de=f"Gepackt sind höchstens {LARGEST} Bytes erlaubt.",
            reason_en=f"At most {LARGEST} bytes are allowed when compressed.",
        )
    upload_id = derived_id(request_id, "upload")
    kept = {"_id": upload_id, **packed, "expires_at": now + KEPT, "gone_at": gone_at(KEPT * 24), "done": None}
    try:
        await store.db.uploads.insert_one(kept)
    except AlreadyThere:
        return upload_id
    return upload_id


async def look_at_upload(store: Store, identity: Identity, upload_id: str, *, now: datetime) -> Imported:
    """What importing the upload would have done when it came; once imported, what it did. UploadNotFound."""
    identity.must_coordinate()
    kept = await _kept(store, upload_id, now)
    return _from_document(kept["done"] or bson.decode(zlib.decompress(kept["expected"])))


async def import_upload(store: Store, identity: Identity, upload_id: str, *, now: datetime) -> Imported:
    """Import the upload, once; afterwards only what it did is kept. UploadNotFound."""
    identity.must_coordinate()
    kept = await _kept(store, upload_id, now)
    if kept["done"]:
        return _from_document(kept["done"])
    register, pupils = await asyncio.to_thread(_unpacked, kept)
    done = await import_schools(store, identity, register, pupils, dry_run=False, now=now, request_id=upload_id)
    erased = dict.fromkeys(("register", "pupils", "expected"))
    await store.db.uploads.update_one(
        {"_id": upload_id, "done": None}, {"$set": {"done": _to_document(done), **erased}}
    )
    return done


async def _kept(store: Store, upload_id: str, now: datetime) -> dict[str, Any]:
    kept = await store.db.uploads.find_one({"_id": upload_id, "expires_at": {"$gt": now}})
    if kept is None:
        raise UploadNotFound
    return kept


def _packed(register: bytes, pupils: bytes | None, expected: Imported) -> dict[str, bytes | None]:
    outcome = bson.encode(_to_document(expected))
    parts = {"register": register, "pupils": pupils, "expected": outcome}
    return {name: zlib.compress(part, 1) if part else None for name, part in parts.items()}


def _to_document(outcome: Imported) -> dict[str, Any]:
    return dataclasses.asdict(
        dataclasses.replace(outcome, changes=outcome.changes[:1000], errors=outcome.errors[:10_000])
    )


def _unpacked(kept: dict[str, Any]) -> tuple[bytes, bytes | None]:
    pupils = kept["pupils"]
    return zlib.decompress(kept["register"]), zlib.decompress(pupils) if pupils else None


def _from_document(done: dict[str, Any]) -> Imported:
    lines = {name: tuple(LineError(**line) for line in done[name]) for name in ("errors", "warnings")}
    set_aside = tuple(SetAside(**line) for line in done["set_aside"])
    changes = tuple((id, name, tuple(fields)) for id, name, fields in done["changes"])
    return Imported(**{**done, **lines, "set_aside": set_aside, "changes": changes, "missing": tuple(done["missing"])})
