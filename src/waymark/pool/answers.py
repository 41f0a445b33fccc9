"""What the pool itself answers for a call, as encoded `ActionResult`s."""

from __future__ import annotations

from waymark.proto.worker_pb2 import ActionResult, Cancelled, Lost, TimedOut, TooLarge


def lost(reason: str) -> bytes:
    """The worker went away; not the action's fault."""
    return ActionResult(lost=Lost(reason=reason)).SerializeToString()


def timed_out(timeout_ms: int) -> bytes:
    """The attempt ran longer than its timeout and was ended with its worker."""
    return ActionResult(timed_out=TimedOut(timeout_ms=timeout_ms)).SerializeToString()


def too_large(size_bytes: int, limit_bytes: int) -> bytes:
    """The dispatch does not fit into one message; it was never sent."""
    return ActionResult(
        too_large=TooLarge(size_bytes=size_bytes, limit_bytes=limit_bytes)
    ).SerializeToString()


def cancelled() -> bytes:
    """The shard cancelled the call and it will not run, or run on."""
    return ActionResult(cancelled=Cancelled()).SerializeToString()
