"""Calls of methods of builtin types, with their limits checked before the work is done."""

from __future__ import annotations

import codecs
import collections
import datetime
import decimal
import fractions
import pathlib
from collections.abc import Callable
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.program.library import CLASS_METHODS
from waymark.values.sets import _Ordered
from waymark.vm.chance import Generator, check_draw
from waymark.vm.concurrency import FutureMethods
from waymark.vm.exception_groups import GroupMethods
from waymark.vm.futures import Future
from waymark.vm.heap import Heap
from waymark.vm.iteration import VIEWS
from waymark.vm.lazy import Chain, StarMap
from waymark.vm.limits import Meter
from waymark.vm.objects import BoundMethod
from waymark.vm.operations import check_decimal, check_path
from waymark.vm.templates import Templates
from waymark.vm.times import check_time_call
from waymark.vm.weight import check_key, check_keys, check_walk, weigh

Invoke = Callable[[Any, list[Any]], Any]
"""Calls a value of the run from inside a library function."""

CODECS = frozenset(
    {
        "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "ascii",
        "iso8859-1", "cp1252",
    }
)  # fmt: skip
"""Encodings by their canonical names; others are slow on hostile texts, or are no encodings at all."""

_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


class MethodCalls:
    """Calls of builtin methods for one machine."""

    def __init__(
        self, machine: Any, heap: Heap, templates: Templates, futures: FutureMethods, invoke: Invoke
    ) -> None:
        self._machine = machine
        self._meter: Meter = machine.meter
        self._heap = heap
        self._templates = templates
        self._invoke = invoke
        self._futures = futures
        self._groups = GroupMethods(self._meter, invoke)

    def call(self, method: BoundMethod, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """`receiver.name(*args, **kwargs)`."""
        name = method.name
        receiver = method.receiver
        if (
            isinstance(receiver, type)
            and args
            and isinstance(args[0], receiver)
            and not _is_of_class(receiver, name)
        ):
            receiver, args = args[0], args[1:]  # str.upper(text) is text.upper()
        if isinstance(receiver, str | bytes):
            return self._of_text(receiver, name, args, kwargs)
        if isinstance(receiver, list | tuple):
            return self._of_sequence(receiver, name, args, kwargs)
        if isinstance(receiver, dict):
            return self._of_dict(receiver, name, args, kwargs)
        if isinstance(receiver, _Ordered):
            return self._of_set(receiver, name, args, kwargs)
        if isinstance(receiver, BaseExceptionGroup):
            return self._groups.call(receiver, name, args, kwargs)
        if isinstance(receiver, Future):
            return self._futures.call(receiver, name, args, kwargs)
        if isinstance(receiver, collections.deque):
            return self._of_deque(receiver, name, args, kwargs)
        if isinstance(receiver, type):
            return self._of_class(receiver, name, args, kwargs)
        if isinstance(receiver, Generator):
            return self.draw(receiver, name, args, kwargs)
        if isinstance(receiver, int):
            self._of_int(name, args, kwargs)
        elif isinstance(receiver, datetime.date | datetime.time):
            check_time_call(receiver, name, args, kwargs)
        elif isinstance(receiver, pathlib.PurePath):
            check_path(self._meter, receiver, *args)
        elif isinstance(receiver, range | decimal.Decimal | fractions.Fraction):
            self._of_number(receiver, name, args)
        elif name == "isdisjoint":
            self._meter.consume(args[0] if args else None)
            check_keys(self._meter, args)
        return getattr(receiver, name)(*args, **kwargs)

    # ---------------------------------------------------------------- text

    def _of_text(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        meter = self._meter
        meter.burn(len(receiver) >> 6)
        check = _TEXT_CHECKS.get(name)
        if check is not None:
            return check(self, receiver, name, args, kwargs)
        return getattr(receiver, name)(*args, **kwargs)

    def _format(self, receiver: str, _name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return self._templates.fill(receiver, args, kwargs)

    def _format_map(self, receiver: str, _name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if len(args) != 1 or kwargs:
            return receiver.format_map(*args, **kwargs)
        return self._templates.fill(receiver, None, args[0])

    def _translate(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Every character may become a text of its own."""
        if args and isinstance(receiver, str):
            table = args[0]
            longest = (
                max(map(len, filter(_is_str, table.values())), default=1) if isinstance(table, dict) else 1
            )
            self._meter.burn(len(receiver) >> 2)
            self._meter.text(len(receiver) * max(1, longest))
        return getattr(receiver, name)(*args, **kwargs)

    def _padded(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        tabs = receiver.count("\t" if isinstance(receiver, str) else b"\t") if name == "expandtabs" else 1
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, int):
                self._meter.text(argument * tabs)
        return getattr(receiver, name)(*args, **kwargs)

    def _join(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if len(args) != 1 or kwargs or not hasattr(type(args[0]), "__iter__"):
            return getattr(receiver, name)(*args, **kwargs)
        self._meter.consume(args[0])
        items = list(args[0])
        kind = str if isinstance(receiver, str) else bytes
        lengths = sum(len(item) for item in items if isinstance(item, kind))
        self._meter.text(lengths + len(receiver) * max(0, len(items) - 1))
        return receiver.join(items)

    def _replace(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if len(args) >= 2 and isinstance(args[0], type(receiver)) and isinstance(args[1], type(receiver)):
            growth = len(args[1]) - len(args[0])
            if growth > 0:
                count = receiver.count(args[0])
                most = args[2] if len(args) > 2 else kwargs.get("count", -1)
                if isinstance(most, int) and most >= 0:
                    count = min(count, most)
                self._meter.text(len(receiver) + growth * count)
        return getattr(receiver, name)(*args, **kwargs)

    def _split(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """A split that stops just past the limit for items."""
        most = self._meter.limits.items
        if len(receiver) <= most:
            return getattr(receiver, name)(*args, **kwargs)
        if name == "splitlines":
            self._meter.items(sum(map(receiver.count, _LINE_ENDS)))
            return receiver.splitlines(*args, **kwargs)
        given = args[1] if len(args) > 1 else kwargs.get("maxsplit", -1)
        if len(args) < 3 and isinstance(given, int) and not 0 <= given <= most:
            kwargs = {**kwargs, "maxsplit": most}
            args = args[:1]
        found = getattr(receiver, name)(*args, **kwargs)
        self._meter.items(len(found))
        self._backwards(receiver, name, args)
        return found

    def _searched_backwards(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        self._backwards(receiver, name, args)
        return getattr(receiver, name)(*args, **kwargs)

    def _backwards(self, receiver: Any, name: str, args: list[Any]) -> None:
        """From the right, and by sets of characters, CPython compares each with each at worst."""
        if args and isinstance(args[0], str | bytes) and name != "split":
            self._meter.burn(len(receiver) * len(args[0]) >> 10)

    def _coded(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        check_codec(args[0] if args else kwargs.get("encoding", "utf-8"))
        return getattr(receiver, name)(*args, **kwargs)

    # ---------------------------------------------------------------- containers

    def _of_sequence(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        meter = self._meter
        if name == "append":
            meter.items(len(receiver) + 1)
        elif name == "insert":
            meter.items(len(receiver) + 1)
            meter.burn(len(receiver) >> 10)
        elif name == "extend":
            added = sum(map(meter.consume, args))
            meter.items(len(receiver) + added)
            self._heap.charge(40 * added)
        elif name == "sort":
            return self._sort(receiver, args, kwargs)
        elif name in ("index", "count", "remove"):
            check_walk(meter, receiver)
            for argument in args:
                meter.text(weigh(meter, argument))  # it is shown in the error
        else:
            meter.burn(len(receiver) >> (10 if name == "pop" else 5))
        return getattr(receiver, name)(*args, **kwargs)

    def _sort(self, receiver: list[Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
        self._meter.burn(2 * len(receiver))
        check_walk(self._meter, receiver)
        return receiver.sort(*args, **self.with_key(kwargs))

    def with_key(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments of sort, sorted, min and max, with a key that the machine calls and whose results are weighed."""
        key = kwargs.get("key")
        if key is None:
            return kwargs

        def weighed(item: Any) -> Any:
            found = self._invoke(key, [item])
            check_walk(self._meter, found)
            return found

        return {**kwargs, "key": weighed}

    def _of_dict(self, receiver: dict[Any, Any], name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        meter = self._meter
        if name in VIEWS:
            if not args and not kwargs:
                return VIEWS[name](receiver, name)
        elif name in ("update", "subtract"):
            added = sum(map(meter.consume, args)) + len(kwargs)
            meter.items(len(receiver) + added)
            self._heap.charge(150 * added)
            args = [self._hashable_items(argument) for argument in args]
            if isinstance(receiver, collections.Counter):
                meter.burn(added + len(receiver))
        elif name == "elements":
            return self._elements(receiver, args, kwargs)
        elif name in ("most_common", "total"):
            meter.burn(2 * len(receiver))
            check_walk(meter, [*receiver.values()])
        elif name == "copy":
            meter.burn(len(receiver) >> 3)
        elif name == "setdefault":
            meter.items(len(receiver) + 1)
        if args and name in ("get", "pop", "setdefault", "move_to_end"):
            check_key(meter, args[0])
        return getattr(receiver, name)(*args, **kwargs)

    def _elements(self, receiver: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """`Counter.elements()`: each key as often as it was counted."""
        if args or kwargs:
            return receiver.elements(*args, **kwargs)
        repeat = self._machine.calls.library.value("itertools.repeat")
        return Chain(self._machine, StarMap(self._machine, repeat, VIEWS["items"](receiver, "items")))

    def _of_deque(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        meter = self._meter
        if name in ("append", "appendleft"):
            meter.items(len(receiver) + 1)
        elif name in ("extend", "extendleft"):
            added = sum(map(meter.consume, args))
            meter.items(len(receiver) + added)
            self._heap.charge(40 * added)
        elif name in ("index", "count", "remove"):
            check_walk(meter, receiver)
            for argument in args:
                meter.text(weigh(meter, argument))
        elif name not in ("pop", "popleft"):
            meter.items(len(receiver) + 1)
            meter.burn(len(receiver) >> 4)
        return getattr(receiver, name)(*args, **kwargs)

    def _of_set(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        meter = self._meter
        if name in ("add", "discard", "remove"):
            meter.items(len(receiver) + 1)
            for argument in args:
                check_key(meter, argument)
        elif name != "pop":
            meter.burn(len(receiver) >> 2)
            taken = sum(map(meter.consume, args))
            if name in ("update", "union", "symmetric_difference", "symmetric_difference_update"):
                meter.items(len(receiver) + taken)
            self._heap.charge(70 * taken)
            args = [self._hashable_items(argument) for argument in args]
        return getattr(receiver, name)(*args, **kwargs)

    def _hashable_items(self, argument: Any) -> Any:
        """Items that an iterator makes are weighed before they are hashed."""
        if isinstance(argument, dict | _Ordered | str | bytes | range) or not hasattr(
            type(argument), "__iter__"
        ):
            return argument
        items = argument if isinstance(argument, list | tuple) else list(argument)
        check_walk(self._meter, items)
        return items

    # ---------------------------------------------------------------- others

    def _of_class(self, receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        meter = self._meter
        if name == "fromkeys" and args:
            meter.consume(args[0])
            args = [self._hashable_items(args[0]), *args[1:]]
        elif name == "from_bytes" and args:
            meter.integer(8 * meter.consume(args[0]))
        elif issubclass(receiver, datetime.date | datetime.time):
            check_time_call(receiver, name, args, kwargs)
        else:
            for argument in args:
                meter.text(weigh(meter, argument))
                if isinstance(argument, decimal.Decimal):
                    check_decimal(argument)
        return getattr(receiver, name)(*args, **kwargs)

    def draw(self, generator: Generator, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """A method of a generator of random numbers."""
        check_draw(self._meter, self._machine.chance, name, generator, args, kwargs)
        if name == "seed" and (not args or args[0] is None):
            return None  # from the stream of the run, not from the host
        return getattr(generator, name)(*args, **kwargs)

    def _of_int(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
        length = args[0] if args else kwargs.get("length")
        if name == "to_bytes" and isinstance(length, int):
            self._meter.text(length)

    def _of_number(self, receiver: Any, name: str, args: list[Any]) -> None:
        """Ranges too: what is no int is looked for item by item."""
        if isinstance(receiver, range):
            if not all(isinstance(argument, int) for argument in args):
                self._meter.consume(receiver)
        elif isinstance(receiver, decimal.Decimal):
            self._meter.burn(len(args) + (weigh(self._meter, receiver) >> 6))
            if name == "as_integer_ratio":
                check_decimal(receiver)


def _is_of_class(cls: type, name: str) -> bool:
    return any(f"{base.__name__}.{name}" in CLASS_METHODS for base in cls.__mro__)


def _is_str(value: Any) -> bool:
    return isinstance(value, str)


def check_codec(name: Any) -> None:
    """Before text is encoded or decoded."""
    if not isinstance(name, str):
        return
    try:
        found = codecs.lookup(name).name if name.isascii() and len(name) < 50 else ""
    except LookupError:
        return  # Python says so itself
    if found not in CODECS:
        raise UnsupportedPatternError(
            f"encoding {name!r:.60} cannot be used in a workflow; do this in an @action"
        )


Check = Callable[[MethodCalls, Any, str, list[Any], dict[str, Any]], Any]

_TEXT_CHECKS: dict[str, Check] = {
    "format": MethodCalls._format,
    "format_map": MethodCalls._format_map,
    "translate": MethodCalls._translate,
    "join": MethodCalls._join,
    "replace": MethodCalls._replace,
    **dict.fromkeys(("center", "ljust", "rjust", "zfill", "expandtabs"), MethodCalls._padded),
    **dict.fromkeys(("split", "rsplit", "splitlines"), MethodCalls._split),
    **dict.fromkeys(
        ("rfind", "rindex", "rpartition", "strip", "lstrip", "rstrip"), MethodCalls._searched_backwards
    ),
    **dict.fromkeys(("encode", "decode"), MethodCalls._coded),
}
