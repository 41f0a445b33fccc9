"""Callable values that the library makes: `functools.partial` and `cmp_to_key`, the getters of `operator`."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, ClassVar

from waymark.errors import UnsupportedPatternError
from waymark.vm.iteration import make_iterator
from waymark.vm.objects import MachineValue


class CallableValue(MachineValue):
    """Root of those that call or compute when they are called."""

    __slots__ = ("machine",)
    __waymark_of_machine__ = True

    def __init__(self, machine: Any) -> None:
        self.machine = machine

    def call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """`self(*args, **kwargs)`."""
        raise NotImplementedError

    def one(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """The only argument."""
        name = type(self).__name__
        if kwargs:
            raise TypeError(f"{name}() takes no keyword arguments")
        if len(args) != 1:
            raise TypeError(f"{name} expected 1 argument, got {len(args)}")
        return args[0]


class Partial(CallableValue):
    """`functools.partial(func, *args, **keywords)`; a call of it is a call of `func`."""

    __slots__ = ("args", "func", "keywords")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("func", "args", "keywords")

    def __init__(self, machine: Any, func: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        super().__init__(machine)
        self.func = func
        self.args = args
        self.keywords = keywords

    def bound(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[Any, list[Any], dict[str, Any]]:
        """Function and arguments of a call."""
        self.machine.meter.burn(len(self.args) + len(self.keywords))
        return self.func, [*self.args, *args], {**self.keywords, **kwargs}

    def call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return self.machine.calls.invoke(*self.bound(args, kwargs))


class ItemGetter(CallableValue):
    """`operator.itemgetter(...)`."""

    __slots__ = ("items",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ("items",)
    __waymark_shown__ = ("items",)

    def __init__(self, machine: Any, items: tuple[Any, ...]) -> None:
        super().__init__(machine)
        self.items = items

    def call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        target = self.one(args, kwargs)
        self.machine.meter.burn(len(self.items))
        found = tuple(self.machine.items.get(target, item) for item in self.items)
        return found if len(found) > 1 else found[0]

    def __repr__(self) -> str:
        return f"operator.itemgetter({', '.join(map(repr, self.items))})"


class AttributeGetter(CallableValue):
    """`operator.attrgetter(...)`."""

    __slots__ = ("names",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ("names",)
    __waymark_shown__ = ("names",)

    def __init__(self, machine: Any, names: tuple[str, ...]) -> None:
        super().__init__(machine)
        self.names = names

    def call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        target = self.one(args, kwargs)
        found = tuple(self._get(target, name) for name in self.names)
        return found if len(found) > 1 else found[0]

    def _get(self, target: Any, path: str) -> Any:
        self.machine.meter.burn(1 + (len(path) >> 2))
        for name in path.split("."):
            target = self.machine.attributes.get(target, name)
        return target

    def __repr__(self) -> str:
        return f"operator.attrgetter({', '.join(map(repr, self.names))})"


class MethodCaller(CallableValue):
    """`operator.methodcaller(name, *args, **kwargs)`."""

    __slots__ = ("args", "kwargs", "name")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("name", "args", "kwargs")
    __waymark_shown__ = ("name", "args", "kwargs")

    def __init__(self, machine: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__(machine)
        self.name = name
        self.args = args
        self.kwargs = kwargs

    def call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        method = self.machine.attributes.get(self.one(args, kwargs), self.name)
        return self.machine.calls.invoke(method, [*self.args], {**self.kwargs})

    def __repr__(self) -> str:
        shown = [
            *map(repr, (self.name, *self.args)),
            *(f"{name}={value!r}" for name, value in self.kwargs.items()),
        ]
        return f"operator.methodcaller({', '.join(shown)})"


class KeyMaker(CallableValue):
    """`functools.cmp_to_key(function)`."""

    __slots__ = ("function",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ("function",)

    def __init__(self, machine: Any, function: Any) -> None:
        super().__init__(machine)
        self.function = function

    def call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if len(args) + len(kwargs) != 1 or (kwargs and "obj" not in kwargs):
            return functools.cmp_to_key(lambda left, right: 0)(*args, **kwargs)  # refused in Python's words
        return Key(self.machine, self.function, args[0] if args else kwargs["obj"])


class Key(MachineValue):
    """What `cmp_to_key` makes of an object: it is compared by a function of the run."""

    __slots__ = ("function", "machine", "obj")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("function", "obj")
    __waymark_of_machine__ = True
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, machine: Any, function: Any, obj: Any) -> None:
        self.machine = machine
        self.function = function
        self.obj = obj

    def _compared(self, other: Any, test: Callable[[Any, Any], Any]) -> bool:
        if not isinstance(other, Key):
            raise TypeError("other argument must be K instance")
        return bool(test(self.machine.calls.invoke(self.function, [self.obj, other.obj]), 0))

    def __lt__(self, other: Any) -> bool:
        return self._compared(other, operator.lt)

    def __le__(self, other: Any) -> bool:
        return self._compared(other, operator.le)

    def __gt__(self, other: Any) -> bool:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Any) -> bool:
        return self._compared(other, operator.ge)

    def __eq__(self, other: object) -> bool:
        return self._compared(other, operator.eq)

    def __ne__(self, other: object) -> bool:
        return self._compared(other, operator.ne)


def _partial(machine: Any, /, *args: Any, **keywords: Any) -> Partial:
    if not args:
        raise TypeError("type 'partial' takes at least one argument")
    func, *rest = args
    if not machine.calls.library.value("callable").implementation(func):
        raise TypeError("the first argument must be callable")
    if type(func) is Partial:
        func, rest, keywords = func.bound(rest, keywords)
    return Partial(machine, func, tuple(rest), keywords)


def _item_getter(machine: Any, /, *items: Any, **kwargs: Any) -> ItemGetter:
    operator.itemgetter(*items, **kwargs)  # the refusal of none
    return ItemGetter(machine, items)


def _attribute_getter(machine: Any, /, *names: Any, **kwargs: Any) -> AttributeGetter:
    operator.attrgetter(*names, **kwargs)
    return AttributeGetter(machine, names)


def _method_caller(machine: Any, /, *args: Any, **kwargs: Any) -> MethodCaller:
    operator.methodcaller(*args, **kwargs)
    return MethodCaller(machine, args[0], args[1:], kwargs)


def _key_maker(machine: Any, /, mycmp: Any) -> KeyMaker:
    return KeyMaker(machine, mycmp)


_NOTHING = object()


def _reduce(machine: Any, function: Any, iterable: Any, initial: Any = _NOTHING, /) -> Any:
    machine.meter.burn(4)
    if not hasattr(type(iterable), "__iter__"):
        raise TypeError("reduce() arg 2 must support iteration")
    iterator = make_iterator(iterable)
    total = initial
    for item in iterator:
        machine.meter.burn(getattr(iterator, "cost", 1))
        total = item if total is _NOTHING else machine.calls.invoke(function, [total, item])
    if total is _NOTHING:
        raise TypeError("reduce() of empty iterable with no initial value")
    return total


def refuse_as_class(classes: Any) -> None:
    """Before isinstance: what is a class in Python and a function here can be asked for by nobody."""
    waiting = [classes]
    while waiting:
        one = waiting.pop()
        if type(one) is tuple:
            waiting += one
        elif isinstance(one, MachineValue) and hasattr(one, "implementation"):
            raise UnsupportedPatternError(
                f"isinstance(..., {getattr(one, 'name', '')}) cannot be used in a workflow; keep track of what the value is"
            )


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "functools.cmp_to_key": _key_maker,
    "functools.partial": _partial,
    "functools.reduce": _reduce,
    "operator.attrgetter": _attribute_getter,
    "operator.itemgetter": _item_getter,
    "operator.methodcaller": _method_caller,
}
"""By the name of the library table."""

TYPES: tuple[type, ...] = (Partial, ItemGetter, AttributeGetter, MethodCaller, KeyMaker, Key)
"""For snapshots; the order is part of their format: add at the end."""

_SHOWN_NAMES: tuple[tuple[type, str, str], ...] = (
    (Partial, "functools", "partial"),
    (ItemGetter, "operator", "itemgetter"),
    (AttributeGetter, "operator", "attrgetter"),
    (MethodCaller, "operator", "methodcaller"),
    (KeyMaker, "functools", "KeyWrapper"),
    (Key, "functools", "KeyWrapper"),
)
for _class, _module, _name in _SHOWN_NAMES:
    _class.__module__, _class.__name__, _class.__qualname__ = _module, _name, _name
