"""Calling a value: builtin methods with their limits, classes, functions of the program, actions."""

from __future__ import annotations

from typing import Any

from waymark.vm.iteration import VIEWS
from waymark.vm.limits import Limits, check_items, check_iterable, check_text
from waymark.vm.objects import BoundMethod
from waymark.vm.operations import SafeFormatter, guard_format

_GROWING = frozenset({"append", "insert", "add", "setdefault"})
_CONSUMING = frozenset(
    {"extend", "update", "union", "join", "fromkeys", "symmetric_difference", "difference", "intersection"}
)
_PADDING = frozenset({"center", "ljust", "rjust", "zfill", "to_bytes", "expandtabs"})


class MethodCalls:
    """Calls of builtin methods for one machine."""

    def __init__(self, limits: Limits, formatter: SafeFormatter) -> None:
        self._limits = limits
        self._formatter = formatter

    def call(self, method: BoundMethod, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """`receiver.name(*args, **kwargs)`."""
        name = method.name
        receiver = method.receiver
        if isinstance(receiver, type) and args and type(args[0]) is receiver:
            receiver, args = args[0], args[1:]  # str.upper(text) is text.upper()
        if name in _GROWING:
            check_items(self._limits, len(receiver) + 1)
        elif name in _CONSUMING:
            for argument in args:
                check_iterable(self._limits, argument)
        elif name in _PADDING:
            for argument in args:
                if isinstance(argument, int):
                    check_text(self._limits, argument * (receiver.count("\t") if name == "expandtabs" else 1))
        elif name == "replace" and isinstance(receiver, str | bytes):
            self._check_replace(receiver, args)
        elif name == "format" and isinstance(receiver, str):
            guard_format(self._limits, receiver)
            return self._formatter.vformat(receiver, args, kwargs)
        elif isinstance(receiver, dict) and name in VIEWS and not args and not kwargs:
            return VIEWS[name](receiver, name)
        return getattr(receiver, name)(*args, **kwargs)

    def _check_replace(self, receiver: Any, args: list[Any]) -> None:
        if len(args) >= 2 and isinstance(args[0], type(receiver)) and isinstance(args[1], type(receiver)):
            growth = len(args[1]) - len(args[0])
            if growth > 0:
                check_text(self._limits, len(receiver) + growth * receiver.count(args[0]))
