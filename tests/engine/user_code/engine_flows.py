"""Workflows and actions of the engine tests; actions write every execution to a ledger that is never faulted."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from waymark import RetryPolicy, Workflow, action, current_call, workflow

_ledgers: dict[int, psycopg.AsyncConnection[tuple[object, ...]]] = {}
_locks: dict[int, asyncio.Lock] = {}


async def record(state: str) -> None:
    """One row per execution, durable before the action goes on. The time is when it began, by this machine's clock, which is the
    database's too: a worker that is frozen before the row is written still tells when it started."""
    at = datetime.now(UTC)
    call = current_call()
    assert call is not None
    loop = id(asyncio.get_running_loop())
    async with _locks.setdefault(loop, asyncio.Lock()):
        if loop not in _ledgers:
            _ledgers[loop] = await psycopg.AsyncConnection.connect(os.environ["LEDGER_URL"], autocommit=True)
        await _ledgers[loop].execute(
            "INSERT INTO ledger (instance_id, call_id, attempt, state, pid, at) VALUES (%s, %s, %s, %s, %s, %s)",
            (call.instance_id, call.call_id, call.attempt, state, os.getpid(), at),
        )


@action
async def add_one(value: int, pause_s: float) -> int:
    await record("begun")
    await asyncio.sleep(pause_s)
    return value + 1


@workflow
class Chain(Workflow):
    async def run(self, start: int, steps: int, pause_s: float) -> int:
        value = start
        for _ in range(steps):
            value = await add_one(value, pause_s)
        return value


@action
async def double(value: int) -> int:
    return value * 2


@workflow
class FanOut(Workflow):
    async def run(self, width: int) -> int:
        return sum(await asyncio.gather(*[double(number) for number in range(width)]))


@workflow
class OneAction(Workflow):
    async def run(self, value: int) -> int:
        return await double(value)


@workflow
class Sleeper(Workflow):
    async def run(self, seconds: float) -> int:
        first = await double(1)
        await asyncio.sleep(seconds)
        return first + await double(10)


@action
async def kill_worker_once(marker: str) -> str:
    """Dies with its worker the first time."""
    if _leave_mark(marker):
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def _leave_mark(path: str) -> bool:
    """Whether this is the first time."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


@workflow
class WorkerDies(Workflow):
    async def run(self, marker: str) -> str:
        return await kill_worker_once(marker)


class CardDeclined(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"card declined: {reason}")
        self.code = code
        self.reason = reason


@action
async def charge(code: int) -> None:
    raise CardDeclined(code, "no funds")


@workflow
class Declined(Workflow):
    async def run(self) -> None:
        await charge(402)


@workflow
class Handled(Workflow):
    async def run(self) -> str:
        try:
            await charge(402)
        except CardDeclined as error:
            return f"{error} ({error.code})"
        return "charged"


@action
async def unstorable() -> object:
    return {"connection": object()}


@workflow
class Unstorable(Workflow):
    async def run(self) -> object:
        return await unstorable()


@action
async def flaky(fail_times: int) -> int:
    call = current_call()
    assert call is not None
    if call.attempt <= fail_times:
        raise ConnectionError(f"attempt {call.attempt}")
    return call.attempt


@workflow
class Retried(Workflow):
    async def run(self, fail_times: int) -> int:
        policy = RetryPolicy(attempts=3, exception_types=("OSError",), backoff_seconds=0.05)
        return await self.run_action(flaky(fail_times), retry=policy)


@action
async def hang() -> None:
    await asyncio.sleep(3600)


@workflow
class TimesOut(Workflow):
    async def run(self) -> None:
        await self.run_action(hang(), timeout=0.3)


@dataclass
class Box:
    value: int


@action
async def open_box(box: Box) -> Box:
    assert isinstance(box, Box)
    return Box(box.value + 1)


@workflow
class Boxes(Workflow):
    async def run(self, box: Box) -> Box:
        opened = await open_box(box)
        return Box(opened.value * 10)


@workflow
class Endless(Workflow):
    async def run(self) -> None:
        while True:
            pass


if os.environ.get("WAYMARK_TEST_MISSING_ACTION") != "hide":

    @action
    async def sometimes_missing() -> str:
        return "found"

    @workflow
    class Missing(Workflow):
        async def run(self) -> str:
            return await sometimes_missing()


@action
async def measure(value: int, pause_s: float) -> int:
    await record("begun")
    await asyncio.sleep(pause_s)
    return value


@action
async def never_in_time() -> None:
    """Called off by its run; the ledger holds only what has a result."""
    await asyncio.sleep(60)


@workflow
class Concurrent(Workflow):
    """Tasks, a group, a lock, a queue and a timeout at once; the result is the same whatever is killed and whenever."""

    async def run(self, number: int) -> list[object]:
        self.lock = asyncio.Lock()
        self.order: list[int] = []
        queue: asyncio.Queue[int | None] = asyncio.Queue(2)
        background = asyncio.create_task(self.endless())
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self.read(queue))
            for n in range(4):
                group.create_task(self.write(queue, n))
        try:
            async with asyncio.timeout(1):
                await never_in_time()
        except TimeoutError:
            late = "late"
        background.cancel()
        try:
            await background
        except asyncio.CancelledError:
            return [number, late, reader.result(), sorted(self.order)]
        return ["the background task ended by itself"]

    async def endless(self) -> None:
        for _ in range(10**9):
            await asyncio.sleep(0.3)

    async def write(self, queue: asyncio.Queue[int | None], n: int) -> None:
        async with self.lock:
            self.order.append(await measure(n, 0.05))
        await queue.put(n)

    async def read(self, queue: asyncio.Queue[int | None]) -> int:
        total = 0
        for _ in range(4):
            item = await queue.get()
            assert item is not None
            total += await measure(item, 0.05)
        return total
