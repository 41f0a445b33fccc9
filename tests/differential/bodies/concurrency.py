"""gather, sleep, run_action, retries, timeouts."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import asyncio as aio
from asyncio import gather as g
from datetime import timedelta

from tests.differential.bodies import shared
from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Declined, add, echo, fail, flaky, later, square
from waymark.errors import ActionTimeout
from waymark.model.policy import RetryPolicy
from waymark.sdk.workflow import Workflow

POLICY = RetryPolicy(attempts=3)


@body()
class GatherFixed(Workflow):
    async def run(self):
        a, b = await asyncio.gather(square(2), add(1, 2))
        return [a, b, await aio.gather(echo("x")), await g(), await asyncio.gather(*[])]


@body(0, 1, 12)
class GatherStarred(Workflow):
    async def run(self, n):
        xs = await asyncio.gather(*[square(i) for i in range(n)])
        ys = await asyncio.gather(*(echo(i) for i in range(n)), echo("last"))
        return [xs, ys, type(xs).__name__]


@body("value", "declined")
class GatherFails(Workflow):
    async def run(self, kind):
        return await asyncio.gather(echo(1), fail(kind, "second"), echo(3))


@body()
class GatherCatches(Workflow):
    async def run(self):
        try:
            await asyncio.gather(echo(1), fail("value", "v"), fail("fine"))
        except ValueError as error:
            return str(error)


@body()
class GatherReturnExceptions(Workflow):
    async def run(self):
        results = await asyncio.gather(
            echo(1), fail("value", "v"), fail("stock", "s"), return_exceptions=True
        )
        return [[type(r).__name__, str(r)] for r in results]


@body(True, False)
class GatherFlagValue(Workflow):
    async def run(self, flag):
        try:
            results = await asyncio.gather(fail("key", "k"), echo(2), return_exceptions=flag)
            return [str(r) for r in results]
        except KeyError as error:
            return f"raised {error}"


@body()
class NestedGathers(Workflow):
    async def run(self):
        return await asyncio.gather(
            asyncio.gather(echo(1), echo(2)), echo(3), asyncio.gather(*[square(i) for i in (4, 5)])
        )


@body(3)
class GatherHelpers(Workflow):
    async def twice(self, n):
        first = await square(n)
        return await add(first, first)

    async def nothing(self):
        return "no wait"

    async def run(self, n):
        return await asyncio.gather(*[self.twice(i) for i in range(n)], self.nothing(), square(9))


@body()
class GatherHelperFails(Workflow):
    async def bad(self, n):
        await echo(n)
        if n == 2:
            raise Declined(f"helper {n}")
        return n

    async def run(self):
        results = await asyncio.gather(*[self.bad(n) for n in range(4)], return_exceptions=True)
        return [repr(r) for r in results]


@body()
class SleepOrder(Workflow):
    async def step(self, log, name, seconds):
        log.append(f"{name} starts")
        await asyncio.sleep(seconds)
        log.append(f"{name} ends")
        return name

    async def run(self):
        log = []
        names = await asyncio.gather(
            self.step(log, "slow", 0.06), self.step(log, "fast", 0.01), self.step(log, "mid", 0.03)
        )
        return [names, log]


@body()
class SleepResults(Workflow):
    async def run(self):
        return [
            await asyncio.sleep(0),
            await asyncio.sleep(0.001, "result"),
            await asyncio.gather(asyncio.sleep(0.001, 1), asyncio.sleep(0, result=2)),
        ]


@body()
class SharedStateInGather(Workflow):
    async def bump(self, counter, by, seconds):
        await asyncio.sleep(seconds)
        counter["n"] = counter["n"] * 10 + by
        return counter

    async def run(self):
        counter = {"n": 0}
        results = await asyncio.gather(
            self.bump(counter, 1, 0.04), self.bump(counter, 2, 0.02), self.bump(counter, 3, 0.0)
        )
        return [counter, all(r is counter for r in results)]


@body()
class SelfStateInGather(Workflow):
    async def visit(self, name, seconds):
        self.order = [*self.order, name]
        await asyncio.sleep(seconds)
        self.order.append(name.upper())

    async def run(self):
        self.order = []
        await asyncio.gather(self.visit("a", 0.03), self.visit("b", 0.01))
        return self.order


@body()
class FirstFailureWins(Workflow):
    async def boom(self, seconds, message):
        await asyncio.sleep(seconds)
        raise ValueError(message)

    async def run(self):
        try:
            await asyncio.gather(self.boom(0.05, "slow"), self.boom(0.01, "fast"))
        except ValueError as error:
            return str(error)


@body()
class AwaitLater(Workflow):
    async def run(self):
        a = square(3)
        b = add(1, 1)
        second = await b
        first = await a
        return [first, second]


@body()
class AwaitablesInContainers(Workflow):
    async def run(self):
        calls = {n: square(n) for n in (2, 3)}
        pending = [echo("x"), echo("y")]
        return [{n: await c for n, c in calls.items()}, await asyncio.gather(*pending)]


@body()
class AwaitTwice(Workflow):
    async def one(self):
        return 1

    async def run(self):
        c = self.one()
        return [await c, await c]


@body(0, 1, 2, 3)
class Retries(Workflow):
    async def run(self, failures):
        return await self.run_action(flaky("k", failures), retry=RetryPolicy(attempts=3))


@body(2, 3)
class RetriesFromModule(Workflow):
    async def run(self, failures):
        return await self.run_action(flaky("k", failures), retry=POLICY)


@body(call(2, 3), call(2, 1))
class RetriesComputed(Workflow):
    async def run(self, failures, attempts):
        policy = RetryPolicy(
            attempts=attempts + 1, exception_types=["ValueError"], backoff_seconds=0.001 * attempts
        )
        try:
            return await self.run_action(flaky("k", failures), retry=policy)
        except ValueError as error:
            return ["gave up", str(error), policy.attempts, policy.exception_types]


@body("ShopError", "Declined", "ValueError", "Exception")
class RetriesByType(Workflow):
    async def run(self, name):
        return await self.run_action(
            flaky("k", 1, "declined"), retry=RetryPolicy(attempts=2, exception_types=[name])
        )


@body(True, False)
class RetryNone(Workflow):
    async def run(self, flag):
        return await self.run_action(
            flaky("k", 1), retry=RetryPolicy(attempts=2) if flag else None, timeout=None
        )


@body()
class RunActionPlain(Workflow):
    async def run(self):
        return [await self.run_action(square(4)), await self.run_action(echo(None))]


@body()
class Timeouts(Workflow):
    async def run(self):
        try:
            await self.run_action(later(1, 30), timeout=0.02)
        except ActionTimeout as error:
            return [type(error).__name__, str(error)]


@body()
class TimeoutNotReached(Workflow):
    async def run(self):
        return await self.run_action(
            later("in time", 0.001), timeout=timedelta(seconds=20), retry=RetryPolicy()
        )


@body()
class TimeoutEscapes(Workflow):
    async def run(self):
        return await self.run_action(later(1, 30), timeout=0.02, retry=RetryPolicy(attempts=5))


@body()
class RunActionInGather(Workflow):
    async def run(self):
        results = await asyncio.gather(
            self.run_action(flaky("a", 1), retry=RetryPolicy(attempts=2)),
            self.run_action(flaky("b", 2), retry=RetryPolicy(attempts=2)),
            square(3),
            return_exceptions=True,
        )
        return [repr(r) for r in results]


@body(0, -1, "x")
class BadTimeouts(Workflow):
    async def run(self, timeout):
        return await self.run_action(echo(1), timeout=timeout)


@body(0, "three")
class BadPolicy(Workflow):
    async def run(self, attempts):
        policy = RetryPolicy(attempts=attempts)
        return await self.run_action(echo(1), retry=policy)


@body()
class PolicyOfWrongType(Workflow):
    async def run(self):
        return await self.run_action(echo(1), retry=3)


@body()
class ModuleAttributeActions(Workflow):
    async def run(self):
        return [
            await shared.square(5),
            await shared.add(1, c=2),
            shared.LIMITS["max"],
            shared.Color.RED.value,
        ]


@body()
class ActionAsValue(Workflow):
    async def run(self):
        chosen = square if await echo(True) else echo
        table = {"sq": square, "add": add}
        return [
            await chosen(3),
            await table["add"](1, b=5),
            await asyncio.gather(*[f(2) for f in (square, echo)]),
            await asyncio.gather(*map(square, [1, 2])),
        ]


@body()
class WrongActionArguments(Workflow):
    async def run(self):
        return await add(1, 2, 3)


@body()
class UnknownActionKeyword(Workflow):
    async def run(self):
        return await add(1, d=3)


@body(4)
class FanOutAndReduce(Workflow):
    async def run(self, n):
        total = 0
        for batch in range(n):
            results = await asyncio.gather(*[add(batch, i) for i in range(batch)])
            total += sum(results)
        return total


@body()
class ActionsDoNotShareMemory(Workflow):
    async def run(self):
        xs = [1]
        ys = await echo(xs)
        ys = [*ys, 2]
        return [xs, ys]
