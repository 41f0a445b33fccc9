"""Iterators of `itertools` over tuples of positions: product, permutations, combinations. Their state is the positions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, ClassVar

from waymark.vm.lazy import Lazy, like
from waymark.vm.limits import Meter

_FIRST: frozenset[int | str] = frozenset({0, "iterable"})


class Selection(Lazy):
    """Root: `positions` of the next tuple, None when there is none."""

    __slots__ = ("pools", "positions")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("pools", "positions", "cost")

    def __init__(self, machine: Any, pools: list[Any], positions: list[int] | None) -> None:
        super().__init__(machine)
        self.pools = pools
        self.positions = positions

    def __next__(self) -> Any:
        if self.positions is None:
            raise StopIteration
        self.pay(len(self.positions) >> 1)
        found = tuple(pool[at] for pool, at in zip(self.pools, self.positions, strict=True))
        if not self.advance(self.positions):
            self.positions = None
        return found

    def advance(self, positions: list[int]) -> bool:
        """Go to the next positions; False when there are none."""
        raise NotImplementedError


class Product(Selection):
    """`product(...)`."""

    __slots__ = ()

    @classmethod
    def make(cls, machine: Any, *iterables: Any, repeat: int = 1) -> Product:
        pools = [_pool(machine, iterable) for iterable in iterables] * repeat
        return cls(machine, pools, [0] * len(pools) if all(pools) else None)

    def advance(self, positions: list[int]) -> bool:
        for place in reversed(range(len(positions))):
            positions[place] += 1
            if positions[place] < len(self.pools[place]):
                return True
            positions[place] = 0
        return False


class Combinations(Selection):
    """`combinations(iterable, r)`."""

    __slots__ = ()

    @classmethod
    def make(cls, machine: Any, iterable: Any, r: int) -> Combinations:
        pool = _pool(machine, iterable)
        return cls(machine, [pool] * r, list(range(r)) if r <= len(pool) else None)

    def advance(self, positions: list[int]) -> bool:
        count = len(positions)
        for place in reversed(range(count)):
            if positions[place] < len(self.pools[place]) - count + place:
                first = positions[place] + 1
                positions[place:] = range(first, first + count - place)
                return True
        return False


class CombinationsWithReplacement(Selection):
    """`combinations_with_replacement(iterable, r)`."""

    __slots__ = ()

    @classmethod
    def make(cls, machine: Any, iterable: Any, r: int) -> CombinationsWithReplacement:
        pool = _pool(machine, iterable)
        return cls(machine, [pool] * r, [0] * r if pool or not r else None)

    def advance(self, positions: list[int]) -> bool:
        for place in reversed(range(len(positions))):
            if positions[place] < len(self.pools[place]) - 1:
                positions[place:] = [positions[place] + 1] * (len(positions) - place)
                return True
        return False


class Permutations(Selection):
    """`permutations(iterable, r)`."""

    __slots__ = ()

    @classmethod
    def make(cls, machine: Any, iterable: Any, r: int | None = None) -> Permutations:
        pool = _pool(machine, iterable)
        count = len(pool) if r is None else r
        return cls(machine, [pool] * count, list(range(count)) if count <= len(pool) else None)

    def advance(self, positions: list[int]) -> bool:
        """The next one up, as in a dictionary, of those that take `count` of all places."""
        size = len(self.pools[0]) if self.pools else 0
        self.machine.meter.burn(size)
        for place in reversed(range(len(positions))):
            free = sorted(set(range(positions[place] + 1, size)).difference(positions[:place]))
            if free:
                positions[place] = free[0]
                taken = set(positions[: place + 1])
                rest = [at for at in range(size) if at not in taken]
                positions[place + 1 :] = rest[: len(positions) - place - 1]
                return True
            self.machine.meter.burn(size)
        return False


def _pool(machine: Any, iterable: Any) -> tuple[Any, ...]:
    machine.meter.consume(iterable)
    return tuple(iterable)


def _sized(make: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse tuples that are too long before Python's own function makes room for their positions."""

    def call(machine: Any, /, *args: Any, **kwargs: Any) -> Any:
        meter: Meter = machine.meter
        for count in (*args[1:], *kwargs.values()):
            if isinstance(count, int) and count > 0:
                meter.items(count)
                meter.items(count * max(1, len(args)))
                meter.burn(count >> 2)
        return make(machine, *args, **kwargs)

    return call


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "itertools.combinations": _sized(like(itertools.combinations, _FIRST, Combinations.make)),
    "itertools.combinations_with_replacement": _sized(
        like(itertools.combinations_with_replacement, _FIRST, CombinationsWithReplacement.make)
    ),
    "itertools.permutations": _sized(like(itertools.permutations, _FIRST, Permutations.make)),
    "itertools.product": _sized(like(itertools.product, None, Product.make)),
}
"""By the name of the library table."""

TYPES: tuple[type, ...] = (Product, Combinations, CombinationsWithReplacement, Permutations)
"""For snapshots; the order is part of their format: add at the end."""

_NAMES = ("product", "combinations", "combinations_with_replacement", "permutations")
for _class, _name in zip(TYPES, _NAMES, strict=True):
    _class.__name__ = _class.__qualname__ = _name
