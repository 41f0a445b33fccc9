"""The main job, and what a crash does to it. Run by `scripts/demo`."""

from __future__ import annotations

import asyncio
import time

import psycopg
from local_stack import Stack, local_stack, wait_until

STEPS = 30


def say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    began = time.monotonic()
    say("1. starting PostgreSQL and the pool (2 workers, 2 shards)")
    with local_stack({"WAYMARK_WORKER_COUNT": "2", "WAYMARK_EXECUTOR_SHARDS": "2"}) as stack:
        ledger = stack.postgres.create_database()
        stack.environment["LEDGER_URL"] = ledger
        stack.use_here()
        stack.start_pool()
        with psycopg.connect(ledger, autocommit=True) as connection:
            connection.execute("CREATE TABLE ledger (step int NOT NULL, key text NOT NULL, state text NOT NULL)")
            asyncio.run(demonstrate(stack, connection))
    say(f"done in {time.monotonic() - began:.1f} s; nothing is left running")


async def demonstrate(stack: Stack, ledger: psycopg.Connection[tuple[object, ...]]) -> None:
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
    say(f"   SIGKILL to {stack.kill_pool()} processes; {count(ledger, 'done')} steps were done by then")
    handle = waymark.handle(instance_id)
    say(f"   nobody works on it now; its status is still {(await handle.status()).value!r}")

    say("4. starting the pool again")
    stack.start_pool()
    total = await handle.result()
    expected = sum(number * number for number in range(STEPS))
    say(f"   the run finished: sum of squares = {total}")
    assert total == expected, f"expected {expected}"
    report(ledger, stack.dsn, instance_id)


def count(ledger: psycopg.Connection[tuple[object, ...]], state: str) -> int:
    row = ledger.execute("SELECT count(DISTINCT step) FROM ledger WHERE state = %s", (state,)).fetchone()
    assert row is not None
    return int(str(row[0]))


def report(ledger: psycopg.Connection[tuple[object, ...]], dsn: str, instance_id: object) -> None:
    rows = ledger.execute("SELECT step, count(*) FROM ledger WHERE state = 'begun' GROUP BY step ORDER BY step").fetchall()
    again = [step for step, executions in rows if executions != 1]
    with psycopg.connect(dsn) as database:
        row = database.execute("SELECT count(*), max(epoch) FROM waymark.journal WHERE instance_id = %s", (instance_id,)).fetchone()
    assert row is not None
    say(f"   steps executed once: {len(rows) - len(again)} of {STEPS}")
    say(f"   steps cut off in the middle by the kill, so executed again under the same idempotency key: {again or 'none'}")
    say(f"   journal: {row[0]} entries, owned {row[1]} times")
    assert len(rows) == STEPS, "a step is missing"
    assert len(again) <= 1, "a completed step was executed again"


if __name__ == "__main__":
    main()
