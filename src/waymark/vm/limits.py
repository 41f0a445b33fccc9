"""What one run may use, checked before an operation allocates or computes.

Everything that takes time or memory in proportion to a value is paid for in steps of one measure, about a sixth of a
microsecond, or refused by its size. So no program holds its shard for longer than its fuel lasts, whatever it asks of Python.
"""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import Any, NoReturn

from waymark.errors import WorkflowLimitExceeded
from waymark.values.sets import _Ordered
from waymark.vm.iteration import DictView, MachineIterator, count_of_range


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run. Stored runs replay under the same numbers, so they change with the program format only."""

    fuel: int = 2_000_000
    """Steps in one slice, that is, between two waits: instructions in loops and calls, and library work in the same measure."""
    fuel_per_event: int = 10_000
    """Steps more for each further event of a journal entry that holds many."""
    int_bits: int = 65_536
    """Bits of an int."""
    text: int = 8 * 1024 * 1024
    """Characters of a str, bytes of a bytes."""
    items: int = 1_000_000
    """Items of a container."""
    heap: int = 256 * 1024 * 1024
    """Bytes of everything the run holds, roughly."""
    frames: int = 900
    """Calls inside each other."""
    callbacks: int = 50
    """Library functions inside each other that call functions of the program, as sorted(key=...)."""


DEFAULT_LIMITS = Limits()

_COUNTED = (str, bytes, list, tuple, dict, collections.deque, _Ordered, DictView)
"""Types whose number of items is known; asking others would run code of a class."""

_WAY_OUT = "do this in an @action"


def exceeded(what: str) -> NoReturn:
    """End the run with a clear reason."""
    raise WorkflowLimitExceeded(f"{what}; {_WAY_OUT}")


class Meter:
    """What is left of the fuel of a slice, and the checks before an operation. One per machine."""

    __slots__ = ("fuel", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.fuel = limits.fuel

    def burn(self, steps: int = 1) -> None:
        """Pay for work; ends the run when the fuel is used up."""
        self.fuel -= steps
        if self.fuel < 0:
            exceeded(f"the run did more than {self.limits.fuel:,} steps between two waits")

    def items(self, count: int) -> None:
        """Refuse a container of that many items."""
        if count > self.limits.items:
            exceeded(f"a container of {count:,} items is over the limit of {self.limits.items:,}")

    def text(self, length: int) -> None:
        """Refuse a str or bytes of that length, and pay for making it."""
        if length > 1024:
            if length > self.limits.text:
                exceeded(f"a text of {_shown(length)} characters is over the limit of {self.limits.text:,}")
            self.burn(length >> 7)

    def integer(self, bits: int) -> None:
        """Refuse an int of that many bits, and pay for computing with it."""
        if bits > 1024:
            if bits > self.limits.int_bits:
                exceeded(f"an int of {_shown(bits)} bits is over the limit of {self.limits.int_bits:,}")
            self.burn(bits >> 6)

    def consume(self, value: Any) -> int:
        """Refuse to take all items of something that gives too many, and pay for taking them; returns how many at most."""
        cost = value.cost if isinstance(value, MachineIterator) else 0
        self.burn(cost)
        count = count_of(value)
        if count:
            self.items(count)
            self.burn((count >> 3) if cost == 0 else 2 * count * cost)
        return count


def count_of(value: Any) -> int:
    """Items that iterating over a value gives at most; 0 for what is not iterable."""
    if isinstance(value, range):
        return count_of_range(value)
    if isinstance(value, MachineIterator):
        return value.remaining_items()
    return len(value) if isinstance(value, _COUNTED) else 0


def _shown(number: int) -> str:
    """A number for a message; the size of one that nobody would read."""
    return f"{number:,}" if number.bit_length() < 100 else f"2**{number.bit_length() - 1}"
