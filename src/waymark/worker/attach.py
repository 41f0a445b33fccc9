"""In-memory mode: the user's own process runs the actions of the runs it starts."""

from __future__ import annotations

import asyncio
import logging

import grpc.aio

from waymark.worker.runtime import user_runtime
from waymark.worker.stream import WorkerClient, hello, release

log = logging.getLogger(__name__)

_ATTACH_TIMEOUT_S = 10.0
_tasks: set[asyncio.Task[None]] = set()  # asyncio keeps only weak references to tasks


async def attach(address: str, client_id: bytes, token: str) -> None:
    """Attach this event loop to an in-memory bridge; returns when it takes work, and stays until the stream ends.

    Raises:
        TimeoutError: The bridge did not answer.
    """
    attached = asyncio.get_running_loop().create_future()

    def is_attached() -> None:
        if not attached.done():
            attached.set_result(None)

    async def work() -> None:
        client = WorkerClient(address, hello(client_id, token.encode(), release()), user_runtime())
        try:
            await client.run(is_attached)
        except grpc.aio.AioRpcError as error:
            log.debug("the stream to the in-memory bridge ended: %s", error.code().name)

    task = asyncio.get_running_loop().create_task(work(), name="waymark actions")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    async with asyncio.timeout(_ATTACH_TIMEOUT_S):
        await asyncio.wait({task, attached}, return_when=asyncio.FIRST_COMPLETED)
