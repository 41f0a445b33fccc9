"""Nothing leaves a shard before the entry that led to it is durable, and nothing at all once the instance is not its own."""

from __future__ import annotations

import asyncio

import pytest

from tests.executor.flows import AtOnce, Branches, Fan, Steps
from tests.executor.harness import Bench
from waymark.model.records import InstanceStatus
from waymark.store.memory import MemoryStore
from waymark.store.protocol import CHANNEL_DONE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


async def test_a_call_goes_out_only_after_the_entry_that_asked_for_it() -> None:
    """While the append waits, the second step of a run is not dispatched, nor is its end told."""
    bench = Bench()
    instance = await bench.start(Steps, 2)
    async with bench.shard() as shard:
        await shard.settle()
        bench.store.gate = asyncio.Event()
        shard.succeed(shard.take(), 1)
        await shard.settle()
        assert not shard.sent
        bench.store.gate.set()
        await shard.settle()
        shard.succeed(shard.take(), 2)
        await shard.settle()
        assert await bench.result(instance) == 3
    events = [line for line in bench.store.log if line in ("accepted", "dispatch", f"notify {CHANNEL_DONE}")]
    assert events == ["dispatch", "accepted", "dispatch", "accepted", f"notify {CHANNEL_DONE}"]


async def test_a_lost_answer_makes_one_entry() -> None:
    """The append took effect and its reply was lost: the repeated one is recognised, and the run goes on once."""
    bench = Bench()
    instance = await bench.start(Steps, 3)
    async with bench.shard() as shard:
        await shard.settle()
        for _ in range(3):
            bench.store.lost_replies = 2
            shard.succeed(shard.take(), 5)
            await shard.until(lambda: bench.store.lost_replies == 0)
            await shard.settle(5)
        assert await bench.result(instance) == 15
    assert len(bench.journal(instance)) == 3
    assert shard.sent_total == 3


async def test_a_refused_entry_drops_the_memory_and_writes_nothing_more() -> None:
    """Another owner has the instance: no dispatch, no entry, no snapshot and no release of this shard reach it."""
    bench = Bench()
    instance = await bench.start(Steps, 3)
    async with bench.shard() as zombie:
        await zombie.settle()
        await MemoryStore.close_executor(bench.store, zombie.executor_id)
        async with bench.shard() as owner:
            await owner.settle()
            bench.store.log.clear()
            zombie.succeed(zombie.take(), 100)
            await zombie.settle()
            assert zombie.executor.figures.entries_rejected == 1
            assert zombie.executor.instances_in_memory == 0
            assert not zombie.sent
            await owner.serve(lambda: owner.finished == 1)
            assert await bench.result(instance) == 3
    assert len(bench.journal(instance)) == 3


async def test_results_that_arrive_during_an_append_make_one_entry() -> None:
    """However many they are, up to the limit of one entry."""
    bench = Bench()
    instance = await bench.start(Branches, 40)
    async with bench.shard() as shard:
        await shard.settle()
        bench.store.gate = asyncio.Event()
        shard.succeed(shard.take(), 1)
        await shard.settle()
        while shard.sent:
            shard.succeed(shard.take(), 1)
        await shard.settle()
        bench.store.gate.set()
        bench.store.gate = None
        await shard.settle()
        assert [len(entry.events) for entry in bench.journal(instance)] == [1, 39]
        await shard.serve(lambda: shard.finished == 1)


async def test_an_entry_holds_a_bounded_number_of_events_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit goes into the next one: a row that no database takes would end the run."""
    monkeypatch.setattr("waymark.executor.executor.MAX_EVENTS", 10)
    monkeypatch.setattr("waymark.executor.executor.MAX_ENTRY_BYTES", 100)
    bench = Bench()
    few, big = await bench.start(Fan, 26), await bench.start(Branches, 4)
    async with bench.shard() as shard:
        await shard.settle()
        by_run: dict[object, list[object]] = {}
        bench.store.gate = asyncio.Event()
        while shard.sent:
            call = shard.take()
            by_run.setdefault(call.instance.instance_id, []).append(call)
            shard.succeed(call, "y" * 60 if call.instance.instance_id == big else 1)
        bench.store.gate.set()
        bench.store.gate = None
        await shard.settle()
        assert [len(entry.events) for entry in bench.journal(few)] == [1, 10, 10, 5]
        assert [len(entry.events) for entry in bench.journal(big)] == [1, 1, 1, 1]


async def test_a_shard_past_its_lease_starts_nothing() -> None:
    """No dispatch and no claim after the deadline; both go on when the lease is renewed."""
    bench = Bench()
    first = await bench.start(Steps, 2)
    async with bench.shard(lease_us=10_000_000) as shard:
        await shard.settle()
        call = shard.take()
        bench.clock.advance(10)
        claims = bench.store.claims
        shard.succeed(call, 1)
        second = await bench.start(AtOnce)
        await shard.settle(1)
        assert not shard.sent
        assert bench.store.claims == claims
        assert len(bench.journal(first)) == 1  # the fence, not the clock, decides about history
        shard.executor.use_lease_until(30_000_000)
        await shard.settle(0.1)
        shard.succeed(shard.take(), 1)
        await shard.until(lambda: shard.finished == 2)
        assert (await bench.view(second)).status is InstanceStatus.COMPLETED


async def test_an_outage_delays_and_changes_nothing() -> None:
    """Appends wait for the database and then go through; nothing is sent meanwhile."""
    bench = Bench()
    instance = await bench.start(Steps, 2)
    async with bench.shard() as shard:
        await shard.settle()
        bench.store.is_down = True
        shard.succeed(shard.take(), 1)
        for _ in range(20):
            await shard.settle(3)
        assert not shard.sent
        bench.store.is_down = False
        await shard.until(lambda: bool(shard.sent))
        shard.succeed(shard.take(), 1)
        await shard.until(lambda: shard.finished == 1)
        assert await bench.result(instance) == 2
