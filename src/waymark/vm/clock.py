"""Time of one run: that of the entry it is taking in, so it stands still between two waits and is the same in every replay."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from waymark.errors import UnsupportedPatternError

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def _seconds(machine: Any, /) -> float:
    return float(machine.now_us / 1_000_000)


def _nanoseconds(machine: Any, /) -> int:
    return int(machine.now_us * 1000)


def _now(machine: Any, /, tz: Any = None) -> datetime.datetime:
    if tz is None:
        raise UnsupportedPatternError(
            "datetime.now() without a zone asks for the time zone of the host; write datetime.now(timezone.utc)"
        )
    datetime.datetime.fromtimestamp(0, tz)  # the refusal of what is no zone
    return (_EPOCH + datetime.timedelta(microseconds=machine.now_us)).astimezone(tz)


def _utcnow(machine: Any, /) -> datetime.datetime:
    return _now(machine, datetime.UTC).replace(tzinfo=None)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "datetime.datetime.now": _now,
    "datetime.datetime.utcnow": _utcnow,
    **dict.fromkeys(("time.time", "time.monotonic", "time.perf_counter"), _seconds),
    **dict.fromkeys(("time.time_ns", "time.monotonic_ns", "time.perf_counter_ns"), _nanoseconds),
}
"""By the name of the library table."""
