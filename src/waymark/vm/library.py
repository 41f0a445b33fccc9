"""The functions and classes of `program.library`, implemented over the machine's values."""

from __future__ import annotations

import decimal
import enum
import functools
import operator
from typing import Any

from waymark.program import library as names
from waymark.program.live import live_object
from waymark.values.collections import Deque
from waymark.values.sets import OrderedFrozenSet, OrderedSet, _Ordered
from waymark.vm import (
    callables,
    chance,
    clock,
    copying,
    hashes,
    lazy,
    numbers,
    operators,
    patterns,
    printing,
    selections,
    sharing,
    texts,
)
from waymark.vm.attributes import Attributes
from waymark.vm.barriers import Barrier
from waymark.vm.callables import CallableValue, refuse_as_class
from waymark.vm.concurrency import Functions
from waymark.vm.futures import Future, Task
from waymark.vm.groups import TaskGroup
from waymark.vm.iteration import (
    DequeIterator,
    DictView,
    EnumerateIterator,
    FilterIterator,
    KeyedIterator,
    MachineIterator,
    MapIterator,
    ReversedIterator,
    ZipIterator,
    cost_of,
    make_iterator,
)
from waymark.vm.lazy import CallIterator
from waymark.vm.limits import Meter, count_of
from waymark.vm.locks import BoundedSemaphore, Condition, Event, Lock, Semaphore
from waymark.vm.managers import NullContext, Suppress
from waymark.vm.methods import MethodCalls
from waymark.vm.objects import (
    CALLABLE,
    BuiltinFunction,
)
from waymark.vm.operations import check_decimal, format_value, guard_divide
from waymark.vm.queues import LifoQueue, PriorityQueue, Queue
from waymark.vm.weight import check_shown, check_walk

_MISSING = object()


_OF_ASYNCIO: dict[str, type] = {
    "asyncio.Barrier": Barrier,
    "asyncio.BoundedSemaphore": BoundedSemaphore,
    "asyncio.Condition": Condition,
    "asyncio.Event": Event,
    "asyncio.Future": Future,
    "asyncio.LifoQueue": LifoQueue,
    "asyncio.Lock": Lock,
    "asyncio.PriorityQueue": PriorityQueue,
    "asyncio.Queue": Queue,
    "asyncio.Semaphore": Semaphore,
    "asyncio.Task": Task,
    "asyncio.TaskGroup": TaskGroup,
    "contextlib.nullcontext": NullContext,
    "contextlib.suppress": Suppress,
    "re.Match": patterns.Match,
    "re.Pattern": patterns.Pattern,
}
"""Classes that the machine has its own of."""


def library_object(name: str) -> Any:
    """What `BUILTIN name` gives, where that is no function of ours."""
    if name in _OF_ASYNCIO:
        return _OF_ASYNCIO[name]
    if name == "set":
        return OrderedSet
    if name == "frozenset":
        return OrderedFrozenSet
    if name == "collections.deque":
        return Deque
    if name == "random.Random":
        return chance.Generator
    return live_object(name)


def loadable_classes() -> dict[tuple[str, str], type]:
    """Every library class by (module, qualname), for snapshots that hold one."""
    found = {(cls.__module__, cls.__qualname__): cls for cls in map(library_object, names.CLASSES)}
    found["builtins", "NoneType"] = type(None)
    return found


_NUMBERS = frozenset({bool, int, float, complex, decimal.Decimal})


