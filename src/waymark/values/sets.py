"""Sets of the VM: ordered by insertion, so that iteration is the same after every restore and in every process."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Set
from typing import Any


def _is_set(value: object) -> bool:
    return isinstance(value, _Ordered | set | frozenset)


class _Ordered:
    """What set and frozenset have in common."""

    __slots__ = ("_items",)
    __waymark_set__ = "set"

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self._items: dict[Any, None] = dict.fromkeys(items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return _lookup(item) in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __repr__(self) -> str:
        name = type(self).__name__
        if not self._items:
            return f"{name}()"
        inner = "{" + ", ".join(map(repr, self._items)) + "}"
        return inner if name == "set" else f"{name}({inner})"

    def __eq__(self, other: object) -> bool:
        if not _is_set(other):
            return NotImplemented
        return len(self) == len(other) and all(item in other for item in self._items)  # type: ignore[arg-type, operator]

    def __le__(self, other: Any) -> bool:
        if not _is_set(other):
            return NotImplemented
        return self.issubset(other)

    def __lt__(self, other: Any) -> bool:
        if not _is_set(other):
            return NotImplemented
        return len(self) < len(other) and self.issubset(other)

    def __ge__(self, other: Any) -> bool:
        if not _is_set(other):
            return NotImplemented
        return self.issuperset(other)

    def __gt__(self, other: Any) -> bool:
        if not _is_set(other):
            return NotImplemented
        return len(self) > len(other) and self.issuperset(other)

    def _new(self, items: Iterable[Any]) -> Any:
        return type(self)(items)

    def __or__(self, other: Any) -> Any:
        return self.union(other) if _is_set(other) else NotImplemented

    def __and__(self, other: Any) -> Any:
        return self.intersection(other) if _is_set(other) else NotImplemented

    def __sub__(self, other: Any) -> Any:
        return self.difference(other) if _is_set(other) else NotImplemented

    def __xor__(self, other: Any) -> Any:
        return self.symmetric_difference(other) if _is_set(other) else NotImplemented

    def copy(self) -> Any:
        return self._new(self._items)

    def union(self, *others: Iterable[Any]) -> Any:
        items = dict(self._items)
        for other in others:
            items.update(dict.fromkeys(other))
        return self._new(items)

    def intersection(self, *others: Iterable[Any]) -> Any:
        items = list(self._items)
        for other in others:
            found = dict.fromkeys(other)
            items = [item for item in items if item in found]
        return self._new(items)

    def difference(self, *others: Iterable[Any]) -> Any:
        items = dict(self._items)
        for other in others:
            for item in other:
                items.pop(item, None)
        return self._new(items)

    def symmetric_difference(self, other: Iterable[Any]) -> Any:
        found = dict.fromkeys(other)
        return self._new(
            [i for i in self._items if i not in found] + [i for i in found if i not in self._items]
        )

    def isdisjoint(self, other: Iterable[Any]) -> bool:
        return not any(item in self._items for item in other)

    def issubset(self, other: Iterable[Any]) -> bool:
        found = other if _is_set(other) else dict.fromkeys(other)
        return all(item in found for item in self._items)

    def issuperset(self, other: Iterable[Any]) -> bool:
        return all(item in self._items for item in other)


def _lookup(item: Any) -> Hashable:
    """`{1} in s` looks for the frozenset of an unhashable set, as CPython does."""
    return OrderedFrozenSet(item) if isinstance(item, OrderedSet) else item


class OrderedFrozenSet(_Ordered):
    """frozenset by insertion order."""

    __slots__ = ("_hash",)
    __waymark_set__ = "frozenset"

    def __hash__(self) -> int:
        return hash(frozenset(self._items))

    def copy(self) -> Any:
        return self


class OrderedSet(_Ordered):
    """set by insertion order."""

    __slots__ = ()
    __waymark_set__ = "set"
    __hash__ = None  # type: ignore[assignment]

    def add(self, item: Any) -> None:
        self._items[item] = None

    def clear(self) -> None:
        self._items.clear()

    def discard(self, item: Any) -> None:
        self._items.pop(_lookup(item), None)

    def remove(self, item: Any) -> None:
        del self._items[_lookup(item)]

    def pop(self) -> Any:
        if not self._items:
            raise KeyError("pop from an empty set")
        item = next(iter(self._items))
        del self._items[item]
        return item

    def update(self, *others: Iterable[Any]) -> None:
        for other in others:
            self._items.update(dict.fromkeys(other))

    def intersection_update(self, *others: Iterable[Any]) -> None:
        self._items = self.intersection(*others)._items

    def difference_update(self, *others: Iterable[Any]) -> None:
        self._items = self.difference(*others)._items

    def symmetric_difference_update(self, other: Iterable[Any]) -> None:
        self._items = self.symmetric_difference(other)._items

    def __ior__(self, other: Any) -> Any:
        if not _is_set(other):
            return NotImplemented
        self.update(other)
        return self

    def __iand__(self, other: Any) -> Any:
        if not _is_set(other):
            return NotImplemented
        self.intersection_update(other)
        return self

    def __isub__(self, other: Any) -> Any:
        if not _is_set(other):
            return NotImplemented
        self.difference_update(other)
        return self

    def __ixor__(self, other: Any) -> Any:
        if not _is_set(other):
            return NotImplemented
        self.symmetric_difference_update(other)
        return self


# Error messages and type(x).__name__ show the names users know.
OrderedSet.__name__ = OrderedSet.__qualname__ = "set"
OrderedFrozenSet.__name__ = OrderedFrozenSet.__qualname__ = "frozenset"
OrderedSet.__module__ = OrderedFrozenSet.__module__ = "builtins"
Set.register(OrderedSet)
Set.register(OrderedFrozenSet)
