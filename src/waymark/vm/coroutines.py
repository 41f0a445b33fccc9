"""Coroutines of asyncio itself: each is a small machine whose stage is plain data, so that it can wait across a snapshot.

One stands in a task's stack as a frame does. `advance` is given what was waited for, or the exception that came instead, and says what to wait
for next, as an `Awaits`, or gives its result.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from waymark.vm.futures import Future, Timer
from waymark.vm.objects import ActionCall, Coroutine, MachineValue
from waymark.vm.unwinding import reraise


class Awaits:
    """Tells that a coroutine waits for something; None lets the others run first."""

    __slots__ = ("awaitable",)

    def __init__(self, awaitable: Any) -> None:
        self.awaitable = awaitable


class LibraryCoroutine(MachineValue):
    """Root of them. What a subclass keeps is set in its `__init__` and listed in its state."""

    __slots__ = ("stack", "stage", "started")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("started", "stage", "stack")
    code = ()
    generator = None
    """It is no frame of a generator."""

    def __init__(self) -> None:
        self.started = False
        self.stage = 0
        self.stack: list[Any] = []
        """What was waited for, until `advance` takes it."""

    @property
    def waits_for(self) -> str:
        """What it is, for the message of a run that can never go on; empty where what it waits for says more."""
        return ""

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        """Go on.

        Args:
            tasks: The machine's tasks.
            value: What was waited for; None at the beginning.
            error: What was raised instead.
        """
        raise NotImplementedError


class SleepCall(LibraryCoroutine):
    """`asyncio.sleep(...)`."""

    __slots__ = ("delay", "result", "timer")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        *LibraryCoroutine.__waymark_state__,
        "delay",
        "result",
        "timer",
    )

    def __init__(self, delay: Any, result: Any) -> None:
        super().__init__()
        self.delay = delay
        self.result = result
        self.timer: Timer | None = None

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        if self.stage == 1:
            if self.timer is not None:
                tasks.machine.flight.cancel_timer(self.timer)
            if error is not None:
                reraise(error)
            return self.result
        self.stage = 1
        if self.delay <= 0:
            return Awaits(None)
        if math.isnan(self.delay):
            raise ValueError("Invalid delay: NaN (not a number)")
        future = Future()
        self.timer = tasks.machine.flight.call_later(self.delay, future)
        return Awaits(future)


def is_coroutine(value: Any) -> bool:
    """Whether a value is what calling an async function gives."""
    return type(value) in (ActionCall, Coroutine) or isinstance(value, LibraryCoroutine)


LibraryCoroutine.__name__ = SleepCall.__name__ = "coroutine"
