"""The SQL files, loaded once; `queries/<verb>_<noun>.sql` holds one statement each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Query:
    """One statement."""

    name: str
    """`<verb>_<noun>`."""
    text: bytes
    """The SQL, with named placeholders."""


@cache
def query(name: str) -> Query:
    """The statement of `queries/<name>.sql`."""
    return Query(name, (files("waymark.store.postgres") / "queries" / f"{name}.sql").read_bytes())
