"""CPython's words, where an operation of its is written in Python here."""

from __future__ import annotations

_NAMED_WITH_MODULE = frozenset({"datetime", "decimal", "re", "zoneinfo"})


def type_name(kind: type) -> str:
    """The name of a type in messages like "'decimal.Decimal' object is not iterable": classes written in C have their module in it."""
    if kind.__module__ in _NAMED_WITH_MODULE and not issubclass(kind, BaseException):
        return f"{kind.__module__}.{kind.__qualname__}"
    return kind.__name__
