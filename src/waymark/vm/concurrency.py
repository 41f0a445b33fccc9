"""The functions of asyncio that make tasks and wait for them, and the methods of what they give."""

from __future__ import annotations

from asyncio import InvalidStateError
from typing import Any

from waymark.vm.coroutines import LibraryCoroutine, SleepCall, is_coroutine
from waymark.vm.futures import CANCELLED, DONE, PENDING, Future, Gather, Shield, Task
from waymark.vm.heap import Heap
from waymark.vm.limits import Meter
from waymark.vm.queues import Queue
from waymark.vm.timeouts import Timeout, WaitFor
from waymark.vm.unwinding import reraise
from waymark.vm.waiting import AsCompleted, WaitCall
from waymark.vm.weight import check_keys, check_shown

_FUTURE_BYTES = 600


class Functions:
    """asyncio's functions for the tasks of one machine."""

    def __init__(self, tasks: Any, meter: Meter, heap: Heap) -> None:
        self._tasks = tasks
        self._meter = meter
        self._heap = heap

    # ---------------------------------------------------------------- what others use too

    def result_of(self, future: Future) -> Any:
        """The result of a future that has ended, or its exception."""
        error = future.failure()
        if error is not None:
            reraise(self._tasks.with_context(error))
        return future.value

    def distinct(self, values: Any) -> list[Any]:
        """What an iterable gives, each value once, in order."""
        self._meter.consume(values)
        if not hasattr(type(values), "__iter__"):
            raise TypeError(f"'{type(values).__name__}' object is not iterable")
        items = list(values)
        check_keys(self._meter, items)
        return list(dict.fromkeys(items))

    # ---------------------------------------------------------------- tasks

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> Task:
        if not is_coroutine(coro):
            check_shown(self._meter, coro)
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        task: Task = self._tasks.start(coro)
        if name is not None:
            check_shown(self._meter, name)
            task.name = str(name)
        return task

    def ensure_future(self, coro_or_future: Any) -> Future:
        if isinstance(coro_or_future, Future):
            return coro_or_future
        if not is_coroutine(coro_or_future):
            raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
        started: Task = self._tasks.start(coro_or_future)
        return started

    def current_task(self) -> Task:
        running: Task = self._tasks.running
        return running

    def gather(self, *coros_or_futures: Any, return_exceptions: Any = False) -> Future:
        self._meter.burn(8 * len(coros_or_futures))
        self._heap.charge(_FUTURE_BYTES)
        known: dict[int, Future] = {}
        children: list[Future] = []
        ended: list[tuple[int, Future]] = []
        gather = Gather(children, 0, bool(return_exceptions))
        for index, awaitable in enumerate(coros_or_futures):
            child = known.get(id(awaitable))
            if child is None:
                child = known[id(awaitable)] = self.ensure_future(awaitable)
                if child.status == PENDING:
                    child.watchers.append((gather, index))
                else:
                    ended.append((index, child))
            children.append(child)
        gather.missing = len(known)
        for index, child in ended:
            gather.told(self._tasks, index, child)
        if not coros_or_futures:
            gather.status, gather.value = DONE, []
        return gather

    def shield(self, arg: Any) -> Future:
        inner = self.ensure_future(arg)
        if inner.status != PENDING:
            return inner
        outer = Shield()
        inner.watchers.append((outer, 0))
        return outer

    # ---------------------------------------------------------------- waiting

    def sleep(self, delay: Any, result: Any = None) -> LibraryCoroutine:
        return SleepCall(delay, result)

    def wait(self, fs: Any, *, timeout: Any = None, return_when: Any = "ALL_COMPLETED") -> LibraryCoroutine:
        return WaitCall(fs, timeout, return_when)

    def wait_for(self, fut: Any, timeout: Any) -> LibraryCoroutine:
        return WaitFor(fut, timeout)

    def as_completed(self, fs: Any, *, timeout: Any = None) -> AsCompleted:
        if isinstance(fs, Future) or is_coroutine(fs):
            raise TypeError(f"expects an iterable of awaitables, not {type(fs).__name__}")
        ended = Queue()
        ended.bind(self._tasks)
        todo = dict.fromkeys(map(self.ensure_future, self.distinct(fs)))
        completed = AsCompleted(dict(enumerate(todo)), ended)
        for index, future in completed.todo.items():
            self._tasks.watch(future, completed, index)
        if todo and timeout is not None:
            completed.timer = self._tasks.machine.flight.call_later(0.0 + timeout, completed)
        return completed

    def timeout(self, delay: Any) -> Timeout:
        return self.timeout_at(None if delay is None else self._tasks.machine.loop_time() + delay)

    def timeout_at(self, when: Any) -> Timeout:
        limit = Timeout(when)
        limit.bind(self._tasks)
        return limit


class FutureMethods:
    """Methods of futures and tasks."""

    def __init__(self, tasks: Any, meter: Meter) -> None:
        self._tasks = tasks
        self._meter = meter

    def call(self, future: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """`future.name(*args, **kwargs)`."""
        return getattr(self, f"_{name}")(future, *args, **kwargs)

    def _done(self, future: Future) -> bool:
        return future.status != PENDING

    def _cancelled(self, future: Future) -> bool:
        return future.status == CANCELLED

    def _result(self, future: Future) -> Any:
        if future.status == PENDING:
            raise InvalidStateError("Result is not set.")
        return self._tasks.functions.result_of(future)

    def _exception(self, future: Future) -> BaseException | None:
        if future.status == PENDING:
            raise InvalidStateError("Exception is not set.")
        if future.status == CANCELLED:
            self._tasks.functions.result_of(future)
        return future.exception

    def _cancel(self, future: Future, msg: Any = None) -> bool:
        return future.cancel(self._tasks, msg)

    def _cancelling(self, task: Task) -> int:
        return task.cancels

    def _uncancel(self, task: Task) -> int:
        return task.uncancel()

    def _get_name(self, task: Task) -> str:
        return task.shown_name

    def _set_name(self, task: Task, value: Any) -> None:
        check_shown(self._meter, value)
        task.name = str(value)
