"""Runs actions as tasks of one event loop and turns whatever they do into an `ActionResult`.

Nothing that an action does ends the worker by way of Python: SystemExit and KeyboardInterrupt are outcomes like any
other exception. Every started token is answered exactly once.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from waymark.errors import ValueEncodingError
from waymark.link.worker_stream import BODY_BYTES, REASON_CANCELLED, REASON_TIMEOUT
from waymark.proto.worker_pb2 import (
    ActionDispatch,
    ActionKind,
    ActionResult,
    Cancelled,
    TimedOut,
    Unavailable,
)
from waymark.sdk.actions import RegisteredAction
from waymark.sdk.context import CurrentCall, current

log = logging.getLogger(__name__)


class ActionUnavailable(Exception):
    """This worker cannot run the action; the message says why, for people."""


class Codec(Protocol):
    """How values travel; `waymark.values.codec` with the classes of this process."""

    def encode(self, value: object, *, root: str) -> bytes:
        """Raises ValueEncodingError."""
        ...

    def decode(self, data: bytes) -> Any:
        """Raises ValueDecodingError."""
        ...

    def encode_exception(self, exception: BaseException) -> bytes:
        """Never fails."""
        ...


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the runner needs from the user's process."""

    find_action: Callable[[str, str], RegisteredAction]
    """Action by module and name; raises ActionUnavailable."""
    construct: Callable[[str, str, list[Any], dict[str, Any]], Any]
    """Build an instance of a model class of a module; raises ActionUnavailable, or what the class raises."""
    codec: Codec
    call: Callable[[RegisteredAction, list[Any], dict[str, Any]], Awaitable[Any]] | None = None
    """How an action is called; None: its function with the arguments. The place for dependency injection."""


class _Running:
    __slots__ = ("cancel_reason", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.cancel_reason = ""


class ActionRunner:
    """Actions in flight in this process."""

    def __init__(self, runtime: Runtime, answer: Callable[[int, bytes], None]) -> None:
        """
        Args:
            answer: Called once per token with the encoded ActionResult, on the event loop.
        """
        self._runtime = runtime
        self._answer = answer
        self._running: dict[int, _Running] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def in_flight(self) -> int:
        return len(self._running)

    async def wait_idle(self) -> None:
        """Wait until nothing runs."""
        await self._idle.wait()

    def start(self, token: int, body: bytes) -> None:
        """Begin an action; returns at once."""
        running = _Running()
        self._running[token] = running
        self._idle.clear()
        running.task = asyncio.get_running_loop().create_task(self._run(token, running, body))

    def cancel(self, token: int, reason: str) -> None:
        """Cancel an action, as `Task.cancel` does: the action may clean up, or even refuse."""
        running = self._running.get(token)
        if running is None or running.task is None:
            return
        if not running.cancel_reason or reason == REASON_TIMEOUT:
            running.cancel_reason = reason
        running.task.cancel()

    def cancel_all(self) -> None:
        """Cancel whatever runs: nobody waits for it any more."""
        for token in list(self._running):
            self.cancel(token, REASON_CANCELLED)

    async def _run(self, token: int, running: _Running, body: bytes) -> None:
        began = time.perf_counter_ns()
        result = ActionResult()
        dispatch: ActionDispatch | None = None
        try:
            dispatch = ActionDispatch.FromString(body)
            result.value = await self._outcome(dispatch)
        except ActionUnavailable as error:
            result.unavailable.CopyFrom(Unavailable(reason=str(error)))
        except asyncio.CancelledError as error:
            if running.cancel_reason == REASON_TIMEOUT:
                result.timed_out.CopyFrom(TimedOut(timeout_ms=dispatch.timeout_ms if dispatch else 0))
            elif running.cancel_reason:
                result.cancelled.CopyFrom(Cancelled())
            else:
                # The action raised it by itself; nobody asked for it.
                result.exception = self._runtime.codec.encode_exception(error)
        except BaseException as error:
            result.exception = self._runtime.codec.encode_exception(error)
        result.duration_us = (time.perf_counter_ns() - began) // 1000
        encoded = result.SerializeToString()
        if len(encoded) > BODY_BYTES:
            encoded = self._oversized(len(encoded))
        del self._running[token]
        self._answer(token, encoded)
        if not self._running:
            self._idle.set()

    async def _outcome(self, dispatch: ActionDispatch) -> bytes:
        """Run what a dispatch asks for; returns the encoded value."""
        runtime = self._runtime
        if dispatch.kind == ActionKind.CONSTRUCT:
            args, kwargs = runtime.codec.decode(dispatch.arguments)
            value = runtime.construct(dispatch.module, dispatch.name, args, kwargs)
            return runtime.codec.encode(value, root=f"instance of {dispatch.module}.{dispatch.name}")
        action = runtime.find_action(dispatch.module, dispatch.name)
        args, kwargs = runtime.codec.decode(dispatch.arguments)
        current.set(
            CurrentCall(
                instance_id=UUID(bytes=dispatch.instance_id),
                workflow_name=dispatch.workflow_name,
                call_id=dispatch.call_id,
                attempt=dispatch.attempt,
                idempotency_key=dispatch.idempotency_key,
            )
        )
        pending = (
            action.function(*args, **kwargs) if runtime.call is None else runtime.call(action, args, kwargs)
        )
        if not inspect.isawaitable(pending):
            raise TypeError(
                f"action {action} returned {type(pending).__name__} instead of an awaitable; write 'async def'"
            )
        return runtime.codec.encode(await pending, root=f"result of {action}")

    def _oversized(self, size: int) -> bytes:
        error = ValueEncodingError(
            "result", f"is {size:,} bytes encoded, more than the limit of {BODY_BYTES:,}"
        )
        return ActionResult(exception=self._runtime.codec.encode_exception(error)).SerializeToString()
