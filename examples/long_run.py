"""A run of many steps that writes each execution to a ledger, so that one can see what a crash repeats."""

import asyncio
import os

import psycopg

from waymark import Workflow, action, current_call, workflow


@action
async def step(number: int) -> int:
    """Take a while, and leave a mark of every execution."""
    call = current_call()
    assert call is not None
    async with await psycopg.AsyncConnection.connect(os.environ["LEDGER_URL"], autocommit=True) as ledger:
        await ledger.execute(
            "INSERT INTO ledger (step, key, state) VALUES (%s, %s, 'begun')", (number, call.idempotency_key)
        )
        await asyncio.sleep(0.15)
        await ledger.execute(
            "INSERT INTO ledger (step, key, state) VALUES (%s, %s, 'done')", (number, call.idempotency_key)
        )
    return number * number


@workflow
class LongRun(Workflow):
    async def run(self, steps: int) -> int:
        total = 0
        for number in range(steps):
            total += await step(number)
        return total
