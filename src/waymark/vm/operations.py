"""Operators and formatting, with the limits checked before the work is done. The operation itself is CPython's own."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import operator
import pathlib
import re
from collections.abc import Callable
from typing import Any

from waymark.program.instructions import BINARY_OPERATORS, COMPARE_OPERATORS, UNARY_OPERATORS
from waymark.values.sets import _Ordered
from waymark.vm.iteration import DictView, make_iterator
from waymark.vm.limits import Meter, exceeded
from waymark.vm.times import check_time_format
from waymark.vm.weight import LIGHT, check_key, check_shown, check_walk, weigh

Guard = Callable[[Meter, Any, Any], None]

_SEQUENCES = (str, bytes, list, tuple, collections.deque)
_DECIMAL_DIGITS = 5000
"""Digits past which a Decimal is not turned into an int or a text with all its zeros."""


def _check_size(meter: Meter, value: Any, count: int) -> None:
    if isinstance(value, str | bytes):
        meter.text(count)
    else:
        meter.items(count)
        meter.burn(count >> 5)


def guard_add(meter: Meter, left: Any, right: Any) -> None:
    """Before left + right."""
    if type(left) in LIGHT and type(right) in LIGHT:
        return
    if isinstance(left, _SEQUENCES) and isinstance(right, _SEQUENCES):
        _check_size(meter, left, len(left) + len(right))
    elif isinstance(left, collections.Counter):
        _check_counters(meter, left, right)
    else:
        _check_fractions(meter, left, right)


def _check_fractions(meter: Meter, left: Any, right: Any) -> None:
    """Before two numbers become a fraction, each part of which may be as long as all of theirs."""
    if type(left) in LIGHT and type(right) in LIGHT:
        return  # what follows asks an abstract class, which takes as long as the rest of the step
    if isinstance(left, fractions.Fraction) or isinstance(right, fractions.Fraction):
        bits = _fraction_bits(left) + _fraction_bits(right)
        meter.integer(bits)
        meter.burn(8 + (bits**2 >> 17))


def _fraction_bits(value: Any) -> int:
    if isinstance(value, fractions.Fraction):
        return value.numerator.bit_length() + value.denominator.bit_length()
    return value.bit_length() if isinstance(value, int) else 0


def guard_extend(meter: Meter, left: Any, right: Any) -> None:
    """Before left += right, which takes anything that can be iterated when left is a list."""
    if isinstance(left, list | collections.deque):
        meter.items(len(left) + meter.consume(right))
    else:
        guard_add(meter, left, right)


def guard_multiply(meter: Meter, left: Any, right: Any) -> None:
    """Before left * right."""
    if isinstance(left, int) and isinstance(right, int):
        meter.integer(left.bit_length() + right.bit_length())
    elif isinstance(left, _SEQUENCES) and isinstance(right, int):
        _check_size(meter, left, len(left) * max(right, 0))
    elif isinstance(right, _SEQUENCES) and isinstance(left, int):
        _check_size(meter, right, len(right) * max(left, 0))
    else:
        _check_fractions(meter, left, right)


def guard_power(meter: Meter, left: Any, right: Any) -> None:
    """Before left ** right."""
    if isinstance(left, int) and isinstance(right, int) and right > 0 and abs(left) > 1:
        meter.integer(left.bit_length() * right)
    elif isinstance(left, fractions.Fraction) and isinstance(right, int):
        meter.integer(_fraction_bits(left) * abs(right))


def guard_shift(meter: Meter, left: Any, right: Any) -> None:
    """Before left << right."""
    if isinstance(left, int) and isinstance(right, int) and right > 0 and left:
        meter.integer(left.bit_length() + right)


def guard_divide(meter: Meter, left: Any, right: Any) -> None:
    """Before left // right, and left / right, which joins paths."""
    if isinstance(left, int):
        meter.integer(left.bit_length())
    elif isinstance(left, pathlib.PurePath) or isinstance(right, pathlib.PurePath):
        check_path(meter, left, right)
    else:
        _check_fractions(meter, left, right)


