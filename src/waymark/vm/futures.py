"""Futures and tasks, with the life that asyncio gives them: pending, then done, failed or cancelled, and who is told of it.

A future is awaited by tasks and watched by what stands for asyncio's callbacks. Both stand in `watchers` and are told in that order, each by
a turn of its own in the ready queue: a task takes its next step, anything else has a method `told(tasks, index, future)`.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any, ClassVar

from waymark.vm.objects import Frame, MachineValue

PENDING, DONE, FAILED, CANCELLED = 0, 1, 2, 3


class Future(MachineValue):
    """A result that is not there yet."""

    __slots__ = ("call_id", "exception", "message", "status", "value", "watchers")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        "status",
        "value",
        "exception",
        "message",
        "watchers",
        "call_id",
    )

    def __init__(self) -> None:
        self.status = PENDING
        self.value: Any = None
        self.exception: BaseException | None = None
        """Of a cancelled future: the error that ended it, until somebody has seen it."""
        self.message: Any = None
        """What `cancel` was given."""
        self.watchers: list[tuple[Any, int]] = []
        """(who, index): whom to tell, in order."""
        self.call_id = 0
        """The call whose result it takes; 0: none."""

    def failure(self) -> BaseException | None:
        """The exception that awaiting it raises now."""
        if self.status != CANCELLED:
            return self.exception
        error, self.exception = self.exception, None
        return error if error is not None else cancelled_error(self.message)

    def cancel(self, tasks: Any, message: Any = None) -> bool:
        """Have it end as cancelled; False when it has ended already."""
        if self.status != PENDING:
            return False
        self.status, self.message = CANCELLED, message
        if self.call_id:
            tasks.machine.flight.call_off(self.call_id)
        tasks.tell(self)
        return True

    def unwatch(self, watcher: Any) -> None:
        """Tell somebody no more."""
        self.watchers = [entry for entry in self.watchers if entry[0] is not watcher]

    def told(self, tasks: Any, index: int, future: Future | None) -> None:
        """A timer says that its moment has come."""
        if self.status == PENDING:
            tasks.resolve(self, self.value)


class Task(Future):
    """A fiber: a stack of frames that runs until it waits. A task made from an action call alone has no frames."""

    __slots__ = ("cancels", "frames", "is_cancelling", "name", "number", "start", "waiter")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        *Future.__waymark_state__,
        "frames",
        "start",
        "number",
        "name",
        "waiter",
        "is_cancelling",
        "cancels",
    )

    def __init__(self, start: Any, number: int = 0) -> None:
        super().__init__()
        self.frames: list[Frame | Any] = []
        self.start = start
        """The awaitable it runs; None once it has begun."""
        self.number = number
        """From 1, in order of creation; 0 for what library functions call back."""
        self.name: str | None = None
        self.waiter: Future | None = None
        """What it waits for."""
        self.is_cancelling = False
        """Its next step begins with a CancelledError."""
        self.cancels = 0
        """Cancellations asked for and not taken back."""

    def cancel(self, tasks: Any, message: Any = None) -> bool:
        """Have a CancelledError raised where it waits."""
        if self.status != PENDING:
            return False
        self.cancels += 1
        if self.waiter is not None and self.waiter.cancel(tasks, message):
            return True
        if self.call_id:
            tasks.machine.flight.call_off(self.call_id)
            self.call_id = 0
            tasks.ready.append((self, 0, None))
        self.is_cancelling, self.message = True, message
        return True

    @property
    def shown_name(self) -> str:
        """Its name, or the one that asyncio makes up."""
        return self.name if self.name is not None else f"Task-{self.number}"

    def uncancel(self) -> int:
        """Take back one cancellation; returns how many are left."""
        if self.cancels > 0:
            self.cancels -= 1
            if self.cancels == 0:
                self.is_cancelling = False
        return self.cancels


class Gather(Future):
    """`asyncio.gather(...)`."""

    __slots__ = ("children", "is_cancelling", "keeps_exceptions", "missing")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        *Future.__waymark_state__,
        "children",
        "missing",
        "keeps_exceptions",
        "is_cancelling",
    )

    def __init__(self, children: list[Future], missing: int, keeps_exceptions: bool) -> None:
        super().__init__()
        self.children = children
        self.missing = missing
        """Children that have not ended; one that was given twice counts once."""
        self.keeps_exceptions = keeps_exceptions
        self.is_cancelling = False

    def cancel(self, tasks: Any, message: Any = None) -> bool:
        """Cancel every child; it ends when they have."""
        if self.status != PENDING:
            return False
        tasks.machine.meter.burn(len(self.children))  # a child may stand in many gathers, many times over
        asked = [child.cancel(tasks, message) for child in self.children]
        self.is_cancelling |= any(asked)
        return any(asked)

    def told(self, tasks: Any, index: int, future: Future | None) -> None:
        """A child has ended."""
        assert future is not None
        self.missing -= 1
        if self.status != PENDING:
            return
        if not self.keeps_exceptions and future.status != DONE:
            error = future.failure()
            assert error is not None
            tasks.reject(self, error)
        elif self.missing == 0:
            results = [_gathered(child) for child in self.children]
            if self.is_cancelling:
                last = self.children[-1]
                error = last.failure() if last.status == CANCELLED else cancelled_error(last.message)
                assert error is not None
                tasks.reject(self, error)
            else:
                tasks.resolve(self, results)
            self.children = []


def _gathered(child: Future) -> Any:
    if child.status == CANCELLED:
        return CancelledError("" if child.message is None else child.message)
    return child.value if child.exception is None else child.exception


class Shield(Future):
    """`asyncio.shield(...)`: ends as what it stands before, and is cancelled without it."""

    __slots__ = ()

    def told(self, tasks: Any, index: int, future: Future | None) -> None:
        """What it shields has ended."""
        assert future is not None
        if self.status != PENDING:
            return
        if future.status == CANCELLED:
            self.cancel(tasks)
        elif future.exception is not None:
            tasks.reject(self, future.exception)
        else:
            tasks.resolve(self, future.value)


class Timer(MachineValue):
    """Tells somebody at a moment, unless it is cancelled before."""

    __slots__ = ("is_set", "target")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("target", "is_set")

    def __init__(self, target: Any, *, is_set: bool = True) -> None:
        self.target = target
        """Whom to tell; None once it has told, or is cancelled."""
        self.is_set = is_set
        """Its moment is still to come."""

    def told(self, tasks: Any, index: int, future: Future | None) -> None:
        """The moment has come."""
        target, self.target = self.target, None
        if target is not None:
            target.told(tasks, index, None)


def cancelled_error(message: Any) -> CancelledError:
    """The error of a cancellation."""
    return CancelledError() if message is None else CancelledError(message)


Gather.__name__ = "_GatheringFuture"
Shield.__name__ = "Future"
