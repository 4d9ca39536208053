"""Reading a list to its end, page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
PER_PAGE = 200


async def every_page(
    fetch: Callable[[str | None], Awaitable[tuple[Sequence[Item], str | None]]],
) -> AsyncIterator[Sequence[Item]]:
    """The pages of a list, where `fetch(after)` gives one with the cursor of the rest (None at the end)."""
    after: str | None = None
    while True:
        items, after = await fetch(after)
        yield items
        if after is None:
            return
