"""`str.format`: field names reach attributes by the machine's rules only, and the text keeps to the limit."""

from __future__ import annotations

import _string  # type: ignore[import-not-found]  # the parser behind str.format
from collections.abc import Callable
from typing import Any

from waymark.vm.limits import Meter
from waymark.vm.operations import convert, format_value

_CONVERSIONS = {"s": 1, "r": 2, "a": 3}
_LEVELS = 2
"""A replacement field may hold others in its format spec, and those no more."""


class Templates:
    """Templates of one machine.

    Args:
        get_attribute: `o.name` by the machine's rules.
    """

    def __init__(self, meter: Meter, get_attribute: Callable[[Any, str], Any]) -> None:
        self._meter = meter
        self._get_attribute = get_attribute

    def fill(self, template: str, args: Any, kwargs: Any) -> str:
        """`template.format(*args, **kwargs)`; with None for args, `template.format_map(kwargs)`."""
        return _Filling(self._meter, self._get_attribute, args, kwargs).text(template, _LEVELS)


class _Filling:
    """One template being filled."""

    def __init__(
        self, meter: Meter, get_attribute: Callable[[Any, str], Any], args: Any, kwargs: Any
    ) -> None:
        self._meter = meter
        self._get_attribute = get_attribute
        self._args = args
        self._kwargs = kwargs
        self._next = 0
        self._is_numbered: bool | None = None
        """Whether fields carry numbers; None until one shows it."""
        self._made = 0

    def text(self, template: str, levels: int) -> str:
        if levels == 0:
            raise ValueError("Max string recursion exceeded")
        parts: list[str] = []
        for literal, field, spec, conversion in _string.formatter_parser(template):
            parts.append(literal)
            if field is None:
                continue
            value = self._converted(self._field(field), conversion)
            if "{" in spec:
                spec = self.text(spec, levels - 1)
            shown = format_value(self._meter, value, spec)
            self._made += len(shown)
            self._meter.text(self._made)
            parts.append(shown)
        return "".join(parts)

    def _field(self, field: str) -> Any:
        first, rest = _string.formatter_field_name_split(field)
        value = self._first(first)
        for is_attribute, name in rest:
            value = self._get_attribute(value, name) if is_attribute else value[name]
        return value

    def _first(self, name: int | str) -> Any:
        is_automatic = name == ""
        if isinstance(name, str) and not is_automatic:
            return self._kwargs[name]
        if self._is_numbered is None:
            self._is_numbered = not is_automatic
        elif self._is_numbered and is_automatic:
            raise ValueError("cannot switch from manual field specification to automatic field numbering")
        elif not self._is_numbered and not is_automatic:
            raise ValueError("cannot switch from automatic field numbering to manual field specification")
        if self._args is None:
            raise ValueError("Format string contains positional fields")
        if is_automatic:
            name = self._next
            self._next += 1
        if int(name) >= len(self._args):
            raise IndexError(f"Replacement index {name} out of range for positional args tuple")
        return self._args[name]

    def _converted(self, value: Any, conversion: str | None) -> Any:
        if conversion is None:
            return value
        number = _CONVERSIONS.get(conversion)
        if number is None:
            shown = f"'{conversion}'" if " " < conversion < "\x7f" else f"\\x{ord(conversion):x}"
            raise ValueError(f"Unknown conversion specifier {shown}")
        return convert(self._meter, value, number)
