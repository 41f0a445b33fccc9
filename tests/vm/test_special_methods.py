"""Special methods that a user's class defines are never replaced by Python's own: the run ends and says what to do."""

from __future__ import annotations

import dataclasses
import enum
import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from tests.vm.programs import answer, begin, compile_body, result, started
from waymark.errors import UnsupportedPatternError
from waymark.values.codec import decode, encode
from waymark.values.describe import describe_class
from waymark.values.live import LiveSource
from waymark.values.special import SPECIAL_METHODS
from waymark.values.synthetic import SyntheticClasses


@dataclass
class Money:
    amount: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.amount // 10 == other.amount // 10

    def __str__(self) -> str:
        return f"${self.amount}"

    def __repr__(self) -> str:
        return "money"

    def __bool__(self) -> bool:
        return self.amount > 0

    def __len__(self) -> int:
        return self.amount

    def __iter__(self) -> Any:
        return iter([self.amount])

    def __contains__(self, item: object) -> bool:
        return item == self.amount

    def __getitem__(self, key: object) -> object:
        return key

    def __setitem__(self, key: object, value: object) -> None:
        raise KeyError(key)

    def __add__(self, other: Any) -> Any:
        return Money(self.amount + other)

    def __rmul__(self, other: Any) -> Any:
        return Money(self.amount * other)

    def __neg__(self) -> Any:
        return Money(-self.amount)

    def __lt__(self, other: Any) -> bool:
        return bool(self.amount > other.amount)

    def __hash__(self) -> int:
        return 1

    def __call__(self) -> int:
        return self.amount

    def __format__(self, spec: str) -> str:
        return "formatted"

    def __getattr__(self, name: str) -> Any:
        return f"any {name}" if not name.startswith("__") else object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __int__(self) -> int:
        return self.amount

    def __round__(self, digits: int = 0) -> int:
        return self.amount

    def __await__(self) -> Any:
        yield


USES = {
    "x == 1": "__eq__",
    "1 == x": "__eq__",
    "x != 1": "__eq__",
    "x in [1]": "__eq__",
    "[2].count(x)": "__eq__",
    "str(x)": "__str__",
    "repr(x)": "__repr__",
    "repr([x])": "__repr__",
    "f'{x}'": "__format__",
    "'{}'.format(x)": "__format__",
    "'%s' % x": "__str__",
    "f'{x!r}'": "__repr__",
    "str(ValueError(x))": "__str__",
    "1 if x else 2": "__bool__",
    "not x": "__bool__",
    "bool(x)": "__bool__",
    "any([x])": "__bool__",
    "len(x)": "__len__",
    "list(x)": "__iter__",
    "[i for i in x]": "__iter__",
    "[*x]": "__iter__",
    "sum(x)": "__iter__",
    "5 in x": "__contains__",
    "x[0]": "__getitem__",
    "x + 1": "__add__",
    "2 * x": "__rmul__",
    "-x": "__neg__",
    "x < x": "__lt__",
    "sorted([x, x])": "__lt__",
    "max(x, x)": "__lt__",
    "{x: 1}": "__hash__",
    "{x}": "__hash__",
    "{}.get(x)": "__hash__",
    "int(x)": "__int__",
    "round(x)": "__round__",
    "x.other": "__getattr__",
    "getattr(x, 'other', 1)": "__getattr__",
    "hasattr(x, 'other')": "__getattr__",
}


@pytest.mark.parametrize("use", USES)
def test_a_special_method_that_is_needed_ends_the_run(use: str, tmp_path: Path) -> None:
    """Uncatchable, with class, method and way out; also after a restore, which reads the class from the state."""
    body = f"x = await echo(0)\ntry:\n    y = {use}\nexcept BaseException:\n    return 'hidden'\nreturn 'computed'"
    machine, effects = begin(compile_body(tmp_path, body))
    answer(machine, started(effects)[0], Money(5))
    kind, message = result(machine)
    assert kind == "UnsupportedPatternError", message
    assert f"{Money.__module__}.Money" in message
    assert USES[use] in message
    assert "@action" in message


@pytest.mark.parametrize(
    "statement", ["x[0] = 1", "x.amount = 7", "x += 1", "await x", "for i in x: pass", "a, b = x", "x()"]
)
def test_statements_that_need_a_special_method_end_the_run_too(statement: str, tmp_path: Path) -> None:
    """Whatever form it takes."""
    body = f"x = await echo(0)\ntry:\n    {statement}\nexcept BaseException:\n    return 'hidden'\nreturn 'computed'"
    machine, effects = begin(compile_body(tmp_path, body))
    answer(machine, started(effects)[0], Money(5))
    assert result(machine)[0] == "UnsupportedPatternError"


def test_what_needs_no_special_method_works(tmp_path: Path) -> None:
    """Fields are read, the object is held, compared by identity, passed on, and is itself again at the other end."""
    body = "x = await echo(0)\ny = [x]\nz = await echo(y)\nreturn [x.amount, y[0] is x, x is None, isinstance(x, int), callable(x), z, x]"
    machine, effects = begin(compile_body(tmp_path, body))
    (call,) = started(answer(machine, started(effects)[0], Money(5)))
    source = LiveSource(lambda module, qualname: Money if qualname == "Money" else None)
    args, _ = decode(call.arguments, source)
    assert type(args[0][0]) is Money
    answer(machine, call, 1)
    assert machine.outcome is not None
    value = decode(machine.outcome.value, source)  # type: ignore[union-attr]
    assert value[:6] == [5, True, False, False, True, 1]
    assert type(value[6]) is Money


