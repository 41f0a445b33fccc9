"""`asyncio.timeout`, `timeout_at` and `wait_for`. The loop's time is that of every other clock of a run."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any, ClassVar, NoReturn

from waymark.vm.coroutines import Awaits, LibraryCoroutine
from waymark.vm.futures import PENDING, Future, Task, Timer
from waymark.vm.managers import AsyncManager
from waymark.vm.unwinding import reraise

_CREATED, _ENTERED, _EXPIRING, _EXPIRED, _EXITED = "created", "active", "expiring", "expired", "finished"


class Timeout(AsyncManager):
    """Cancels its block at a moment, and lets the cancellation leave it as a TimeoutError."""

    __slots__ = ("cancels", "deadline", "state", "task", "timer")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("deadline", "state", "task", "cancels", "timer")

    def __init__(self, when: Any) -> None:
        self.deadline = when
        self.state = _CREATED
        self.task: Task | None = None
        self.cancels = 0
        """Cancellations of the task that were asked for before it entered."""
        self.timer: Timer | None = None

    def when(self) -> Any:
        return self.deadline

    def expired(self) -> bool:
        return self.state in (_EXPIRING, _EXPIRED)

    def reschedule(self, when: Any) -> None:
        if self.state != _ENTERED:
            if self.state == _CREATED:
                raise RuntimeError("Timeout has not been entered")
            raise RuntimeError(f"Cannot change state of {self.state} Timeout")
        self.deadline = when
        self._stop()
        if when is not None:
            machine = self.tasks.machine
            if when <= machine.loop_time():
                self.timer = Timer(self, is_set=False)
                self.tasks.ready.append((self.timer, 0, None))
            else:
                self.timer = machine.flight.call_at(machine.moment_of(when), self)

    def _stop(self) -> None:
        if self.timer is not None:
            self.tasks.machine.flight.cancel_timer(self.timer)
            self.timer = None

    def entered(self) -> Timeout:
        if self.state != _CREATED:
            raise RuntimeError("Timeout has already been entered")
        self.state = _ENTERED
        self.task = self.tasks.running
        self.cancels = self.task.cancels
        self.reschedule(self.deadline)
        return self

    def left(self, error: BaseException | None) -> Any:
        self._stop()
        if self.state == _ENTERED:
            self.state = _EXITED
        elif self.state == _EXPIRING:
            self.state = _EXPIRED
            assert self.task is not None
            if self.task.uncancel() <= self.cancels and error is not None:
                if isinstance(error, CancelledError):
                    raise_timeout(error)
                _insert_timeout(error)
                if isinstance(error, ExceptionGroup):
                    for part in error.exceptions:
                        _insert_timeout(part)
        return None

    def told(self, tasks: Any, index: int, future: Future | None) -> None:
        """Its moment has come."""
        assert self.task is not None
        self.task.cancel(tasks)
        self.state = _EXPIRING
        self.timer = None


def raise_timeout(cancellation: BaseException) -> NoReturn:
    """Raise the TimeoutError that a cancellation becomes."""
    error = TimeoutError()
    error.__context__ = error.__cause__ = cancellation
    error.__suppress_context__ = True
    reraise(error)


def _insert_timeout(error: BaseException) -> None:
    """Put a TimeoutError between an exception and the cancellation that it was raised in."""
    link = error
    while link.__context__ is not None:
        if isinstance(link.__context__, CancelledError):
            timeout = TimeoutError()
            timeout.__context__ = timeout.__cause__ = link.__context__
            link.__context__ = timeout
            break
        link = link.__context__


class WaitFor(LibraryCoroutine):
    """`asyncio.wait_for(...)`."""

    __slots__ = ("awaited", "limit", "timeout", "waiter")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        *LibraryCoroutine.__waymark_state__,
        "awaited",
        "timeout",
        "limit",
        "waiter",
    )
    waits_for = "asyncio.wait_for()"

    def __init__(self, awaited: Any, timeout: Any) -> None:
        super().__init__()
        self.awaited = awaited
        self.timeout = timeout
        self.limit: Timeout | None = None
        self.waiter: Future | None = None

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        if self.stage == 0:
            self.stage = 1
            if self.timeout is not None and self.timeout <= 0:
                return self._end_now(tasks)
            self.limit = tasks.functions.timeout(self.timeout)
            self.limit.entered()
            return Awaits(self.awaited)
        if self.waiter is not None:
            return self._ended(tasks, error)
        assert self.limit is not None
        self.limit.left(error)
        if error is not None:
            reraise(error)
        return value

    def _end_now(self, tasks: Any) -> Any:
        self.awaited = tasks.functions.ensure_future(self.awaited)
        if self.awaited.status != PENDING:
            return tasks.functions.result_of(self.awaited)
        self.waiter = Future()
        self.awaited.watchers.append((self.waiter, 0))
        self.awaited.cancel(tasks)
        return Awaits(self.waiter)

    def _ended(self, tasks: Any, error: BaseException | None) -> Any:
        self.awaited.unwatch(self.waiter)
        if error is not None:
            reraise(error)
        failure = self.awaited.failure()
        if isinstance(failure, CancelledError):
            raise_timeout(failure)
        if failure is not None:
            reraise(tasks.with_context(failure))
        return self.awaited.value
