"""The functions and classes of `program.library`, implemented over the machine's values."""

from __future__ import annotations

import asyncio
import builtins
import dataclasses
import datetime
import decimal
import math
import pathlib
import uuid
from collections.abc import Callable
from typing import Any

from waymark import errors
from waymark.model.policy import RetryPolicy
from waymark.program import library as names
from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.vm.iteration import (
    DictView,
    EnumerateIterator,
    FilterIterator,
    KeyedIterator,
    MapIterator,
    ReversedIterator,
    ZipIterator,
    make_iterator,
)
from waymark.vm.limits import Limits, check_int, check_iterable, exceeded
from waymark.vm.objects import ActionValue, BoundMethod, BuiltinFunction, FunctionValue
from waymark.vm.operations import guard_format, guard_power

_MODULES: dict[str, Any] = {
    "asyncio": asyncio,
    "dataclasses": dataclasses,
    "datetime": datetime,
    "decimal": decimal,
    "math": math,
    "pathlib": pathlib,
    "uuid": uuid,
}

_WAYMARK_CLASSES: dict[str, type] = {
    "RetryPolicy": RetryPolicy,
    **{
        name: getattr(errors, name)
        for name in (
            "ActionError",
            "ActionLost",
            "ActionTimeout",
            "ExhaustedRetriesError",
            "WaymarkError",
            "ValueEncodingError",
        )
    },
}

_MISSING = object()


def library_class(name: str) -> type:
    """The class that `BUILTIN name` gives."""
    if name == "set":
        return OrderedSet
    if name == "frozenset":
        return OrderedFrozenSet
    module, _, attribute = name.rpartition(".")
    found = (
        _WAYMARK_CLASSES[attribute]
        if module == "waymark"
        else getattr(_MODULES.get(module, builtins), attribute)
    )
    assert isinstance(found, type)
    return found


def loadable_classes() -> dict[tuple[str, str], type]:
    """Every library class by (module, qualname), for snapshots that hold one."""
    found = {(cls.__module__, cls.__qualname__): cls for cls in map(library_class, names.CLASSES)}
    found["builtins", "NoneType"] = type(None)
    return found


class Library:
    """Functions of one machine; those that need the run itself (gather, sleep) are given by the machine."""

    def __init__(
        self, limits: Limits, get_attribute: Callable[[Any, str], Any], machine_functions: dict[str, Any]
    ) -> None:
        self._limits = limits
        self._get_attribute = get_attribute
        self._values: dict[str, Any] = {}
        own: dict[str, Callable[..., Any]] = {
            "all": self._consuming(all),
            "any": self._consuming(any),
            "callable": _callable,
            "enumerate": _enumerate,
            "filter": _filter,
            "format": self._format,
            "getattr": self._getattr,
            "hasattr": self._hasattr,
            "isinstance": isinstance,
            "issubclass": issubclass,
            "iter": make_iterator,
            "len": len,
            "map": _map,
            "max": self._consuming(max),
            "min": self._consuming(min),
            "next": _next,
            "pow": self._pow,
            "reversed": _reversed,
            "sorted": self._consuming(sorted),
            "sum": self._consuming(sum),
            "zip": _zip,
            "math.prod": self._consuming(math.prod),
            "math.factorial": self._factorial,
        }
        for name in names.FUNCTIONS:
            implementation = machine_functions.get(name) or own.get(name)
            if implementation is None:
                module, _, attribute = name.rpartition(".")
                implementation = getattr(_MODULES.get(module, builtins), attribute)
            self._values[name] = BuiltinFunction(name, implementation)
        for name in names.CLASSES:
            self._values[name] = library_class(name)

    def value(self, name: str) -> Any:
        """What `BUILTIN name` pushes."""
        return self._values[name]

    def _consuming(self, function: Callable[..., Any]) -> Callable[..., Any]:
        limits = self._limits

        def run(*args: Any, **kwargs: Any) -> Any:
            for argument in args:
                check_iterable(limits, argument)
            return function(*args, **kwargs)

        return run

    def _format(self, value: Any, spec: Any = "", /) -> str:
        if isinstance(spec, str):
            guard_format(self._limits, spec)
        return format(value, spec)

    def _pow(self, base: Any, exp: Any, mod: Any = None) -> Any:
        if mod is None:
            guard_power(self._limits, base, exp)
        return pow(base, exp, mod)

    def _factorial(self, number: Any, /) -> int:
        if isinstance(number, int) and number > 0:
            check_int(self._limits, number * max(1, number.bit_length() - 1))
        return math.factorial(number)

    def _getattr(self, target: Any, name: Any, default: Any = _MISSING, /) -> Any:
        if not isinstance(name, str):
            raise TypeError(f"attribute name must be string, not '{type(name).__name__}'")
        try:
            return self._get_attribute(target, name)
        except AttributeError:
            if default is _MISSING:
                raise
            return default

    def _hasattr(self, target: Any, name: Any, /) -> bool:
        return self._getattr(target, name, _MISSING_VALUE) is not _MISSING_VALUE


_MISSING_VALUE = object()


def _callable(value: Any, /) -> bool:
    return isinstance(value, type | BuiltinFunction | FunctionValue | BoundMethod | ActionValue)


def _enumerate(iterable: Any, start: int = 0) -> EnumerateIterator:
    return EnumerateIterator(make_iterator(iterable), start)


def _zip(*iterables: Any, strict: bool = False) -> ZipIterator:
    return ZipIterator([make_iterator(iterable) for iterable in iterables], strict)


def _map(function: Any, iterable: Any, /, *others: Any) -> MapIterator:
    return MapIterator(function, [make_iterator(inner) for inner in (iterable, *others)])


def _filter(function: Any, iterable: Any, /) -> FilterIterator:
    return FilterIterator(function, make_iterator(iterable))


def _reversed(sequence: Any, /) -> Any:
    if isinstance(sequence, dict):
        return KeyedIterator(sequence, "keys", list(reversed(sequence)))
    if isinstance(sequence, DictView):
        return reversed(sequence)
    if not hasattr(type(sequence), "__reversed__") and not isinstance(
        sequence, str | bytes | tuple | list | range
    ):
        raise TypeError(f"'{type(sequence).__name__}' object is not reversible")
    return ReversedIterator(sequence)


def _next(iterator: Any, default: Any = _MISSING, /) -> Any:
    if not hasattr(type(iterator), "__next__"):
        raise TypeError(f"'{type(iterator).__name__}' object is not an iterator")
    try:
        return next(iterator)
    except StopIteration:
        if default is _MISSING:
            raise
        return default


class ClassCalls:
    """Calls of builtin classes whose argument could be too much."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def call(self, cls: type, args: tuple[Any, ...] | list[Any], kwargs: dict[str, Any]) -> Any:
        """`cls(*args, **kwargs)`."""
        if args and cls in (list, tuple, OrderedSet, OrderedFrozenSet, dict):
            check_iterable(self._limits, args[0])
        elif cls is bytes and args and isinstance(args[0], int) and args[0] > self._limits.text:
            exceeded(f"bytes({args[0]}) is over the limit of {self._limits.text:,}")
        elif cls is type and len(args) != 1:
            raise errors.UnsupportedPatternError(
                "classes cannot be made in a workflow; write them in a module"
            )
        elif cls in (OrderedSet, OrderedFrozenSet) and args and not hasattr(type(args[0]), "__iter__"):
            raise TypeError(f"'{type(args[0]).__name__}' object is not iterable")
        return cls(*args, **kwargs)
