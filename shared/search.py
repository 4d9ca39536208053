"""What a search over one service finds: groups of hits, each with the page that it leads to. Pure."""

from dataclasses import dataclass

SHOWN = 20


@dataclass(frozen=True)
class Hit:
    """One thing that was found."""

    address: str
    title: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hits:
    """Hits of one sort; `heading` is its English name, `more` says that not all are there."""

    heading: str
    hits: tuple[Hit, ...]
    more: bool = False


def hits(heading: str, found: list[Hit]) -> Hits:
    """The first of `found`, and whether there were more."""
    return Hits(heading, tuple(found[:SHOWN]), len(found) > SHOWN)