def check_path(meter: Meter, *parts: Any) -> None:
    """Before paths are joined, which takes their parts apart one by one."""
    length = sum(len(str(part)) for part in parts if isinstance(part, str | pathlib.PurePath))
    meter.text(length)
    meter.burn(length >> 1)


def guard_join_sets(meter: Meter, left: Any, right: Any) -> None:
    """Before | and ^ of sets, dicts and their views."""
    if isinstance(left, collections.Counter):
        _check_counters(meter, left, right)
    elif isinstance(left, dict | DictView | _Ordered) or isinstance(right, DictView):
        meter.items(meter.consume(left) + meter.consume(right))
        _check_views(meter, left, right)


def guard_meet_sets(meter: Meter, left: Any, right: Any) -> None:
    """Before & and - of sets and views."""
    if isinstance(left, collections.Counter):
        _check_counters(meter, left, right)
    elif isinstance(left, DictView | _Ordered) or isinstance(right, DictView):
        meter.consume(left)
        meter.consume(right)
        _check_views(meter, left, right)
    else:
        _check_fractions(meter, left, right)


def _check_counters(meter: Meter, left: Any, right: Any) -> None:
    """Counters compute in Python, key by key."""
    if isinstance(right, dict):
        meter.items(len(left) + len(right))
        meter.burn(2 * (len(left) + len(right)))


def _check_views(meter: Meter, left: Any, right: Any) -> None:
    """What a view is joined with may be any iterable, and its items are hashed."""
    if isinstance(left, DictView) or isinstance(right, DictView):
        check_walk(meter, left)
        check_walk(meter, right)


def guard_modulo(meter: Meter, left: Any, right: Any) -> None:
    """Before left % right, which formats when left is a text."""
    if isinstance(left, str | bytes):
        _guard_template(meter, left, right)
    else:
        guard_divide(meter, left, right)


_PERCENT = re.compile(r"%(?:\([^)]*\))?[#0 +-]*(\d+)?(?:\.(\d+))?")
_WIDTHS = re.compile(r"\d+")


def _guard_template(meter: Meter, template: str | bytes, values: Any) -> None:
    text = template if isinstance(template, str) else template.decode("latin-1")
    size = len(text) + sum(_number(width) for match in _PERCENT.finditer(text) for width in match.groups())
    shown = weigh(meter, values, is_shown=True)
    meter.text(size + (shown * text.count("%(") if isinstance(values, dict) else shown))
    for value in (
        values.values() if isinstance(values, dict) else values if type(values) is tuple else (values,)
    ):
        if isinstance(value, decimal.Decimal):
            check_decimal(value)
        elif isinstance(value, int) and "*" in text:
            meter.text(abs(value))


def guard_format(meter: Meter, spec: str) -> None:
    """Before a format whose width or precision is given in digits."""
    if len(spec) > 3:
        meter.text(sum(map(_number, _WIDTHS.findall(spec))))


def _number(digits: str | None) -> int:
    return int(digits[:18]) if digits else 0


def check_decimal(value: decimal.Decimal) -> None:
    """Before a Decimal becomes an int, or a text without an exponent."""
    if value.is_finite() and abs(value.adjusted()) > _DECIMAL_DIGITS:
        exceeded(
            f"a Decimal with an exponent of {value.adjusted():,} is over the limit of {_DECIMAL_DIGITS:,}"
        )


def format_value(meter: Meter, value: Any, spec: Any) -> str:
    """`format(value, spec)`."""
    if spec:
        if isinstance(spec, str):
            guard_format(meter, spec)
        if isinstance(value, decimal.Decimal):
            check_decimal(value)
        elif isinstance(value, datetime.date | datetime.time):
            check_time_format(spec)
    check_shown(meter, value)
    return format(value, spec)


_PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "@": operator.matmul,
}

_IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.iadd,
    "-": operator.isub,
    "*": operator.imul,
    "/": operator.itruediv,
    "//": operator.ifloordiv,
    "%": operator.imod,
    "**": operator.ipow,
    "<<": operator.ilshift,
    ">>": operator.irshift,
    "&": operator.iand,
    "|": operator.ior,
    "^": operator.ixor,
    "@": operator.imatmul,
}

