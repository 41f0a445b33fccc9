"""Values come back as they were: value, type, aliasing."""

from __future__ import annotations

import datetime as dt
import decimal
import importlib
import math
import pathlib
import sys
import uuid
import zoneinfo
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waymark.errors import ValueDecodingError, ValueEncodingError
from waymark.values.classes import ClassKey, ClassKind
from waymark.values.codec import MAX_DEPTH, decode, encode, encode_exception
from waymark.values.describe import describe_class
from waymark.values.live import LiveSource
from waymark.values.synthetic import SyntheticClasses

from .classes import (
    Color,
    Customer,
    Formatted,
    Level,
    Mode,
    Order,
    OutOfStock,
    Price,
    Right,
    ShopError,
    Slotted,
)

CLASSES: dict[tuple[str, str], type] = {
    (cls.__module__, cls.__qualname__): cls
    for cls in (Color, Customer, Formatted, Level, Mode, Order, OutOfStock, Price, Right, ShopError, Slotted)
}
LIVE = LiveSource(lambda module, qualname: CLASSES.get((module, qualname)))

EXAMPLES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    -(2**63),
    2**64,
    -(2**64),
    10**400,
    1.5,
    -0.0,
    math.inf,
    -math.inf,
    1 + 2j,
    "",
    "text",
    "é漢😀",
    "\ud800",
    "nul\x00",
    b"",
    b"\x00\xff",
    [],
    [1, [2, [3]]],
    (),
    (1, (2,)),
    {},
    {"a": {"b": [1]}},
    {1: "one", (1, 2): "tuple", None: 0, 2.5: 1},
    {"\ud800": 1},
    set(),
    {1, 2, 3},
    frozenset({("a", 1)}),
    dt.datetime(2024, 2, 29, 12, 30, 15, 123456),
    dt.datetime(2024, 2, 29, tzinfo=dt.UTC),
    dt.datetime(2024, 10, 27, 2, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Paris"), fold=1),
    dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
    dt.date(2024, 2, 29),
    dt.time(12, 30, fold=1),
    dt.timedelta(days=-1, microseconds=5),
    uuid.UUID(int=12345),
    decimal.Decimal("1.500"),
    decimal.Decimal("NaN"),
    decimal.Decimal("-Infinity"),
    pathlib.Path("/a/b.txt"),
    pathlib.PurePosixPath("c"),
    Color.RED,
    Color.CRIMSON,
    Level.HIGH,
    Mode.FAST,
    Right.READ,
    Order(1, ["a"], Color.BLUE),
    Price(5),
    Slotted(1, 2),
    Customer(name="Ann", age=3),
    [Order(1), {"c": Customer(name="Bob")}],
]


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: f"{type(value).__name__} {value!r}"[:40])
def test_a_value_comes_back_equal_and_of_the_same_type(value: Any) -> None:
    """Encode, decode: the same value, type and text."""
    back = decode(encode(value), LIVE)
    assert type(back) is type(value)
    assert repr(back) == repr(value)
    if value == value:  # all but NaN
        assert back == value


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: f"{type(value).__name__} {value!r}"[:40])
def test_a_process_without_the_classes_passes_values_on_unchanged(value: Any) -> None:
    """Decoded with stand-ins and encoded again, the bytes are the same: a shard loses nothing."""
    data = encode(value)
    assert encode(decode(data)) == data


def test_the_sign_of_zero_and_nan_survive() -> None:
    """-0.0 is not 0.0, and NaN stays NaN."""
    assert math.copysign(1, decode(encode(-0.0))) == -1
    assert math.isnan(decode(encode(math.nan)))


def test_explicitly_set_fields_of_a_model_survive() -> None:
    """pydantic's model_fields_set is part of the value."""
    back = decode(encode(Customer(name="Ann")), LIVE)
    assert back.model_fields_set == {"name"}
    assert back.model_dump(exclude_unset=True) == {"name": "Ann"}


def test_two_names_for_one_container_stay_one_container() -> None:
    """Aliasing survives, in lists, dicts, tuples and records."""
    shared = [1]
    back = decode(encode({"a": shared, "b": (shared, Order(1, shared))}), LIVE)  # type: ignore[arg-type]
    back["a"].append(2)
    assert back["b"][0] is back["a"]
    assert back["b"][1].lines == [1, 2]


def test_a_container_inside_itself_survives() -> None:
    """Cycles through lists, dicts and records."""
    loop: list[Any] = []
    loop.append(loop)
    back = decode(encode(loop))
    assert back[0] is back
    table: dict[Any, Any] = {1: None}
    table[1] = [table]
    back = decode(encode(table))
    assert back[1][0] is back
    order = Order(1)
    order.lines.append(order)  # type: ignore[arg-type]
    back = decode(encode(order), LIVE)
    assert back.lines[0] is back


def test_shared_tuples_do_not_multiply() -> None:
    """A tuple of tuples of tuples of one tuple is written once, not 2**60 times."""
    value: Any = (1,)
    for _ in range(60):
        value = (value, value)
    data = encode(value)
    assert len(data) < 2000
    assert encode(decode(data)) == data


def test_an_exception_keeps_class_arguments_attributes_causes_and_traceback() -> None:
    """What a caller needs to understand it."""
    try:
        try:
            raise KeyError("sku")
        except KeyError as cause:
            raise OutOfStock("apple", 3) from cause
    except OutOfStock as raised:
        data = encode_exception(raised)
    back = decode(data, LIVE)
    assert type(back) is OutOfStock
    assert back.args == ("apple is out of stock",)
    assert (back.sku, back.left) == ("apple", 3)
    assert isinstance(back.__cause__, KeyError)
    assert back.__suppress_context__
    assert "raise OutOfStock" in vars(back)["__waymark_traceback__"]


