"""Tasks, groups, locks, queues and timeouts on a real pool that is killed while they wait."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg

import waymark
from tests.engine.checks import check
from tests.engine.conftest import FAST_LEASE
from waymark.testing.local_stack import LocalStack, wait_until


def test_concurrent_runs_survive_kills_of_the_whole_pool(stack: LocalStack, flows: Any, run: Any) -> None:
    """SIGKILL while tasks wait for actions, a lock, a queue and a timeout: every run ends with the right result."""
    stack.environment.update(FAST_LEASE)

    async def start() -> list[waymark.Handle[Any]]:
        return await waymark.start_many(flows.Concurrent, [((number,), {}) for number in range(10)])

    async def finish() -> list[Any]:
        return list(await asyncio.gather(*[handle.result() for handle in handles]))

    handles: list[waymark.Handle[Any]] = run(start)
    for begun in (15, 60):
        pool = stack.start_pool()
        pool.wait_ready()
        wait_until(lambda least=begun: _begun(stack) >= least, 60, f"execution {begun}")  # type: ignore[misc]
        pool.kill()
    stack.start_pool()
    assert run(finish) == [[number, "late", 6, [0, 1, 2, 3]] for number in range(10)]
    findings = check(stack.dsn, stack.environment["LEDGER_URL"])
    assert not findings.violations
    assert findings.takeovers > 0


def _begun(stack: LocalStack) -> int:
    with psycopg.connect(stack.environment["LEDGER_URL"]) as connection:
        row = connection.execute("SELECT count(*) FROM ledger").fetchone()
    assert row is not None
    return int(row[0])
