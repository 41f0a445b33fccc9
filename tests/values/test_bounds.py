"""What a payload may cost: encoding is refused before it writes too much, and decoding leaves nothing behind."""

from __future__ import annotations

import gc
import random
import resource
from typing import Any

import pytest

from waymark.errors import ValueDecodingError, ValueEncodingError
from waymark.values.codec import MAX_VALUE_BYTES, decode, encode, encode_exception
from waymark.values.synthetic import SyntheticClasses

BIG = "x" * (MAX_VALUE_BYTES // 2)


@pytest.mark.parametrize(
    "value",
    [
        [BIG] * 1_000_000,
        [[BIG] * 1000] * 1000,
        {"a": BIG, "b": BIG, "c": BIG},
        [BIG, 1, BIG, None, BIG],
        (BIG, BIG, BIG),
        {BIG: 1, BIG + "y": 2, BIG + "z": 3},
        [BIG.encode()] * 1000,
        [{"a": [BIG]} for _ in range(1000)],
    ],
    ids=range(8),
)
def test_a_text_that_occurs_often_is_refused_before_it_is_written(value: Any) -> None:
    """It takes little memory and would be terabytes encoded."""
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueEncodingError, match=r"value: is more than the limit of 8,388,608 bytes"):
        encode(value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 100_000


def test_an_exception_full_of_text_loses_it_and_not_itself() -> None:
    """Its class name and the beginning of its message stay."""
    error = decode(encode_exception(ValueError(*[BIG] * 1000)))
    assert "ValueError" in str(error)
    assert "too big to store whole" in str(error)


def test_classes_that_payloads_bring_live_as_long_as_their_instances() -> None:
    """Names are chosen by payloads, so a process must not keep a class for each."""
    classes = SyntheticClasses(())
    import msgspec

    def record(number: int) -> bytes:
        content = msgspec.msgpack.encode(["dataclass", "shop", f"Made{number}", ["a"], [number]])
        return b"\x01" + msgspec.msgpack.encode(msgspec.msgpack.Ext(15, content))

    kept = decode(record(0), classes)
    for number in range(1, 300):
        assert decode(record(number), classes).a == number
    gc.collect()
    assert len(classes._stand_ins) == 1
    assert type(decode(record(0), classes)) is type(kept)


def test_no_bytes_raise_anything_else() -> None:
    """20,000 damaged payloads of rich values: a value, or a ValueDecodingError."""
    import datetime
    import decimal
    import pathlib
    import uuid
    import zoneinfo

    rich: Any = [
        1,
        {"a": (1, {2}), 3: 1j},
        datetime.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
        datetime.timedelta(5),
        datetime.time(1),
        decimal.Decimal("1.5"),
        uuid.UUID(int=1),
        pathlib.PurePosixPath("a"),
        10**40,
        ValueError("x", [1]),
        OSError(2, "no"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
    ]
    rich.append(rich)
    data = encode(rich)
    generator = random.Random(3)
    for _ in range(20_000):
        at = generator.randrange(len(data))
        damaged = bytearray(data)
        damaged[at] = generator.randrange(256)
        try:
            decode(bytes(damaged[: generator.randrange(len(damaged))] if at % 3 == 0 else damaged))
        except ValueDecodingError:
            pass


def test_a_time_zone_that_is_a_directory_is_a_damaged_value() -> None:
    """ZoneInfo opens what it is given below its own tree."""
    import msgspec

    for zone in ("Europe", "..", "/etc/passwd", "", "a" * 5000):
        content = msgspec.msgpack.encode(["2026-01-01T00:00:00", 0, zone])
        with pytest.raises(ValueDecodingError):
            decode(b"\x01" + msgspec.msgpack.encode(msgspec.msgpack.Ext(7, content)))