_UNARY: dict[str, Callable[[Any], Any]] = {
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
    "not": operator.not_,
}

_GUARDS: dict[str, Guard] = {
    "+": guard_add,
    "*": guard_multiply,
    "**": guard_power,
    "<<": guard_shift,
    "/": guard_divide,
    "//": guard_divide,
    "%": guard_modulo,
    "&": guard_meet_sets,
    "|": guard_join_sets,
    "^": guard_join_sets,
    "-": guard_meet_sets,
}

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "is": operator.is_,
    "is not": operator.is_not,
    "in": lambda item, container: item in container,
    "not in": lambda item, container: item not in container,
}

BINARY = tuple(_PLAIN[name] for name in BINARY_OPERATORS)
INPLACE = tuple(_IN_PLACE[name] for name in BINARY_OPERATORS)
UNARY = tuple(_UNARY[name] for name in UNARY_OPERATORS)
COMPARE = tuple(_COMPARE[name] for name in COMPARE_OPERATORS)
"""Implementations in the order of the operator tables of `program.instructions`."""

BINARY_GUARDS = tuple(_GUARDS.get(name) for name in BINARY_OPERATORS)
INPLACE_GUARDS = tuple(guard_extend if name == "+" else _GUARDS.get(name) for name in BINARY_OPERATORS)
"""What is checked before; None where nothing can grow."""

_IDENTITY = frozenset({COMPARE_OPERATORS.index("is"), COMPARE_OPERATORS.index("is not")})
_MEMBERSHIP = frozenset({COMPARE_OPERATORS.index("in"), COMPARE_OPERATORS.index("not in")})


def guard_compare(meter: Meter, operand: int, left: Any, right: Any) -> None:
    """Before a comparison whose cost depends on its values."""
    if operand in _IDENTITY:
        return
    if operand not in _MEMBERSHIP:
        if type(left) not in LIGHT and type(right) not in LIGHT:
            check_walk(meter, left)
            if isinstance(left, collections.Counter):
                _check_counters(meter, left, right)
    elif isinstance(right, dict | _Ordered):
        check_key(meter, left)
    elif isinstance(right, range):
        if not isinstance(left, int):
            meter.consume(right)
    elif isinstance(right, str | bytes):
        meter.burn(len(right) >> 6)
    else:
        meter.consume(right)
        check_walk(meter, left)
        check_walk(meter, right)


FIRST_MEMBERSHIP = min(_MEMBERSHIP)
"""Operands from here on look into a container."""


def convert(meter: Meter, value: Any, conversion: int) -> Any:
    """The `!s`, `!r`, `!a` of a replacement field."""
    if conversion:
        check_shown(meter, value)
    if conversion == 1:
        return str(value)
    if conversion == 2:
        return repr(value)
    return ascii(value) if conversion == 3 else value


def unpack(value: Any, count: int) -> list[Any]:
    """Items for `a, b = value`, in CPython's words when the count is wrong."""
    items = _take(value, count + 1)
    if len(items) < count:
        raise ValueError(f"not enough values to unpack (expected {count}, got {len(items)})")
    if len(items) > count:
        raise ValueError(f"too many values to unpack (expected {count})")
    return items


def unpack_rest(meter: Meter, value: Any, before: int, after: int) -> list[Any]:
    """Items for `a, *b, c = value`."""
    meter.consume(value)
    items = _take(value, meter.limits.items + 1)
    if len(items) < before + after:
        raise ValueError(
            f"not enough values to unpack (expected at least {before + after}, got {len(items)})"
        )
    middle = items[before : len(items) - after]
    return [*items[:before], middle, *items[len(items) - after :]] if after else [*items[:before], middle]


def _take(value: Any, most: int) -> list[Any]:
    kind = type(value)
    if kind is list or kind is tuple:
        return list(value[:most])
    if not hasattr(kind, "__iter__"):
        raise TypeError(f"cannot unpack non-iterable {kind.__name__} object")
    iterator = make_iterator(value)
    items: list[Any] = []
    for item in iterator:
        items.append(item)
        if len(items) >= most:
            break
    return items