def test_an_unknown_exception_keeps_its_class_hierarchy() -> None:
    """Without the class, a stand-in is still a LookupError and has its attributes and message."""
    back: Any = decode(encode_exception(OutOfStock("apple", 3)))
    assert type(back).__qualname__ == "OutOfStock"
    assert isinstance(back, LookupError)
    assert str(back) == "apple is out of stock"
    assert vars(back)["left"] == 3
    assert str(decode(encode_exception(Formatted("x")))) == "formatted x"


def test_an_exception_with_unstorable_parts_still_travels() -> None:
    """What cannot be stored becomes text; an error is never lost."""
    error = ValueError("bad", object(), [1, object()])
    error.lock = object()  # type: ignore[attr-defined]
    error.code = 7  # type: ignore[attr-defined]
    back = decode(encode_exception(error))
    assert back.args[0] == "bad"
    assert back.args[1].startswith("<object object")
    assert back.code == 7
    huge = ValueError("x" * 20_000_000)
    assert "too big to store whole" in str(decode(encode_exception(huge)))


def test_one_exception_in_two_places_stays_one() -> None:
    """`e is errors[0]` survives, also through the chain of contexts."""
    error = ValueError("x")
    other = KeyError("y")
    other.__context__ = error
    back = decode(encode([error, other, error]))
    assert back[0] is back[2]
    assert back[1].__context__ is back[0]


@pytest.mark.parametrize(
    ("value", "path", "problem"),
    [
        ({"items": [1, {"price": object()}]}, "result['items'][1]['price']", "type object cannot be stored"),
        ([lambda: 1], "result[0]", "a function or class"),
        (Order(1, [object()]), "result.lines[0]", "type object cannot be stored"),  # type: ignore[list-item]
        ((1, {2: iter([])}), "result[1][2]", "list_iterator cannot be stored"),
        (type("Text", (str,), {})("x"), "result", "is a subclass of str"),
    ],
)
def test_what_cannot_be_stored_is_named_by_its_path(value: Any, path: str, problem: str) -> None:
    """The message says which part of the value it is, and what to do."""
    with pytest.raises(ValueEncodingError) as caught:
        encode(value, root="result")
    assert caught.value.path == path
    assert problem in caught.value.problem


def test_depth_and_size_are_limited() -> None:
    """Too deep or too big is refused where the value is made."""
    deep: Any = 0
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    with pytest.raises(ValueEncodingError, match="nested more than 128 levels"):
        encode(deep)
    with pytest.raises(ValueEncodingError, match="more than the limit of 8,388,608"):
        encode("x" * 9_000_000)
    itself: Any = ([],)
    itself[0].append(itself)
    with pytest.raises(ValueEncodingError, match="a tuple that contains itself"):
        encode(itself)


@pytest.mark.parametrize(
    "name",
    [
        "subprocess.Popen",
        "os.system",
        "builtins.eval",
        "pathlib.Path",
        "tests_not_imported.Anything",
        "sched.scheduler",
    ],
)
def test_a_payload_that_names_a_class_gets_a_record(name: str) -> None:
    """Nothing is imported and nothing of that name is called: S1."""
    module, _, qualname = name.rpartition(".")
    before = set(sys.modules)
    record = LIVE.new_record(ClassKind.DATACLASS, ClassKey(module, qualname), ("args",))
    LIVE.fill_record(record, {"args": ["touch", "/tmp/pwned"]}, None)
    assert type(record) is not getattr(importlib.import_module("builtins"), qualname, None)
    assert set(sys.modules) == before
    assert record.args == ["touch", "/tmp/pwned"]


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_value_or_a_clear_error(data: bytes) -> None:
    """Damaged payloads never escape as another exception."""
    try:
        decode(b"\x01" + data)
    except ValueDecodingError:
        pass


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.decimals(allow_nan=False), st.uuids(),
    st.datetimes(), st.timedeltas(), st.sampled_from([*Color, *Level]),
)  # fmt: skip
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner, inner),
        st.dictionaries(
            st.one_of(st.text(max_size=3), st.integers(), st.tuples(st.integers())), inner, max_size=5
        ),
        st.builds(Order, st.integers(), st.lists(st.text(max_size=3), max_size=2)),
    ),
    max_leaves=20,
)


@given(_VALUES)
@settings(max_examples=300, deadline=None)
def test_generated_values_come_back(value: Any) -> None:
    """Any nesting of the domain."""
    back = decode(encode(value), LIVE)
    assert back == value
    assert repr(back) == repr(value)
    assert encode(decode(encode(value))) == encode(value)


def test_synthetic_classes_behave_as_the_real_ones() -> None:
    """Equality, order, repr, defaults, frozenness and enum members, without code of the user."""
    classes = SyntheticClasses(
        [describe_class(cls) for cls in (Color, Level, Order, Price, OutOfStock, ShopError)]
    )
    order: Any = classes.class_for(describe_class(Order).key)
    price: Any = classes.class_for(describe_class(Price).key)
    color: Any = classes.class_for(describe_class(Color).key)
    assert order is not Order
    assert repr(order(1, color=color.BLUE)) == repr(Order(1, color=Color.BLUE))
    assert order(1) == order(1)
    assert price(1) < price(2)
    assert hash(price(1)) == hash(price(1))
    with pytest.raises(AttributeError, match="cannot assign to field 'amount'"):
        price(1).amount = 2
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'number'"):
        order()
    assert color("r") is color.RED is color.CRIMSON
    with pytest.raises(ValueError, match="'x' is not a valid Color"):
        color("x")
    error: Any = decode(encode(OutOfStock("a", 1)), classes)
    assert type(error) is classes.class_for(describe_class(OutOfStock).key)
    assert isinstance(error, classes.class_for(describe_class(ShopError).key))
