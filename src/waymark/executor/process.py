"""A shard process: an executor at the end of a link to its supervisor."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Sequence

from waymark.executor.dispatch import Outgoing
from waymark.executor.executor import Executor, ExecutorSettings
from waymark.link.batches import batches
from waymark.link.link import Link
from waymark.model.records import ExecutorId
from waymark.model.settings import StartWorkersSettings
from waymark.proto.link_pb2 import (
    FromShard,
    ShardCancels,
    ShardDispatch,
    ShardDispatches,
    ShardProgress,
    ShardReady,
    ShardStopped,
    ToShard,
)
from waymark.store.protocol import Store

log = logging.getLogger("waymark.executor")

_PROGRESS_INTERVAL_S = 0.5


def executor_settings(settings: StartWorkersSettings) -> ExecutorSettings:
    """A shard's share of the pool's settings."""
    return ExecutorSettings(
        max_instances=max(1, -(-settings.max_concurrent_instances // settings.executor_shards)),
        poll_interval_ms=settings.poll_interval_ms,
        persist_interval_ms=settings.persist_interval_ms,
        evict_sleep_threshold_ms=settings.evict_sleep_threshold_ms,
        done_batch_size=settings.instance_done_batch_size,
    )


async def run_shard(
    *, executor_id: ExecutorId, link: socket.socket, settings: StartWorkersSettings, store: Store
) -> None:
    """Run a shard until the supervisor says stop, or is gone.

    Args:
        executor_id: The lease row that the supervisor opened for this process.
        link: The connected socket to the supervisor.
        settings: Those of the pool.
        store: Started and stopped here.

    Raises:
        StoreUnavailable: No answer from the database at the start.
    """
    # PYTHONINTMAXSTRDIGITS of a host must not decide what int() and str() of a run do.
    sys.set_int_max_str_digits(sys.int_info.default_max_str_digits)
    connection = await Link.open(link, receives=ToShard)

    def send(calls: Sequence[Outgoing]) -> None:
        dispatches = [
            ShardDispatch(token=call.token, body=call.body, timeout_ms=call.timeout_ms) for call in calls
        ]
        for batch in batches(dispatches, size_of=lambda dispatch: len(dispatch.body)):
            connection.send(FromShard(dispatches=ShardDispatches(dispatches=batch)))

    def cancel(tokens: Sequence[int]) -> None:
        connection.send(FromShard(cancels=ShardCancels(tokens=tokens)))

    executor = Executor(executor_id, store, executor_settings(settings), send=send, cancel=cancel)
    await store.start()
    running = asyncio.create_task(executor.run(), name="executor")
    progress = asyncio.create_task(_report(connection, executor), name="progress")
    stopping: asyncio.Task[None] | None = None
    try:
        connection.send(FromShard(ready=ShardReady()))
        receiving = asyncio.create_task(connection.receive())
        while True:
            watched: set[asyncio.Task[object]] = {running, receiving}
            if stopping is not None:
                watched.add(stopping)
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            if running in done:
                running.result()
            if stopping is not None and stopping in done:
                stopping.result()
                connection.send(FromShard(stopped=ShardStopped()))
                await connection.drain()
                return
            if receiving in done:
                message = receiving.result()
                if message is None:
                    return  # the supervisor is gone: its lease row ends by itself
                stopping = _obey(message, executor, stopping)
                receiving = asyncio.create_task(connection.receive())
    finally:
        for task in (running, progress, receiving, stopping):
            if task is not None:
                task.cancel()
        await asyncio.gather(running, progress, return_exceptions=True)
        await connection.close()
        await store.stop()


def _obey(
    message: ToShard, executor: Executor, stopping: asyncio.Task[None] | None
) -> asyncio.Task[None] | None:
    match message.WhichOneof("kind"):
        case "wake":
            executor.wake()
        case "results":
            executor.deliver((result.token, result.body) for result in message.results.results)
        case "lease":
            executor.use_lease_until(message.lease.usable_until_us)
            executor.wake()
        case "stop" if stopping is None:
            return asyncio.create_task(executor.stop(message.stop.grace_ms), name="stop")
        case _:
            pass
    return stopping


async def _report(connection: Link[ToShard], executor: Executor) -> None:
    """Say that the loop still turns; the supervisor kills a shard that does not."""
    while True:
        figures = executor.figures
        connection.send(
            FromShard(
                progress=ShardProgress(
                    instances_in_memory=executor.instances_in_memory,
                    entries_appended=figures.entries_appended,
                    entries_rejected=figures.entries_rejected,
                    instances_completed=figures.instances_completed,
                    actions_completed=figures.actions_completed,
                )
            )
        )
        await asyncio.sleep(_PROGRESS_INTERVAL_S)
