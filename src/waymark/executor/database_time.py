"""The database's clock, as a shard sees it between two replies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from waymark.clock import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(moment_us: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=moment_us)


class DatabaseTime:
    """Estimates the database's clock from its last reply and this host's monotonic clock; never goes back.

    The estimate is late by at most one round trip, because the database read its clock before the reply arrived.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_us: int | None = None
        self._last_us = 0

    def observe(self, database_now: datetime) -> None:
        """Take the clock reading of a reply that has just arrived."""
        self._offset_us = to_us(database_now) - self._clock.monotonic_us()

    def now_us(self) -> int:
        """Microseconds since 1970 UTC.

        Raises:
            RuntimeError: No reply was observed yet.
        """
        if self._offset_us is None:
            raise RuntimeError("the database's clock was not read yet")
        self._last_us = max(self._last_us, self._clock.monotonic_us() + self._offset_us)
        return self._last_us
