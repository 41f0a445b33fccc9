"""What a worker or the pool answers, as an event for the machine."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from waymark.errors import ValueEncodingError
from waymark.proto.worker_pb2 import ActionResult
from waymark.values.codec import encode_exception
from waymark.vm.events import CallFailed, CallLost, CallSucceeded, CallTimedOut, Event, StartCall


class Unavailable:
    """No worker can run the call now; it is tried again without an event."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def to_event(call: StartCall, body: bytes) -> Event | Unavailable:
    """The event of an encoded ActionResult."""
    try:
        result = ActionResult.FromString(body)
    except DecodeError:
        return CallLost(call.call_id, call.attempt)
    match result.WhichOneof("outcome"):
        case "value":
            return CallSucceeded(call.call_id, call.attempt, result.value)
        case "exception":
            return CallFailed(call.call_id, call.attempt, result.exception)
        case "timed_out":
            return CallTimedOut(call.call_id, call.attempt)
        case "too_large":
            error = ValueEncodingError(
                f"arguments of {call.module}:{call.name}",
                f"are {result.too_large.size_bytes:,} bytes with their envelope, more than the {result.too_large.limit_bytes:,} of one message; "
                "store them outside and pass a reference",
            )
            return CallFailed(call.call_id, call.attempt, encode_exception(error))
        case "unavailable":
            return Unavailable(result.unavailable.reason)
        case _:
            # Lost, or cancelled by somebody else than us, for whose cancellations nobody waits.
            return CallLost(call.call_id, call.attempt)
