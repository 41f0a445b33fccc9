"""One stream for all that wait in an event loop, open as long as somebody does.

So 2,000 waiting callers cost one stream, answers come in batches, and an event loop in which nobody waits holds nothing that would have
to be ended before it is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

import grpc.aio

from waymark.bridge.channel import Connection
from waymark.errors import BridgeError
from waymark.proto import workflow_pb2 as pb

_LIFE_S = 120.0
"""Longest life of a stream seen from here; the bridge ends it well before, unless it is frozen."""

_END_TIMEOUT_S = 0.5
"""How long the bridge may take to end a stream that is wanted no more."""

_MESSAGE_IDS = 5_000

Repeat = Callable[[Callable[[Connection], Awaitable[bool]]], Awaitable[bool]]
Answer = asyncio.Future[pb.InstanceInfo | None]


class _Questions:
    """Ids that a stream has still to ask for."""

    def __init__(self, ids: Iterable[bytes]) -> None:
        self._ids = list(ids)
        self._is_closed = False
        self._are_there = asyncio.Event()
        self._are_there.set()

    def add(self, instance_id: bytes) -> None:
        """One more."""
        self._ids.append(instance_id)
        self._are_there.set()

    def close(self) -> None:
        """There will be no more."""
        self._is_closed = True
        self._are_there.set()

    async def take(self) -> list[bytes]:
        """All there are; waits until there are some. Empty: there will be no more."""
        await self._are_there.wait()
        self._are_there.clear()
        ids, self._ids = self._ids, []
        return [] if self._is_closed else ids


class Waits:
    """Who waits for what in one event loop.

    Args:
        repeat: Calls a function with a connection, again and again while no bridge answers.
    """

    def __init__(self, repeat: Repeat) -> None:
        self._repeat = repeat
        self._waiting: dict[bytes, set[Answer]] = {}
        self._questions: _Questions | None = None
        """Those of the stream that is open."""
        self._task: asyncio.Task[None] | None = None

    async def wait(self, instance_id: bytes) -> pb.InstanceInfo | None:
        """The instance when it has ended; None when it does not exist.

        Raises:
            BridgeError: No bridge answers for too long, or it refuses.
        """
        answer: Answer = asyncio.get_running_loop().create_future()
        answers = self._waiting.setdefault(instance_id, set())
        if not answers and self._questions is not None:
            self._questions.add(instance_id)
        answers.add(answer)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve(), name="waymark waits")
        try:
            return await answer
        finally:
            answers.discard(answer)
            if not answers:
                del self._waiting[instance_id]
            if not self._waiting:
                await self._end()

    async def _end(self) -> None:
        """Let the stream end before the caller goes on: the event loop may be closed next."""
        (task, self._task), (questions, self._questions) = (self._task, None), (self._questions, None)
        if task is None:
            return
        if questions is not None:
            questions.close()
            await asyncio.wait({task}, timeout=_END_TIMEOUT_S)
        task.cancel()
        await asyncio.wait({task})

    async def _serve(self) -> None:
        """Keep a stream open while somebody waits."""
        try:
            # A task that `_end` has let go must not open another stream: callers that came since have a task of their own,
            # and two would take each other's questions.
            while self._waiting and self._is_current():
                await self._repeat(self._stream)
        except Exception as error:
            if self._is_current():
                self._task = None
            for answers in self._waiting.values():
                for answer in answers:
                    if not answer.done():
                        # An error of its own where possible: a shared one would collect the traceback of every caller.
                        own = type(error)(str(error)) if isinstance(error, BridgeError) else error
                        answer.set_exception(own)

    async def _stream(self, connection: Connection) -> bool:
        """Ask for everything on one stream, and pass answers on until the bridge ends it."""
        if not self._is_current():
            return True
        stream = connection.stream("WaitInstances", pb.WaitInstancesRequest, pb.InstancesReply, _LIFE_S)
        questions = self._questions = _Questions(self._waiting)
        asking = asyncio.get_running_loop().create_task(_ask(stream, questions))
        try:
            async for reply in stream:
                for info in reply.instances:
                    self._tell(info.instance_id, info)
                for instance_id in reply.unknown_ids:
                    self._tell(instance_id, None)
            return True
        finally:
            if self._questions is questions:
                self._questions = None
            stream.cancel()
            asking.cancel()
            await asyncio.wait({asking})
            # The call has a task of its own, which ends with it; without this it could outlive the event loop.
            await stream.code()

    def _is_current(self) -> bool:
        return self._task is asyncio.current_task()

    def _tell(self, instance_id: bytes, info: pb.InstanceInfo | None) -> None:
        for answer in self._waiting.get(instance_id, ()):
            if not answer.done():
                answer.set_result(info)


async def _ask(stream: Any, questions: _Questions) -> None:
    with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # reading meets the same, and decides
        while ids := await questions.take():
            for first in range(0, len(ids), _MESSAGE_IDS):
                await stream.write(pb.WaitInstancesRequest(instance_ids=ids[first : first + _MESSAGE_IDS]))
        await stream.done_writing()