class Library:
    """Functions of one machine. Each is made when the program first asks for it.

    Args:
        machine: Runs what functions of the library call back.
        functions: Those of asyncio, which belong to the machine's tasks.
    """

    def __init__(
        self, machine: Any, meter: Meter, attributes: Attributes, methods: MethodCalls, functions: Functions
    ) -> None:
        self._machine = machine
        self._meter = meter
        self._attributes = attributes
        self.methods = methods
        self._functions = functions
        self._values: dict[str, Any] = {}

    def value(self, name: str) -> Any:
        """What `BUILTIN name` pushes."""
        value = self._values.get(name)
        if value is None:
            value = self._values[name] = self._make(name)
        return value

    def _make(self, name: str) -> Any:
        if name in names.CLASSES or name in names.VALUES:
            return library_object(name)
        if name not in names.FUNCTIONS:
            raise KeyError(name)
        if name.startswith("asyncio."):
            return BuiltinFunction(name, getattr(self._functions, name.removeprefix("asyncio.")))
        own = _OWN.get(name)
        if own is not None:
            return BuiltinFunction(name, own.__get__(self))
        of_machine = _OF_MACHINE.get(name)
        if of_machine is not None:
            return BuiltinFunction(name, functools.partial(of_machine, self._machine))
        return BuiltinFunction(name, library_object(name))

    # ---------------------------------------------------------------- taking all items

    def _all(self, iterable: Any, /) -> bool:
        self._meter.consume(iterable)
        return all(iterable)

    def _any(self, iterable: Any, /) -> bool:
        self._meter.consume(iterable)
        return any(iterable)

    def _sorted(self, iterable: Any, /, **kwargs: Any) -> list[Any]:
        items = self.taken(iterable)
        return sorted(items, **self.methods.with_key(kwargs))

    def _max(self, *args: Any, **kwargs: Any) -> Any:
        return max(*self._compared(args), **self.methods.with_key(kwargs))

    def _min(self, *args: Any, **kwargs: Any) -> Any:
        return min(*self._compared(args), **self.methods.with_key(kwargs))

    def _compared(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(args) == 1 and hasattr(type(args[0]), "__iter__"):
            return (self.taken(args[0]),)
        check_walk(self._meter, args)
        return args

    def taken(self, iterable: Any) -> Any:
        """The items, paid for with all comparisons between them; what is no iterable is left for Python to refuse."""
        self._meter.consume(iterable)
        if not hasattr(type(iterable), "__iter__"):
            return iterable
        items = list(iterable)
        self._meter.burn(2 * len(items))
        check_walk(self._meter, items)
        return items

    def _sum(self, iterable: Any, /, start: Any = 0) -> Any:
        sum((), start)  # the refusal of texts
        self._meter.consume(iterable)
        if not hasattr(type(iterable), "__iter__"):
            return sum(iterable, start)
        items = list(iterable)
        if _NUMBERS.issuperset(map(type, items)) and type(start) in _NUMBERS:
            return sum(items, start)
        add = self._machine.add
        for item in items:
            start = add(start, item)
        return start

    # ---------------------------------------------------------------- numbers

    def _divmod(self, left: Any, right: Any, /) -> Any:
        guard_divide(self._meter, left, right)
        return divmod(left, right)

    def _round(self, number: Any, ndigits: Any = None) -> Any:
        if isinstance(number, decimal.Decimal):
            check_decimal(number)
        elif isinstance(number, int) and isinstance(ndigits, int) and ndigits < 0:
            self._meter.integer(-4 * ndigits)
        return round(number, ndigits)

    # ---------------------------------------------------------------- texts and objects

    def _repr(self, value: Any, /) -> str:
        check_shown(self._meter, value)
        return repr(value)

    def _ascii(self, value: Any, /) -> str:
        check_shown(self._meter, value)
        return ascii(value)

    def _format(self, value: Any, format_spec: Any = "", /) -> str:
        return format_value(self._meter, value, format_spec)

    def _getattr(self, target: Any, name: Any, default: Any = _MISSING, /) -> Any:
        try:
            return self._attributes.get(target, _attribute_name(name))
        except AttributeError:
            if default is _MISSING:
                raise
            return default

    def _hasattr(self, target: Any, name: Any, /) -> bool:
        return self._getattr(target, name, _MISSING_VALUE) is not _MISSING_VALUE

    def _setattr(self, target: Any, name: Any, value: Any, /) -> None:
        self._attributes.set(target, _attribute_name(name), value)

    def _delattr(self, target: Any, name: Any, /) -> None:
        self._attributes.delete(target, _attribute_name(name))

    def _isinstance(self, value: Any, classes: Any, /) -> bool:
        check_walk(self._meter, classes)
        refuse_as_class(classes)
        return isinstance(value, classes)

    def _issubclass(self, value: Any, classes: Any, /) -> bool:
        check_walk(self._meter, classes)
        refuse_as_class(classes)
        return issubclass(value, classes)

    def _callable(self, value: Any, /) -> bool:
        return callable(value) or isinstance(value, (CallableValue, *CALLABLE))

    # ---------------------------------------------------------------- iterators

    def _enumerate(self, iterable: Any, start: Any = 0) -> Any:
        return self._iterating(
            EnumerateIterator(self._machine, make_iterator(iterable), operator.index(start))
        )

    def _zip(self, *iterables: Any, strict: Any = False) -> Any:
        return self._iterating(
            ZipIterator(self._machine, [make_iterator(iterable) for iterable in iterables], bool(strict))
        )

    def _map(self, function: Any, iterable: Any, /, *others: Any) -> Any:
        return self._iterating(
            MapIterator(self._machine, function, [make_iterator(inner) for inner in (iterable, *others)])
        )

    def _filter(self, function: Any, iterable: Any, /) -> Any:
        return self._iterating(FilterIterator(self._machine, function, make_iterator(iterable)))

    def _iterating(self, iterator: Any) -> Any:
        self._meter.items(iterator.cost)
        return iterator

    def _iter(self, iterable: Any, sentinel: Any = _MISSING, /) -> Any:
        if sentinel is not _MISSING:
            if not self._callable(iterable):
                raise TypeError("iter(v, w): v must be callable")
            return CallIterator(self._machine, iterable, sentinel)
        self._meter.burn(_copied(iterable))
        return make_iterator(iterable)

    def _next(self, iterator: Any, default: Any = _MISSING, /) -> Any:
        if not isinstance(iterator, MachineIterator):
            raise TypeError(f"'{type(iterator).__name__}' object is not an iterator")
        self._meter.burn(cost_of(iterator))
        try:
            return next(iterator)
        except StopIteration:
            if default is _MISSING:
                raise
            return default

    def _reversed(self, sequence: Any, /) -> Any:
        self._meter.burn(_copied(sequence))
        if isinstance(sequence, dict):
            return KeyedIterator(sequence, "keys", list(reversed(sequence)))
        if isinstance(sequence, enum.EnumMeta):
            return ReversedIterator([*sequence])
        if isinstance(sequence, DictView):
            return reversed(sequence)
        if isinstance(sequence, Deque):
            return DequeIterator(sequence, is_reversed=True)
        if not isinstance(sequence, str | bytes | tuple | list | range):
            raise TypeError(f"'{type(sequence).__name__}' object is not reversible")
        return ReversedIterator(sequence)


def _copied(value: Any) -> int:
    """Steps of copying the keys that an iterator keeps."""
    return count_of(value) >> 4 if isinstance(value, dict | _Ordered | DictView | Deque) else 0


def _attribute_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"attribute name must be string, not '{type(name).__name__}'")
    return name


