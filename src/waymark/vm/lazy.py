"""Iterators of `itertools` that take their items from others one by one, as plain data.

Each pays for its items itself when they are asked for, because nobody can know beforehand how many there will be.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any, ClassVar

from waymark.vm.iteration import PayingIterator, cost_of, make_iterator


class Lazy(PayingIterator):
    """Root of the iterators of `itertools`.

    Args:
        machine: Whose meter and heap pay, and which calls back.
        inners: Iterators that an item may move.
    """

    __slots__ = ("cost", "machine")
    pays = True
    _ITEM_BYTES = 48

    def __init__(self, machine: Any, *inners: Any) -> None:
        self.machine = machine
        self.cost = 2 + sum(map(cost_of, inners))

    def pay(self, steps: int = 0) -> None:
        """For one item."""
        self.machine.meter.burn(self.cost + steps)
        self.machine.heap.charge(self._ITEM_BYTES)

    def call(self, function: Any, *args: Any) -> Any:
        """Call a value of the run."""
        return self.machine.calls.invoke(function, list(args))


class Count(Lazy):
    """`count(start, step)`."""

    __slots__ = ("step", "value")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("value", "step", "cost")
    __waymark_shown__ = ("value", "step")

    def __init__(self, machine: Any, start: Any = 0, step: Any = 1) -> None:
        super().__init__(machine)
        self.value = start
        self.step = step

    def __next__(self) -> Any:
        self.pay()
        found = self.value
        self.value = self.machine.add(found, self.step)
        return found

    def __repr__(self) -> str:
        is_plain = type(self.step) is int and self.step == 1
        return f"count({self.value!r})" if is_plain else f"count({self.value!r}, {self.step!r})"


class Cycle(Lazy):
    """`cycle(iterable)`."""

    __slots__ = ("index", "inner", "saved")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inner", "saved", "index", "cost")

    def __init__(self, machine: Any, iterable: Any) -> None:
        self.inner = make_iterator(iterable)
        super().__init__(machine, self.inner)
        self.saved: list[Any] = []
        self.index = 0

    def __next__(self) -> Any:
        self.pay()
        if self.inner is not None:
            try:
                item = next(self.inner)
            except StopIteration:
                self.inner = None
            else:
                self.machine.meter.items(len(self.saved) + 1)
                self.saved.append(item)
                return item
        if not self.saved:
            raise StopIteration
        item = self.saved[self.index]
        self.index = (self.index + 1) % len(self.saved)
        return item


class Repeat(Lazy):
    """`repeat(object, times)`; None for times is for ever."""

    __slots__ = ("times", "value")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("value", "times", "cost")
    __waymark_shown__ = ("value", "times")

    def __init__(self, machine: Any, object: Any, times: Any = None) -> None:
        super().__init__(machine)
        self.value = object
        self.times = None if times is None else max(0, operator.index(times))

    def __next__(self) -> Any:
        self.pay()
        if self.times is not None:
            if self.times == 0:
                raise StopIteration
            self.times -= 1
        return self.value

    def __repr__(self) -> str:
        return f"repeat({self.value!r})" if self.times is None else f"repeat({self.value!r}, {self.times})"


class Chain(Lazy):
    """`chain(...)`: `outer` gives the iterables, `inner` is the one being gone through."""

    __slots__ = ("inner", "outer")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("outer", "inner", "cost")

    def __init__(self, machine: Any, outer: Any) -> None:
        self.outer = make_iterator(outer)
        super().__init__(machine, self.outer)
        self.inner: Any = None

    def __next__(self) -> Any:
        while self.outer is not None:
            self.pay(0 if self.inner is None else cost_of(self.inner))
            if self.inner is None:
                try:
                    self.inner = make_iterator(next(self.outer))
                except BaseException:  # StopIteration, or what is no iterable: it is over either way
                    self.outer = None
                    raise
            try:
                return next(self.inner)
            except StopIteration:
                self.inner = None
        raise StopIteration


class Slice(Lazy):
    """`islice(iterable, start, stop, step)`."""

    __slots__ = ("count", "following", "inner", "step", "stop")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inner", "count", "following", "stop", "step", "cost")

    def __init__(self, machine: Any, iterable: Any, *bounds: Any) -> None:
        window = slice(*bounds)
        self.inner = make_iterator(iterable)
        super().__init__(machine, self.inner)
        self.count = 0
        self.following = window.start or 0
        self.stop = window.stop
        self.step = window.step or 1

    def __next__(self) -> Any:
        if self.inner is None:
            raise StopIteration
        try:
            while self.count < self.following:
                self.pay()
                next(self.inner)
                self.count += 1
            if self.stop is not None and self.count >= self.stop:
                raise StopIteration
            self.pay()
            item = next(self.inner)
        except StopIteration:
            self.inner = None
            raise
        self.count += 1
        self.following += self.step
        if self.stop is not None:
            self.following = min(self.following, self.stop)
        return item


class ZipLongest(Lazy):
    """`zip_longest(...)`; what has ended is None in `inners`."""

    __slots__ = ("fill", "inners")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inners", "fill", "cost")

    def __init__(self, machine: Any, *iterables: Any, fillvalue: Any = None) -> None:
        self.inners: list[Any] = [make_iterator(iterable) for iterable in iterables]
        super().__init__(machine, *self.inners)
        self.fill = fillvalue

    def __next__(self) -> Any:
        self.pay(len(self.inners))
        items = []
        left = sum(inner is not None for inner in self.inners)
        if left == 0:
            raise StopIteration
        for position, inner in enumerate(self.inners):
            item = self.fill
            if inner is not None:
                try:
                    item = next(inner)
                except StopIteration:
                    left -= 1
                    if left == 0:
                        self.inners = [None] * len(self.inners)
                        raise
                    self.inners[position] = None
            items.append(item)
        return tuple(items)


class Accumulate(Lazy):
    """`accumulate(iterable, func, initial=...)`; `stage` tells what comes next: 0 the first, 1 the initial value, 2 the others."""

    __slots__ = ("function", "inner", "stage", "total")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inner", "function", "total", "stage", "cost")

    def __init__(self, machine: Any, iterable: Any, func: Any = None, *, initial: Any = None) -> None:
        self.inner = make_iterator(iterable)
        super().__init__(machine, self.inner)
        self.function = func
        self.total = initial
        self.stage = 0 if initial is None else 1

    def __next__(self) -> Any:
        self.pay()
        if self.stage != 1:
            item = next(self.inner)
            if self.stage == 0:
                self.total = item
            elif self.function is None:
                self.total = self.machine.add(self.total, item)
            else:
                self.total = self.call(self.function, self.total, item)
        self.stage = 2
        return self.total


class StarMap(Lazy):
    """`starmap(function, iterable)`."""

    __slots__ = ("function", "inner")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("function", "inner", "cost")

    def __init__(self, machine: Any, function: Any, iterable: Any) -> None:
        self.inner = make_iterator(iterable)
        super().__init__(machine, self.inner)
        self.function = function

    def __next__(self) -> Any:
        self.pay()
        item = next(self.inner)
        self.machine.meter.consume(item)
        return self.call(self.function, *(item if isinstance(item, tuple) else make_iterator(item)))


class Choosing(Lazy):
    """`takewhile`, `dropwhile` and `filterfalse`."""

    __slots__ = ("function", "inner", "is_over")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("function", "inner", "is_over", "cost")

    def __init__(self, machine: Any, function: Any, iterable: Any) -> None:
        self.inner = make_iterator(iterable)
        super().__init__(machine, self.inner)
        self.function = function
        self.is_over = False
        """The first item that decides has come."""


class TakeWhile(Choosing):
    """`takewhile(predicate, iterable)`."""

    __slots__ = ()

    def __next__(self) -> Any:
        if self.is_over:
            raise StopIteration
        self.pay()
        item = next(self.inner)
        if self.call(self.function, item):
            return item
        self.is_over = True
        raise StopIteration


class DropWhile(Choosing):
    """`dropwhile(predicate, iterable)`."""

    __slots__ = ()

    def __next__(self) -> Any:
        while True:
            self.pay()
            item = next(self.inner)
            if self.is_over or not self.call(self.function, item):
                self.is_over = True
                return item


class FilterFalse(Choosing):
    """`filterfalse(predicate, iterable)`."""

    __slots__ = ()

    def __next__(self) -> Any:
        while True:
            self.pay()
            item = next(self.inner)
            if not (
                item if self.function is None or self.function is bool else self.call(self.function, item)
            ):
                return item


class Compress(Lazy):
    """`compress(data, selectors)`."""

    __slots__ = ("inner", "selectors")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inner", "selectors", "cost")

    def __init__(self, machine: Any, data: Any, selectors: Any) -> None:
        self.inner = make_iterator(data)
        self.selectors = make_iterator(selectors)
        super().__init__(machine, self.inner, self.selectors)

    def __next__(self) -> Any:
        while True:
            self.pay()
            item = next(self.inner)
            if next(self.selectors):
                return item


class Pairwise(Lazy):
    """`pairwise(iterable)`; `last` holds the item before, once there is one."""

    __slots__ = ("inner", "last")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inner", "last", "cost")

    def __init__(self, machine: Any, iterable: Any, /) -> None:
        self.inner = make_iterator(iterable)
        super().__init__(machine, self.inner)
        self.last: list[Any] = []

    def __next__(self) -> Any:
        self.pay()
        if self.inner is None:
            raise StopIteration
        try:
            if not self.last:
                self.last = [next(self.inner)]
            pair = (self.last[0], next(self.inner))
        except StopIteration:
            self.inner = None
            raise
        self.last = [pair[1]]
        return pair


class Batched(Lazy):
    """`batched(iterable, n)`."""

    __slots__ = ("inner", "is_strict", "size")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inner", "size", "is_strict", "cost")

    def __init__(self, machine: Any, iterable: Any, n: Any, *, strict: Any = False) -> None:
        if n < 1:
            raise ValueError("n must be at least one")
        self.inner = make_iterator(iterable)
        super().__init__(machine, self.inner)
        self.size = n
        self.is_strict = bool(strict)

    def __next__(self) -> Any:
        items: list[Any] = []
        while self.inner is not None and len(items) < self.size:
            self.pay()
            try:
                items.append(next(self.inner))
            except StopIteration:
                self.inner = None
        if not items:
            raise StopIteration
        if self.is_strict and len(items) < self.size:
            raise ValueError("batched(): incomplete batch")
        return tuple(items)


class CallIterator(Lazy):
    """`iter(function, sentinel)`."""

    __slots__ = ("function", "sentinel")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("function", "sentinel", "cost")

    def __init__(self, machine: Any, function: Any, sentinel: Any) -> None:
        super().__init__(machine)
        self.function = function
        self.sentinel = sentinel

    def __next__(self) -> Any:
        if self.function is None:
            raise StopIteration
        self.pay()
        try:
            item = self.call(self.function)
        except StopIteration:
            self.function = None
            raise
        if item is self.sentinel or self.equal(item, self.sentinel):
            self.function = None
            raise StopIteration
        return item


def like(real: Any, iterables: frozenset[int | str] | None, make: Callable[..., Any]) -> Callable[..., Any]:
    """A function that refuses wrong arguments as Python's own does: that one is called first, with nothing to iterate over.

    Args:
        iterables: Positions and names of the arguments that are iterables; None for all that have no name.
    """

    def call(machine: Any, /, *args: Any, **kwargs: Any) -> Any:
        machine.meter.burn(4 + len(args))
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, int):
                machine.meter.integer(argument.bit_length())
        real(
            *[() if iterables is None or at in iterables else argument for at, argument in enumerate(args)],
            **{
                name: () if iterables is not None and name in iterables else value
                for name, value in kwargs.items()
            },
        )
        return make(machine, *args, **kwargs)

    return call


def _chain(machine: Any, *iterables: Any) -> Chain:
    return Chain(machine, iterables)


_FIRST: frozenset[int | str] = frozenset({0, "iterable"})
_SECOND: frozenset[int | str] = frozenset({1})
_BOTH: frozenset[int | str] = frozenset({0, 1, "data", "selectors"})

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "itertools.accumulate": like(itertools.accumulate, _FIRST, Accumulate),
    "itertools.batched": Batched,
    "itertools.chain": like(itertools.chain, None, _chain),
    "itertools.chain.from_iterable": like(itertools.chain.from_iterable, frozenset({0}), Chain),
    "itertools.compress": like(itertools.compress, _BOTH, Compress),
    "itertools.count": like(itertools.count, frozenset(), Count),
    "itertools.cycle": like(itertools.cycle, _FIRST, Cycle),
    "itertools.dropwhile": like(itertools.dropwhile, _SECOND, DropWhile),
    "itertools.filterfalse": like(itertools.filterfalse, _SECOND, FilterFalse),
    "itertools.islice": like(itertools.islice, frozenset({0}), Slice),
    "itertools.pairwise": like(itertools.pairwise, _FIRST, Pairwise),
    "itertools.repeat": like(itertools.repeat, frozenset(), Repeat),
    "itertools.starmap": like(itertools.starmap, _SECOND, StarMap),
    "itertools.takewhile": like(itertools.takewhile, _SECOND, TakeWhile),
    "itertools.zip_longest": like(itertools.zip_longest, None, ZipLongest),
}
"""By the name of the library table."""

# Error messages and type(x).__name__ show the names users know.
_SHOWN_NAMES: tuple[tuple[type, str], ...] = (
    (Accumulate, "accumulate"), (Batched, "batched"), (Chain, "chain"), (Compress, "compress"), (Count, "count"), (Cycle, "cycle"),
    (DropWhile, "dropwhile"), (FilterFalse, "filterfalse"), (Slice, "islice"), (Pairwise, "pairwise"), (Repeat, "repeat"),
    (StarMap, "starmap"), (TakeWhile, "takewhile"), (ZipLongest, "zip_longest"), (CallIterator, "callable_iterator"),
)  # fmt: skip
for _class, _name in _SHOWN_NAMES:
    _class.__name__ = _class.__qualname__ = _name

TYPES: tuple[type, ...] = tuple(cls for cls, _ in _SHOWN_NAMES)
"""For snapshots; the order is part of their format: add at the end."""
