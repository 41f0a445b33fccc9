"""Timers fire once and in order; who waits for long leaves memory, and comes back when due."""

from __future__ import annotations

import asyncio
import gc
import resource
import weakref
from dataclasses import replace

import pytest

from tests.executor.flows import AtOnce, Marks, Naps, Patient, Steps
from tests.executor.harness import SETTINGS, Bench
from waymark.executor.executor import Executor
from waymark.model.records import InstanceStatus

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


async def test_timers_fire_in_the_order_they_are_due() -> None:
    """Not in the order they were set."""
    bench = Bench()
    instance = await bench.start(Marks)
    async with bench.shard() as shard:
        await shard.until(lambda: shard.finished == 1)
    journal = bench.journal(instance)
    assert [entry.events for entry in journal] == [(), (), ()]
    moments = [entry.at_us for entry in journal]
    assert moments == sorted(moments)
    assert (await bench.view(instance)).status is InstanceStatus.COMPLETED


async def test_a_timer_fires_once_even_when_an_append_is_under_way() -> None:
    """What becomes due meanwhile is part of the next entry, and of no other."""
    bench = Bench()
    instance = await bench.start(Naps, 1, 3)
    async with bench.shard() as shard:
        await shard.settle()
        bench.store.gate = asyncio.Event()
        for _ in range(5):
            await shard.settle(1)
        bench.store.gate.set()
        bench.store.gate = None
        await shard.until(lambda: shard.finished == 1)
    assert len(bench.journal(instance)) == 3


async def test_a_run_that_waits_long_leaves_memory_and_wakes_when_due() -> None:
    """With a snapshot; the next owner is whoever claims it then."""
    bench = Bench()
    instance = await bench.start(Naps, 60, 2)
    async with bench.shard() as shard:
        await shard.settle()
        await shard.settle(0.2)
        assert shard.executor.instances_in_memory == 0
        await shard.settle(50)
        assert shard.executor.instances_in_memory == 0
        await shard.until(lambda: len(bench.journal(instance)) == 1, step_s=0.5)
        await shard.settle(0.2)
        assert shard.executor.instances_in_memory == 0
        assert [snapshot.seq for snapshot in (await bench.history(instance)).snapshots] == [1]
        await shard.until(lambda: shard.finished == 1, step_s=1)


async def test_a_run_between_two_attempts_leaves_memory_too() -> None:
    """A long backoff is a wait like any other."""
    bench = Bench()
    await bench.start(Patient)
    settings = replace(SETTINGS, evict_sleep_threshold_ms=1000)
    async with bench.shard(settings) as shard:
        await shard.settle()
        shard.fail(shard.take(), ValueError("no"))
        await shard.settle(0.1)
        await shard.settle(0.2)
        assert shard.executor.instances_in_memory == 0
        await shard.until(lambda: bool(shard.sent))
        shard.succeed(shard.take(), 1)
        await shard.until(lambda: shard.finished == 1)


async def test_a_burst_larger_than_memory_waits_its_turn() -> None:
    """There are never more instances in memory than allowed, and all of them finish."""
    bench = Bench()
    await bench.start_many(Steps, [(2,)] * 60)
    settings = replace(SETTINGS, max_instances=7)
    async with bench.shard(settings) as shard:
        most = 0

        def is_done() -> bool:
            nonlocal most
            most = max(most, shard.executor.instances_in_memory)
            return shard.finished == 60

        await shard.serve(is_done, batch=3)
        assert most == 7


async def test_sleepers_beyond_memory_do_not_block_each_other() -> None:
    """Each leaves as soon as it waits, so a small memory carries many of them."""
    bench = Bench()
    await bench.start_many(Naps, [(100, 1)] * 300)
    settings = replace(SETTINGS, max_instances=10)
    async with bench.shard(settings) as shard:
        await shard.until(
            lambda: all(row.started_at is not None for row in bench.store._tables.live.values()), step_s=0.1
        )
        await shard.settle(0.5)
        assert shard.executor.instances_in_memory == 0
        await shard.until(lambda: shard.finished == 300, step_s=0.5)


def _figures(executor: Executor) -> dict[str, int]:
    """Sizes of everything an executor keeps."""
    dispatcher, housekeeping = executor._dispatcher, executor._housekeeping
    return {
        "active": len(executor._active),
        "timers": len(executor._timers),
        "calls": len(dispatcher._calls),
        "waiting": len(dispatcher._waiting),
        "out": len(dispatcher._out),
        "snapshots": len(housekeeping._snapshots),
        "leaving": len(housekeeping._leaving),
        "queue": len(executor._appender._queue),
    }


async def test_nothing_stays_behind_of_runs_that_ended_early() -> None:
    """Timers far ahead of runs that failed are swept out, and hold nothing in memory."""
    bench = Bench()
    async with bench.shard(replace(SETTINGS, max_instances=500, evict_sleep_threshold_ms=10**9)) as shard:
        for _ in range(8):
            await bench.start_many(Naps, [(10**6, 1)] * 400)
            await shard.until(lambda: shard.executor.instances_in_memory == 400)
            machines = [weakref.ref(instance.machine) for instance in shard.executor._active.values()]
            for instance in list(shard.executor._active.values()):
                shard.executor._drop(instance)
            del instance
            gc.collect()
            assert not any(machine() for machine in machines)
            assert len(shard.executor._timers) <= 1400
        assert shard.executor.instances_in_memory == 0


@pytest.mark.slow
async def test_memory_stays_flat_over_many_instances() -> None:
    """20,000 short runs through one shard leave nothing behind."""
    bench = Bench()
    async with bench.shard(replace(SETTINGS, max_instances=500)) as shard:
        sizes = []
        for round_number in range(1, 11):
            await bench.start_many(Steps, [(1,)] * 1000)
            await bench.start_many(AtOnce, [()] * 1000)
            await shard.serve(lambda done=round_number * 2000: shard.finished == done)  # type: ignore[misc]
            await shard.settle(1)
            tables = bench.store._tables
            tables.instances.clear()
            bench.store.log.clear()
            gc.collect()
            sizes.append(_resident_kb())
            assert set(_figures(shard.executor).values()) == {0}, _figures(shard.executor)
        assert sizes[-1] - sizes[2] < 4_000, sizes
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0


def _resident_kb() -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
