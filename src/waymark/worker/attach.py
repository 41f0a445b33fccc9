"""In-memory mode: the user's own process runs the actions of the runs it starts."""

from __future__ import annotations

import asyncio
import logging

import grpc.aio

from waymark.errors import BridgeUnavailable
from waymark.worker.runtime import user_runtime
from waymark.worker.stream import WorkerClient, hello, release

log = logging.getLogger(__name__)

_ATTACH_TIMEOUT_S = 10.0
_SETTLE_S = 0.005
_tasks: set[asyncio.Task[None]] = set()  # asyncio keeps only weak references to tasks


async def attach(address: str, client_id: bytes, token: str) -> None:
    """Attach this event loop to an in-memory bridge; returns when it takes work, and stays until the stream ends.

    Raises:
        BridgeUnavailable: The bridge did not take it.
    """
    loop = asyncio.get_running_loop()
    attached: asyncio.Future[None] = loop.create_future()

    def is_attached() -> None:
        if not attached.done():
            attached.set_result(None)

    async def work() -> None:
        client = WorkerClient(address, hello(client_id, token.encode(), release()), user_runtime())
        try:
            await client.run(is_attached)
        except grpc.aio.AioRpcError as error:
            log.debug("the stream to the in-memory bridge ended: %s", error.details() or error.code().name)
        finally:
            # What gRPC still has to say about the cancelled stream must find this loop open, or gRPC logs an error.
            await asyncio.sleep(_SETTLE_S)

    task = loop.create_task(work(), name="waymark actions")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    await asyncio.wait({task, attached}, timeout=_ATTACH_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
    if not attached.done():
        task.cancel()
        raise BridgeUnavailable(
            f"the in-memory bridge on {address} does not let this process run its actions"
        )
