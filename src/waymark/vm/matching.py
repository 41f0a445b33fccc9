"""Instructions of `match`: what a pattern asks of a value, with CPython's rules and words."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.vm.objects import Frame
from waymark.vm.weight import check_key, check_keys

if TYPE_CHECKING:
    from waymark.vm.machine import Machine

_SEQUENCES = (list, tuple, range, deque)
_TAKES_ITSELF = (
    *(bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple),
    *(OrderedSet, OrderedFrozenSet),
)
"""Classes whose one positional pattern looks at the value itself; subclasses inherit that."""
_ENTRY_BYTES = 150
_ABSENT = object()


def match_sequence(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack[-1]
    least, is_exact = operand >> 1, operand & 1
    frame.stack[-1] = isinstance(value, _SEQUENCES) and (
        len(value) == least if is_exact else len(value) >= least
    )


def match_mapping(machine: Machine, frame: Frame, operand: int) -> None:
    value = frame.stack[-1]
    frame.stack[-1] = isinstance(value, dict) and len(value) >= operand


def match_keys(machine: Machine, frame: Frame, operand: int) -> None:
    keys = frame.stack.pop()
    frame.stack[-1] = _values(machine, frame.stack[-1], keys)


def _values(machine: Machine, mapping: dict[Any, Any], keys: tuple[Any, ...]) -> tuple[Any, ...] | None:
    check_keys(machine.meter, keys)
    seen = set()
    found = []
    for key in keys:
        if key in seen:
            raise ValueError(f"mapping pattern checks duplicate key ({key!r})")
        seen.add(key)
        value = mapping.get(key, _ABSENT)
        if value is _ABSENT:
            return None
        found.append(value)
    return tuple(found)


def match_rest(machine: Machine, frame: Frame, operand: int) -> None:
    keys = frame.stack.pop()
    mapping = frame.stack[-1]
    machine.meter.burn(len(mapping) >> 4)
    machine.heap.charge(_ENTRY_BYTES * len(mapping))
    rest = dict(mapping)
    for key in keys:
        check_key(machine.meter, key)
        del rest[key]
    frame.stack[-1] = rest


def match_class(machine: Machine, frame: Frame, operand: int) -> None:
    names = frame.stack.pop()
    cls = frame.stack.pop()
    frame.stack[-1] = _attributes(machine, frame.stack[-1], cls, operand, names)


def _attributes(
    machine: Machine, value: Any, cls: Any, positional: int, names: tuple[str, ...]
) -> tuple[Any, ...] | None:
    if not isinstance(cls, type):
        raise TypeError("called match pattern must be a class")
    if not isinstance(value, cls):
        return None
    found: list[Any] = []
    wanted: list[str] = []
    if positional:
        allowed: tuple[str, ...] | None = getattr(cls, "__match_args__", None)
        if allowed is None and issubclass(cls, _TAKES_ITSELF):
            _check_count(cls, positional, 1)
            found.append(value)
        else:
            _check_count(cls, positional, len(allowed or ()))
            wanted += (allowed or ())[:positional]
    for name in names:
        if name in wanted:
            raise TypeError(f"{cls.__name__}() got multiple sub-patterns for attribute {name!r}")
        wanted.append(name)
    for name in wanted:
        machine.meter.burn()
        try:
            found.append(machine.attributes.get(value, name))
        except AttributeError:
            return None
    return tuple(found)


def _check_count(cls: type, positional: int, most: int) -> None:
    if positional > most:
        plural = "" if most == 1 else "s"
        raise TypeError(
            f"{cls.__name__}() accepts {most} positional sub-pattern{plural} ({positional} given)"
        )
