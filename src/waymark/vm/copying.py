"""`copy.copy`, `copy.deepcopy`, and the functions of `dataclasses` that take values apart."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.values.classes import SET_NAMES
from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.values.special import refuse_special
from waymark.values.synthetic import PydanticRecord
from waymark.vm.containers import DefaultDict
from waymark.vm.objects import CallInstead, MachineValue
from waymark.vm.weight import LIGHT, check_key

_BYTES_PER_ITEM = 24
_VALUE_BYTES = 100
_STEPS_PER_VALUE = 4
_UNCHANGED = LIGHT | {str, bytes}


class _Copier:
    """One copy, of all that hangs on a value when it `is_deep`."""

    def __init__(self, machine: Any, is_deep: bool) -> None:
        self._machine = machine
        self._is_deep = is_deep
        self._made: dict[int, Any] = {}

    def copy(self, value: Any) -> Any:
        made = self._made.get(id(value))
        if made is not None:
            return made
        if isinstance(value, dict):
            return self._of_dict(value)
        if isinstance(value, list | OrderedSet | OrderedFrozenSet | collections.deque):
            return self._of_collection(value)
        if type(value) is tuple:
            return self._of_tuple(value)
        if isinstance(value, PydanticRecord) or (
            dataclasses.is_dataclass(value) and not isinstance(value, type)
        ):
            return self._of_record(value)
        if isinstance(value, BaseException | MachineValue) and not _is_function(value):
            raise UnsupportedPatternError(
                f"a {type(value).__name__} cannot be copied in a workflow; make a new one, or keep its data"
            )
        self._machine.meter.burn(_STEPS_PER_VALUE)  # for finding out that it is none of these
        return value

    def _pay(self, count: int) -> None:
        self._machine.meter.burn(_STEPS_PER_VALUE + (count >> 1))
        self._machine.heap.charge(_VALUE_BYTES + _BYTES_PER_ITEM * count)

    def _part(self, value: Any) -> Any:
        return self.copy(value) if self._is_deep and type(value) not in _UNCHANGED else value

    def _of_dict(self, value: dict[Any, Any]) -> Any:
        self._pay(4 * len(value))
        made: Any
        if isinstance(value, collections.defaultdict):
            made = (
                collections.defaultdict(value.default_factory)
                if type(value) is not DefaultDict
                else DefaultDict(None)
            )
            if isinstance(made, DefaultDict):
                made.default_factory, made.machine = value.default_factory, self._machine
        else:
            made = type(value)()
        self._made[id(value)] = made
        for key, item in value.items():
            copied = self._part(key)
            if copied is not key:
                check_key(self._machine.meter, copied)
            made[copied] = self._part(item)
        return made

    def _of_collection(self, value: Any) -> Any:
        if isinstance(value, OrderedFrozenSet) and not self._is_deep:
            return value
        self._pay(len(value))
        if isinstance(value, OrderedFrozenSet):
            return OrderedFrozenSet([self._part(item) for item in value])
        made = type(value)((), value.maxlen) if isinstance(value, collections.deque) else type(value)()
        self._made[id(value)] = made
        add = made.add if isinstance(made, OrderedSet) else made.append
        for item in value:
            add(self._part(item))
        return made

    def _of_tuple(self, value: tuple[Any, ...]) -> Any:
        if not self._is_deep:
            return value
        self._pay(len(value))
        made = tuple([self._part(item) for item in value])
        known = self._made.get(id(value))  # a part led back to it
        if known is not None:
            return known
        if all(new is old for new, old in zip(made, value, strict=True)):
            made = value
        self._made[id(value)] = made
        return made

    def _of_record(self, value: Any) -> Any:
        for name in (
            "__copy__",
            "__deepcopy__",
            "__reduce__",
            "__reduce_ex__",
            "__getstate__",
            "__setstate__",
        ):
            refuse_special(value, name)
        self._pay(4 * len(vars(value)))
        made = object.__new__(type(value))
        self._made[id(value)] = made
        for name, part in vars(value).items():
            vars(made)[name] = self._part(part)
        return made


def _is_function(value: Any) -> bool:
    return type(value).__name__ in ("function", "builtin_function_or_method")


def _copy(machine: Any, x: Any) -> Any:
    return _Copier(machine, is_deep=False).copy(x)


def _deepcopy(machine: Any, x: Any) -> Any:
    return _Copier(machine, is_deep=True).copy(x)


def model_copy(machine: Any, record: Any, *, update: Any = None, deep: Any = False) -> Any:
    """`model.model_copy(...)`, which validates nothing."""
    made = _Copier(machine, is_deep=bool(deep)).copy(record)
    if update:
        machine.meter.burn(machine.meter.consume(update))
        vars(made).update(update)
        names = vars(made).get(SET_NAMES)
        if names is not None:
            vars(made)[SET_NAMES] = tuple(sorted({*names, *update}))
    return made


def _is_instance(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _replace(machine: Any, obj: Any, /, **changes: Any) -> CallInstead:
    """A new instance is made by the class, with its code where it has any."""
    if not _is_instance(obj):
        raise TypeError("replace() should be called on dataclass instances")
    for field in dataclasses.fields(obj):
        if not field.init:
            if field.name in changes:
                raise ValueError(
                    f"field {field.name} is declared with init=False, it cannot be specified with replace()"
                )
        elif field.name not in changes:
            changes[field.name] = machine.attributes.get(obj, field.name)
    return CallInstead(type(obj), [], changes)


class _TakingApart:
    """`asdict` and `astuple`."""

    def __init__(self, machine: Any, make: Callable[[list[tuple[str, Any]]], Any]) -> None:
        self._machine = machine
        self._make = make

    def parts(self, value: Any) -> Any:
        self._machine.meter.burn(4)
        if _is_instance(value):
            names = [field.name for field in dataclasses.fields(value)]
            self._machine.heap.charge(_VALUE_BYTES + 4 * _BYTES_PER_ITEM * len(names))
            return self._make(
                [(name, self.parts(self._machine.attributes.get(value, name))) for name in names]
            )
        if isinstance(value, list | tuple):
            self._machine.heap.charge(_VALUE_BYTES + _BYTES_PER_ITEM * len(value))
            return type(value)([self.parts(item) for item in value])
        if isinstance(value, dict):
            self._machine.heap.charge(_VALUE_BYTES + 4 * _BYTES_PER_ITEM * len(value))
            pairs = [(self.parts(key), self.parts(item)) for key, item in value.items()]
            return dict(pairs) if type(value) is dict else _filled(_copy(self._machine, value), pairs)
        return _deepcopy(self._machine, value)


def _filled(made: Any, pairs: list[tuple[Any, Any]]) -> Any:
    made.clear()
    for key, value in pairs:
        made[key] = value
    return made


def _asdict(machine: Any, obj: Any, *, dict_factory: Any = dict) -> Any:
    if not _is_instance(obj):
        raise TypeError("asdict() should be called on dataclass instances")
    make = dict if dict_factory is dict else lambda pairs: machine.calls.invoke(dict_factory, [pairs])
    return _TakingApart(machine, make).parts(obj)


def _astuple(machine: Any, obj: Any, *, tuple_factory: Any = tuple) -> Any:
    if not _is_instance(obj):
        raise TypeError("astuple() should be called on dataclass instances")
    return _TakingApart(
        machine, lambda pairs: machine.calls.invoke(tuple_factory, [[v for _, v in pairs]])
    ).parts(obj)


def _is_dataclass(machine: Any, obj: Any) -> bool:
    return dataclasses.is_dataclass(obj)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "copy.copy": _copy,
    "copy.deepcopy": _deepcopy,
    "dataclasses.asdict": _asdict,
    "dataclasses.astuple": _astuple,
    "dataclasses.is_dataclass": _is_dataclass,
    "dataclasses.replace": _replace,
}
"""By the name of the library table."""
