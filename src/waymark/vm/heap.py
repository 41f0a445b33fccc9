"""How much a run holds: counted as it grows, and measured when the count says it may be too much.

A size follows from lengths alone, never from how Python laid a value out, so it is the same after every restore. The count lives in
the state of the run, for the same reason.
"""

from __future__ import annotations

import collections
from typing import Any

from waymark.values.codec import LONG_TEXT
from waymark.vm.limits import Meter, exceeded

_VALUE_BYTES = 56
_ITEM_BYTES = {list: 8, tuple: 8, dict: 100}
_SET_ITEM_BYTES = 70
_SCALARS = frozenset({type(None), bool, int, float, str, bytes})
_TEXTS = frozenset({str, bytes})


class Heap:
    """Account of one machine."""

    __slots__ = ("_machine", "_meter", "allocated", "checked_at")

    def __init__(self, machine: Any, meter: Meter) -> None:
        self._machine = machine
        self._meter = meter
        self.allocated = 0
        """Bytes held when last measured, and all that was made since."""
        self.checked_at = meter.limits.heap

    def charge(self, size: int) -> None:
        """Account for that many new bytes; every so often, measure what the run really holds."""
        self.allocated += size
        if self.allocated > self.checked_at:
            self._check()

    def charge_value(self, value: Any, item_bytes: int = 8) -> None:
        """Account for a new text or container; its items are new too when `item_bytes` says so."""
        self.charge(_VALUE_BYTES + len(value) * (1 if type(value) in _TEXTS else item_bytes))

    def _check(self) -> None:
        limit = self._meter.limits.heap
        held = self._measure(limit)
        if held > limit:
            exceeded(f"the run holds more than {limit:,} bytes")
        self.allocated = held
        self.checked_at = max(limit, held + limit // 4)

    def _measure(self, limit: int) -> int:
        """Bytes reachable from the state, roughly; stops past the limit."""
        seen: set[int] = set()
        waiting: list[Any] = [self._machine.roots()]
        total = steps = 0
        while waiting and total <= limit:
            value = waiting.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            kind = type(value)
            steps += 4
            if kind in _TEXTS:
                total += _VALUE_BYTES + len(value)
                continue
            parts: Any
            if isinstance(value, dict):
                total += _VALUE_BYTES + _ITEM_BYTES[dict] * len(value)
                parts = [*value.keys(), *value.values()]
            elif kind is list or kind is tuple or isinstance(value, collections.deque):
                total += _VALUE_BYTES + 8 * len(value)
                parts = value
            elif (names := getattr(kind, "__waymark_state__", None)) is not None:
                total += 2 * _VALUE_BYTES
                parts = [getattr(value, name) for name in names]
            elif hasattr(kind, "__waymark_set__"):
                total += 2 * _VALUE_BYTES + _SET_ITEM_BYTES * len(value)
                parts = list(value)
            elif isinstance(value, type):
                continue
            else:
                total += 3 * _VALUE_BYTES
                parts = list(vars(value).values()) if hasattr(value, "__dict__") else ()
                if isinstance(value, BaseException):
                    parts = [*parts, value.args, value.__cause__, value.__context__]
            kinds = set(map(type, parts))
            steps += len(parts) >> 2
            flat = kinds & _SCALARS
            if flat and flat != {type(None)}:
                total += _scalar_bytes(parts, kinds, seen)
            if kinds - _SCALARS:
                waiting.extend(part for part in parts if type(part) not in _SCALARS)
        self._meter.burn(steps)
        return total


def _scalar_bytes(parts: Any, kinds: set[type], seen: set[int]) -> int:
    """Long texts count once however often they are referred to, as snapshots keep them."""
    if not kinds & _TEXTS:
        return 24 * len(parts)
    total = 0
    for part in parts:
        if type(part) in _TEXTS:
            if len(part) >= LONG_TEXT:
                if id(part) in seen:
                    continue
                seen.add(id(part))
            total += _VALUE_BYTES + len(part)
        elif type(part) in _SCALARS:
            total += 24
    return total
