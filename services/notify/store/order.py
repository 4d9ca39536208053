"""What goes to one address about one thing goes in the order in which it was planned, whichever process sends it."""

from collections.abc import Iterable
from typing import Any

from shared.mongo import Document

READ = dict.fromkeys(("about", "recipient", "priority", "due_at", "planned_at", "order", "waiting", "behind"), 1)
IN_ORDER = [("priority", 1), ("planned_at", 1), ("order", 1)]


def behind(taken: Iterable[Document], others: Iterable[Document]) -> set[str]:
    """The keys of those `taken` that have to wait for one of `others`: for one about the same thing to the same address
    that is no less urgent and was planned earlier, and is on its way or would be next."""
    by_thing: dict[tuple[str, str], list[Document]] = {}
    for other in others:
        by_thing.setdefault(_thing(other), []).append(other)
    return {row["_id"] for row in taken if any(_goes_first(other, row) for other in by_thing.get(_thing(row), []))}


def _thing(row: Document) -> tuple[str, str]:
    return row["about"], row["recipient"].lower()


def _goes_first(other: Document, row: Document) -> bool:
    """Of two that wait the one that was due first is next, so that one that was put off holds nobody up; but one that
    only waits for its turn (`behind`) keeps its place."""
    if other["priority"] > row["priority"] or _when_planned(other) > _when_planned(row):
        return False
    return "waiting" not in other or other.get("behind", False) or _when_due(other) < _when_due(row)


def _when_due(row: Document) -> tuple[Any, ...]:
    return row["due_at"], *_when_planned(row)


def _when_planned(row: Document) -> tuple[Any, ...]:
    return row["planned_at"], row["order"]
