"""Runs end to end: SDK, bridge, database, shards, workers, and back."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

import waymark
from tests.engine.checks import check
from waymark.testing.local_stack import LocalStack, wait_until

pytestmark = pytest.mark.timeout(180)


def test_results_of_every_kind_come_back(stack: LocalStack, flows: Any, run: Any, tmp_path: Path) -> None:
    """Values, dataclasses, failures with attributes, retries, timeouts, lost workers: one pool does it all and goes on."""
    pool = stack.start_pool()

    async def body() -> None:
        assert await flows.OneAction().run(21) == 42
        assert await flows.Boxes().run(flows.Box(1)) == flows.Box(20)
        assert await flows.Retried().run(2) == 3
        assert await flows.Handled().run() == "card declined: no funds (402)"

        with pytest.raises(waymark.WorkflowFailedError) as declined:
            await flows.Declined().run()
        failure = declined.value
        assert isinstance(failure, RuntimeError)
        assert (failure.error_type, failure.error_message) == ("CardDeclined", "card declined: no funds")
        assert failure.error_attributes == {"code": 402, "reason": "no funds"}
        assert 'raise CardDeclined(code, "no funds")' in str(failure.__cause__)
        assert "in Declined.run" in str(failure.__cause__)

        with pytest.raises(waymark.WorkflowFailedError) as exhausted:
            await flows.Retried().run(3)
        assert (exhausted.value.error_type, exhausted.value.error_message) == ("ConnectionError", "attempt 3")

        with pytest.raises(waymark.WorkflowFailedError) as unstorable:
            await flows.Unstorable().run()
        assert unstorable.value.error_type == "ValueEncodingError"
        assert (
            "result of engine_flows:unstorable['connection']: a value of type object"
            in unstorable.value.error_message
        )

        with pytest.raises(waymark.WorkflowFailedError) as late:
            await flows.TimesOut().run()
        assert late.value.error_type == "ActionTimeout"
        assert "engine_flows:hang ran longer than its timeout of 0.3 s" in late.value.error_message

        assert await flows.WorkerDies().run(str(tmp_path / "marker")) == "survived"

        with pytest.raises(waymark.WorkflowFailedError) as endless:
            await flows.Endless().run()
        assert endless.value.error_type == "WorkflowLimitExceeded"
        assert "between two waits" in endless.value.error_message

        assert await flows.OneAction().run(4) == 8

    run(body)
    assert pool.is_running
    assert pool.stop() == 0


def test_a_run_can_be_found_again_from_its_id(stack: LocalStack, flows: Any, run: Any) -> None:
    """`_blocking=False` gives the id; a handle made from it tells status and result, also of unknown ids."""
    pool = stack.start_pool()
    pool.wait_ready()

    async def body() -> None:
        instance_id = await flows.Chain().run(0, 5, 0.05, _blocking=False)
        handle = waymark.handle(str(instance_id))
        assert await handle.status() in ("queued", "running")
        assert await handle.result() == 5
        assert await handle.status() == "completed"
        assert await handle.result() == 5
        with pytest.raises(waymark.InstanceNotFound, match="no instance has the id 00000000"):
            await waymark.handle("00000000-0000-0000-0000-000000000001").result()
        with pytest.raises(waymark.InstanceNotFound):
            await waymark.handle("00000000-0000-0000-0000-000000000001").status()

    run(body)


def test_a_wide_fan_out_costs_no_more_per_action_than_a_narrow_one(
    stack: LocalStack, flows: Any, run: Any
) -> None:
    """5,000 actions in one instance complete; the cost of one is at most 1.5 times that in a fan-out of 50."""
    stack.start_pool().wait_ready()

    async def measure(width: int, repeat: int) -> float:
        best = float("inf")
        for _ in range(repeat):
            began = time.perf_counter()
            assert await flows.FanOut().run(width) == width * (width - 1)
            best = min(best, time.perf_counter() - began)
        return best / width

    async def body() -> tuple[float, float]:
        await measure(50, 3)
        return await measure(50, 10), await measure(5000, 2)

    narrow, wide = run(body)
    print(f"fan-out of 50: {narrow * 1e6:.0f} us per action, of 5,000: {wide * 1e6:.0f} us")
    assert wide <= 1.5 * narrow


def test_an_action_missing_on_the_workers_is_waited_for(stack: LocalStack, flows: Any, run: Any) -> None:
    """The run waits visibly, others go on; a pool that has the action lets it finish."""
    old = stack.start_pool({"WAYMARK_TEST_MISSING_ACTION": "hide"})
    old.wait_ready()

    async def begin() -> Any:
        instance_id = await flows.Missing().run(_blocking=False)
        assert await flows.OneAction().run(1) == 2
        return instance_id

    instance_id = run(begin)
    wait_until(lambda: "sometimes_missing waits: " in old.log_text(), 20, "a line about the missing action")
    assert "has no action sometimes_missing" in old.log_text()
    assert old.stop() == 0
    stack.start_pool()
    assert run(waymark.handle(instance_id).result) == "found"


def test_callers_get_their_results_when_the_bridge_is_killed(stack: LocalStack, flows: Any, run: Any) -> None:
    """SIGKILL of the bridge under waiting and starting callers: each run exists once, each caller gets its result."""
    stack.start_pool().wait_ready()

    async def body() -> Any:
        await flows.OneAction().run(0)
        waiting = [asyncio.create_task(flows.Chain().run(number, 10, 0.1)) for number in range(20)]
        for _ in range(3):
            await asyncio.sleep(0.25)
            for pid in stack.bridge_pids():
                os.kill(pid, signal.SIGKILL)
            waiting.extend(asyncio.create_task(flows.Chain().run(100, 2, 0.1)) for _ in range(5))
        return await asyncio.gather(*waiting)

    assert sorted(run(body)) == sorted([number + 10 for number in range(20)] + [102] * 15)
    with psycopg.connect(stack.dsn) as database:
        assert database.execute("SELECT count(*) FROM waymark.instances").fetchone() == (36,)


def test_a_long_sleep_leaves_memory_and_comes_back_on_time(stack: LocalStack, flows: Any, run: Any) -> None:
    """A run that sleeps longer than the threshold is released, and continues when it is due: late by less than fifty
    such runs take that need not sleep."""
    pool = stack.start_pool({"WAYMARK_EVICT_SLEEP_THRESHOLD_MS": "200", "WAYMARK_PERSIST_INTERVAL_MS": "50"})
    pool.wait_ready()

    async def awake_s() -> float:
        began = time.monotonic()
        assert await flows.Sleeper().run(0.0) == 22
        return time.monotonic() - began

    async def body() -> None:
        await awake_s()
        before_s = await awake_s()
        began = time.monotonic()
        instance_id = await flows.Sleeper().run(3.0, _blocking=False)
        with psycopg.connect(stack.dsn, autocommit=True) as database:

            def is_released() -> bool:
                row = database.execute(
                    "SELECT owner IS NULL AND last_seq = 1 FROM waymark.instance_state WHERE instance_id = %s",
                    (instance_id,),
                ).fetchone()
                return row == (True,)

            wait_until(is_released, 2.5, "release of the sleeper")
        assert await waymark.handle(instance_id).result() == 22
        late_s = time.monotonic() - began - 3.0
        most_s = 50 * max(before_s, await awake_s())
        print(f"{late_s:.3f} s late, of {most_s:.3f}")
        assert 0.0 <= late_s < most_s

    run(body)


def test_an_orderly_stop_gives_everything_back_at_once(stack: LocalStack, flows: Any, run: Any) -> None:
    """SIGTERM: what is in flight ends, the exit code is 0, and another pool continues without waiting for a lease."""
    first = stack.start_pool()
    first.wait_ready()

    async def begin() -> Any:
        started = [await flows.Chain().run(number, 20, 0.05, _blocking=False) for number in range(10)]
        await asyncio.sleep(0.5)
        return started

    started = run(begin)
    assert first.stop() == 0
    with psycopg.connect(stack.dsn) as database:
        row = database.execute(
            "SELECT count(*) FROM waymark.instance_state WHERE owner IS NOT NULL"
        ).fetchone()
    assert row == (0,)
    stack.start_pool()

    async def finish() -> Any:
        return await asyncio.gather(*[waymark.handle(instance_id).result() for instance_id in started])

    assert run(finish) == [number + 20 for number in range(10)]
    findings = check(stack.dsn, stack.environment["LEDGER_URL"])
    assert not findings.violations
    assert findings.repeated == 0
    assert findings.takeovers > 0
