"""The SDK's one stream of waits, when callers come while it is being let go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from waymark.bridge.channel import Connection
from waymark.bridge.waits import Waits
from waymark.proto import workflow_pb2 as pb

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]


class Stream:
    """Answers every question but `held`, and ends only when it is cancelled or told that no more will come."""

    def __init__(self, held: set[bytes]) -> None:
        self._held = held
        self._replies: asyncio.Queue[pb.InstancesReply | None] = asyncio.Queue()

    async def write(self, request: pb.WaitInstancesRequest) -> None:
        infos = [pb.InstanceInfo(instance_id=one) for one in request.instance_ids if one not in self._held]
        self._replies.put_nowait(pb.InstancesReply(instances=infos))

    async def done_writing(self) -> None:
        await asyncio.sleep(0.05)
        self._replies.put_nowait(None)

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> pb.InstancesReply:
        reply = await self._replies.get()
        if reply is None:
            raise StopAsyncIteration
        return reply

    def cancel(self) -> None:
        self._replies.put_nowait(None)

    async def code(self) -> None:
        return None


class OneConnection:
    """A bridge that is always there."""

    def __init__(self) -> None:
        self.held: set[bytes] = set()

    def stream(self, *_: Any) -> Stream:
        return Stream(self.held)


async def test_callers_that_come_while_a_stream_is_let_go_are_all_asked_for() -> None:
    """The old stream must not take the questions of its successor: a caller would wait until that one ends, for a minute."""
    connection = OneConnection()

    async def repeat(attempt: Callable[[Connection], Awaitable[bool]]) -> bool:
        return await attempt(cast(Connection, connection))

    waits = Waits(repeat)
    connection.held.add(b"stays")
    first = asyncio.create_task(waits.wait(b"first"))
    await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
        if not waits._waiting:
            break  # the last caller has its answer, and the stream is being let go
    stays = asyncio.create_task(waits.wait(b"stays"))
    await first
    async with asyncio.timeout(5):
        for number in range(5):
            await waits.wait(b"later %d" % number)
            await asyncio.sleep(0.2)
    stays.cancel()
    await asyncio.wait({stays})
