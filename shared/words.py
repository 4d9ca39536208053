"""Words to search by: what a name becomes before it is kept or looked for. Pure.

A document keeps its `words`; whoever searches gives the beginnings of words. An index on `words` answers both.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

MOST_WORDS = 8
LONGEST = 64


def folded(text: str) -> str:
    """`text` in small letters without accents: `Düsseldorf` → `dusseldorf`, `Straße` → `strasse`."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def search_words(*texts: str) -> list[str]:
    """What can be found of `texts`: every word, and every mail address as a whole."""
    found: set[str] = set()
    for text in texts:
        plain = folded(text)
        found |= {part[:LONGEST] for part in re.findall(r"\w+", plain)}
        found |= {part[:LONGEST] for part in re.findall(r"[^\s<>(),;]+@[^\s<>(),;]+", plain)}
    return sorted(found)


def typed_words(q: str) -> list[str]:
    """The beginnings of words that somebody typed, the longest first (it narrows most); an address stays whole."""
    parts = folded(q).split()
    found = [[part[:LONGEST]] if "@" in part else re.findall(r"\w+", part) for part in parts]
    return sorted({word[:LONGEST] for words in found for word in words}, key=lambda word: (-len(word), word))[
        :MOST_WORDS
    ]


def beginning_with(words: Iterable[str]) -> dict[str, Any]:
    """The query for documents in which each of `words` begins a word; anchored, so that the index answers it."""
    return {"$and": [{"words": {"$regex": f"^{re.escape(word)}"}} for word in words]}


async def fill_words(collection: Any, words_of: Callable[[dict[str, Any]], list[str]]) -> int:
    """Give words to the documents that were written before there were any; returns how many."""
    count = 0
    async for row in collection.find({"words": {"$exists": False}}):
        same = {"_id": row["_id"], "words": {"$exists": False}}
        count += (await collection.update_one(same, {"$set": {"words": words_of(row)}})).modified_count
    return count
