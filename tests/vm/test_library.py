"""What programs may use is exactly what the tables of `program.library` name."""

from __future__ import annotations

import asyncio
import collections
import datetime
import decimal
import enum
import fractions
import pathlib
import uuid
import zoneinfo
from pathlib import Path
from typing import Any

import pytest

from tests.vm.programs import compile_body
from waymark.errors import UnsupportedPatternError, WaymarkError
from waymark.program import library
from waymark.program.live import live_object
from waymark.values.collections import Deque
from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.values.synthetic import PydanticRecord
from waymark.vm.barriers import Barrier
from waymark.vm.callables import Key, Partial
from waymark.vm.chance import Generator
from waymark.vm.classes import ClassCalls
from waymark.vm.concurrency import FutureMethods
from waymark.vm.futures import Future, Task
from waymark.vm.groups import TaskGroup
from waymark.vm.hashes import Hash
from waymark.vm.iteration import DictItems, DictKeys, DictValues
from waymark.vm.library import loadable_classes
from waymark.vm.locks import Condition, Event, Lock, Semaphore
from waymark.vm.machine import Machine
from waymark.vm.objects import BoundMethod, BuiltinFunction, Coroutine, FunctionValue, SelfObject
from waymark.vm.patterns import Match, Patterns
from waymark.vm.queues import Queue
from waymark.vm.timeouts import Timeout


class Shade(enum.Enum):
    DARK = 1


PATTERN = Patterns(Machine.__new__(Machine)).again("a", 0)

SAMPLES: dict[str, Any] = {
    "str": "text",
    "bytes": b"bytes",
    "list": [1],
    "tuple": (1,),
    "dict": {"a": 1},
    "set": OrderedSet([1]),
    "frozenset": OrderedFrozenSet([1]),
    "int": 5,
    "float": 1.5,
    "bool": True,
    "complex": 1j,
    "datetime": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    "date": datetime.date(2026, 1, 2),
    "time": datetime.time(1, 2),
    "timedelta": datetime.timedelta(1),
    "timezone": datetime.timezone(datetime.timedelta(hours=1)),
    "ZoneInfo": zoneinfo.ZoneInfo("Europe/Berlin"),
    "IsoCalendarDate": datetime.date(2026, 1, 2).isocalendar(),
    "Fraction": fractions.Fraction(1, 3),
    "Decimal": decimal.Decimal("1.5"),
    "UUID": uuid.UUID(int=5),
    "Path": pathlib.PurePosixPath("a/b.c"),
    "Random": Generator(5),
    "Counter": collections.Counter("aab"),
    "OrderedDict": collections.OrderedDict(a=1),
    "defaultdict": collections.defaultdict(list),
    "deque": Deque([1, 2], 5),
    "HASH": Hash(Machine.__new__(Machine), "md5", b""),
    "partial": Partial(None, len, (1,), {}),
    "KeyWrapper": Key(None, len, 5),
    "BaseModel": PydanticRecord(),
    "BaseException": ValueError("x"),
    "range": range(3),
    "slice": slice(1),
    "enum": Shade.DARK,
    "type": int,
    "BaseExceptionGroup": ExceptionGroup("g", [ValueError("x")]),
    "Future": Future(),
    "Task": Task(None),
    "Lock": Lock(),
    "Event": Event(),
    "Condition": Condition(),
    "Semaphore": Semaphore(),
    "Pattern": PATTERN,
    "Match": Match.of(PATTERN, PATTERN.host.match("a")),
    "Barrier": Barrier(2),
    "Queue": Queue(),
    "TaskGroup": TaskGroup(),
    "Timeout": Timeout(None),
}

BASES = {
    "bool": ("int",),
    "datetime": ("date",),
    "IsoCalendarDate": ("tuple",),
    "Task": ("Future",),
    **dict.fromkeys(("Counter", "OrderedDict", "defaultdict"), ("dict",)),
    "BaseExceptionGroup": ("BaseException",),
}
MEMBERS_ONLY_ON_TYPES = {"dict": {"fromkeys"}, "enum": {"DARK"}}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Any machine."""
    return Machine(compile_body(tmp_path, "return 1"))


def allowed(type_name: str) -> set[str]:
    """Names of methods and attributes that the tables give to a type, its bases' included."""
    found: set[str] = set()
    for name in (type_name, *BASES.get(type_name, ())):
        found |= library.METHODS.get(name, frozenset()) | library.ATTRIBUTES.get(name, frozenset())
    return found


