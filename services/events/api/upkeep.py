"""Proof that counters and registrations agree, as JSON."""

from fastapi import APIRouter

from services.events.api.parts import Now, Reader, TheStore, Writer
from services.events.usecases import upkeep
from services.events.usecases.results import Reconciliation

router = APIRouter(tags=["upkeep"])


@router.get("/reconciliation")
async def show_reconciliation(who: Reader, store: TheStore) -> Reconciliation:
    """Compare every slot's counters with its registrations; changes nothing."""
    return await upkeep.show_reconciliation(store, who)


@router.post("/reconciliation")
async def reconcile(who: Writer, store: TheStore, now: Now) -> Reconciliation:
    """Carry out what a process left behind when it died, then compare."""
    return await upkeep.reconcile_now(store, who, now=now)
