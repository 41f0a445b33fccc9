"""Operators and formatting, with the limits checked before the work is done. The operation itself is CPython's own."""

from __future__ import annotations

import operator
import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from waymark.vm.iteration import make_iterator
from waymark.vm.limits import Limits, check_int, check_items, check_text, exceeded

_SEQUENCES = (str, bytes, list, tuple)


def _size_check(limits: Limits, value: Any, count: int) -> None:
    if isinstance(value, str | bytes):
        check_text(limits, count)
    else:
        check_items(limits, count)


def guard_add(limits: Limits, left: Any, right: Any) -> None:
    """Before left + right."""
    if isinstance(left, _SEQUENCES) and isinstance(right, _SEQUENCES):
        _size_check(limits, left, len(left) + len(right))


def guard_multiply(limits: Limits, left: Any, right: Any) -> None:
    """Before left * right."""
    if isinstance(left, int) and isinstance(right, int):
        check_int(limits, left.bit_length() + right.bit_length())
    elif isinstance(left, _SEQUENCES) and isinstance(right, int):
        _size_check(limits, left, len(left) * max(right, 0))
    elif isinstance(right, _SEQUENCES) and isinstance(left, int):
        _size_check(limits, right, len(right) * max(left, 0))


def guard_power(limits: Limits, left: Any, right: Any) -> None:
    """Before left ** right."""
    if isinstance(left, int) and isinstance(right, int) and right > 0 and abs(left) > 1:
        check_int(limits, left.bit_length() * right)


def guard_shift(limits: Limits, left: Any, right: Any) -> None:
    """Before left << right."""
    if isinstance(left, int) and isinstance(right, int) and right > 0 and left:
        check_int(limits, left.bit_length() + right)


_WIDTHS = re.compile(r"\d{5,}")


def guard_format(limits: Limits, template: str | bytes) -> None:
    """Before a format with widths or precisions given in digits."""
    text = template if isinstance(template, str) else template.decode("latin-1")
    for match in _WIDTHS.finditer(text):
        if len(match[0]) > 9 or int(match[0]) > limits.text:
            exceeded(f"a format width of {match[0][:12]} is over the limit of {limits.text:,}")


def guard_modulo(limits: Limits, left: Any, right: Any) -> None:
    """Before left % right, which formats when left is a text."""
    if isinstance(left, str | bytes):
        guard_format(limits, left)
        if "*" in (left if isinstance(left, str) else left.decode("latin-1")):
            for item in right if isinstance(right, tuple) else (right,):
                if isinstance(item, int) and abs(item) > limits.text:
                    exceeded(f"a format width of {item} is over the limit of {limits.text:,}")


_GUARDS: dict[str, Callable[[Limits, Any, Any], None]] = {
    "+": guard_add,
    "*": guard_multiply,
    "**": guard_power,
    "<<": guard_shift,
    "%": guard_modulo,
}

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

Binary = Callable[[Any, Any], Any]


def _guarded(operation: Binary, guard: Callable[[Limits, Any, Any], None], limits: Limits) -> Binary:
    def run(left: Any, right: Any) -> Any:
        # The common case, two small ints or floats, needs no look at sizes.
        if type(left) is not int or type(right) is not int or not (-4096 < left < 4096 and -16 < right < 16):
            guard(limits, left, right)
        return operation(left, right)

    return run


def binary_table(operators: Sequence[str], limits: Limits, *, in_place: bool) -> tuple[Binary, ...]:
    """Implementations in the order of an operator table."""
    plain = _IN_PLACE if in_place else _PLAIN
    return tuple(
        _guarded(plain[name], _GUARDS[name], limits) if name in _GUARDS else plain[name] for name in operators
    )


def unary_table(operators: Sequence[str]) -> tuple[Callable[[Any], Any], ...]:
    """Implementations in the order of an operator table."""
    return tuple(_UNARY[name] for name in operators)


def compare_table(operators: Sequence[str]) -> tuple[Binary, ...]:
    """Implementations in the order of an operator table."""
    return tuple(_COMPARE[name] for name in operators)


class SafeFormatter(string.Formatter):
    """`str.format` whose field names reach attributes by the machine's rules only."""

    def __init__(self, get_attribute: Callable[[Any, str], Any]) -> None:
        self._get_attribute = get_attribute
        super().__init__()

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        import _string  # type: ignore[import-not-found]  # the parser behind str.format

        first, rest = _string.formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for is_attribute, name in rest:
            value = self._get_attribute(value, name) if is_attribute else value[name]
        return value, first

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if isinstance(key, int):
            try:
                return args[key]
            except IndexError:
                raise IndexError(f"Replacement index {key} out of range for positional args tuple") from None
        return kwargs[key]


def convert(value: Any, conversion: int) -> Any:
    """The `!s`, `!r`, `!a` of a replacement field."""
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


def unpack_rest(limits: Limits, value: Any, before: int, after: int) -> list[Any]:
    """Items for `a, *b, c = value`."""
    items = _take(value, limits.items + 1)
    check_items(limits, len(items))
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
