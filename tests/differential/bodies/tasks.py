"""create_task, cancellation, gather of tasks, wait, shield, wait_for, timeout, as_completed."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED, FIRST_EXCEPTION

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Declined, add, echo, fail, flaky, later, square
from waymark.model.policy import RetryPolicy
from waymark.sdk.workflow import Workflow


@body()
class TaskLater(Workflow):
    async def run(self):
        a = asyncio.create_task(echo("a", 3))
        b = asyncio.create_task(echo("b", 1))
        c = await echo("c", 2)
        return [c, b.done(), a.done(), await a, await b, await a, a.result()]


@body()
class TaskOfHelperStartsLater(Workflow):
    async def helper(self, log, name):
        log.append(f"{name} starts")
        await echo(name)
        log.append(f"{name} ends")
        return name

    async def run(self):
        log = []
        task = asyncio.create_task(self.helper(log, "t"))
        log.append("created")
        direct = await self.helper(log, "d")
        log.append("direct over")
        return [log, direct, await task]


@body()
class TaskAwaitedByTwo(Workflow):
    async def reader(self, task, log, name):
        log.append([name, await task])

    async def run(self):
        log = []
        task = asyncio.create_task(echo("x", 1))
        await asyncio.gather(*[self.reader(task, log, n) for n in "abc"])
        return log


@body()
class TaskFailureSeenTwice(Workflow):
    async def run(self):
        task = asyncio.create_task(fail("value", "once", 1))
        seen = []
        for _ in range(2):
            try:
                await task
            except ValueError as error:
                seen.append(str(error))
        return [seen, task.done(), task.cancelled(), repr(task.exception())]


@body()
class TaskStates(Workflow):
    async def run(self):
        task = asyncio.create_task(echo(1, 5))
        seen = [task.done(), task.cancelled(), task.cancelling(), task.uncancel()]
        for ask in (task.result, task.exception):
            try:
                ask()
            except asyncio.InvalidStateError as error:
                seen.append(f"{type(error).__name__}: {error}")
        await task
        return [seen, task.done(), task.result(), task.exception(), task.cancel(), task.cancelling()]


@body()
class TaskNames(Workflow):
    async def who(self):
        return asyncio.current_task().get_name()

    async def run(self):
        task = asyncio.create_task(self.who(), name="first")
        task.set_name(17)
        other = asyncio.create_task(self.who(), name="other")
        mine = asyncio.current_task()
        mine.set_name("main")
        return [await task, await other, task.get_name(), await self.who(), mine is asyncio.current_task()]


@body()
class CreateTaskOfNothing(Workflow):
    async def run(self):
        found = []
        for value in (3, "x", None):
            try:
                asyncio.create_task(value)
            except TypeError as error:
                found.append(str(error))
        return found


@body()
class EnsureFuture(Workflow):
    async def run(self):
        task = asyncio.ensure_future(echo(1, 1))
        again = asyncio.ensure_future(task)
        try:
            asyncio.ensure_future(7)
        except TypeError as error:
            return [task is again, await again, str(error)]


@body()
class CancelBeforeStart(Workflow):
    async def helper(self, log):
        log.append("never")

    async def run(self):
        log = []
        task = asyncio.create_task(self.helper(log))
        asked = task.cancel()
        before = [task.done(), task.cancelled(), task.cancelling()]
        try:
            await task
        except asyncio.CancelledError as error:
            return [log, asked, before, task.cancelled(), error.args]


@body()
class CancelAction(Workflow):
    async def run(self):
        task = asyncio.create_task(echo("slow", 50))
        await echo("quick", 1)
        task.cancel("no need")
        try:
            await task
        except asyncio.CancelledError as error:
            seen = error.args
        again = None
        try:
            await task
        except asyncio.CancelledError as error:
            again = error.args
        return [seen, again, task.cancelled(), task.cancel()]


@body()
class CancelHelperInAction(Workflow):
    async def helper(self, log):
        try:
            await echo("slow", 50)
        except asyncio.CancelledError as error:
            log.append(["cancelled", error.args])
            raise
        finally:
            log.append("finally")

    async def run(self):
        log = []
        task = asyncio.create_task(self.helper(log))
        await echo(1)
        task.cancel("why")
        log.append("asked")
        try:
            await task
        except asyncio.CancelledError as error:
            log.append(["seen", error.args])
        return [log, task.cancelled()]


@body()
class CancelSuppressed(Workflow):
    async def stubborn(self, log):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            log.append("no")
        return await echo("still here", 1)

    async def run(self):
        log = []
        task = asyncio.create_task(self.stubborn(log))
        await asyncio.sleep(1)
        task.cancel()
        return [await task, log, task.cancelled(), task.cancelling()]


@body()
class CancelDuringCleanUp(Workflow):
    async def careful(self, log):
        try:
            await asyncio.sleep(100)
        finally:
            log.append(await echo("cleaned", 2))

    async def run(self):
        log = []
        task = asyncio.create_task(self.careful(log))
        await asyncio.sleep(1)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            log.append("cancelled")
        return log


@body()
class CancelTwice(Workflow):
    async def careful(self, log):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError as first:
            log.append(first.args)
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError as second:
                log.append([second.args, second.__context__ is first])
                raise

    async def run(self):
        log = []
        task = asyncio.create_task(self.careful(log))
        await asyncio.sleep(1)
        task.cancel("first")
        await asyncio.sleep(1)
        task.cancel("second")
        result = (await asyncio.gather(task, return_exceptions=True))[0]
        return [log, type(result).__name__, result.args, task.cancelling()]


@body()
class CancelBecomesAnotherError(Workflow):
    async def changes(self):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            raise ValueError("instead")

    async def run(self):
        task = asyncio.create_task(self.changes())
        await asyncio.sleep(0)
        task.cancel()
        await task


@body()
class CancelledErrorRaisedByHand(Workflow):
    async def odd(self):
        raise asyncio.CancelledError("by hand")

    async def run(self):
        task = asyncio.create_task(self.odd())
        seen = []
        for _ in range(2):
            try:
                await task
            except asyncio.CancelledError as error:
                seen.append(error.args)
        return [seen, task.cancelled()]


@body()
class CancelSelf(Workflow):
    async def run(self):
        log = []
        me = asyncio.current_task()
        me.cancel("self")
        log.append(me.cancelling())
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as error:
            log.append(error.args)
        await echo(1)
        return [log, me.uncancel(), me.cancelling()]


@body()
class CancelSelfAndReturn(Workflow):
    async def helper(self):
        asyncio.current_task().cancel("late")
        return "value"

    async def run(self):
        task = asyncio.create_task(self.helper())
        try:
            return await task
        except asyncio.CancelledError as error:
            return [error.args, task.cancelled()]


@body()
class CancelTheRun(Workflow):
    async def run(self):
        asyncio.current_task().cancel("stop")
        await echo("never", 3)
        return "never"


@body()
class CancelTheRunFromATask(Workflow):
    async def killer(self, main):
        await asyncio.sleep(1)
        main.cancel()

    async def run(self):
        task = asyncio.create_task(self.killer(asyncio.current_task()))
        try:
            await echo("slow", 10)
        finally:
            await task


@body()
class CancelChain(Workflow):
    async def inner(self, log):
        try:
            await echo("slow", 10)
        finally:
            log.append("inner")

    async def middle(self, log):
        try:
            await asyncio.create_task(self.inner(log))
        finally:
            log.append("middle")

    async def run(self):
        log = []
        task = asyncio.create_task(self.middle(log))
        await asyncio.sleep(1)
        task.cancel("chain")
        try:
            await task
        except asyncio.CancelledError as error:
            log.append(error.args)
        return log


@body()
class CancelGather(Workflow):
    async def child(self, log, name):
        try:
            await echo(name, 10)
        except asyncio.CancelledError as error:
            log.append([name, error.args])
            raise

    async def outer(self, log):
        try:
            await asyncio.gather(self.child(log, "a"), self.child(log, "b"), echo("c", 1))
        except asyncio.CancelledError as error:
            log.append(["outer", error.args])
            raise

    async def run(self):
        log = []
        task = asyncio.create_task(self.outer(log))
        await asyncio.sleep(5)
        task.cancel("all")
        found = await asyncio.gather(task, return_exceptions=True)
        return [log, repr(found), task.cancelled()]


@body()
class CancelGatherObject(Workflow):
    async def run(self):
        both = asyncio.gather(echo("a", 10), echo("b", 20), return_exceptions=True)
        await asyncio.sleep(15)
        seen = [both.done(), both.cancel("x"), both.done(), both.cancelled()]
        try:
            await both
        except asyncio.CancelledError as error:
            seen.append(error.args)
        return [*seen, both.cancelled(), both.done(), both.cancel()]


@body()
class GatherOfTasks(Workflow):
    async def run(self):
        done = asyncio.create_task(echo("done"))
        await done
        bad = asyncio.create_task(fail("value", "v", 1))
        slow = asyncio.create_task(echo("slow", 2))
        results = await asyncio.gather(done, bad, slow, done, echo("last"), return_exceptions=True)
        return [repr(r) for r in results]


@body()
class GatherFirstFailureLeavesOthers(Workflow):
    async def child(self, log):
        log.append(await echo("child", 5))

    async def run(self):
        log = []
        try:
            await asyncio.gather(self.child(log), fail("value", "early", 1))
        except ValueError as error:
            log.append(str(error))
        await asyncio.sleep(10)
        return log


@body()
class GatherCancelledChild(Workflow):
    async def run(self):
        task = asyncio.create_task(asyncio.sleep(100))
        both = asyncio.gather(task, echo("x", 2))
        await asyncio.sleep(1)
        task.cancel("child")
        try:
            await both
        except asyncio.CancelledError as error:
            return [error.args, both.cancelled(), both.done()]


@body()
class GatherCancelledChildReturned(Workflow):
    async def run(self):
        task = asyncio.create_task(asyncio.sleep(100))
        other = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(1)
        task.cancel("child")
        other.cancel()
        results = await asyncio.gather(task, other, echo("x"), return_exceptions=True)
        return [[type(r).__name__, getattr(r, "args", r)] for r in results]


@body()
class ShieldedTask(Workflow):
    async def guard(self, task, log):
        try:
            log.append(await asyncio.shield(task))
        except asyncio.CancelledError as error:
            log.append(["cancelled", error.args])
            raise

    async def run(self):
        log = []
        inner = asyncio.create_task(echo("inner", 5))
        outer = asyncio.create_task(self.guard(inner, log))
        await asyncio.sleep(1)
        outer.cancel("outer")
        await asyncio.sleep(1)
        return [log, outer.cancelled(), inner.done(), await inner]


@body()
class ShieldPassesResults(Workflow):
    async def run(self):
        first = await asyncio.shield(echo(1, 1))
        done = asyncio.create_task(echo(2))
        await done
        same = asyncio.shield(done) is done
        try:
            await asyncio.shield(fail("declined", "no"))
        except Declined as error:
            return [first, same, str(error)]


@body()
class ShieldOfCancelled(Workflow):
    async def run(self):
        inner = asyncio.create_task(echo(1, 10))
        outer = asyncio.shield(inner)
        await asyncio.sleep(1)
        inner.cancel("m")
        try:
            await outer
        except asyncio.CancelledError as error:
            return [error.args, outer.cancelled(), inner.cancelled()]


@body("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED")
class WaitModes(Workflow):
    async def run(self, mode):
        tasks = [
            asyncio.create_task(c) for c in (echo("a", 3), echo("b", 1), fail("value", "v", 2), echo("c", 4))
        ]
        done, pending = await asyncio.wait(tasks, return_when=mode)
        return [
            sorted(tasks.index(t) for t in done),
            sorted(tasks.index(t) for t in pending),
            type(done).__name__,
            sorted(str(t.exception()) for t in done),
        ]


@body(0, 0.5, 1, 1.5, 10, None)
class WaitTimeouts(Workflow):
    async def run(self, timeout):
        tasks = {asyncio.create_task(echo(n, n)) for n in (1, 2)}
        done, pending = await asyncio.wait(tasks, timeout=timeout)
        rest = sorted([await t for t in pending])
        return [sorted(t.result() for t in done), len(pending), rest]


@body()
class WaitRounds(Workflow):
    async def run(self):
        pending = {asyncio.create_task(echo(n, n), name=f"t{n}") for n in (3, 1, 2)}
        order = []
        while pending:
            done, pending = await asyncio.wait(pending, return_when=FIRST_COMPLETED)
            order.append(sorted(t.get_name() for t in done))
        return order


@body()
class WaitMistakes(Workflow):
    async def run(self):
        found = []
        task = asyncio.create_task(echo(1))
        for make in (
            lambda: asyncio.wait([]),
            lambda: asyncio.wait(task),
            lambda: asyncio.wait([task], return_when="SOON"),
            lambda: asyncio.wait(3),
            lambda: asyncio.wait([asyncio.sleep(1)]),
            lambda: asyncio.wait([3]),
        ):
            try:
                await make()
            except (TypeError, ValueError, AttributeError) as error:
                found.append(f"{type(error).__name__}: {error}")
        return [found, await task]


@body()
class WaitOfDone(Workflow):
    async def run(self):
        task = asyncio.create_task(echo(1))
        await task
        done, pending = await asyncio.wait({task})
        return [task in done, len(done), pending]


@body()
class WaitIsCancelled(Workflow):
    async def waiter(self, tasks):
        await asyncio.wait(tasks)

    async def run(self):
        tasks = [asyncio.create_task(echo(n, n)) for n in (2, 3)]
        waiting = asyncio.create_task(self.waiter(tasks))
        await asyncio.sleep(1)
        waiting.cancel()
        results = await asyncio.gather(waiting, *tasks, return_exceptions=True)
        return [type(results[0]).__name__, results[1:]]


@body(call(1), call(3), call(None), call(0), call(-1))
class WaitFor(Workflow):
    async def run(self, timeout):
        try:
            return await asyncio.wait_for(echo("in time", 2), timeout)
        except TimeoutError as error:
            return ["too late", str(error), type(error.__cause__).__name__]


@body(1, 0)
class WaitForTask(Workflow):
    async def work(self, log):
        try:
            return await echo("slow", 10)
        except asyncio.CancelledError:
            log.append(await echo("cleaning", 1))
            raise

    async def run(self, timeout):
        log = []
        task = asyncio.create_task(self.work(log))
        await asyncio.sleep(0.5)
        try:
            await asyncio.wait_for(task, timeout=timeout)
        except asyncio.TimeoutError:
            log.append("timeout")
        return [log, task.cancelled()]


@body()
class WaitForDone(Workflow):
    async def run(self):
        task = asyncio.create_task(echo(1))
        await task
        return [await asyncio.wait_for(task, 0), await asyncio.wait_for(task, 5)]


@body()
class WaitForFailure(Workflow):
    async def run(self):
        return await asyncio.wait_for(fail("value", "inside", 1), 5)


@body()
class WaitForShield(Workflow):
    async def run(self):
        task = asyncio.create_task(echo("kept", 5))
        try:
            await asyncio.wait_for(asyncio.shield(task), 1)
        except TimeoutError:
            return ["late", await task]


@body()
class WaitForIsCancelled(Workflow):
    async def run(self):
        waiting = asyncio.create_task(asyncio.wait_for(echo(1, 10), 20))
        await asyncio.sleep(1)
        waiting.cancel("outside")
        try:
            await waiting
        except asyncio.CancelledError as error:
            return error.args


@body()
class WaitForRetries(Workflow):
    async def run(self):
        slow = self.run_action(flaky("k", 2), retry=RetryPolicy(attempts=5, backoff_seconds=4))
        try:
            return await asyncio.wait_for(slow, 6)
        except TimeoutError:
            return "gave up"


@body()
class AsCompleted(Workflow):
    async def run(self):
        order = []
        for next_one in asyncio.as_completed([echo("c", 3), echo("a", 1), echo("b", 2)]):
            order.append(await next_one)
        return order


@body()
class AsCompletedFailures(Workflow):
    async def run(self):
        order = []
        tasks = [asyncio.create_task(c) for c in (echo("c", 3), fail("value", "v", 1), echo("b", 2))]
        for coming in asyncio.as_completed(tasks):
            try:
                order.append(await coming)
            except ValueError as error:
                order.append(repr(error))
        return order


@body(2.5, 0, 10)
class AsCompletedTimeout(Workflow):
    async def run(self, timeout):
        order = []
        try:
            for coming in asyncio.as_completed([echo(n, n) for n in (1, 2, 3)], timeout=timeout):
                order.append(await coming)
        except TimeoutError as error:
            order.append(str(error))
        return order


@body()
class AsCompletedBroken(Workflow):
    async def run(self):
        for coming in asyncio.as_completed([echo("first", 1), echo("second", 2)]):
            return await coming


@body()
class AsCompletedEmpty(Workflow):
    async def run(self):
        return [c for c in asyncio.as_completed([])]


@body(1, 3, None)
class TimeoutBlock(Workflow):
    async def run(self, delay):
        try:
            async with asyncio.timeout(delay) as limit:
                result = await echo("done", 2)
        except TimeoutError as error:
            return ["late", str(error), type(error.__cause__).__name__, limit.expired()]
        return [result, limit.expired()]


@body(0, -1)
class TimeoutAtOnce(Workflow):
    async def run(self, delay):
        log = []
        try:
            async with asyncio.timeout(delay):
                log.append("inside")
                await asyncio.sleep(0)
                log.append("after")
                await echo(1)
                log.append("never")
        except TimeoutError:
            log.append("late")
        return log


@body(True, False)
class TimeoutOuterOrInner(Workflow):
    async def run(self, outer_first):
        log = []
        try:
            async with asyncio.timeout(1 if outer_first else 5):
                try:
                    async with asyncio.timeout(3):
                        await echo("slow", 10)
                except TimeoutError:
                    log.append("inner")
        except TimeoutError:
            log.append("outer")
        return log


@body()
class TimeoutBothAtOnce(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.timeout(2):
                try:
                    async with asyncio.timeout(2):
                        await echo("slow", 10)
                except TimeoutError:
                    log.append("inner")
                    await asyncio.sleep(0)
        except TimeoutError:
            log.append("outer")
        return log


@body()
class TimeoutReschedule(Workflow):
    async def run(self):
        log = []
        async with asyncio.timeout(2) as limit:
            log.append(limit.when())
            log.append(await echo("a", 1))
            limit.reschedule(limit.when() + 3)
            log.append(limit.when())
            log.append(await echo("b", 2))
            limit.reschedule(None)
            log.append([await echo("c", 100), limit.when(), limit.expired()])
        try:
            limit.reschedule(5)
        except RuntimeError as error:
            log.append(str(error))
        return log


@body()
class TimeoutMisused(Workflow):
    async def run(self):
        log = []
        limit = asyncio.timeout(1)
        for use in (lambda: limit.reschedule(3), lambda: asyncio.timeout("x")):
            try:
                use()
            except (RuntimeError, TypeError) as error:
                log.append(str(error))
        async with limit:
            try:
                async with limit:
                    pass
            except RuntimeError as error:
                log.append(str(error))
        return log


@body()
class TimeoutAt(Workflow):
    async def run(self):
        async with asyncio.timeout(0.5) as clock:
            start = clock.when()
        log = []
        for seconds in (2, 6):
            try:
                async with asyncio.timeout_at(start + seconds) as limit:
                    log.append(await echo("slow", 3))
            except TimeoutError:
                log.append("late")
            log.append(limit.when() - start)
        return log


@body()
class TimeoutCaughtInside(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.timeout(1):
                try:
                    await echo("slow", 5)
                except asyncio.CancelledError:
                    log.append("swallowed")
                log.append(await echo("more", 1))
        except TimeoutError:
            log.append("timeout")
        return log


@body(since=(3, 13))
class TimeoutAndAnotherError(Workflow):
    async def run(self):
        try:
            async with asyncio.timeout(1):
                try:
                    await echo("slow", 5)
                finally:
                    raise ValueError("in finally")
        except ValueError as error:
            return [str(error), type(error.__context__).__name__]


@body()
class TimeoutAroundGather(Workflow):
    async def run(self):
        done = []

        async def work(n):
            done.append(await echo(n, n))

        try:
            async with asyncio.timeout(2.5):
                await asyncio.gather(*[work(n) for n in (1, 2, 3, 4)])
        except TimeoutError:
            done.append("late")
        return done


@body()
class TimeoutFromOutside(Workflow):
    async def victim(self, log):
        try:
            async with asyncio.timeout(5):
                await echo("slow", 10)
        except TimeoutError:
            log.append("timeout")
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    async def run(self):
        log = []
        task = asyncio.create_task(self.victim(log))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return log


@body()
class LeftoverTaskIsCancelled(Workflow):
    async def background(self, log):
        try:
            await echo("slow", 100)
        finally:
            log.append(await echo("cleaned", 1))

    async def run(self):
        log = ["result"]
        asyncio.create_task(self.background(log))
        await asyncio.sleep(1)
        return log


@body()
class LeftoverNeverStarted(Workflow):
    async def background(self, log):
        log.append("starts")
        await echo("x", 5)
        log.append("never")

    async def run(self):
        log = []
        task = asyncio.create_task(self.background(log))
        return log


@body()
class LeftoverFailsSilently(Workflow):
    async def background(self):
        try:
            await asyncio.sleep(100)
        finally:
            raise ValueError("nobody hears")

    async def run(self):
        task = asyncio.create_task(self.background())
        other = asyncio.create_task(fail("value", "unseen"))
        await asyncio.sleep(1)
        return "fine"


@body()
class LeftoverAfterFailure(Workflow):
    async def background(self, log):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await echo("clean-up", 3)
            raise

    async def run(self):
        log = []
        asyncio.create_task(self.background(log))
        await fail("declined", "run fails", 1)


@body()
class LeftoverIgnoresCancel(Workflow):
    async def stubborn(self, log):
        for n in range(3):
            try:
                await asyncio.sleep(10)
                log.append(n)
            except asyncio.CancelledError:
                log.append("ignored")

    async def run(self):
        log = []
        asyncio.create_task(self.stubborn(log))
        await asyncio.sleep(5)
        return log


@body()
class OrderOfTurns(Workflow):
    async def steps(self, log, name, count):
        for n in range(count):
            log.append(f"{name}{n}")
            await asyncio.sleep(0)

    async def run(self):
        log = []
        await asyncio.gather(
            self.steps(log, "a", 3), self.steps(log, "b", 1), self.steps(log, "c", 2), asyncio.sleep(0)
        )
        return log


@body()
class OrderOfWakeUps(Workflow):
    async def wait_for(self, log, name, task):
        await task
        log.append(name)
        await asyncio.sleep(0)
        log.append(name.upper())

    async def run(self):
        log = []
        source = asyncio.create_task(echo("x", 1))
        waiters = [asyncio.create_task(self.wait_for(log, n, source)) for n in "abc"]
        await source
        log.append("main")
        await asyncio.sleep(0)
        log.append("MAIN")
        await asyncio.wait(waiters)
        return log


@body()
class TimersOfOneMoment(Workflow):
    async def sleeper(self, log, name, seconds, then):
        await asyncio.sleep(seconds)
        log.append(name)
        if then is not None:
            log.append(then.cancel())

    async def run(self):
        log = []
        last = asyncio.create_task(self.sleeper(log, "last", 2, None))
        first = asyncio.create_task(self.sleeper(log, "first", 2, last))
        plain = asyncio.create_task(asyncio.sleep(2, "slept"))
        results = await asyncio.gather(first, last, plain, return_exceptions=True)
        return [log, [repr(r) for r in results]]


@body()
class TimersMeetResults(Workflow):
    async def note(self, log, name, awaitable):
        await awaitable
        log.append(name)

    async def run(self):
        log = []
        await asyncio.gather(
            self.note(log, "action 2", echo(1, 2)),
            self.note(log, "sleep 2", asyncio.sleep(2)),
            self.note(log, "action 1", echo(1, 1)),
            self.note(log, "sleep 1", asyncio.sleep(1)),
            self.note(log, "nested", asyncio.wait_for(echo(1, 2), 3)),
        )
        return log


@body()
class TinySleeps(Workflow):
    async def note(self, log, name, seconds):
        await asyncio.sleep(seconds)
        log.append(name)

    async def run(self):
        log = []
        await asyncio.gather(
            self.note(log, "nano", 1e-9),
            self.note(log, "zero", 0),
            self.note(log, "minus", -1),
            self.note(log, "micro", 1e-6),
        )
        return log


@body("nan", "x", since=(3, 13))
class OddSleeps(Workflow):
    async def run(self, kind):
        return await asyncio.sleep(float("nan") if kind == "nan" else "x")


@body()
class TaskOfSleepAndCall(Workflow):
    async def run(self):
        tasks = [
            asyncio.create_task(asyncio.sleep(1, "slept")),
            asyncio.create_task(asyncio.sleep(0, "at once")),
            asyncio.create_task(self.run_action(flaky("k", 1), retry=RetryPolicy(attempts=2))),
            asyncio.create_task(asyncio.wait_for(echo("w", 1), 2)),
        ]
        return [await t for t in tasks]


@body()
class CoroutineUsedTwice(Workflow):
    async def helper(self):
        return 1

    async def run(self):
        found = []
        for make in (self.helper, lambda: echo(1), lambda: asyncio.sleep(0)):
            coroutine = make()
            await coroutine
            try:
                await coroutine
            except RuntimeError as error:
                found.append(str(error))
        return found


@body()
class TasksInContainers(Workflow):
    async def run(self):
        by_name = {n: asyncio.create_task(echo(n, len(n))) for n in ("ccc", "a", "bb")}
        names = {task: name for name, task in by_name.items()}
        found = []
        for coming in asyncio.as_completed(list(names)):
            found.append(await coming)
        return [found, [names[t] for t in by_name.values()], all(t.done() for t in names)]


@body()
class TaskResultsShareMemory(Workflow):
    async def make(self):
        return [1]

    async def run(self):
        task = asyncio.create_task(self.make())
        first = await task
        first.append(2)
        return [await task, (await task) is first, task.result() is first]


@body()
class IsInstanceOfTask(Workflow):
    async def run(self):
        task = asyncio.create_task(echo(1))
        both = asyncio.gather(task)
        found = [isinstance(x, asyncio.Task) for x in (task, both, 3)]
        found += [isinstance(x, asyncio.Future) for x in (task, both, 3)]
        await both
        return found


@body()
class SleepIsCancelled(Workflow):
    async def run(self):
        task = asyncio.create_task(asyncio.sleep(1000))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()


@body()
class CancelFromTwoSides(Workflow):
    async def inner(self, log):
        try:
            await asyncio.sleep(50)
        finally:
            log.append("inner over")

    async def run(self):
        log = []
        task = asyncio.create_task(self.inner(log))
        a = asyncio.create_task(asyncio.wait_for(task, 3))
        b = asyncio.create_task(asyncio.wait_for(asyncio.shield(task), 2))
        results = await asyncio.gather(a, b, return_exceptions=True)
        return [log, [type(r).__name__ for r in results]]


@body()
class UncancelInside(Workflow):
    async def run(self):
        log = []

        async def patient():
            while True:
                try:
                    return await echo("answer", 3)
                except asyncio.CancelledError:
                    log.append([asyncio.current_task().cancelling(), asyncio.current_task().uncancel()])

        task = asyncio.create_task(patient())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.sleep(1)
        task.cancel()
        return [await task, log]