@dataclass(frozen=True)
class Fixed:
    a: int


@dataclass(order=True)
class Ordered:
    a: int


@dataclass(eq=False)
class Thing:
    a: int


@dataclass(unsafe_hash=True)
class Hashed:
    a: int


@dataclass
class Partly:
    a: int
    note: str = field(default="", compare=False)


@dataclass
class Shy:
    a: int
    secret: str = field(default="s", repr=False)


TRAITS: list[tuple[Any, str, Any]] = [
    (Fixed(1), "x.a = 2", ("FrozenInstanceError", "cannot assign to field 'a'")),
    (Fixed(1), "y = {x: 1}[z]", 1),
    (Ordered(1), "y = [x < z, x >= z, sorted([z, x])[0] is z]", [False, True, True]),
    (Thing(1), "y = [x == z, x == x]", [False, True]),
    (Hashed(1), "y = {x: 5}[z]", 5),
    (Partly(1), "y = x == z", "UnsupportedPatternError"),
    (Shy(1), "y = repr(x)", "UnsupportedPatternError"),
]


@pytest.mark.parametrize(("value", "statement", "expected"), TRAITS)
def test_a_class_that_only_a_payload_knows_behaves_as_it_says(
    value: Any, statement: str, expected: Any, tmp_path: Path
) -> None:
    """Frozen, ordered, hashable, compared by identity: the record tells; what it cannot tell is refused."""
    body = f"x, z, y = await echo(0), await echo(0), None\n{statement}\nreturn y"
    machine, effects = begin(compile_body(tmp_path, body))
    (second,) = started(answer(machine, started(effects)[0], value))
    answer(machine, second, dataclasses.replace(value))
    found = result(machine)
    assert found == expected or found[0] == expected


class Sealed(BaseModel):
    model_config = ConfigDict(frozen=True)
    name: str


class Strict(BaseModel):
    model_config = ConfigDict(validate_assignment=True)
    name: str


class Loose(BaseModel):
    name: str


@pytest.mark.parametrize("is_described", [True, False])
@pytest.mark.parametrize(("model", "ends"), [(Sealed, True), (Strict, True), (Loose, False)])
def test_setting_a_field_of_a_model_that_checks_it_is_refused(
    model: Any, ends: bool, is_described: bool
) -> None:
    """Pydantic would validate, or refuse in its own words; both need code of the class."""
    classes = SyntheticClasses([describe_class(model)] if is_described else [])
    record, equal = (decode(encode(model(name="a")), classes) for _ in range(2))
    if ends:
        with pytest.raises(UnsupportedPatternError, match="__setattr__"):
            record.name = "b"
    else:
        record.name = "b"
    assert record.name == ("a" if ends else "b")
    if model is Sealed:
        assert {record: 1}[equal] == 1


class Tone(enum.Enum):
    LOW = 1

    def __str__(self) -> str:
        return "tone"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return cls.LOW


class Planet(enum.Enum):
    EARTH = (1, 2)

    def __init__(self, mass: int, radius: int) -> None:
        self.mass = mass


@pytest.mark.parametrize("is_described", [True, False])
def test_code_of_enums_is_refused(is_described: bool) -> None:
    """Their methods, what `_missing_` would find, and attributes that their own `__init__` sets."""
    classes = SyntheticClasses([describe_class(Tone), describe_class(Planet)] if is_described else [])
    tone, planet = decode(encode(Tone.LOW), classes), decode(encode(Planet.EARTH), classes)
    assert (tone.name, tone.value, planet.value) == ("LOW", 1, (1, 2))
    with pytest.raises(UnsupportedPatternError, match="__str__"):
        str(tone)
    with pytest.raises(UnsupportedPatternError, match="_missing_"):
        type(tone)(7)
    if is_described:
        assert "mass" in describe_class(Planet).code_names


def test_a_described_class_refuses_like_one_of_a_payload() -> None:
    """The description holds the same names as the record."""
    info = describe_class(Money)
    assert {"__eq__", "__str__", "__bool__", "__call__", "__rmul__"} <= set(info.unsupported)
    money: Any = decode(encode(Money(5)), SyntheticClasses([info]))
    for use in (bool, str, len, list, hash, functools.partial(lambda x: x == 1)):
        with pytest.raises(UnsupportedPatternError, match="Money defines"):
            use(money)


def test_records_of_earlier_releases_can_be_read() -> None:
    """Four, five and six parts: kind, module, name, fields, values, and the names that were set."""
    import msgspec

    for tail in ([], [["a"]], [None, [0, []]], [None, [1, ["__str__"], "of a later release"]]):
        content = msgspec.msgpack.encode(["dataclass", "shop", "Old", ["a"], [5], *tail])
        data = b"\x01" + msgspec.msgpack.encode(msgspec.msgpack.Ext(15, content))
        try:
            record = decode(data)
        except ValueError:
            continue
        assert record.a == 5


def test_plain_classes_cost_nothing_more() -> None:
    """A record without traits has the bytes it always had."""

    @dataclass
    class Plain:
        a: int

    assert b"__" not in encode(Plain(1)).replace(b"<locals>", b"")
    assert len(encode(Plain(1))) < len(encode(Fixed(1))) + 60


def test_the_names_are_special() -> None:
    """No name of the list would hide a field or a method of a user's class."""
    assert all(name.startswith("_") and name.endswith("_") for name in SPECIAL_METHODS)
