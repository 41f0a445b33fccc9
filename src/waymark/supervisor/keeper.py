"""Keeps one shard running: a dead one is retired at once and followed by another under a new identity.

Order matters. The dead shard's calls are forgotten in the pool first, so that nothing new starts for it; then its
lease is closed, which gives its instances back to the others within one statement instead of a lease's life; only then
is the next one spawned, so that a database outage does not spawn process after process.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Mapping
from uuid import uuid4

import anyio

from waymark.clock import Clock
from waymark.model.records import ExecutorId
from waymark.pool.backoff import Backoff
from waymark.store.protocol import LeaseStore
from waymark.supervisor.database import Database
from waymark.supervisor.leases import LeaseTerm
from waymark.supervisor.service import Service
from waymark.supervisor.shard import ShardCommand, ShardProcess
from waymark.supervisor.shards import Dispatcher, Shards

HEALTHY_LIFE_S = 10.0
"""A shard that lived this long does not count as one that fails to start."""

log = logging.getLogger(__name__)


class ShardKeeper(Service):
    """The keeper of one place."""

    name = "shard keeper"

    def __init__(
        self,
        *,
        command: ShardCommand,
        environment: Mapping[str, str],
        shards: Shards,
        pool: Dispatcher,
        store: LeaseStore,
        database: Database,
        term: LeaseTerm,
        clock: Clock,
    ) -> None:
        super().__init__()
        self._command = command
        self._environment = environment
        self._shards = shards
        self._pool = pool
        self._store = store
        self._database = database
        self._term = term
        self._clock = clock
        self._leaving = anyio.Event()
        self._has_process = False
        self._is_empty = anyio.Event()
        self._is_settled = anyio.Event()

    def leave(self) -> None:
        """Let the shard that runs be the last one."""
        self._leaving.set()
        if not self._has_process:
            self._is_empty.set()

    async def wait_empty(self) -> None:
        """After `leave`: wait until no process of this keeper runs."""
        await self._is_empty.wait()

    async def wait_settled(self) -> None:
        """After `leave`: wait until the lease of the last shard is closed too."""
        await self._is_settled.wait()

    async def _run(self) -> None:
        backoff = Backoff()
        while not self._leaving.is_set():
            began = time.monotonic()
            self._has_process = True
            try:
                shard = await self._spawn()
                if shard is not None:
                    await self._live(shard)
            finally:
                self._has_process = False
                if self._leaving.is_set():
                    self._is_empty.set()
            if shard is None:
                await anyio.sleep(backoff.next_s())
                continue
            await self._retire(shard)
            if time.monotonic() - began >= HEALTHY_LIFE_S:
                backoff.reset()
            elif not self._leaving.is_set():
                await anyio.sleep(backoff.next_s())
        self._is_settled.set()

    async def _spawn(self) -> ShardProcess | None:
        try:
            shard = await ShardProcess.spawn(ExecutorId(uuid4()), self._command, self._environment)
        except OSError as error:
            log.error("a shard cannot be started: %s", error)
            return None
        if self._leaving.is_set():
            # Asked while the process was being made: nobody has told it to stop, and it has nothing yet.
            shard.kill()
        return shard

    async def _live(self, shard: ShardProcess) -> None:
        """From spawn to exit."""
        self._shards.add(shard)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._open_lease, shard)
                while (message := await shard.receive()) is not None:
                    self._shards.take(shard, message, self._pool)
                group.cancel_scope.cancel()
        except BaseException:
            shard.kill()
            raise
        finally:
            self._shards.remove(shard)
            self._pool.forget_source(shard.executor_id)
            with anyio.CancelScope(shield=True):
                code = await shard.reap()
        if code or not self._leaving.is_set():
            log.warning("%s ended with code %d", shard, code)

    async def _open_lease(self, shard: ShardProcess) -> None:
        sent_us = 0

        async def open_lease() -> None:
            nonlocal sent_us
            sent_us = self._clock.monotonic_us()
            await self._store.open_executor(
                shard.executor_id, host=socket.gethostname(), pid=shard.child.pid, ttl_ms=self._term.ttl_ms
            )

        await self._database.insist(open_lease)
        shard.has_lease = True
        self._shards.lease(shard, self._term.usable_until_us(sent_us), self._pool)

    async def _retire(self, shard: ShardProcess) -> None:
        given_back = await self._database.insist(lambda: self._store.close_executor(shard.executor_id))
        if given_back:
            log.info("%s left %d instances; they are given to other shards", shard, given_back)
            self._shards.wake()
