"""asyncio.Barrier: rounds, resets, aborts, and tasks that are cancelled at one."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio

from tests.differential.bodies.body import body
from tests.differential.bodies.shared import echo
from waymark.sdk.workflow import Workflow


class Runners(Workflow):
    async def runner(self, barrier, log, name, seconds, rounds=1):
        try:
            for n in range(rounds):
                await echo(name, seconds)
                log.append((name, n, "waits", barrier.n_waiting))
                index = await barrier.wait()
                log.append((name, n, "goes", index, barrier.n_waiting, barrier.broken))
        except asyncio.BrokenBarrierError as error:
            log.append((name, str(error), barrier.n_waiting, barrier.broken))
        except asyncio.CancelledError:
            log.append((name, "cancelled", barrier.n_waiting))
            raise


@body()
class BarrierRounds(Runners):
    async def run(self):
        barrier = asyncio.Barrier(3)
        log = []
        names = (("a", 3), ("b", 1), ("c", 2))
        await asyncio.gather(*[self.runner(barrier, log, n, s, 3) for n, s in names])
        return [log, barrier.parties, barrier.n_waiting, barrier.broken]


@body()
class BarrierOfOne(Workflow):
    async def run(self):
        barrier = asyncio.Barrier(1)
        found = [await barrier.wait(), await barrier.wait()]
        async with barrier as index:
            found.append(index)
        return found


@body()
class BarrierWithMoreThanParties(Runners):
    async def run(self):
        barrier = asyncio.Barrier(2)
        log = []
        await asyncio.gather(*[self.runner(barrier, log, n, 1) for n in "abcdef"])
        return log


@body("reset", "abort")
class BarrierBroken(Runners):
    async def run(self, how):
        barrier = asyncio.Barrier(3)
        log = []
        tasks = [asyncio.create_task(self.runner(barrier, log, n, 1)) for n in "ab"]
        await asyncio.sleep(2)
        await (barrier.reset() if how == "reset" else barrier.abort())
        log.append((how, barrier.n_waiting, barrier.broken))
        await asyncio.gather(*tasks)
        log.append(("after", barrier.n_waiting, barrier.broken))
        await asyncio.gather(*[self.runner(barrier, log, n, 1) for n in "xyz"])
        await barrier.reset()
        log.append(("at last", barrier.broken))
        await asyncio.gather(*[self.runner(barrier, log, n, 1) for n in "pqr"])
        return log


@body()
class BarrierWaiterCancelled(Runners):
    async def run(self):
        barrier = asyncio.Barrier(3)
        log = []
        first = asyncio.create_task(self.runner(barrier, log, "first", 1))
        second = asyncio.create_task(self.runner(barrier, log, "second", 1))
        await asyncio.sleep(2)
        first.cancel()
        others = [asyncio.create_task(self.runner(barrier, log, n, 1)) for n in "xy"]
        done = await asyncio.gather(first, second, *others, return_exceptions=True)
        return [log, [type(one).__name__ for one in done]]


@body()
class BarrierAroundWork(Workflow):
    async def work(self, barrier, log, name, seconds):
        async with barrier as index:
            log.append((name, "in", index))
            await echo(name, seconds)
        log.append((name, "out"))

    async def run(self):
        barrier = asyncio.Barrier(2)
        log = []
        async with asyncio.TaskGroup() as group:
            group.create_task(self.work(barrier, log, "a", 2))
            group.create_task(self.work(barrier, log, "b", 1))
        try:
            async with asyncio.timeout(5):
                await barrier.wait()
        except TimeoutError:
            log.append(("alone", barrier.n_waiting, barrier.broken))
        return log


@body(0, -1, "x", None, 1.5)
class BarrierOfWrongSize(Workflow):
    async def run(self, parties):
        barrier = asyncio.Barrier(parties)
        return barrier.parties


@body()
class BarrierErrorGoesOut(Workflow):
    async def run(self):
        barrier = asyncio.Barrier(2)
        await barrier.abort()
        await echo(1)
        await barrier.wait()