_MISSING_VALUE = object()

_OWN: dict[str, Any] = {
    "all": Library._all,
    "any": Library._any,
    "ascii": Library._ascii,
    "callable": Library._callable,
    "delattr": Library._delattr,
    "divmod": Library._divmod,
    "enumerate": Library._enumerate,
    "filter": Library._filter,
    "format": Library._format,
    "getattr": Library._getattr,
    "hasattr": Library._hasattr,
    "isinstance": Library._isinstance,
    "issubclass": Library._issubclass,
    "iter": Library._iter,
    "map": Library._map,
    "max": Library._max,
    "min": Library._min,
    "next": Library._next,
    "repr": Library._repr,
    "reversed": Library._reversed,
    "round": Library._round,
    "setattr": Library._setattr,
    "sorted": Library._sorted,
    "sum": Library._sum,
    "zip": Library._zip,
}
"""Functions that differ from Python's own in what they check first."""

_OF_MACHINE: dict[str, Any] = {
    name: function
    for module in (
        callables,
        chance,
        clock,
        copying,
        hashes,
        lazy,
        numbers,
        operators,
        patterns,
        printing,
        selections,
        sharing,
        texts,
    )
    for name, function in module.FUNCTIONS.items()
}
"""The same in modules by subject, each called with the machine first. All others are Python's own."""
