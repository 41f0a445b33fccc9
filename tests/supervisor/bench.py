"""A supervisor with real workers, fake shards, and a store that a test can break."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from tests.pool.harness import COMMAND, USER_CODE, until
from waymark.config import load_start_workers
from waymark.errors import StoreUnavailable
from waymark.model.records import ExecutorId
from waymark.model.settings import StartWorkersSettings
from waymark.pool.command import worker_environment
from waymark.store.protocol import Store
from waymark.supervisor.supervisor import Launch, Supervisor

FAKE_SHARD = Path(__file__).with_name("fake_shard.py")


class FakeStore:
    """Leases without a database."""

    def __init__(self) -> None:
        self.is_down = False
        self.open: set[ExecutorId] = set()
        self.closed: list[ExecutorId] = []
        self.expired: set[ExecutorId] = set()
        self.renewals: list[frozenset[ExecutorId]] = []
        self.sweeps = 0
        self.owned = 0
        self.notifications: asyncio.Queue[str] = asyncio.Queue()

    def _answer(self) -> None:
        if self.is_down:
            raise StoreUnavailable("the test switched the database off")

    async def prepare(self) -> None:
        self._answer()

    async def start(self) -> None:
        self._answer()

    async def stop(self) -> None:
        pass

    async def open_executor(self, executor_id: ExecutorId, *, host: str, pid: int, ttl_ms: int) -> None:
        self._answer()
        self.open.add(executor_id)

    async def renew_executors(self, ids: Sequence[ExecutorId], *, ttl_ms: int) -> frozenset[ExecutorId]:
        self._answer()
        renewed = frozenset(ids) & self.open - self.expired
        self.renewals.append(renewed)
        return renewed

    async def close_executor(self, executor_id: ExecutorId) -> int:
        self._answer()
        self.open.discard(executor_id)
        self.closed.append(executor_id)
        return self.owned

    async def reclaim_expired(self, *, limit: int) -> int:
        self._answer()
        self.sweeps += 1
        return 0

    @asynccontextmanager
    async def listen(self, channels: Sequence[str]) -> AsyncIterator[AsyncIterator[str]]:
        async def notifications() -> AsyncIterator[str]:
            while True:
                yield await self.notifications.get()

        yield notifications()


class Bench:
    """A supervisor that runs as a task of the test, and what its shards wrote down."""

    def __init__(self, log: Path, supervisor: Supervisor, store: FakeStore) -> None:
        self.log = log
        self.supervisor = supervisor
        self.store = store
        self.running: asyncio.Task[int]

    def events(self, kind: str) -> list[dict[str, Any]]:
        if not self.log.exists():
            return []
        lines = self.log.read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    async def event(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Wait for the n-th event of a kind."""
        await until(lambda: len(self.events(kind)) >= count or self.running.done())
        return self.events(kind)[count - 1]


def settings(**changes: str) -> StartWorkersSettings:
    return load_start_workers(
        {
            "WAYMARK_DATABASE_URL": "postgresql://nowhere",
            "WAYMARK_WORKER_COUNT": "1",
            "WAYMARK_EXECUTOR_SHARDS": "1",
            "WAYMARK_WORKER_GRPC_ADDR": "127.0.0.1:0",
            "WAYMARK_LOCK_TTL_MS": "2000",
            "WAYMARK_LOCK_HEARTBEAT_MS": "50",
            **changes,
        }
    )


def build(
    tmp_path: Path, behaviour: str, *, calls: int = 0, grace_s: float = 10, **changes: str
) -> tuple[Supervisor, FakeStore]:
    store = FakeStore()
    environment = worker_environment(os.environ, directory=str(USER_CODE), is_frozen=False)
    shard_environment = {
        **os.environ,
        "FAKE_SHARD": behaviour,
        "FAKE_SHARD_CALLS": str(calls),
        "FAKE_SHARD_LOG": str(tmp_path / "shards.log"),
    }
    launch = Launch(
        store=cast(Store, store),
        prepare=store.prepare,
        worker_commands=[COMMAND],
        worker_environment=environment,
        shard_command=lambda executor_id, fd: [sys.executable, str(FAKE_SHARD), str(executor_id), str(fd)],
        shard_environment=shard_environment,
        grace_s=grace_s,
    )
    return Supervisor(settings(**changes), launch), store


@asynccontextmanager
async def running(tmp_path: Path, behaviour: str, **more: Any) -> AsyncIterator[Bench]:
    """A supervisor; ended by the signals of production."""
    supervisor, store = build(tmp_path, behaviour, **more)
    bench = Bench(tmp_path / "shards.log", supervisor, store)
    bench.running = asyncio.create_task(supervisor.run())
    try:
        yield bench
        if not bench.running.done():
            os.kill(os.getpid(), signal.SIGTERM)
        assert await bench.running == 0
    finally:
        bench.running.cancel()
        await asyncio.wait([bench.running])
