"""The main job, and what a crash does to it. Run by `scripts/demo`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psycopg

from waymark.testing.embedded_postgres import EmbeddedPostgres
from waymark.testing.local_stack import LocalStack, Pool, local_stack, wait_until

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
STEPS = 30
LEASE_MS = 4000

Ledger = psycopg.Connection[tuple[object, ...]]


def say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    began = time.monotonic()
    say("1. starting PostgreSQL and the pool (2 workers, 2 shards)")
    with EmbeddedPostgres() as postgres:
        dsn, ledger_dsn = postgres.create_database(), postgres.create_database()
        settings = {
            "LEDGER_URL": ledger_dsn,
            "PYTHONPATH": str(EXAMPLES),
            "WAYMARK_WORKER_COUNT": "2",
            "WAYMARK_EXECUTOR_SHARDS": "2",
            "WAYMARK_LOCK_TTL_MS": str(LEASE_MS),
            "WAYMARK_LOCK_HEARTBEAT_MS": "1000",
        }
        with local_stack(dsn, settings) as stack, psycopg.connect(ledger_dsn, autocommit=True) as ledger:
            ledger.execute("CREATE TABLE ledger (step int NOT NULL, key text NOT NULL, state text NOT NULL)")
            stack.use_here()
            asyncio.run(demonstrate(stack, stack.start_pool(), ledger))
    say(f"done in {time.monotonic() - began:.1f} s; nothing is left running")


async def demonstrate(stack: LocalStack, pool: Pool, ledger: Ledger) -> None:
    from long_run import LongRun
    from parallel_math import ParallelMath

    import waymark

    say("2. running examples/parallel_math.py")
    result = await ParallelMath().run(number=7)
    say(f"   {result}")
    assert result == "7! = 5040; fib(7) = 13"

    say(f"3. starting a run of {STEPS} steps, and killing every process of the pool in the middle of it")
    instance_id = await LongRun().run(steps=STEPS, _blocking=False)
    wait_until(lambda: count(ledger, "done") >= STEPS // 3, 60, f"a third of the {STEPS} steps")
    say(f"   SIGKILL to {pool.kill()} processes; {count(ledger, 'done')} steps were done by then")
    handle = waymark.handle(instance_id)
    say(f"   nobody works on it now; its status is still {(await handle.status()).value!r}")

    say(
        f"4. starting the pool again; it takes over when the lease of the dead one has run out ({LEASE_MS // 1000} s)"
    )
    stack.start_pool()
    total = await handle.result()
    say(f"   the run finished: sum of squares = {total}")
    assert total == sum(number * number for number in range(STEPS))
    report(ledger, stack.dsn, instance_id)


def count(ledger: Ledger, state: str) -> int:
    row = ledger.execute("SELECT count(DISTINCT step) FROM ledger WHERE state = %s", (state,)).fetchone()
    assert row is not None
    return int(str(row[0]))


def report(ledger: Ledger, dsn: str, instance_id: object) -> None:
    """Compare the ledger of side effects with the journal."""
    query = "SELECT step, count(*) FROM ledger WHERE state = 'begun' GROUP BY step ORDER BY step"
    executions = {row[0]: row[1] for row in ledger.execute(query).fetchall()}
    again = [step for step, times in executions.items() if times != 1]
    with psycopg.connect(dsn) as database:
        query = "SELECT count(*), max(epoch) FROM waymark.journal WHERE instance_id = %s"
        row = database.execute(query, (instance_id,)).fetchone()
    assert row is not None
    say(f"   steps executed once: {len(executions) - len(again)} of {STEPS}")
    say(f"   steps cut off by the kill, and so begun again under the same idempotency key: {again or 'none'}")
    say(f"   journal: {row[0]} entries, owned {row[1]} times")
    assert len(executions) == STEPS, "a step is missing"
    assert len(again) <= 1, "a completed step was executed again"


if __name__ == "__main__":
    main()
