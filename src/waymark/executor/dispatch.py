"""Calls on their way to workers: tokens, the lease's deadline, the window, calls that no worker can run yet."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from waymark.clock import Clock
from waymark.executor.active import ActiveInstance
from waymark.proto.worker_pb2 import ACTION, CONSTRUCT, ActionDispatch
from waymark.vm.events import StartCall

log = logging.getLogger("waymark.executor")

_KINDS = (ACTION, CONSTRUCT)

_SLACK = 1000
"""Forgotten calls in the queue, at least, before they are swept out."""

WINDOW = 2000
"""Calls of one shard that may be with the supervisor at once; the rest waits here, so memory is bounded on that side."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One attempt, ready to be sent."""

    token: int
    body: bytes
    """Encoded ActionDispatch."""
    timeout_ms: int
    instance: ActiveInstance
    call_id: int


@dataclass(frozen=True, slots=True)
class Dispatched:
    """Whose attempt a token is."""

    instance: ActiveInstance
    call: StartCall


class Dispatcher:
    """Sends attempts and knows whose they are when they come back.

    Args:
        send: Takes a batch of attempts; called only while the lease is usable.
        cancel: Takes tokens nobody waits for any more.
        clock: For the lease's deadline.
        window: Attempts out at once.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Outgoing]], None],
        cancel: Callable[[Sequence[int]], None],
        clock: Clock,
        *,
        window: int = WINDOW,
    ) -> None:
        if window < 1:
            raise ValueError(f"window must be above 0, got {window}")
        self._send = send
        self._cancel = cancel
        self._clock = clock
        self._window = window
        self._next_token = 1
        self._calls: dict[int, Dispatched] = {}
        self._waiting: deque[int] = deque()
        self._out: set[int] = set()
        self._usable_until_us = 0
        self._is_held = False
        self._returned = asyncio.Event()

    @property
    def is_usable(self) -> bool:
        """Whether this shard's lease is certain to be its own: past it nothing is sent, for another host may send it too."""
        return self._clock.monotonic_us() < self._usable_until_us

    @property
    def out(self) -> int:
        """Attempts that are with workers, or on the way."""
        return len(self._out)

    def hold(self) -> None:
        """Send nothing more: the shard drains."""
        self._is_held = True

    async def emptied(self) -> None:
        """Wait until no attempt is out."""
        while self._out:
            self._returned.clear()
            await self._returned.wait()

    def use_until(self, deadline_us: int) -> None:
        """The lease was renewed."""
        self._usable_until_us = deadline_us
        self.flush()

    def start(self, instance: ActiveInstance, call: StartCall) -> None:
        """Queue an attempt; an older one of the same call is forgotten."""
        self.forget_call(instance, call.call_id)
        token = self._next_token
        self._next_token += 1
        self._calls[token] = Dispatched(instance, call)
        instance.tokens[call.call_id] = token
        self._waiting.append(token)

    def flush(self) -> None:
        """Send what the window and the lease allow."""
        if not self._waiting or self._is_held or not self.is_usable:
            return
        batch: list[Outgoing] = []
        while self._waiting and len(self._out) < self._window:
            token = self._waiting.popleft()
            dispatched = self._calls.get(token)
            if dispatched is None:
                continue  # forgotten meanwhile
            self._out.add(token)
            batch.append(_outgoing(token, dispatched))
        if batch:
            self._send(batch)

    def finish(self, token: int) -> Dispatched | None:
        """An answer came: whose it is, or None when nobody waits for it."""
        self._out.discard(token)
        self._returned.set()
        dispatched = self._calls.pop(token, None)
        if dispatched is not None:
            dispatched.instance.tokens.pop(dispatched.call.call_id, None)
        return dispatched

    def forget_call(self, instance: ActiveInstance, call_id: int) -> None:
        """Nobody waits for this call any more; tell the worker if it has it."""
        token = instance.tokens.pop(call_id, None)
        if token is not None:
            self._forget([token])

    def forget_instance(self, instance: ActiveInstance) -> None:
        """The instance ended or is no longer ours."""
        tokens, instance.tokens = list(instance.tokens.values()), {}
        self._forget(tokens)

    def _forget(self, tokens: list[int]) -> None:
        for token in tokens:
            self._calls.pop(token, None)
        running = [token for token in tokens if token in self._out]
        if running:
            self._out.difference_update(running)
            self._returned.set()
            self._cancel(running)
        if len(self._waiting) > 2 * len(self._calls) + _SLACK:
            self._waiting = deque(token for token in self._waiting if token in self._calls)


def _outgoing(token: int, dispatched: Dispatched) -> Outgoing:
    instance, call = dispatched.instance, dispatched.call
    timeout_ms = -(-call.timeout_us // 1000)
    body = ActionDispatch(
        instance_id=instance.instance_id.bytes,
        call_id=call.call_id,
        attempt=call.attempt,
        idempotency_key=f"{instance.instance_id}:{call.call_id}",
        module=call.module,
        name=call.name,
        arguments=call.arguments,
        timeout_ms=timeout_ms,
        workflow_name=instance.workflow_name,
        kind=_KINDS[call.kind],
    ).SerializeToString()
    return Outgoing(token, body, timeout_ms, instance, call.call_id)
