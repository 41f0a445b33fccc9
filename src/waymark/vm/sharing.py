"""Iterators that share another one: `groupby` and its groups, `tee` and its copies."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, ClassVar

from waymark.vm.iteration import make_iterator
from waymark.vm.lazy import Lazy, like


class GroupBy(Lazy):
    """`groupby(iterable, key)`.

    `ahead` holds [key, item] that was taken and given to nobody yet; `group` the group being given out.
    """

    __slots__ = ("ahead", "group", "inner", "key", "target")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inner", "key", "ahead", "target", "group", "cost")

    def __init__(self, machine: Any, iterable: Any, key: Any = None) -> None:
        self.inner = make_iterator(iterable)
        super().__init__(machine, self.inner)
        self.key = key
        self.ahead: list[Any] = []
        self.target: list[Any] = []
        self.group: Any = None

    def step(self) -> None:
        """Take the next item."""
        self.pay()
        self.ahead = []
        item = next(self.inner)
        self.ahead = [item if self.key is None else self.call(self.key, item), item]

    def is_same(self, target: list[Any]) -> bool:
        """Whether what lies ahead belongs to a group."""
        key = self.ahead[0]
        return target[0] is key or self.equal(target[0], key)

    def __next__(self) -> Any:
        self.group = None
        while not self.ahead or (self.target and self.is_same(self.target)):
            self.step()
        self.target = [self.ahead[0]]
        self.group = Group(self.machine, self, self.target)
        return (self.ahead[0], self.group)


class Group(Lazy):
    """One group; it ends when the next one is asked for."""

    __slots__ = ("parent", "target")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("parent", "target", "cost")

    def __init__(self, machine: Any, parent: GroupBy, target: list[Any]) -> None:
        super().__init__(machine, parent)
        self.parent = parent
        self.target = target

    def __next__(self) -> Any:
        parent = self.parent
        if parent.group is not self:
            raise StopIteration
        if not parent.ahead:
            parent.step()
        if not parent.is_same(self.target):
            raise StopIteration
        item = parent.ahead[1]
        parent.ahead = []
        return item


class Tee(Lazy):
    """One of the copies that `tee` gives. They share `store`: [source, items taken, number of the first item kept, all copies]."""

    __slots__ = ("index", "store")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("store", "index", "cost")

    def __init__(self, machine: Any, store: list[Any], index: int) -> None:
        super().__init__(machine, store[0])
        self.store = store
        self.index = index

    def __next__(self) -> Any:
        self.pay()
        source, items, first, copies = self.store
        at = self.index - first
        if at == len(items):
            self.machine.meter.items(len(items) + 1)
            items.append(next(source))
        item = items[at]
        self.index += 1
        if at == 0 and len(items) > 64 and all(copy.index > first + 32 for copy in copies):
            self._forget()
        return item

    def _forget(self) -> None:
        """Drop the items that every copy has given out."""
        _, items, first, copies = self.store
        lowest = min(copy.index for copy in copies)
        self.machine.meter.burn(len(items) >> 6)
        del items[: lowest - first]
        self.store[2] = lowest


def _first_is_the_same() -> bool:
    """Until Python 3.13 the first copy of a copy was that copy itself."""
    copy: Any = itertools.tee(())[0]
    return itertools.tee(copy)[0] is copy


_FIRST_IS_THE_SAME = _first_is_the_same()


def _tee(machine: Any, iterable: Any, n: int = 2, /) -> tuple[Any, ...]:
    if isinstance(n, int) and n > 0:
        machine.meter.items(n)
        machine.meter.burn(8 * n)
    itertools.tee((), n)  # the refusal of a wrong number
    store: list[Any]
    if isinstance(iterable, Tee):  # Python's own copies a copy
        store, index = iterable.store, iterable.index
    else:
        store, index = [make_iterator(iterable), [], 0, []], 0
    copies = [Tee(machine, store, index) for _ in range(n)]
    if n and isinstance(iterable, Tee) and _FIRST_IS_THE_SAME:
        copies[0] = iterable
    store[3] += copies
    return tuple(copies)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "itertools.groupby": like(itertools.groupby, frozenset({0, "iterable"}), GroupBy),
    "itertools.tee": _tee,
}
"""By the name of the library table."""

TYPES: tuple[type, ...] = (GroupBy, Group, Tee)
"""For snapshots; the order is part of their format: add at the end."""

for _class, _name in ((GroupBy, "groupby"), (Group, "_grouper"), (Tee, "_tee")):
    _class.__name__ = _class.__qualname__ = _name
