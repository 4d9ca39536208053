"""What each collection can be searched by."""

from services.outreach.store.core import Store, words_of
from shared.mongo import Document
from shared.search import SHOWN
from shared.words import beginning_with, fill_words, typed_words

SEARCHED = ("schools", "companies", "people", "campaigns", "visits")


async def create_indexes(store: Store) -> None:
    """An index on the words of each; what was written without words gets them."""
    for name in SEARCHED:
        await store.db[name].create_index("words")
        await fill_words(store.db[name], lambda row, name=name: words_of(name, row))


async def find(store: Store, collection: str, q: str, where: Document) -> list[Document]:
    """Documents in which every word of `q` begins a word: one more than are shown."""
    words = typed_words(q)
    if not words:
        return []
    return await store.db[collection].find({**where, **beginning_with(words)}).limit(SHOWN + 1).to_list(SHOWN + 1)
