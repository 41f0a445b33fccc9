"""What a run prints is written once its entry is durable, and never again."""

from __future__ import annotations

import asyncio

import pytest

from tests.executor.flows import Talks
from tests.executor.harness import Bench
from waymark.store.memory import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log, with what runs print."""
    caplog.set_level("INFO", "waymark.run")
    return caplog


def printed(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What runs have printed so far."""
    return [
        record.getMessage().partition(": ")[2] for record in caplog.records if record.name == "waymark.run"
    ]


async def test_lines_carry_the_run_and_wait_for_the_commit(lines: pytest.LogCaptureFixture) -> None:
    """Not a line of a step leaves while its entry is on its way; the last step's are written as well."""
    bench = Bench()
    instance = await bench.start(Talks, 2)
    async with bench.shard() as shard:
        await shard.settle()
        assert printed(lines) == ["begins"]
        bench.store.gate = asyncio.Event()
        shard.succeed(shard.take(), 1)
        await shard.settle()
        assert printed(lines) == ["begins"]
        bench.store.gate.set()
        bench.store.gate = None
        await shard.settle()
        assert printed(lines) == ["begins", "got 1", "two", "lines"]
        shard.succeed(shard.take(), 2)
        await shard.settle()
        assert printed(lines)[4:] == ["got 2", "two", "linesends"]
    record = next(record for record in lines.records if record.name == "waymark.run")
    assert record.getMessage() == f"talks {instance}: begins"
    assert vars(record)["instance_id"] == str(instance)
    assert vars(record)["workflow_name"] == "talks"


async def test_an_owner_that_takes_over_writes_nothing_again(lines: pytest.LogCaptureFixture) -> None:
    """Neither what stands before the first wait nor what the journal led to; a refused entry's lines are never written."""
    bench = Bench()
    await bench.start(Talks, 2)
    async with bench.shard() as zombie:
        await zombie.settle()
        await MemoryStore.close_executor(bench.store, zombie.executor_id)
        async with bench.shard() as second:
            await second.settle()
            assert printed(lines) == ["begins"]
            zombie.succeed(zombie.take(), 100)
            await zombie.settle()
            assert printed(lines) == ["begins"]
            second.succeed(second.take(), 1)
            await second.settle()
            assert printed(lines) == ["begins", "got 1", "two", "lines"]
            await MemoryStore.close_executor(bench.store, second.executor_id)
            async with bench.shard() as third:
                await third.settle()
                assert printed(lines) == ["begins", "got 1", "two", "lines"]
                await third.serve(lambda: third.finished == 1)
    assert printed(lines)[4:] == ["got 1", "two", "linesends"]


async def test_a_run_without_a_wait_prints_too(lines: pytest.LogCaptureFixture) -> None:
    """Its only step is its first entry."""
    bench = Bench()
    await bench.start(Talks, 0)
    async with bench.shard() as shard:
        await shard.until(lambda: shard.finished == 1)
    assert printed(lines) == ["begins", "ends"]
