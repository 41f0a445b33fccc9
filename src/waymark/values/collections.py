"""The collections of Python's library that are values: which there are, their parts, and how they are made again."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import Any, SupportsIndex


class Deque(collections.deque[Any]):
    """A deque that counts its changes, so that an iterator over it notices one as CPython's does."""

    __slots__ = ("changes", "items_set")
    __waymark_state__ = ("bound", "parts", "changes", "items_set")

    def __init__(self, iterable: Iterable[Any] = (), maxlen: int | None = None) -> None:
        self.changes = 0
        self.items_set = 0
        """Times that items were exchanged for others in their places."""
        super().__init__(iterable, maxlen)

    @property
    def bound(self) -> int | None:
        """`maxlen`, which can be given to an empty one."""
        return self.maxlen

    @bound.setter
    def bound(self, maxlen: int | None) -> None:
        super().__init__((), maxlen)

    @property
    def parts(self) -> list[Any]:
        """The items; setting them adds them."""
        return list(self)

    @parts.setter
    def parts(self, items: list[Any]) -> None:
        super().extend(items)

    def append(self, x: Any) -> None:
        self.changes += 1
        super().append(x)

    def appendleft(self, x: Any) -> None:
        self.changes += 1
        super().appendleft(x)

    def pop(self) -> Any:  # type: ignore[override]
        item = super().pop()
        self.changes += 1
        return item

    def popleft(self) -> Any:
        item = super().popleft()
        self.changes += 1
        return item

    def clear(self) -> None:
        self.changes += bool(self)
        super().clear()

    def extend(self, iterable: Iterable[Any]) -> None:
        items = list(iterable)
        self.changes += bool(items)
        super().extend(items)

    def extendleft(self, iterable: Iterable[Any]) -> None:
        items = list(iterable)
        self.changes += bool(items)
        super().extendleft(items)

    def insert(self, i: int, x: Any) -> None:
        super().insert(i, x)
        self.changes += 1

    def remove(self, value: Any) -> None:
        super().remove(value)
        self.changes += 1

    def reverse(self) -> None:
        self.items_set += 1
        super().reverse()

    def rotate(self, n: int = 1) -> None:
        super().rotate(n)
        self.changes += len(self) > 1

    def __setitem__(self, index: SupportsIndex, value: Any) -> None:  # type: ignore[override]
        super().__setitem__(index, value)
        self.items_set += 1

    def __delitem__(self, index: SupportsIndex) -> None:  # type: ignore[override]
        super().__delitem__(index)
        self.changes += 1

    def __iadd__(self, iterable: Iterable[Any]) -> Any:
        self.extend(iterable)
        return self

    def __imul__(self, count: int) -> Any:
        before = len(self)
        found = super().__imul__(count)
        self.changes += len(self) != before
        return found


Deque.__name__ = Deque.__qualname__ = "deque"
Deque.__module__ = "collections"

KINDS: dict[type, str] = {
    collections.Counter: "Counter",
    collections.OrderedDict: "OrderedDict",
    collections.defaultdict: "defaultdict",
    collections.deque: "deque",
    Deque: "deque",
}
"""Name by exact type."""

_FACTORIES: dict[str, Any] = {
    cls.__name__: cls
    for cls in (bool, bytes, dict, float, int, list, str, tuple, collections.Counter, collections.OrderedDict)
}


def factory_name(factory: Any) -> str | None:
    """The name of a default factory that both sides have; None for any other."""
    name = getattr(factory, "__name__", "")
    if factory is set or factory is frozenset or hasattr(factory, "__waymark_set__"):
        return str(name)
    return name if _FACTORIES.get(name) is factory else None


def parts_of(value: Any) -> tuple[Any, ...]:
    """Keys and values in turn, or items."""
    return (
        tuple(value)
        if isinstance(value, collections.deque)
        else tuple(part for pair in value.items() for part in pair)
    )


def make_empty(kind: str, extra: Any, classes: Any) -> Any:
    """A collection without its parts.

    Args:
        kind: As in `KINDS`.
        extra: Name of the factory, or the most items of a deque.
        classes: Gives the types of sets and deques.
    """
    match kind:
        case "Counter":
            return collections.Counter()
        case "OrderedDict":
            return collections.OrderedDict()
        case "deque":
            return classes.deque_type((), extra)
        case _:
            factory = {"set": classes.set_type, "frozenset": classes.frozenset_type, None: None}.get(extra)
            return collections.defaultdict(factory or _FACTORIES.get(extra))


def fill(value: Any, parts: list[Any]) -> None:
    """Give an empty collection its parts."""
    if isinstance(value, collections.deque):
        value.extend(parts)
        return
    for key, part in zip(parts[::2], parts[1::2], strict=True):
        value[key] = part
