"""Iterators and views whose position is plain data, so that a loop survives a snapshot in the middle."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Any, ClassVar

from waymark.values.collections import Deque
from waymark.values.sets import OrderedSet, _Ordered
from waymark.vm.objects import Frame, MachineValue
from waymark.vm.wording import type_name


class MachineIterator(MachineValue):
    """Root of the iterators; `iter(x) is x`, as everywhere in Python."""

    __slots__ = ()
    cost: int
    """Iterators that one item moves: the iterator itself and those inside it."""

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        raise NotImplementedError

    def remaining_items(self) -> int:
        """How many items are left at most; decides whether it may be consumed at once."""
        return 0


class PayingIterator(MachineIterator):
    """Root of those that belong to a machine, whose meter pays.

    One that `pays` does so for each item when it is asked for, because it cannot tell how many there will be; it then counts
    as having none left, and nobody pays for them beforehand.
    """

    __slots__ = ()
    machine: Any
    pays: bool
    __waymark_of_machine__ = True

    def __contains__(self, wanted: object) -> bool:
        return any(item is wanted or self.equal(item, wanted) for item in self)

    def equal(self, left: Any, right: Any) -> bool:
        """`left == right`, paid for."""
        return bool(self.machine.compare("==", left, right))


class SequenceIterator(MachineIterator):
    """Over list, tuple, str, bytes, range: by index, so growth during the loop is seen as CPython shows it."""

    __slots__ = ("index", "sequence")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("sequence", "index")
    cost = 1

    def __init__(self, sequence: Any) -> None:
        self.sequence = sequence
        self.index = 0

    def __next__(self) -> Any:
        sequence = self.sequence
        if sequence is None:
            raise StopIteration
        try:
            item = sequence[self.index]
        except IndexError:
            self.sequence = None  # exhausted for good, even if the list grows later
            raise StopIteration from None
        self.index += 1
        return item

    def remaining_items(self) -> int:
        if self.sequence is None:
            return 0
        if isinstance(self.sequence, range):
            return max(0, count_of_range(self.sequence) - self.index)
        return len(self.sequence) - self.index


class ReversedIterator(MachineIterator):
    """`reversed(sequence)`."""

    __slots__ = ("index", "sequence")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("sequence", "index")
    cost = 1

    def __init__(self, sequence: Any) -> None:
        self.sequence = sequence
        self.index = len(sequence) - 1

    def __next__(self) -> Any:
        if self.sequence is not None and 0 <= self.index < len(self.sequence):
            item = self.sequence[self.index]
            self.index -= 1
            return item
        self.sequence = None
        raise StopIteration

    def remaining_items(self) -> int:
        return self.index + 1


class KeyedIterator(MachineIterator):
    """Over a dict, its views, or a set; notices a change of size, as CPython does."""

    __slots__ = ("index", "keys", "mapping", "part", "size")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("mapping", "part", "keys", "index", "size")
    cost = 1

    def __init__(self, mapping: Any, part: str, keys: list[Any] | None = None) -> None:
        self.mapping = mapping
        self.part = part
        self.keys = list(mapping) if keys is None else keys
        self.index = 0
        self.size = len(self.keys)

    def __next__(self) -> Any:
        if self.mapping is None:
            raise StopIteration
        if self.index >= len(self.keys) and isinstance(self.mapping, collections.OrderedDict):
            self.mapping = None
            raise StopIteration
        if len(self.mapping) != self.size:
            self.size = -1  # CPython keeps raising
            if isinstance(self.mapping, collections.OrderedDict):
                raise RuntimeError("OrderedDict mutated during iteration")
            kind = "Set" if self.part == "set" else "dictionary"
            raise RuntimeError(f"{kind} changed size during iteration")
        if self.index >= len(self.keys):
            self.mapping = None
            raise StopIteration
        key = self.keys[self.index]
        self.index += 1
        if self.part in ("keys", "set"):
            return key
        try:
            value = self.mapping[key]
        except KeyError:
            raise RuntimeError("dictionary keys changed during iteration") from None
        return value if self.part == "values" else (key, value)

    def remaining_items(self) -> int:
        return len(self.keys) - self.index


class DequeIterator(MachineIterator):
    """Over a deque, or `reversed` over it: any change but of an item ends it, as in CPython."""

    __slots__ = ("_items", "changes", "deque", "index", "is_reversed", "items_set")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("deque", "index", "changes", "items_set", "is_reversed")

    def __init__(self, deque: Deque, is_reversed: bool = False) -> None:
        self.deque = deque
        self.index = 0
        self.changes = deque.changes
        self.items_set = deque.items_set
        self.is_reversed = is_reversed

    @property
    def cost(self) -> int:  # type: ignore[override]
        """An item in the middle of a deque is found block by block."""
        return 1 if self.items_set == self.deque.items_set else 1 + (len(self.deque) >> 9)

    def __next__(self) -> Any:
        deque = self.deque
        if deque.changes != self.changes:
            raise RuntimeError("deque mutated during iteration")
        index = self.index
        if index >= len(deque):
            raise StopIteration
        self.index += 1
        if deque.items_set != self.items_set:
            return deque[-self.index if self.is_reversed else index]
        if not hasattr(self, "_items"):
            self._items = [*reversed(deque)] if self.is_reversed else [*collections.deque.__iter__(deque)]
        return self._items[index]

    def remaining_items(self) -> int:
        return max(0, len(self.deque) - self.index)


class EnumerateIterator(PayingIterator):
    """`enumerate(...)`."""

    __slots__ = ("cost", "count", "inner", "machine", "pays")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inner", "count", "cost", "pays")

    def __init__(self, machine: Any, inner: Any, start: int) -> None:
        self.machine = machine
        self.pays = pays(inner)
        self.inner = inner
        self.count = start
        self.cost = 1 + cost_of(inner)

    def __next__(self) -> Any:
        if self.pays:
            self.machine.meter.burn(self.cost)
        item = next(self.inner)
        pair = (self.count, item)
        self.count += 1
        return pair

    def remaining_items(self) -> int:
        return 0 if self.pays else remaining(self.inner)


class ZipIterator(PayingIterator):
    """`zip(...)`."""

    __slots__ = ("cost", "inners", "machine", "pays", "strict")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("inners", "strict", "cost", "pays")

    def __init__(self, machine: Any, inners: list[Any], strict: bool) -> None:
        self.machine = machine
        self.pays = any(map(pays, inners))
        self.inners = inners
        self.strict = strict
        self.cost = 1 + sum(map(cost_of, inners))

    def __next__(self) -> Any:
        if not self.inners:
            raise StopIteration
        if self.pays:
            self.machine.meter.burn(self.cost)
        items = []
        for position, inner in enumerate(self.inners):
            try:
                items.append(next(inner))
            except StopIteration:
                if self.strict:
                    self._check_rest(position)
                raise StopIteration from None
        return tuple(items)

    def _check_rest(self, position: int) -> None:
        def named(upto: int) -> str:
            return "argument 1" if upto == 1 else f"arguments 1-{upto}"

        if position:
            raise ValueError(f"zip() argument {position + 1} is shorter than {named(position)}")
        for later in range(1, len(self.inners)):
            try:
                next(self.inners[later])
            except StopIteration:
                continue
            raise ValueError(f"zip() argument {later + 1} is longer than {named(later)}")

    def remaining_items(self) -> int:
        return 0 if self.pays else min((remaining(inner) for inner in self.inners), default=0)


class MapIterator(PayingIterator):
    """`map(...)`."""

    __slots__ = ("cost", "function", "inners", "machine", "pays")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("function", "inners", "cost", "pays")

    def __init__(self, machine: Any, function: Any, inners: list[Any]) -> None:
        self.machine = machine
        self.pays = any(map(pays, inners))
        self.function = function
        self.inners = inners
        self.cost = 1 + sum(map(cost_of, inners))

    def __next__(self) -> Any:
        if self.pays:
            self.machine.meter.burn(self.cost)
        return self.machine.calls.invoke(self.function, [next(inner) for inner in self.inners])

    def remaining_items(self) -> int:
        return 0 if self.pays else min((remaining(inner) for inner in self.inners), default=0)


class FilterIterator(PayingIterator):
    """`filter(...)`."""

    __slots__ = ("cost", "function", "inner", "machine", "pays")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("function", "inner", "cost", "pays")

    def __init__(self, machine: Any, function: Any, inner: Any) -> None:
        self.machine = machine
        self.pays = pays(inner)
        self.function = function
        self.inner = inner
        self.cost = 1 + cost_of(inner)

    def __next__(self) -> Any:
        while True:
            item = next(self.inner)
            self.machine.meter.burn(self.cost)
            if item if self.function is None else self.machine.calls.invoke(self.function, [item]):
                return item

    def remaining_items(self) -> int:
        return 0 if self.pays else remaining(self.inner)


class Generator(PayingIterator):
    """A generator expression: a frame that stops at each item."""

    __slots__ = ("frame", "is_running", "machine")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("frame", "is_running")
    cost = 1
    pays = True

    def __init__(self, machine: Any, frame: Frame) -> None:
        self.machine = machine
        self.frame: Frame | None = frame
        """None once it is exhausted, or has failed."""
        self.is_running = False

    def __next__(self) -> Any:
        return self.machine.calls.next_of(self)


class DictView:
    """`d.keys()`, `d.values()`, `d.items()`: live, as CPython's are."""

    __slots__ = ("mapping", "part")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("mapping", "part")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, mapping: dict[Any, Any], part: str) -> None:
        self.mapping = mapping
        self.part = part

    def _view(self) -> Any:
        return getattr(self.mapping, self.part)()

    def __len__(self) -> int:
        return len(self.mapping)

    def __iter__(self) -> Iterator[Any]:
        return KeyedIterator(self.mapping, self.part)

    def __reversed__(self) -> Iterator[Any]:
        return KeyedIterator(self.mapping, self.part, list(reversed(self.mapping)))

    def __contains__(self, item: object) -> bool:
        return item in self._view()

    def __eq__(self, other: object) -> bool:
        if self.part == "values":
            return self is other
        return bool(self._view() == _plain(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self._view() < _plain(other))

    def __le__(self, other: Any) -> bool:
        return bool(self._view() <= _plain(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self._view() > _plain(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self._view() >= _plain(other))

    def _set(self) -> OrderedSet:
        if self.part == "values":
            raise TypeError("unsupported operand type(s): 'dict_values' is not a set")
        return OrderedSet(self._view())

    def __and__(self, other: Any) -> Any:
        return self._set().intersection(other)

    def __or__(self, other: Any) -> Any:
        return self._set().union(other)

    def __sub__(self, other: Any) -> Any:
        return self._set().difference(other)

    def __xor__(self, other: Any) -> Any:
        return self._set().symmetric_difference(other)

    def __rand__(self, other: Any) -> Any:
        return OrderedSet(other).intersection(self._view())

    def __ror__(self, other: Any) -> Any:
        return OrderedSet(other).union(self._view())

    def __rsub__(self, other: Any) -> Any:
        return OrderedSet(other).difference(self._view())

    def __repr__(self) -> str:
        kind = "odict" if isinstance(self.mapping, collections.OrderedDict) else "dict"
        return f"{kind}_{self.part}({list(self._view())!r})"


class DictKeys(DictView):
    """`d.keys()`."""

    __slots__ = ()


class DictValues(DictView):
    """`d.values()`."""

    __slots__ = ()


class DictItems(DictView):
    """`d.items()`."""

    __slots__ = ()


VIEWS: dict[str, type[DictView]] = {"keys": DictKeys, "values": DictValues, "items": DictItems}
"""View classes by the name of the method that makes them."""

# Error messages and type(x).__name__ show the names users know.
_SHOWN_NAMES: tuple[tuple[type, str], ...] = (
    *((view, f"dict_{part}") for part, view in VIEWS.items()),
    (EnumerateIterator, "enumerate"),
    (ZipIterator, "zip"),
    (MapIterator, "map"),
    (FilterIterator, "filter"),
    (ReversedIterator, "reversed"),
    (DequeIterator, "_collections._deque_iterator"),
    (Generator, "generator"),
)
for _class, _name in _SHOWN_NAMES:
    _class.__name__ = _class.__qualname__ = _name


def _plain(value: object) -> object:
    if isinstance(value, DictView):
        return value._view()
    return set(value) if isinstance(value, _Ordered) else value


def remaining(iterator: Any) -> int:
    """Items an iterator still has at most."""
    return iterator.remaining_items() if isinstance(iterator, MachineIterator) else 0


def pays(iterator: Any) -> bool:
    """Whether it pays for each item when it is asked for."""
    return isinstance(iterator, PayingIterator) and iterator.pays


def count_of_range(value: range) -> int:
    """`len(value)`, which overflows for a huge one."""
    return max(0, (value.stop - value.start + value.step - (1 if value.step > 0 else -1)) // value.step)


def cost_of(iterator: Any) -> int:
    """Iterators that one item moves."""
    return getattr(iterator, "cost", 1)


def make_iterator(value: Any) -> Any:
    """`iter(value)`.

    Raises:
        TypeError: The value is not iterable, in CPython's words.
    """
    kind = type(value)
    if kind in (list, tuple, range, str, bytes):
        return SequenceIterator(value)
    if isinstance(value, dict):
        return KeyedIterator(value, "keys")
    if isinstance(value, Deque):
        return DequeIterator(value)
    if isinstance(value, DictView):
        return KeyedIterator(value.mapping, value.part)
    if isinstance(value, _Ordered):
        return KeyedIterator(value, "set")
    if isinstance(value, MachineIterator):
        return value
    if not hasattr(kind, "__iter__") and not hasattr(kind, "__getitem__"):
        raise TypeError(f"'{type_name(kind)}' object is not iterable")
    return SequenceIterator(list(value))  # an enum class, a record: a fixed set of items