def test_there_is_a_sample_of_every_type_in_the_tables() -> None:
    """A new type in a table cannot be forgotten here."""
    assert set(library.METHODS) | set(library.ATTRIBUTES) == set(SAMPLES)


def test_every_function_and_class_of_the_tables_is_implemented(machine: Machine) -> None:
    """And nothing else can be had by a name."""
    for name in library.FUNCTIONS:
        value = machine.calls.library.value(name)
        assert isinstance(value, BuiltinFunction)
        assert callable(value.implementation)
        assert machine.calls.library.value(name) is value
    for name in library.CLASSES:
        assert isinstance(machine.calls.library.value(name), type)
    for name in library.VALUES:
        assert machine.calls.library.value(name) == live_object(name)
    for name in (
        "eval",
        "open",
        "exec",
        "hash",
        "id",
        "vars",
        "__import__",
        "math.nothing",
        "os.system",
        "",
    ):
        with pytest.raises(KeyError):
            machine.calls.library.value(name)


@pytest.mark.parametrize("type_name", library.METHODS)
def test_every_method_of_the_tables_is_reachable(type_name: str, machine: Machine) -> None:
    """As a method bound to the value, which has it natively too."""
    sample = SAMPLES[type_name]
    for name in library.METHODS[type_name]:
        if name not in dir(type(sample)):
            continue  # of a later Python
        method = machine.attributes.get(sample, name)
        assert isinstance(method, BoundMethod)
        assert (method.name, method.receiver) == (name, sample)
        assert callable(getattr(sample, name)) or name == "fromkeys" or hasattr(FutureMethods, f"_{name}")


@pytest.mark.parametrize("type_name", library.ATTRIBUTES)
def test_every_attribute_of_the_tables_is_readable(type_name: str, machine: Machine) -> None:
    """With the value it has natively."""
    sample = SAMPLES[type_name]
    for name in library.ATTRIBUTES[type_name] - {"__notes__"}:
        assert machine.attributes.get(sample, name) == getattr(sample, name)


@pytest.mark.parametrize("type_name", SAMPLES)
def test_nothing_else_of_a_type_is_reachable(type_name: str, machine: Machine) -> None:
    """Whatever else dir() shows is refused; dunders look as if they were not there."""
    sample = SAMPLES[type_name]
    usable = allowed(type_name) | MEMBERS_ONLY_ON_TYPES.get(type_name, set())
    for name in {
        *dir(sample),
        *dir(type(sample)),
        *dir(object),
        "__globals__",
        "__code__",
        "_items",
        "nothing",
    }:
        if name in usable:
            continue
        if isinstance(sample, BaseException) and name == "__suppress_context__":
            continue
        if isinstance(sample, type) and name in library.METHODS["int"]:
            continue  # int.bit_length(5)
        with pytest.raises((AttributeError, UnsupportedPatternError)):
            machine.attributes.get(sample, name)


@pytest.mark.parametrize(
    "sample",
    [
        None,
        DictKeys({}, "keys"),
        DictValues({}, "values"),
        DictItems({}, "items"),
        FunctionValue(0),
        BuiltinFunction("len", len),
        BoundMethod("", "upper"),
        Coroutine(0, []),
    ],
)
def test_values_of_the_machine_show_nothing_of_it(sample: Any, machine: Machine) -> None:
    """No name of our own classes leads out of a program."""
    shown = (
        {"isdisjoint"}
        if not isinstance(sample, FunctionValue)
        else {"__name__", "__qualname__", "__module__"}
    )
    for name in {*dir(sample), *dir(type(sample)), "machine", "implementation", "__dict__"} - shown:
        with pytest.raises((AttributeError, UnsupportedPatternError)):
            machine.attributes.get(sample, name)


def test_self_has_its_own_attributes_only(machine: Machine) -> None:
    """The workflow object is a bag of what run() put into it."""
    target = SelfObject("Flow")
    machine.attributes.set(target, "count", 1)
    assert machine.attributes.get(target, "count") == 1
    for name in ("attributes", "class_name", "__dict__", "__class__", "nothing"):
        with pytest.raises(AttributeError, match="'Flow' object has no attribute"):
            machine.attributes.get(target, name)


