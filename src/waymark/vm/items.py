"""`o[k]`, `o[k] = v`, `del o[k]`, with their cost paid before."""

from __future__ import annotations

import collections
import enum
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.vm.heap import Heap
from waymark.vm.limits import Meter
from waymark.vm.weight import check_key

_ENTRY_BYTES = 150
_SIZED: frozenset[type] = frozenset({str, bytes, list, tuple, dict, OrderedSet, OrderedFrozenSet})
_SEQUENCES = (str, bytes, list, tuple)


class Items:
    """Items of the containers of one machine."""

    def __init__(self, meter: Meter, heap: Heap) -> None:
        self._meter = meter
        self._heap = heap

    def get(self, target: Any, key: Any) -> Any:
        """`target[key]`."""
        self._check(target, key)
        value = target[key]
        if type(key) is slice and type(value) in _SIZED:
            self._heap.charge_value(value)
        return value

    def _check(self, target: Any, key: Any) -> None:
        if isinstance(target, dict):
            check_key(self._meter, key)
            if isinstance(target, collections.defaultdict):  # it may grow by being asked
                self._meter.items(len(target) + 1)
                self._heap.charge(_ENTRY_BYTES)
        elif type(key) is slice:
            if isinstance(target, _SEQUENCES):
                self._meter.burn(len(target) >> 6)
        elif isinstance(target, collections.deque):
            self._meter.burn(len(target) >> 10)
        elif isinstance(target, type) and not isinstance(target, enum.EnumMeta):
            raise UnsupportedPatternError(
                f"{target.__name__}[...] cannot be used in a workflow; only annotations need it"
            )

    def set(self, target: Any, key: Any, value: Any) -> None:
        """`target[key] = value`."""
        if isinstance(target, dict):
            check_key(self._meter, key)
            if len(target) >= self._meter.limits.items and key not in target:
                self._meter.items(len(target) + 1)
            self._heap.charge(_ENTRY_BYTES)
        elif isinstance(target, list | collections.deque):
            if type(key) is slice:
                self._meter.items(len(target) + self._meter.consume(value))
            self._meter.burn(len(target) >> 10)
        target[key] = value

    def delete(self, target: Any, key: Any) -> None:
        """`del target[key]`."""
        if isinstance(target, dict):
            check_key(self._meter, key)
        elif isinstance(target, list | collections.deque):
            self._meter.burn(len(target) >> 10)
        del target[key]
