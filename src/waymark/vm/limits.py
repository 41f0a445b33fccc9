"""What one run may use, checked before an operation allocates or computes."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, NoReturn

from waymark.errors import WorkflowLimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run. Stored runs replay under the same numbers, so they change with the program format only."""

    fuel: int = 1_000_000
    """Loop turns and calls in one slice, that is, between two waits."""
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


DEFAULT_LIMITS = Limits()

_WAY_OUT = "do this in an @action"


def exceeded(what: str) -> NoReturn:
    """End the run with a clear reason."""
    raise WorkflowLimitExceeded(f"{what}; {_WAY_OUT}")


def check_items(limits: Limits, count: int) -> None:
    """Refuse a container of that many items."""
    if count > limits.items:
        exceeded(f"a container of {count:,} items is over the limit of {limits.items:,}")


def check_text(limits: Limits, length: int) -> None:
    """Refuse a str or bytes of that length."""
    if length > limits.text:
        exceeded(f"a text of {length:,} characters is over the limit of {limits.text:,}")


def check_int(limits: Limits, bits: int) -> None:
    """Refuse an int of that many bits."""
    if bits > limits.int_bits:
        exceeded(f"an int of {bits:,} bits is over the limit of {limits.int_bits:,}")


def check_iterable(limits: Limits, value: Any) -> None:
    """Refuse to consume something whose known length is over the limit for containers."""
    if isinstance(value, range):
        # len() of a huge range overflows, so count by hand
        count = max(0, (value.stop - value.start + value.step - (1 if value.step > 0 else -1)) // value.step)
        check_items(limits, count)
        return
    remaining = getattr(value, "remaining_items", None)
    if remaining is not None:
        check_items(limits, remaining())
    elif isinstance(value, Sized) and not isinstance(value, str | bytes):
        check_items(limits, len(value))