@pytest.mark.parametrize("cls", sorted(loadable_classes().values(), key=str))
def test_attributes_of_library_classes_are_methods_of_the_tables_or_refused(
    cls: Any, machine: Machine
) -> None:
    """`str.upper` is a method; `datetime.now`, `Path.home` and everything with underscores are not there."""
    for name in {*dir(cls), "mro", "__subclasses__", "__init__"}:
        try:
            found = machine.attributes.get(cls, name)
        except (AttributeError, UnsupportedPatternError):
            continue
        if name in library.ATTRIBUTES["type"]:
            assert found == getattr(cls, name)
        else:
            assert (
                isinstance(found, BoundMethod)
                or f"{cls.__module__}.{cls.__qualname__}.{name}" in library.VALUES
            )
            assert any(name in usable(base) for base in cls.__mro__)


def usable(cls: type) -> frozenset[str]:
    """What the tables give for a class, without its bases."""
    name = "Path" if issubclass(cls, pathlib.PurePath) else cls.__name__
    return library.METHODS.get(name, frozenset()) | library.ATTRIBUTES.get(name, frozenset())


def test_classes_and_enum_members_cannot_be_changed(machine: Machine) -> None:
    """All runs of a process share them."""
    for target in (Shade, Shade.DARK, int):
        with pytest.raises(UnsupportedPatternError, match="other runs share it"):
            machine.attributes.set(target, "extra", 1)
        with pytest.raises(UnsupportedPatternError, match="other runs share it"):
            machine.attributes.delete(target, "extra")


def test_only_known_classes_can_be_called(machine: Machine) -> None:
    """A class that a value leads to, `type(x)(...)`, is built only where its description allows it."""

    class Stranger:
        pass

    calls = ClassCalls(machine, machine.meter)
    for cls in (Stranger, SelfObject, FunctionValue, DictKeys, asyncio.Future, asyncio.Task):
        with pytest.raises(UnsupportedPatternError):
            calls.call(cls, [{}, "keys"], {})
    with pytest.raises(UnsupportedPatternError, match="classes cannot be made"):
        calls.call(type, ["Made", (), {}], {})
    with pytest.raises(UnsupportedPatternError, match="takes one value"):
        calls.call(Shade, ["Made", ["A", "B"]], {})
    with pytest.raises(UnsupportedPatternError, match=r"type\(\) of a function"):
        calls.call(type, [FunctionValue(0)], {})
    assert calls.call(type, [5], {}) is int


TIME_ZONES = [
    ("datetime(2026, 1, 1).timestamp()", "time zone of the host"),
    ("datetime(2026, 1, 1).astimezone()", "time zone of the host"),
    ("datetime(2026, 1, 1).strftime('%s')", "time zone of the host"),
    ("f'{datetime(2026, 1, 1):%s}'", "time zone of the host"),
    ("'a'.encode('idna')", "encoding 'idna'"),
    ("b'a'.decode('unicode_escape')", "encoding 'unicode_escape'"),
    ("str(b'a', 'punycode')", "encoding 'punycode'"),
    ("repr([object()])", "holds an address"),
]


@pytest.mark.parametrize(("expression", "message"), TIME_ZONES)
def test_what_depends_on_the_host_is_refused(expression: str, message: str, tmp_path: Path) -> None:
    """The next host may have another time zone, other addresses; some codecs are slow on purpose."""
    from tests.vm.programs import result, run_echo

    kind, text = result(run_echo(compile_body(tmp_path, f"return {expression}")))
    assert kind == "UnsupportedPatternError"
    assert message in text


def test_a_template_reaches_no_attribute_that_a_program_could_not(tmp_path: Path) -> None:
    """However the method is come by: `'{0.__class__}'` is no way around the tables."""
    from tests.vm.programs import result, run_echo

    for body in (
        "return '{0.__class__}'.format(1)",
        "return list(map('{0.__class__}'.format, [1]))",
        "return sorted([1], key='{0.__class__}'.format)",
        "return str.format('{0.__class__}', 1)",
        "x = '{0.__class__}'.format\nawait echo(1)\nreturn x(1)",
    ):
        assert result(run_echo(compile_body(tmp_path, body)))[0] == "AttributeError"


def test_errors_of_the_tables_are_ours(machine: Machine) -> None:
    """What is refused says so in a way that ends the run."""
    with pytest.raises(WaymarkError, match="do this in an @action"):
        machine.attributes.get(datetime.date(2026, 1, 2), "timetuple")
