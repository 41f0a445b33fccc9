"""Killing anything at any moment changes nothing but the time it takes."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from typing import Any

import psycopg
import pytest

import waymark
from tests.engine.checks import check
from tests.engine.conftest import FAST_LEASE
from waymark.testing.local_stack import LocalStack, Pool, wait_until

pytestmark = pytest.mark.timeout(400)

SEED = int(os.environ.get("WAYMARK_TEST_SEED", "0")) or random.SystemRandom().randrange(2**32)


def start_chains(flows: Any, run: Any, runs: int, steps: int, pause_s: float) -> list[waymark.Handle[int]]:
    """Start many chains in one request."""

    async def body() -> list[waymark.Handle[int]]:
        return await waymark.start_many(
            flows.Chain, [((number, steps, pause_s), {}) for number in range(runs)]
        )

    handles: list[waymark.Handle[int]] = run(body)
    return handles


def results(run: Any, handles: list[waymark.Handle[int]]) -> list[int]:
    """Wait for all."""

    async def body() -> list[int]:
        return list(await asyncio.gather(*[handle.result() for handle in handles]))

    found: list[int] = run(body)
    return found


def test_200_runs_survive_random_kills_of_the_whole_pool(stack: LocalStack, flows: Any, run: Any) -> None:
    """SIGKILL to every process of the pool about every 2 s: all runs finish with the right result, and no step is executed
    again after its result was committed."""
    chance = random.Random(SEED)
    stack.environment.update(FAST_LEASE)
    handles = start_chains(flows, run, runs=200, steps=20, pause_s=0.05)
    kills = 0
    pool = stack.start_pool()
    while kills < 30:
        pool.wait_ready()
        deadline = time.monotonic() + chance.uniform(1.0, 3.0)
        if _all_ended(run, handles, deadline):
            break
        pool.kill()
        kills += 1
        pool = stack.start_pool()
    assert results(run, handles) == [number + 20 for number in range(200)]
    findings = check(stack.dsn, stack.environment["LEDGER_URL"])
    print(f"seed {SEED}: {kills} kills, {findings}")
    assert not findings.violations
    assert kills >= 3, "too few kills to show anything"
    assert findings.takeovers > 0
    assert findings.repeated > 0, "no kill hit a step in flight"


def _all_ended(run: Any, handles: list[waymark.Handle[int]], deadline: float) -> bool:
    async def body() -> bool:
        while time.monotonic() < deadline:
            statuses = await asyncio.gather(*[handle.status() for handle in handles])
            if all(status == "completed" for status in statuses):
                return True
            await asyncio.sleep(0.1)
        return False

    ended: bool = run(body)
    return ended


def test_another_host_takes_over_within_the_lease_and_two_seconds(
    stack: LocalStack, flows: Any, run: Any
) -> None:
    """Two pools on one database; kill -9 of one: the other has finished everything within TTL + 2 s."""
    ttl_s = 3.0
    stack.environment.update({"WAYMARK_LOCK_TTL_MS": "3000", "WAYMARK_LOCK_HEARTBEAT_MS": "1000"})
    first, second = stack.start_pool(), stack.start_pool()
    first.wait_ready()
    second.wait_ready()
    handles = start_chains(flows, run, runs=60, steps=10, pause_s=0.05)
    wait_until(lambda: _executions(stack) >= 120, 30, "a second step in flight")
    victim = max((first, second), key=lambda pool: _owned(stack, pool))
    victim.kill()
    killed_at = time.monotonic()
    assert results(run, handles) == [number + 10 for number in range(60)]
    took_s = time.monotonic() - killed_at
    findings = check(stack.dsn, stack.environment["LEDGER_URL"])
    print(f"all runs had ended {took_s:.2f} s after the kill; {findings}")
    assert not findings.violations
    assert findings.takeovers > 0
    assert took_s <= ttl_s + 2.0


def test_a_stopped_owner_that_wakes_after_its_lease_writes_nothing(
    stack: LocalStack, flows: Any, run: Any
) -> None:
    """SIGSTOP past the TTL, takeover, SIGCONT: what the old owner still appends is refused, and counted."""
    stack.environment.update(FAST_LEASE)
    zombie = stack.start_pool()
    zombie.wait_ready()
    handles = start_chains(flows, run, runs=40, steps=8, pause_s=0.3)
    wait_until(lambda: _executions(stack) >= 80, 30, "a second step in flight")
    # First the shards: the results of what is in flight then wait in their sockets for the moment they wake up.
    assert zombie.signal(signal.SIGSTOP, ("shard",)) == 2
    time.sleep(0.5)
    zombie.signal(signal.SIGSTOP, ("supervisor",))
    other = stack.start_pool()
    assert results(run, handles) == [number + 8 for number in range(40)]
    zombie.signal(signal.SIGCONT, ("shard",))
    wait_until(lambda: "was refused, another owner has it" in zombie.log_text(), 10, "a refused entry")
    rejected = zombie.log_text().count("was refused, another owner has it")
    findings = check(stack.dsn, stack.environment["LEDGER_URL"])
    print(f"{rejected} stale entries were refused; {findings}")
    assert rejected > 0
    assert not findings.violations
    assert findings.takeovers > 0
    assert other.is_running


def test_a_thawed_host_starts_nothing_that_another_has_taken_over(
    stack: LocalStack, flows: Any, run: Any
) -> None:
    """SIGSTOP of a whole host, workers too, with calls waiting for a slot; takeover; SIGCONT: no action starts whose result is committed."""
    stack.environment.update(FAST_LEASE)
    zombie = stack.start_pool()
    zombie.wait_ready()
    handles = start_chains(flows, run, runs=100, steps=4, pause_s=0.3)
    wait_until(lambda: _executions(stack) >= 60, 30, "steps in flight")
    assert zombie.signal(signal.SIGSTOP) == 5
    stack.start_pool()
    assert results(run, handles) == [number + 4 for number in range(100)]
    before = _executions(stack)
    zombie.signal(signal.SIGCONT)
    wait_until(lambda: zombie.log_text().count("is ready") >= 4, 30, "new shards of the thawed host")
    findings = check(stack.dsn, stack.environment["LEDGER_URL"])
    print(f"{_executions(stack) - before} executions after the thaw; {findings}")
    assert not findings.violations
    assert findings.takeovers > 0


def _owned(stack: LocalStack, pool: Pool) -> int:
    """How many runs a pool owns."""
    query = "SELECT count(*) FROM waymark.instance_state s JOIN waymark.executors e ON e.executor_id = s.owner WHERE e.pid = ANY(%s)"
    with psycopg.connect(stack.dsn) as connection:
        row = connection.execute(query, [list(pool.processes())]).fetchone()
    assert row is not None
    return int(row[0])


def _executions(stack: LocalStack) -> int:
    with psycopg.connect(stack.environment["LEDGER_URL"]) as ledger:
        row = ledger.execute("SELECT count(*) FROM ledger").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("kind", ["supervisor", "shard", "worker"])
def test_killing_one_process_costs_time_only(stack: LocalStack, flows: Any, run: Any, kind: str) -> None:
    """SIGKILL of one kind of process under load, three times."""
    stack.environment.update(FAST_LEASE)
    pool = stack.start_pool()
    pool.wait_ready()
    handles = start_chains(flows, run, runs=60, steps=10, pause_s=0.05)
    for _ in range(3):
        time.sleep(0.5)
        victims = [pid for pid, what in pool.processes().items() if what == kind]
        if victims:
            os.kill(victims[-1], signal.SIGKILL)
        if kind == "supervisor":
            wait_until(pool.has_ended, 5, "end of the pool")
            pool = stack.start_pool()
            pool.wait_ready()
    assert results(run, handles) == [number + 10 for number in range(60)]
    findings = check(stack.dsn, stack.environment["LEDGER_URL"])
    print(findings)
    assert not findings.violations
