"""with and async with: suppress, nullcontext, TaskGroup, and every way of leaving a block."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import contextlib
from contextlib import nullcontext, suppress

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Declined, Item, ShopError, add, echo, fail, square
from waymark.sdk.workflow import Workflow


@body("value", "key", "declined", "fine", "zero")
class SuppressKinds(Workflow):
    async def run(self, kind):
        log = ["before"]
        with suppress(ValueError, ShopError):
            log.append(await fail(kind))
            log.append("after")
        log.append("outside")
        return log


@body()
class SuppressNothing(Workflow):
    async def run(self):
        with suppress():
            raise KeyError("through")


@body()
class SuppressBaseClass(Workflow):
    async def run(self):
        with contextlib.suppress(Exception) as target:
            log = [target]
            raise LookupError
        return log


@body()
class SuppressNoClass(Workflow):
    async def run(self):
        with suppress(3):
            raise ValueError("x")


@body()
class SuppressCancellation(Workflow):
    async def stubborn(self, log):
        with suppress(asyncio.CancelledError):
            await echo("slow", 10)
        log.append("went on")
        return await echo("end")

    async def run(self):
        log = []
        task = asyncio.create_task(self.stubborn(log))
        await asyncio.sleep(1)
        task.cancel()
        return [await task, log]


@body()
class SuppressReused(Workflow):
    async def run(self):
        guard = suppress(KeyError)
        seen = []
        for key in ("a", "b", "c"):
            with guard:
                seen.append({"b": 1}[key])
        return seen


@body()
class SuppressNested(Workflow):
    async def run(self):
        log = []
        with suppress(KeyError):
            with suppress(ValueError):
                log.append("in")
                raise KeyError("k")
            log.append("skipped")
        log.append("out")
        return log


@body()
class NullContexts(Workflow):
    async def run(self):
        with nullcontext() as nothing, nullcontext([1, 2]) as (a, b), nullcontext(5):
            first = [nothing, a, b]
        async with nullcontext("async") as name:
            return [first, name]


@body()
class AsTargets(Workflow):
    async def run(self):
        item = Item("s", 1)
        table = {}
        with (
            nullcontext(7) as item.price,
            nullcontext("v") as table["k"],
            nullcontext([1, 2, 3]) as [first, *rest],
        ):
            self.seen = [item.price, table, first, rest]
        with nullcontext("own") as self.name:
            pass
        return [self.seen, self.name, item]


@body()
class AsTargetFails(Workflow):
    async def run(self):
        log = []
        with suppress(ValueError):
            with nullcontext([1]) as (a, b):
                log.append("never")
            log.append("never")
        log.append("after")
        return log


@body()
class SecondItemFails(Workflow):
    async def run(self):
        log = []
        with suppress(KeyError), nullcontext({}["x"]):
            log.append("never")
        log.append("after")
        return log


@body()
class NotAManager(Workflow):
    async def run(self):
        log = []
        for value in (3, None, [1]):
            try:
                with value:
                    log.append("never")
            except TypeError as error:
                log.append(str(error))
            try:
                async with value:
                    log.append("never")
            except TypeError as error:
                log.append(str(error))
        return log


@body()
class WrongKindOfWith(Workflow):
    async def run(self):
        log = []
        for value in (asyncio.Lock(), asyncio.TaskGroup(), asyncio.timeout(3)):
            try:
                with value:
                    log.append("never")
            except TypeError as error:
                log.append(str(error))
        try:
            guard = suppress(ValueError)
            async with guard:
                log.append("never")
        except TypeError as error:
            log.append(str(error))
        return log


@body("return", "break", "continue", "raise", "end")
class WaysOut(Workflow):
    async def run(self, way):
        log = []
        lock = asyncio.Lock()
        try:
            for n in range(2):
                log.append(n)
                async with lock, nullcontext(n):
                    with suppress(KeyError):
                        log.append(lock.locked())
                        if way == "return":
                            return [log, await echo("returned")]
                        if way == "break":
                            break
                        if way == "continue":
                            continue
                        if way == "raise":
                            raise ValueError("out")
                    log.append("end of block")
            else:
                log.append("else")
        except ValueError as error:
            log.append(str(error))
        finally:
            log.append(lock.locked())
        return log


@body()
class ReturnThroughFinallyAndWith(Workflow):
    async def helper(self, log):
        async with nullcontext():
            try:
                with suppress(ValueError):
                    try:
                        return await echo("value")
                    finally:
                        log.append("inner")
                        raise ValueError("swallowed")
                log.append("after suppress")
            finally:
                log.append(await echo("outer"))
        return "fell through"

    async def run(self):
        log = []
        return [await self.helper(log), log]


@body()
class HandledInsideWith(Workflow):
    async def run(self):
        log = []
        try:
            raise KeyError("first")
        except KeyError:
            with suppress(ValueError):
                raise ValueError("second")
            try:
                raise
            except KeyError as error:
                log.append([str(error), error.__context__])
        return log


@body()
class ContextOfErrors(Workflow):
    async def run(self):
        try:
            async with asyncio.timeout(5):
                raise ValueError("a")
        except ValueError as error:
            first = error.__context__
        try:
            with nullcontext():
                try:
                    raise KeyError("k")
                finally:
                    {}["missing"]
        except KeyError as error:
            return [first, str(error), str(error.__context__)]


@body()
class WithInLoopWithAwait(Workflow):
    async def run(self):
        results = []
        for n in range(3):
            with suppress(ValueError):
                results.append(await square(n))
                if n == 1:
                    await fail("value")
                results.append("ok")
        return results


@body()
class WithInNestedFunction(Workflow):
    async def run(self):
        def safe(value):
            with suppress(ZeroDivisionError, TypeError):
                return 10 // value
            return "bad"

        return [safe(v) for v in (2, 0, "x")] + sorted([3, 0, 1], key=safe_key)


def safe_key(n):
    with suppress(ZeroDivisionError):
        return 6 // n
    return 0


@body()
class GroupAllFine(Workflow):
    async def run(self):
        async with asyncio.TaskGroup() as group:
            a = group.create_task(echo("a", 3))
            b = group.create_task(echo("b", 1), name="bee")
            inside = [a.done(), b.get_name()]
        return [inside, a.result(), b.result()]


@body()
class GroupOfHelpers(Workflow):
    async def work(self, log, n):
        log.append(f"start {n}")
        value = await echo(n, n)
        log.append(f"end {n}")
        return value * 2

    async def run(self):
        log = []
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.work(log, n)) for n in (3, 1, 2)]
            log.append("body over")
        return [log, [t.result() for t in tasks]]


@body()
class GroupFailureCancelsOthers(Workflow):
    async def work(self, log, n):
        try:
            await echo(n, n)
        except asyncio.CancelledError as error:
            log.append([n, error.args])
            raise

    async def run(self):
        log = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.work(log, 5))
                group.create_task(fail("value", "bad", 2))
                group.create_task(self.work(log, 1))
                group.create_task(self.work(log, 6))
        except ExceptionGroup as error:
            log.append([str(error), [repr(e) for e in error.exceptions]])
        return sorted(map(str, log))


@body(since=(3, 13))
class GroupLeavesNoCancellation(Workflow):
    async def run(self):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail("value", "bad", 2))
                group.create_task(echo(1, 5))
        except ExceptionGroup as error:
            return [repr(error), asyncio.current_task().cancelling()]


@body()
class GroupFailureEscapes(Workflow):
    async def run(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(fail("value", "one", 1))
            group.create_task(fail("declined", "two", 1))
            group.create_task(echo(1, 100))


@body()
class GroupBodyFails(Workflow):
    async def run(self):
        try:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(echo("slow", 10))
                await echo("first", 1)
                raise KeyError("body")
        except ExceptionGroup as errors:
            return [repr(errors.exceptions), task.cancelled()]


@body()
class GroupBodyIsCancelledByChild(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail("value", "child", 1))
                try:
                    await echo("body waits", 10)
                except asyncio.CancelledError:
                    log.append("body cancelled")
                    raise
        except ExceptionGroup as error:
            log.append(repr(error.exceptions))
        log.append(await echo("goes on"))
        return log


@body()
class GroupFromOutside(Workflow):
    async def work(self, log):
        try:
            await echo("slow", 10)
        finally:
            log.append("child over")

    async def group(self, log):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.work(log))
            group.create_task(self.work(log))

    async def run(self):
        log = []
        task = asyncio.create_task(self.group(log))
        await asyncio.sleep(1)
        task.cancel("outside")
        try:
            await task
        except asyncio.CancelledError as error:
            log.append(error.args)
        return log


@body()
class GroupInTimeout(Workflow):
    async def run(self):
        try:
            async with asyncio.timeout(2):
                async with asyncio.TaskGroup() as group:
                    fast = group.create_task(echo("fast", 1))
                    slow = group.create_task(echo("slow", 5))
        except TimeoutError:
            return [fast.result(), slow.cancelled()]


@body()
class NestedGroups(Workflow):
    async def inner(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(fail("value", "deep", 1))
            group.create_task(echo(1, 10))

    async def run(self):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.inner())
                other = group.create_task(echo("other", 10))
        except ExceptionGroup as error:
            inner = error.exceptions[0]
            return [str(error), type(inner).__name__, repr(inner.exceptions), other.cancelled()]


@body()
class GroupMisused(Workflow):
    async def run(self):
        log = []
        group = asyncio.TaskGroup()
        unused = echo(1)
        try:
            group.create_task(unused)
        except RuntimeError as error:
            log.append(str(error))
        async with group:
            try:
                async with group:
                    pass
            except RuntimeError as error:
                log.append(str(error))
        try:
            group.create_task(unused)
        except RuntimeError as error:
            log.append(str(error))
        return log


@body()
class GroupChildAddsTasks(Workflow):
    async def grow(self, group, log, n):
        log.append(await echo(n, 1))
        if n:
            group.create_task(self.grow(group, log, n - 1))

    async def run(self):
        log = []
        async with asyncio.TaskGroup() as group:
            group.create_task(self.grow(group, log, 3))
        return log


@body()
class GroupCleanUpFails(Workflow):
    async def messy(self):
        try:
            await echo("slow", 10)
        finally:
            raise KeyError("in clean-up")

    async def run(self):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.messy())
                group.create_task(fail("value", "first", 1))
        except ExceptionGroup as error:
            return [repr(e) for e in error.exceptions]


@body()
class GroupChildCancelled(Workflow):
    async def run(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(echo("slow", 10))
            await asyncio.sleep(1)
            task.cancel()
        return [task.cancelled(), await echo("fine")]


@body()
class GroupReturnsFromInside(Workflow):
    async def run(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(echo(1, 1))
            return await echo("from inside")


@body()
class EmptyGroup(Workflow):
    async def run(self):
        async with asyncio.TaskGroup():
            pass
        async with asyncio.TaskGroup() as group:
            value = await echo(2)
        return [value, isinstance(group, asyncio.TaskGroup)]
