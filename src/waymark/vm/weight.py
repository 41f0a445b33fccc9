"""How much work a value is to compare, hash, sort or show, before any of that is done.

A structure that shares its parts can be tiny in memory and endless to walk: `x = [x, x]` sixty times over. Each part is looked
at once here, and its weight counts as often as it is referred to. Weights are characters of a `repr`, roughly.
"""

from __future__ import annotations

import collections
import decimal
import enum
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.values.sets import _Ordered
from waymark.vm.iteration import DictView
from waymark.vm.limits import Meter
from waymark.vm.objects import BuiltinFunction, MachineValue

LIGHT = frozenset({int, float, bool, type(None), complex})
"""Types whose values are cheap whatever they are; an int is bounded by its own limit."""

_TEXTS = frozenset({str, bytes})
_INTS = frozenset({int, bool})
_LEAVES = LIGHT | _TEXTS
_LEAF_WEIGHT = 8
_MOST = 2**62
"""Weights past this are all the same: endless."""
_RECORD_WEIGHT = 100
"""Comparing or showing an instance runs Python code of ours."""
_STEPS_PER_CONTAINER = 4


def weigh(meter: Meter, value: Any, *, is_shown: bool = False) -> int:
    """Weight of a value; pays for finding out.

    Args:
        is_shown: For a text that is made of it, so what has none that is the same in every process is refused.
    """
    kind = type(value)
    if kind in _LEAVES:
        return _leaf(value)
    weights: dict[int, int] = {}
    waiting: list[tuple[Any, Any, int]] = [(value, None, 0)]
    steps = 0
    while waiting:
        part, parts, weight = waiting.pop()
        key = id(part)
        if parts is not None:
            held = sum(_leaf(c) if type(c) in _LEAVES else weights.get(id(c), _LEAF_WEIGHT) for c in parts)
            weights[key] = min(weight + held, _MOST)
            continue
        if key in weights:
            continue
        steps += _STEPS_PER_CONTAINER
        if steps > 1000:
            meter.burn(steps)
            steps = 0
        weight, parts = _look(part, is_shown)
        if not parts:
            weights[key] = weight
            continue
        kinds = set(map(type, parts))
        weight += 2 * len(parts)
        if kinds <= _LEAVES:
            steps += len(parts) >> 2
            weights[key] = weight + _flat(parts, kinds)
        else:
            steps += len(parts)
            weights[key] = _LEAF_WEIGHT  # while it is open: a part that leads back here is shown as [...]
            waiting.append((part, parts, weight))
            waiting.extend((child, None, 0) for child in parts if type(child) not in _LEAVES)
    meter.burn(steps)
    return weights[id(value)]


def _leaf(value: Any) -> int:
    if isinstance(value, int):
        return 2 + (value.bit_length() >> 2)
    return len(value) + 2 if isinstance(value, str | bytes) else _LEAF_WEIGHT


def _flat(parts: Any, kinds: set[type]) -> int:
    if kinds <= _TEXTS:
        return 2 * len(parts) + sum(map(len, parts))
    if kinds <= _INTS:
        return 2 * len(parts) + (sum(map(int.bit_length, parts)) >> 2)
    return sum(map(_leaf, parts))


def _look(part: Any, is_shown: bool) -> tuple[int, Any]:
    """Weight of a part itself, and what it holds."""
    kind = type(part)
    if kind is list or kind is tuple:
        return 2, part
    if isinstance(part, dict):
        factory = [part.default_factory] if is_shown and isinstance(part, collections.defaultdict) else ()
        return 2, [*part.keys(), *part.values(), *factory]
    if isinstance(part, collections.deque):
        return 2, list(part)
    if isinstance(part, _Ordered):
        return 2, list(part)
    if isinstance(part, DictView):
        return 2, [*part.mapping.keys(), *part.mapping.values()]
    if isinstance(part, BaseException):
        return _RECORD_WEIGHT, part.args
    if kind is decimal.Decimal:
        return len(part.as_tuple().digits) + 12, ()
    if isinstance(part, enum.Enum | type):
        return _RECORD_WEIGHT, ()
    if kind is object and is_shown:
        raise UnsupportedPatternError(
            "the text of object() holds an address, which no two processes share; use a str or an enum instead"
        )
    shown = getattr(kind, "__waymark_shown__", None)
    if shown is not None:
        return _RECORD_WEIGHT, [getattr(part, name) for name in shown]
    if is_shown and isinstance(part, MachineValue) and not isinstance(part, BuiltinFunction):
        raise UnsupportedPatternError(
            f"the text of a {kind.__name__} holds an address, which no two processes share; use its name or a str"
        )
    values = getattr(part, "__dict__", None)
    return _RECORD_WEIGHT, [*values.keys(), *values.values()] if values else ()


def check_shown(meter: Meter, value: Any) -> None:
    """Before a value is turned into a text by str(), repr() or a format."""
    if type(value) not in LIGHT:
        meter.text(weigh(meter, value, is_shown=True))


def check_key(meter: Meter, value: Any) -> None:
    """Before a value is hashed."""
    kind = type(value)
    if kind not in LIGHT and kind is not str and kind is not bytes:
        meter.burn(weigh(meter, value) >> 5)


def check_keys(meter: Meter, values: Any) -> None:
    """Before all of some values are hashed."""
    if not isinstance(values, dict | _Ordered | str | bytes):  # these have hashed theirs already
        check_walk(meter, values)


def check_walk(meter: Meter, value: Any) -> None:
    """Before a value is compared, or searched through."""
    if type(value) not in LIGHT:
        meter.burn(weigh(meter, value) >> 5)
