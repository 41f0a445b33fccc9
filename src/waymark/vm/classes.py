"""Calls of classes that need no code of the user's: builtin ones, and stand-ins that are plain."""

from __future__ import annotations

import collections
import decimal
import enum
import fractions
import pathlib
import re
import zoneinfo
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.values.collections import Deque
from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.vm.chance import Generator
from waymark.vm.containers import DefaultDict, make_default_dict
from waymark.vm.library import loadable_classes
from waymark.vm.limits import Meter
from waymark.vm.methods import check_codec
from waymark.vm.objects import MachineValue
from waymark.vm.operations import check_decimal, check_path
from waymark.vm.patterns import Match, Pattern
from waymark.vm.weight import check_shown, check_walk, weigh

_LIBRARY = frozenset(loadable_classes().values())
_COLLECTIONS = (list, tuple, dict, OrderedSet, OrderedFrozenSet)
_EXPONENT = re.compile(r"[eE][+-]?([0-9_]+)")
_BITS_PER_DIGIT = {2: 1, 4: 2, 8: 3, 10: 4, 16: 4, 32: 5}


class ClassCalls:
    """Calls of classes for one machine."""

    def __init__(self, machine: Any, meter: Meter) -> None:
        self._machine = machine
        self._meter = meter

    def call(self, cls: type, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """`cls(*args, **kwargs)`."""
        if cls in _LIBRARY:
            return self._call_library(cls, args, kwargs)
        if isinstance(cls, enum.EnumMeta):
            if len(args) + len(kwargs) != 1:
                raise UnsupportedPatternError(
                    f"{cls.__name__}(...) takes one value in a workflow; write enums in a module"
                )
            self._meter.text(weigh(self._meter, args or list(kwargs.values())))  # it is shown in the error
        elif getattr(cls, "__waymark_info__", None) is None:
            raise UnsupportedPatternError(
                f"{cls.__name__}(...) cannot be built here, for the program does not describe the class; "
                "name it in the module of the workflow, or build it in an @action"
            )
        return cls(*args, **kwargs)

    def _call_library(self, cls: type, args: list[Any], kwargs: dict[str, Any]) -> Any:
        named = _FIRST_PARAMETER.get(cls)
        if named in kwargs and not args:
            args, kwargs = [kwargs[named]], {name: value for name, value in kwargs.items() if name != named}
        if cls is Generator and not args and kwargs.get("x") is None:
            return self._machine.chance.new_generator()
        if cls in (Pattern, Match):
            raise TypeError(f"cannot create 're.{cls.__name__}' instances")
        check = _CHECKS.get(cls)
        if check is not None and args:
            check(self, args, kwargs)
        if cls is collections.defaultdict:
            return make_default_dict(self._machine, args, kwargs)
        return cls(*args, **kwargs)

    # ---------------------------------------------------------------- by class

    def _collection(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        meter = self._meter
        if not hasattr(type(args[0]), "__iter__"):
            if not isinstance(args[0], type):
                raise TypeError(f"'{type(args[0]).__name__}' object is not iterable")
            return
        meter.consume(args[0])

    def _hashed(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        self._collection(args, kwargs)
        if isinstance(args[0], dict | OrderedSet | OrderedFrozenSet | str | bytes | range):
            return
        args[0] = list(args[0])
        check_walk(self._meter, args[0])

    def _counted(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        """Counter and OrderedDict."""
        if hasattr(type(args[0]), "__iter__"):
            self._hashed(args, kwargs)

    def _default_dict(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        rest = args[1:]
        if rest and hasattr(type(rest[0]), "__iter__"):
            self._hashed(rest, kwargs)
            args[1:] = rest

    def _deque(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        self._meter.consume(args[0])

    def _text(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        if len(args) > 1 or kwargs:
            check_codec(args[1] if len(args) > 1 else kwargs.get("encoding", "utf-8"))
        else:
            check_shown(self._meter, args[0])

    def _bytes(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        value = args[0]
        if isinstance(value, int):
            self._meter.text(value)
        elif isinstance(value, str):
            check_codec(args[1] if len(args) > 1 else kwargs.get("encoding", "utf-8"))
        else:
            self._meter.consume(value)

    def _integer(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        value = args[0]
        if isinstance(value, decimal.Decimal):
            check_decimal(value)
        elif isinstance(value, str | bytes):
            base = args[1] if len(args) > 1 else kwargs.get("base", 10)
            bits = _BITS_PER_DIGIT.get(base, 5) if isinstance(base, int) else 5
            self._meter.integer(bits * len(value)) if base != 10 else self._meter.text(len(value))

    def _decimal(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        if isinstance(args[0], str):
            self._meter.integer(3 * len(args[0]))
        elif isinstance(args[0], list | tuple):
            check_walk(self._meter, args[0])

    def _fraction(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        """A text of few characters can stand for a number of many: 1e999999."""
        for value in args:
            if isinstance(value, decimal.Decimal):
                check_decimal(value)
            elif isinstance(value, str):
                exponent = _EXPONENT.search(value)
                digits = int(exponent[1][:9].replace("_", "") or "0") if exponent else 0
                self._meter.integer(4 * (len(value) + digits))

    def _generator(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        if args[0] is None:
            args[0] = int.from_bytes(self._machine.chance.draw(32), "big")
        check_walk(self._meter, args)

    def _zone(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        if isinstance(args[0], str):
            self._meter.burn(500)  # the rules of a zone are read once per process
            self._meter.text(16 * len(args[0]))

    def _path(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        check_path(self._meter, *args)

    def _type(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        if len(args) != 1 or kwargs:
            raise UnsupportedPatternError("classes cannot be made in a workflow; write them in a module")
        if isinstance(args[0], DefaultDict):
            args[0] = collections.defaultdict()
        if isinstance(args[0], MachineValue):
            raise UnsupportedPatternError(
                f"type() of a {type(args[0]).__name__} cannot be used in a workflow; use isinstance() or callable()"
            )


_CHECKS: dict[type, Any] = {
    **dict.fromkeys((list, tuple), ClassCalls._collection),
    **dict.fromkeys((dict, OrderedSet, OrderedFrozenSet), ClassCalls._hashed),
    str: ClassCalls._text,
    bytes: ClassCalls._bytes,
    int: ClassCalls._integer,
    decimal.Decimal: ClassCalls._decimal,
    type: ClassCalls._type,
    fractions.Fraction: ClassCalls._fraction,
    zoneinfo.ZoneInfo: ClassCalls._zone,
    Generator: ClassCalls._generator,
    **dict.fromkeys((collections.Counter, collections.OrderedDict), ClassCalls._counted),
    collections.defaultdict: ClassCalls._default_dict,
    Deque: ClassCalls._deque,
    **dict.fromkeys((pathlib.Path, pathlib.PurePath, pathlib.PurePosixPath), ClassCalls._path),
}

_FIRST_PARAMETER: dict[type, str] = {str: "object", bytes: "source", decimal.Decimal: "value"}
"""Where the first argument may be given by name."""
