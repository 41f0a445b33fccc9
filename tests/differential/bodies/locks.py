"""Lock, Event, Condition, semaphores and queues, and who gets a turn."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import add, echo, fail, square
from waymark.sdk.workflow import Workflow


@body()
class LockTakesTurns(Workflow):
    async def work(self, lock, log, name, seconds):
        async with lock:
            log.append(f"{name} in")
            await echo(name, seconds)
            log.append(f"{name} out")

    async def run(self):
        lock = asyncio.Lock()
        log = []
        await asyncio.gather(*[self.work(lock, log, n, s) for n, s in (("a", 3), ("b", 1), ("c", 2))])
        return [log, lock.locked()]


@body()
class LockByHand(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        log = [await lock.acquire(), lock.locked()]
        lock.release()
        try:
            lock.release()
        except RuntimeError as error:
            log.append(str(error))
        async with lock as nothing:
            log.append(nothing)
        return [log, lock.locked()]


@body()
class LockWaiterCancelled(Workflow):
    async def work(self, lock, log, name):
        try:
            async with lock:
                log.append(f"{name} in")
                await asyncio.sleep(2)
        except asyncio.CancelledError:
            log.append(f"{name} cancelled")
            raise

    async def run(self):
        lock = asyncio.Lock()
        log = []
        tasks = [asyncio.create_task(self.work(lock, log, n)) for n in "abc"]
        await asyncio.sleep(1)
        tasks[1].cancel()
        await asyncio.wait(tasks)
        return log


@body()
class LockHolderCancelled(Workflow):
    async def work(self, lock, log, name):
        async with lock:
            log.append(name)
            await asyncio.sleep(10)

    async def run(self):
        lock = asyncio.Lock()
        log = []
        tasks = [asyncio.create_task(self.work(lock, log, n)) for n in "ab"]
        await asyncio.sleep(1)
        tasks[0].cancel()
        await asyncio.sleep(1)
        log.append([lock.locked(), tasks[0].cancelled()])
        tasks[1].cancel()
        await asyncio.wait(tasks)
        return [log, lock.locked()]


@body()
class LockCancelledAsItIsGiven(Workflow):
    async def take(self, lock, log, name):
        async with lock:
            log.append(name)

    async def run(self):
        lock = asyncio.Lock()
        log = []
        await lock.acquire()
        tasks = [asyncio.create_task(self.take(lock, log, n)) for n in "abc"]
        await asyncio.sleep(0)
        lock.release()
        tasks[0].cancel()
        await asyncio.wait(tasks)
        return [log, lock.locked()]


@body()
class LockIsFair(Workflow):
    async def take(self, lock, log, name):
        await lock.acquire()
        log.append(name)
        lock.release()

    async def run(self):
        lock = asyncio.Lock()
        log = []
        await lock.acquire()
        tasks = [asyncio.create_task(self.take(lock, log, n)) for n in "ab"]
        await asyncio.sleep(0)
        lock.release()
        await lock.acquire()
        log.append("main")
        lock.release()
        await asyncio.wait(tasks)
        return log


@body()
class LockWithTimeout(Workflow):
    async def holder(self, lock):
        async with lock:
            await echo("long", 10)

    async def run(self):
        lock = asyncio.Lock()
        task = asyncio.create_task(self.holder(lock))
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(lock.acquire(), 1)
        except TimeoutError:
            first = "late"
        try:
            async with asyncio.timeout(20), lock:
                return [first, "got it", task.done()]
        finally:
            await task


@body()
class Events(Workflow):
    async def wait_for(self, event, log, name):
        log.append([name, await event.wait()])

    async def run(self):
        event = asyncio.Event()
        log = [event.is_set()]
        tasks = [asyncio.create_task(self.wait_for(event, log, n)) for n in "abc"]
        await asyncio.sleep(1)
        tasks[1].cancel()
        event.set()
        event.set()
        log.append("set")
        await asyncio.wait(tasks)
        log.append(await event.wait())
        event.clear()
        return [log, event.is_set(), tasks[1].cancelled()]


@body()
class EventPingPong(Workflow):
    async def player(self, log, name, mine, other, rounds):
        for n in range(rounds):
            await mine.wait()
            mine.clear()
            log.append(f"{name}{await echo(n)}")
            other.set()

    async def run(self):
        a, b = asyncio.Event(), asyncio.Event()
        log = []
        a.set()
        await asyncio.gather(self.player(log, "ping", a, b, 3), self.player(log, "pong", b, a, 3))
        return log


@body(1, 2, 0, 5)
class Semaphores(Workflow):
    async def work(self, gate, log, n):
        async with gate:
            log.append(f"in {n}")
            await echo(n, 5 - n)
            log.append(f"out {n}")
        return n

    async def run(self, size):
        gate = asyncio.Semaphore(size or 1)
        log = []
        results = await asyncio.gather(*[self.work(gate, log, n) for n in range(4)])
        return [results, log, gate.locked()]


@body()
class SemaphoreByHand(Workflow):
    async def run(self):
        gate = asyncio.Semaphore(2)
        log = [await gate.acquire(), gate.locked(), await gate.acquire(), gate.locked()]
        waiting = asyncio.create_task(gate.acquire())
        await asyncio.sleep(0)
        gate.release()
        log.append(gate.locked())
        log.append(await waiting)
        gate.release()
        gate.release()
        gate.release()
        log.append(gate.locked())
        try:
            asyncio.Semaphore(-1)
        except ValueError as error:
            log.append(str(error))
        return log


@body()
class BoundedSemaphores(Workflow):
    async def run(self):
        gate = asyncio.BoundedSemaphore()
        async with gate:
            inside = gate.locked()
        try:
            gate.release()
        except ValueError as error:
            return [inside, str(error), isinstance(gate, asyncio.Semaphore)]


@body()
class SemaphoreCancelled(Workflow):
    async def take(self, gate, log, name):
        async with gate:
            log.append(name)
            await asyncio.sleep(1)

    async def run(self):
        gate = asyncio.Semaphore(1)
        log = []
        tasks = [asyncio.create_task(self.take(gate, log, n)) for n in "abcd"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(1)
        tasks[2].cancel()
        await asyncio.wait(tasks)
        return [log, [t.cancelled() for t in tasks], gate.locked()]


@body()
class Conditions(Workflow):
    async def consumer(self, condition, items, log, name):
        async with condition:
            while not items:
                log.append(f"{name} waits")
                log.append(await condition.wait())
            log.append([name, items.pop(0)])

    async def run(self):
        condition = asyncio.Condition()
        items, log = [], []
        tasks = [asyncio.create_task(self.consumer(condition, items, log, n)) for n in "abc"]
        for n in range(3):
            await asyncio.sleep(1)
            async with condition:
                items.append(n)
                condition.notify()
        await asyncio.wait(tasks)
        return [log, condition.locked()]


@body()
class ConditionNotifyAll(Workflow):
    async def waiter(self, condition, log, name):
        async with condition:
            await condition.wait()
            log.append(name)
            await asyncio.sleep(0)
            log.append(name.upper())

    async def run(self):
        condition = asyncio.Condition()
        log = []
        tasks = [asyncio.create_task(self.waiter(condition, log, n)) for n in "abc"]
        await asyncio.sleep(1)
        async with condition:
            condition.notify_all()
            log.append("told")
        await asyncio.wait(tasks)
        return log


@body()
class ConditionWaitFor(Workflow):
    async def waiter(self, condition, state):
        async with condition:
            return await condition.wait_for(lambda: state["n"] if state["n"] > 1 else 0)

    async def run(self):
        condition = asyncio.Condition(asyncio.Lock())
        state = {"n": 0}
        task = asyncio.create_task(self.waiter(condition, state))
        for _ in range(3):
            await asyncio.sleep(1)
            async with condition:
                state["n"] += 1
                condition.notify()
        return [await task, state]


@body()
class ConditionMisused(Workflow):
    async def run(self):
        condition = asyncio.Condition()
        log = []
        try:
            await condition.wait()
        except RuntimeError as error:
            log.append(str(error))
        for use in (condition.notify, condition.notify_all, condition.release):
            try:
                use()
            except RuntimeError as error:
                log.append(str(error))
        return log


@body()
class ConditionCancelled(Workflow):
    async def waiter(self, condition, log, name):
        async with condition:
            try:
                await condition.wait()
                log.append(name)
            except asyncio.CancelledError:
                log.append([name, "cancelled", condition.locked()])
                raise

    async def run(self):
        condition = asyncio.Condition()
        log = []
        tasks = [asyncio.create_task(self.waiter(condition, log, n)) for n in "ab"]
        await asyncio.sleep(1)
        async with condition:
            tasks[0].cancel()
            await asyncio.sleep(1)
            log.append("still locked out")
            condition.notify()
        await asyncio.wait(tasks)
        return [log, condition.locked()]


@body()
class ConditionWithTimeout(Workflow):
    async def run(self):
        condition = asyncio.Condition()
        async with condition:
            try:
                await asyncio.wait_for(condition.wait(), 1)
            except TimeoutError:
                return ["late", condition.locked()]


@body(0, 1, 2)
class Queues(Workflow):
    async def producer(self, queue, log):
        for n in range(4):
            await queue.put(n)
            log.append(f"put {n}")
        await queue.put(None)

    async def consumer(self, queue, log):
        while (item := await queue.get()) is not None:
            log.append(f"got {await echo(item)}")

    async def run(self, size):
        queue = asyncio.Queue(size)
        log = []
        await asyncio.gather(self.producer(queue, log), self.consumer(queue, log))
        return [log, queue.qsize(), queue.empty(), queue.full(), queue.maxsize]


@body()
class QueueWorkers(Workflow):
    async def worker(self, queue, results, name):
        while True:
            item = await queue.get()
            try:
                results.append([name, await square(item)])
            finally:
                queue.task_done()

    async def run(self):
        queue = asyncio.Queue()
        results = []
        for n in range(6):
            queue.put_nowait(n)
        workers = [asyncio.create_task(self.worker(queue, results, n)) for n in "ab"]
        await queue.join()
        for worker in workers:
            worker.cancel()
        ended = await asyncio.gather(*workers, return_exceptions=True)
        return [results, [type(e).__name__ for e in ended]]


@body()
class QueueNoWait(Workflow):
    async def run(self):
        queue = asyncio.Queue(maxsize=1)
        log = []
        try:
            queue.get_nowait()
        except asyncio.QueueEmpty as error:
            log.append(repr(error))
        queue.put_nowait("x")
        try:
            queue.put_nowait("y")
        except asyncio.QueueFull as error:
            log.append(repr(error))
        log.append(queue.get_nowait())
        queue.task_done()
        try:
            queue.task_done()
        except ValueError as error:
            log.append(str(error))
        await queue.join()
        return log


@body()
class LifoAndPriority(Workflow):
    async def run(self):
        lifo, first = asyncio.LifoQueue(), asyncio.PriorityQueue()
        for item in [(3, "c"), (1, "a"), (2, "b"), (1, "A")]:
            await lifo.put(item)
            first.put_nowait(item)
        return [
            [await lifo.get() for _ in range(4)],
            [first.get_nowait() for _ in range(4)],
            isinstance(first, asyncio.Queue),
        ]


@body()
class PriorityOfUnlike(Workflow):
    async def run(self):
        queue = asyncio.PriorityQueue()
        await queue.put(1)
        await queue.put("a")


@body()
class QueueGetterCancelled(Workflow):
    async def getter(self, queue, log, name):
        log.append([name, await queue.get()])

    async def run(self):
        queue = asyncio.Queue()
        log = []
        tasks = [asyncio.create_task(self.getter(queue, log, n)) for n in "abc"]
        await asyncio.sleep(0)
        queue.put_nowait(1)
        tasks[0].cancel()
        await asyncio.sleep(1)
        queue.put_nowait(2)
        await asyncio.sleep(1)
        tasks[2].cancel()
        await asyncio.wait(tasks)
        return [log, [t.cancelled() for t in tasks], queue.qsize()]


@body()
class QueuePutterCancelled(Workflow):
    async def putter(self, queue, item):
        await queue.put(item)

    async def run(self):
        queue = asyncio.Queue(1)
        tasks = [asyncio.create_task(self.putter(queue, n)) for n in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        got = []
        for _ in range(3):
            got.append(await queue.get())
            await asyncio.sleep(0)
        return [got, [t.cancelled() for t in tasks], queue.empty()]


@body()
class QueueTimeouts(Workflow):
    async def run(self):
        queue = asyncio.Queue()
        log = []
        try:
            await asyncio.wait_for(queue.get(), 1)
        except TimeoutError:
            log.append("nothing")
        queue.put_nowait("late")
        log.append(await asyncio.wait_for(queue.get(), 1))
        return log


@body()
class SharedInAttributes(Workflow):
    async def step(self, n):
        async with self.lock:
            self.total += await add(n, 0)
            await self.queue.put(self.total)

    async def run(self):
        self.lock, self.queue, self.total = asyncio.Lock(), asyncio.Queue(), 0
        await asyncio.gather(*[self.step(n) for n in (1, 2, 3)])
        return [self.queue.get_nowait() for _ in range(self.queue.qsize())]


@body()
class LoopMethodsAsValues(Workflow):
    async def run(self):
        queue, lock = asyncio.Queue(), asyncio.Lock()
        put, take = queue.put_nowait, queue.get
        for n in (1, 2):
            put(n)
        release = lock.release
        await lock.acquire()
        release()
        return [await take(), await take(), lock.locked(), list(map(put, "ab")), queue.qsize()]


@body("Lock", "Queue", "Semaphore", "Event", "Condition")
class WrongConstructors(Workflow):
    async def run(self, kind):
        make = {
            "Lock": asyncio.Lock,
            "Queue": asyncio.Queue,
            "Semaphore": asyncio.Semaphore,
            "Event": asyncio.Event,
            "Condition": asyncio.Condition,
        }[kind]
        return str(make(1, 2, 3))


@body()
class MissingAttributes(Workflow):
    async def run(self):
        found = []
        for value, name in (
            (asyncio.Lock(), "nothing"),
            (asyncio.Queue(), "task"),
            (asyncio.Event(), "value"),
        ):
            found.append(hasattr(value, name))
        return found


@body("lock", "event", "queue", "put", "gather", "group", "condition", "semaphore", "task", "leftover")
class Hangs(Workflow):
    async def forever(self):
        await asyncio.Event().wait()

    async def deaf(self):
        while True:
            try:
                await self.forever()
            except asyncio.CancelledError:
                pass

    async def run(self, kind):
        lock = asyncio.Lock()
        await lock.acquire()
        match kind:
            case "lock":
                await lock.acquire()
            case "event":
                await asyncio.gather(self.forever(), echo(1, 3))
            case "queue":
                await asyncio.Queue().get()
            case "put":
                queue = asyncio.Queue(1)
                await queue.put(1)
                await queue.put(2)
            case "gather":
                await asyncio.gather(self.forever(), self.forever())
            case "group":
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.forever())
            case "condition":
                condition = asyncio.Condition()
                async with condition:
                    await condition.wait()
            case "semaphore":
                async with asyncio.Semaphore(0):
                    pass
            case "task":
                await asyncio.wait([asyncio.create_task(self.forever())])
            case "leftover":
                task = asyncio.create_task(self.deaf())
                await asyncio.sleep(1)
                return "result"
