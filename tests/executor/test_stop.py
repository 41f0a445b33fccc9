"""Stopping gives everything back, whatever the database and the instances do meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.executor.flows import Fan, Naps, Steps
from tests.executor.harness import SETTINGS, Bench, Shard

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


async def stopped(shard: Shard, grace_ms: int = 1000) -> None:
    """Stop, while time goes by."""
    stopping = asyncio.create_task(shard.executor.stop(grace_ms))
    await shard.until(stopping.done)
    stopping.result()


def owned(bench: Bench) -> int:
    """Instances that somebody owns."""
    return sum(row.owner is not None for row in bench.store._tables.live.values())


async def test_stopping_lets_calls_return_and_releases_everything() -> None:
    """What came back in time is journaled; nothing new is sent; the next owner goes on from there."""
    bench = Bench()
    instance = await bench.start(Steps, 3)
    async with bench.shard() as shard:
        await shard.settle()
        stopping = asyncio.create_task(shard.executor.stop(60_000))
        await shard.settle(1)
        assert not stopping.done()
        shard.succeed(shard.take(), 7)
        await shard.until(stopping.done)
        assert not shard.sent
        assert shard.executor.instances_in_memory == 0
        assert owned(bench) == 0
        assert len(bench.journal(instance)) == 1
        async with bench.shard() as owner:
            await owner.serve(lambda: owner.finished == 1)


async def test_stopping_ends_with_the_grace() -> None:
    """A call that does not return is left to the next owner."""
    bench = Bench()
    await bench.start(Fan, 5)
    async with bench.shard() as shard:
        await shard.settle()
        await stopped(shard)
        assert owned(bench) == 0


async def test_stopping_while_instances_keep_moving() -> None:
    """Runs that wake up all the time do not keep a shard from leaving."""
    bench = Bench()
    await bench.start_many(Naps, [(0.001, 10**6)] * 20)
    async with bench.shard() as shard:
        for _ in range(5):
            await shard.settle(0.01)
        await stopped(shard, 0)
        assert owned(bench) == 0
        assert shard.executor.instances_in_memory == 0


async def test_stopping_while_sleep_is_skipped() -> None:
    """Not even runs that never sleep at all."""
    bench = Bench()
    await bench.start_many(Naps, [(5, 10**6)] * 5)
    async with bench.shard(replace(SETTINGS, skips_sleep=True)) as shard:
        await shard.settle()
        await stopped(shard, 0)
        assert owned(bench) == 0


async def test_stopping_while_the_database_is_away_ends_with_the_lease() -> None:
    """When the lease has run out nothing is left to give back."""
    bench = Bench()
    await bench.start_many(Fan, [(3,)] * 4)
    await bench.start_many(Naps, [(100, 1)] * 4)
    async with bench.shard(lease_us=20_000_000) as shard:
        await shard.settle()
        bench.store.is_down = True
        shard.succeed(shard.take(), 1)
        await stopped(shard)
        assert shard.executor.instances_in_memory == 0
        assert bench.clock.monotonic_us() >= 20_000_000


async def test_stopping_waits_out_a_short_outage() -> None:
    """The database comes back before the lease ends: everything is journaled and released."""
    bench = Bench()
    instance = await bench.start(Fan, 3)
    async with bench.shard() as shard:
        await shard.settle()
        bench.store.is_down = True
        shard.succeed(shard.take(), 1)
        stopping = asyncio.create_task(shard.executor.stop(100))
        for _ in range(10):
            await shard.settle(0.5)
        assert not stopping.done()
        bench.store.is_down = False
        await shard.until(stopping.done)
        assert owned(bench) == 0
        assert len(bench.journal(instance)) == 1


async def test_stopping_in_the_middle_of_a_claim() -> None:
    """What the claim took and never came to life is given back as well."""
    bench = Bench()
    await bench.start_many(Steps, [(1,)] * 5)
    async with bench.shard(replace(SETTINGS, poll_interval_ms=10)) as shard:
        real = bench.store.read_version
        asked = asyncio.Event()

        async def never(name: str, version: str) -> None:
            asked.set()
            bench.store.is_down = True
            await real(name, version)

        bench.store.read_version = never  # type: ignore[method-assign]
        await shard.until(asked.is_set)
        stopping = asyncio.create_task(shard.executor.stop(0))
        for _ in range(5):
            await shard.settle(0.5)
        bench.store.is_down = False
        await shard.until(stopping.done)
        assert owned(bench) == 0


async def test_stopping_with_nothing_to_do() -> None:
    """Also twice."""
    bench = Bench()
    async with bench.shard() as shard:
        await shard.settle()
        await stopped(shard)
        await stopped(shard)
