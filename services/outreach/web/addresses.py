"""Addresses of pages."""

from urllib.parse import urlencode


def with_query(path: str, **query: str | None) -> str:
    """`path` with those of the query's parameters that have a value."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
