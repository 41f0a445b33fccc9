"""`asyncio.wait` and `asyncio.as_completed`."""

from __future__ import annotations

from asyncio import FIRST_COMPLETED, FIRST_EXCEPTION
from typing import Any, ClassVar

from waymark.values.sets import OrderedSet
from waymark.vm.coroutines import Awaits, LibraryCoroutine, is_coroutine
from waymark.vm.futures import CANCELLED, PENDING, Future, Timer
from waymark.vm.iteration import MachineIterator
from waymark.vm.objects import MachineValue
from waymark.vm.queues import Queue
from waymark.vm.unwinding import reraise


class Countdown(MachineValue):
    """Watches many futures, and wakes one waiter when enough of them have ended."""

    __slots__ = ("missing", "return_when", "timer", "waiter")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("missing", "return_when", "waiter", "timer")

    def __init__(self, missing: int, return_when: str) -> None:
        self.missing = missing
        self.return_when = return_when
        self.waiter = Future()
        self.timer: Timer | None = None

    def told(self, tasks: Any, index: int, future: Future | None) -> None:
        """One of them has ended."""
        assert future is not None
        self.missing -= 1
        has_failed = future.status != CANCELLED and future.exception is not None
        if (
            self.missing <= 0
            or self.return_when == FIRST_COMPLETED
            or (self.return_when == FIRST_EXCEPTION and has_failed)
        ):
            self.stop_timer(tasks)
            if self.waiter.status == PENDING:
                tasks.resolve(self.waiter, None)

    def stop_timer(self, tasks: Any) -> None:
        if self.timer is not None:
            tasks.machine.flight.cancel_timer(self.timer)


class WaitCall(LibraryCoroutine):
    """`asyncio.wait(...)`."""

    __slots__ = ("countdown", "futures", "return_when", "timeout")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        *LibraryCoroutine.__waymark_state__,
        "futures",
        "timeout",
        "return_when",
        "countdown",
    )
    waits_for = "asyncio.wait()"

    def __init__(self, futures: Any, timeout: Any, return_when: Any) -> None:
        super().__init__()
        self.futures = futures
        self.timeout = timeout
        self.return_when = return_when
        self.countdown: Countdown | None = None

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        if self.countdown is None:
            self.futures = _checked(tasks, self.futures, self.return_when)
            return self._wait(tasks, Countdown(len(self.futures), self.return_when))
        self.countdown.stop_timer(tasks)
        tasks.machine.meter.burn(sum(4 + (len(future.watchers) >> 2) for future in self.futures))
        for future in self.futures:
            future.unwatch(self.countdown)
        if error is not None:
            reraise(error)
        done = OrderedSet(future for future in self.futures if future.status != PENDING)
        pending = OrderedSet(future for future in self.futures if future.status == PENDING)
        return done, pending

    def _wait(self, tasks: Any, countdown: Countdown) -> Awaits:
        self.countdown = countdown
        if self.timeout is not None:
            countdown.timer = tasks.machine.flight.call_later(0.0 + self.timeout, countdown.waiter)
        for future in self.futures:
            tasks.watch(future, countdown)
        return Awaits(countdown.waiter)


def _checked(tasks: Any, given: Any, return_when: Any) -> list[Future]:
    """The futures that `asyncio.wait` was given, each once."""
    if isinstance(given, Future) or is_coroutine(given):
        raise TypeError(f"expect a list of futures, not {type(given).__name__}")
    if not given:
        raise ValueError("Set of Tasks/Futures is empty.")
    if return_when not in ("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"):
        raise ValueError(f"Invalid return_when value: {return_when}")
    futures: list[Any] = tasks.functions.distinct(given)
    if any(map(is_coroutine, futures)):
        raise TypeError("Passing coroutines is forbidden, use tasks explicitly.")
    for future in futures:
        if not isinstance(future, Future):
            name = "add_done_callback"
            raise AttributeError(f"'{type(future).__name__}' object has no attribute '{name}'", name=name)
    return futures


class AsCompleted(MachineIterator):
    """`asyncio.as_completed(...)`: as many coroutines as there are futures, each waits for the next that ends."""

    __slots__ = ("ended", "left", "timer", "todo")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("todo", "left", "ended", "timer")
    cost = 1

    def __init__(self, todo: dict[int, Future], ended: Queue) -> None:
        self.todo = todo
        """Futures that have not ended, by their index."""
        self.left = len(todo)
        self.ended = ended
        self.timer: Timer | None = None

    def __next__(self) -> Any:
        if not self.left:
            raise StopIteration
        self.left -= 1
        return NextCompleted(self.ended)

    def remaining_items(self) -> int:
        return self.left

    def told(self, tasks: Any, index: int, future: Future | None) -> None:
        """A future has ended, or the time is over."""
        if future is None:
            for waiting in self.todo.values():
                waiting.unwatch(self)
                self.ended.put_nowait(None)
            self.todo.clear()
        elif self.todo:
            del self.todo[index]
            self.ended.put_nowait(future)
            if not self.todo and self.timer is not None:
                tasks.machine.flight.cancel_timer(self.timer)


class NextCompleted(LibraryCoroutine):
    """The next result of `asyncio.as_completed`."""

    __slots__ = ("ended",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*LibraryCoroutine.__waymark_state__, "ended")
    waits_for = "asyncio.as_completed()"

    def __init__(self, ended: Queue) -> None:
        super().__init__()
        self.ended = ended

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        if error is not None:
            reraise(error)
        if self.stage == 0:
            self.stage = 1
            return Awaits(self.ended.get())
        if value is None:
            raise TimeoutError
        return tasks.functions.result_of(value)
