"""The plain functions of `operator`: the operators of the machine by their names."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from waymark.program.instructions import BINARY_OPERATORS, COMPARE_OPERATORS
from waymark.vm.iteration import make_iterator
from waymark.vm.limits import Meter
from waymark.vm.operations import (
    BINARY,
    BINARY_GUARDS,
    COMPARE,
    INPLACE,
    INPLACE_GUARDS,
    guard_add,
    guard_compare,
)

_BINARY = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "lshift": "<<", "rshift": ">>",
    "and_": "&", "or_": "|", "xor": "^", "matmul": "@",
}  # fmt: skip
_COMPARED = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_LOOKED_UP = {"is_": "is", "is_not": "is not"}


def _binary(symbol: str, *, in_place: bool = False) -> Callable[..., Any]:
    at = BINARY_OPERATORS.index(symbol)
    guard = (INPLACE_GUARDS if in_place else BINARY_GUARDS)[at]
    apply = (INPLACE if in_place else BINARY)[at]

    def call(machine: Any, a: Any, b: Any, /) -> Any:
        if guard is not None:
            guard(machine.meter, a, b)
        return apply(a, b)

    return call


def compare(meter: Meter, symbol: str, left: Any, right: Any) -> Any:
    """A comparison of two values, paid for."""
    at = COMPARE_OPERATORS.index(symbol)
    guard_compare(meter, at, left, right)
    return COMPARE[at](left, right)


def _comparison(symbol: str) -> Callable[..., Any]:
    def call(machine: Any, a: Any, b: Any, /) -> Any:
        return compare(machine.meter, symbol, a, b)

    return call


def _contains(machine: Any, a: Any, b: Any, /) -> bool:
    return bool(compare(machine.meter, "in", b, a))


def _count_of(machine: Any, a: Any, b: Any, /) -> int:
    return sum(1 for item in make_iterator(a) if item is b or machine.compare("==", item, b))


def _index_of(machine: Any, a: Any, b: Any, /) -> int:
    for index, item in enumerate(make_iterator(a)):
        if item is b or machine.compare("==", item, b):
            return index
    raise ValueError("sequence.index(x): x not in sequence")


def _concat(machine: Any, a: Any, b: Any, /) -> Any:
    guard_add(machine.meter, a, b)
    return operator.concat(a, b)


def _get(machine: Any, a: Any, b: Any, /) -> Any:
    return machine.items.get(a, b)


def _set(machine: Any, a: Any, b: Any, c: Any, /) -> None:
    machine.items.set(a, b, c)


def _delete(machine: Any, a: Any, b: Any, /) -> None:
    machine.items.delete(a, b)


def _call(machine: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
    return machine.calls.invoke(obj, [*args], kwargs)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"operator.{name}": _binary(symbol) for name, symbol in _BINARY.items()},
    **{f"operator.i{name.rstrip('_')}": _binary(symbol, in_place=True) for name, symbol in _BINARY.items()},
    **{f"operator.{name}": _comparison(symbol) for name, symbol in (_COMPARED | _LOOKED_UP).items()},
    "operator.call": _call,
    "operator.concat": _concat,
    "operator.contains": _contains,
    "operator.countOf": _count_of,
    "operator.delitem": _delete,
    "operator.getitem": _get,
    "operator.indexOf": _index_of,
    "operator.setitem": _set,
}
"""By the name of the library table; the others are Python's own."""
