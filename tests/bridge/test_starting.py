"""Starts of many callers share a statement; a refusal reaches only the caller it is for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from waymark.bridge.starting import MAX_GATHERED, Starts
from waymark.errors import IdempotencyConflict, StoreUnavailable, VersionConflict
from waymark.model.records import InstanceId, NewInstance, WorkflowVersion
from waymark.store.memory import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]


class CountingStore(MemoryStore):
    """Counts statements, and holds them back until the test lets them go."""

    def __init__(self) -> None:
        super().__init__()
        self.statements: list[int] = []
        self.open = asyncio.Event()
        self.open.set()
        self.is_away = False

    async def start_instances(self, batch: Sequence[NewInstance]) -> Mapping[InstanceId, InstanceId]:
        self.statements.append(len(batch))
        await self.open.wait()
        if self.is_away:
            raise StoreUnavailable("away")
        return await super().start_instances(batch)


@asynccontextmanager
async def desk() -> AsyncIterator[tuple[CountingStore, Starts]]:
    store = CountingStore()
    await store.register_version(WorkflowVersion("shop", "1", b"h" * 32, 1, b"program", ""))
    starts = Starts(store)
    running = asyncio.create_task(starts.run())
    try:
        yield store, starts
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def new(version: str = "1", key: str | None = None, data: bytes = b"x") -> NewInstance:
    return NewInstance(InstanceId(uuid4()), "shop", version, data, idempotency_key=key)


async def turns() -> None:
    """Let everything run that is due."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_that_come_during_a_statement_share_the_next() -> None:
    """One statement for the first, one for all that gathered meanwhile; each caller finds its own instance."""
    async with desk() as (store, starts):
        store.open.clear()
        wanted = [new() for _ in range(50)]
        calls = [asyncio.create_task(starts.start([one])) for one in wanted[:1]]
        await turns()
        calls += [asyncio.create_task(starts.start([one])) for one in wanted[1:]]
        await turns()
        assert not any(call.done() for call in calls)
        store.open.set()
        answers = await asyncio.gather(*calls)
        assert store.statements == [1, 49]
        assert [answer[one.instance_id] for answer, one in zip(answers, wanted, strict=True)] == [
            one.instance_id for one in wanted
        ]


async def test_a_refusal_reaches_only_the_caller_it_is_for() -> None:
    """An unknown version and a conflicting key among good requests: the good ones start, the bad ones hear why."""
    async with desk() as (store, starts):
        await starts.start([new(key="k", data=b"one")])
        store.open.clear()
        first = asyncio.create_task(starts.start([new()]))
        await turns()
        good, unknown, conflict, late = new(), new(version="2"), new(key="k", data=b"two"), new()
        calls = [asyncio.create_task(starts.start([one])) for one in (good, unknown, conflict, late)]
        await turns()
        store.open.set()
        answers = await asyncio.gather(first, *calls, return_exceptions=True)
        assert isinstance(answers[2], VersionConflict)
        assert isinstance(answers[3], IdempotencyConflict)
        found = await store.read_instances([good.instance_id, late.instance_id, unknown.instance_id])
        assert set(found) == {good.instance_id, late.instance_id}


async def test_an_outage_reaches_every_caller_and_ends() -> None:
    """Nobody waits for ever: the SDK sends the same ids again."""
    async with desk() as (store, starts):
        store.is_away = True
        answers = await asyncio.gather(*[starts.start([new()]) for _ in range(3)], return_exceptions=True)
        assert all(isinstance(answer, StoreUnavailable) for answer in answers)
        store.is_away = False
        one = new()
        assert (await starts.start([one]))[one.instance_id] == one.instance_id


async def test_a_statement_has_a_size() -> None:
    """What is too much for one statement goes in several; what one caller asks for stays together."""
    async with desk() as (store, starts):
        store.open.clear()
        first = asyncio.create_task(starts.start([new()]))
        await turns()
        big = [asyncio.create_task(starts.start([new() for _ in range(MAX_GATHERED - 1)])) for _ in range(2)]
        await turns()
        store.open.set()
        await asyncio.gather(first, *big)
        assert store.statements == [1, MAX_GATHERED - 1, MAX_GATHERED - 1]


async def test_a_caller_that_has_gone_disturbs_nobody() -> None:
    """A cancelled request may still start; the others get their answers."""
    async with desk() as (store, starts):
        store.open.clear()
        gone = asyncio.create_task(starts.start([new()]))
        await turns()
        stays = asyncio.create_task(starts.start([new()]))
        await turns()
        gone.cancel()
        await turns()
        store.open.set()
        assert len(await stays) == 1
