"""The backends that the conformance suite runs on, and short ways to say what a test needs."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import uuid4

import psycopg

from waymark.model.records import (
    Append,
    ClaimedInstance,
    ExecutorId,
    InstanceId,
    InstanceStatus,
    NewInstance,
    Outcome,
    Release,
    Snapshot,
    WorkflowVersion,
)
from waymark.store.memory import MemoryStore
from waymark.store.postgres import PostgresStore
from waymark.store.protocol import Store

FAR = 3600.0
"""Seconds that no test takes by itself."""


class Backend(Protocol):
    """A store whose clock a test can move."""

    store: Store

    async def advance(self, seconds: float) -> None:
        """Let this much of the database's time pass."""
        ...


class MemoryBackend:
    """The memory store with a clock of its own."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self.store: Store = MemoryStore(now=self._now)

    async def advance(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._offset


class PostgresBackend:
    """The PostgreSQL store. Its clock cannot be moved, so every stored time is moved the other way."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.store: Store = PostgresStore(dsn, role="waymark-test", max_connections=6)

    async def advance(self, seconds: float) -> None:
        await execute(
            self._dsn,
            "UPDATE waymark.executors SET expires_at = expires_at - %(by)s;",
            "UPDATE waymark.instance_state SET wake_at = wake_at - %(by)s;",
            by=timedelta(seconds=seconds),
        )


async def execute(dsn: str, *statements: str, **values: object) -> list[tuple[object, ...]]:
    """Run statements beside the store; returns the rows of the last one."""
    rows: list[tuple[object, ...]] = []
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            cursor = await connection.execute(statement.encode(), values or None)
            rows = await cursor.fetchall() if cursor.description else []
    return rows


@asynccontextmanager
async def open_backend(place: str) -> AsyncIterator[Backend]:
    """A started backend with the version that `new` uses; `place` is a DSN, or "" for memory."""
    backend: Backend = PostgresBackend(place) if place else MemoryBackend()
    await backend.store.start()
    await backend.store.register_version(version())
    yield backend
    await backend.store.stop()


def version(name: str = "shop", number: str = "1", program: bytes = b"program") -> WorkflowVersion:
    """A version whose hash follows from its program."""
    return WorkflowVersion(
        name, number, hashlib.sha256(program).digest(), 1, program, "async def run(self): ..."
    )


def new(
    *,
    key: str | None = None,
    input: bytes = b"input",
    priority: int = 0,
    number: str = "1",
    name: str = "shop",
) -> NewInstance:
    """A start request with a new id."""
    return NewInstance(InstanceId(uuid4()), name, number, input, priority, key)


def entry(
    claimed: ClaimedInstance, events: bytes = b"events", *, after: int = 0, end: bool = False
) -> Append:
    """The next entry of an instance to which `after` were appended since its claim."""
    outcome = Outcome(InstanceStatus.COMPLETED, b"result") if end else None
    return Append(claimed.instance_id, claimed.epoch, claimed.last_seq + after, events, outcome)


def giving_back(claimed: ClaimedInstance, *, after: int = 0, wake_at: datetime | None = None) -> Release:
    """The release of an instance to which `after` were appended since its claim."""
    return Release(claimed.instance_id, claimed.epoch, claimed.last_seq + after, wake_at)


def snapshot(claimed: ClaimedInstance, seq: int, state: bytes = b"state") -> Snapshot:
    """A snapshot of an instance."""
    return Snapshot(claimed.instance_id, seq, claimed.epoch, b"hash", 1, b"checksum", state)


async def executor(store: Store, *, ttl_s: float = FAR / 2) -> ExecutorId:
    """A new executor with a live lease."""
    executor_id = ExecutorId(uuid4())
    await store.open_executor(executor_id, host="host", pid=1, ttl_ms=round(ttl_s * 1000))
    return executor_id


async def started(store: Store, count: int = 1, **request: object) -> list[InstanceId]:
    """New queued instances, the oldest first."""
    ids: list[InstanceId] = []
    for _ in range(count):
        one = new(**request)  # type: ignore[arg-type]
        ids += await store.start_instances([one])
    return ids


async def claimed_one(store: Store, owner: ExecutorId) -> ClaimedInstance:
    """The one instance that is due."""
    (claimed,) = (await store.claim(owner, limit=10)).instances
    return claimed
