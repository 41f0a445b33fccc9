"""What a machine is told and what it asks for, and the bytes of a journal entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from waymark.errors import ValueDecodingError


@dataclass(frozen=True, slots=True)
class CallSucceeded:
    """An attempt ended with a value."""

    call_id: int
    attempt: int
    value: bytes


@dataclass(frozen=True, slots=True)
class CallFailed:
    """An attempt ended with an exception."""

    call_id: int
    attempt: int
    exception: bytes


@dataclass(frozen=True, slots=True)
class CallTimedOut:
    """An attempt ran longer than its timeout."""

    call_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class CallLost:
    """The worker that ran an attempt died; not the action's fault, so the attempt is run again."""

    call_id: int
    attempt: int


Event = CallSucceeded | CallFailed | CallTimedOut | CallLost


@dataclass(frozen=True, slots=True)
class Entry:
    """Content of one journal entry: what happened, and when by the database clock.

    Timers that are due at `at_us` fire before the events; an entry without events lets timers fire.
    """

    at_us: int
    """Microseconds since 1970 UTC; never before the entry's predecessor."""
    events: tuple[Event, ...]


ACTION, CONSTRUCT = 0, 1
"""Kinds of calls, as in worker.proto."""


@dataclass(frozen=True, slots=True)
class StartCall:
    """Effect: run an attempt of a call on a worker."""

    call_id: int
    attempt: int
    kind: int
    module: str
    name: str
    arguments: bytes
    timeout_us: int
    """0: none."""


@dataclass(frozen=True, slots=True)
class CancelCall:
    """Effect: nobody waits for this call any more."""

    call_id: int


@dataclass(frozen=True, slots=True)
class WriteLog:
    """Effect: write what the run printed to its log."""

    text: str
    """Lines as they were printed; the last may have no end."""


Effect = StartCall | CancelCall | WriteLog


@dataclass(frozen=True, slots=True)
class Completed:
    """The run ended with a value."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The run ended with an exception."""

    exception: bytes
    error_type: str
    error_message: str


_KINDS: dict[type, int] = {CallSucceeded: 1, CallFailed: 2, CallTimedOut: 3, CallLost: 4}
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, list[list[Any]]])


def encode_entry(entry: Entry) -> bytes:
    """The bytes a journal row keeps."""
    rows: list[list[Any]] = []
    for event in entry.events:
        row: list[Any] = [_KINDS[type(event)], event.call_id, event.attempt]
        if isinstance(event, CallSucceeded):
            row.append(event.value)
        elif isinstance(event, CallFailed):
            row.append(event.exception)
        rows.append(row)
    return _encoder.encode((entry.at_us, rows))


def decode_entry(data: bytes) -> Entry:
    """Read a journal row.

    Raises:
        ValueDecodingError: The bytes are damaged, or hold an event this release does not know.
    """
    try:
        at_us, rows = _decoder.decode(data)
        return Entry(at_us, tuple(_event(row) for row in rows))
    except (msgspec.DecodeError, IndexError, TypeError) as error:
        raise ValueDecodingError(f"damaged journal entry: {error}") from error


def _event(row: list[Any]) -> Event:
    match row[0]:
        case 1:
            return CallSucceeded(row[1], row[2], row[3])
        case 2:
            return CallFailed(row[1], row[2], row[3])
        case 3:
            return CallTimedOut(row[1], row[2])
        case 4:
            return CallLost(row[1], row[2])
        case kind:
            raise ValueDecodingError(f"damaged journal entry: unknown event kind {kind}")
