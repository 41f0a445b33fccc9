"""An event loop on a clock of its own, so that natively and on the machine things happen at the same times, and in the same order.

Nothing sleeps: when no callback is ready, time jumps to what comes next, the earliest timer or the earliest result of an action. Timers of
one moment fire together, in the order in which they were set, before any action of that moment is over; actions end one at a time, in the order of
(moment, start), and the loop runs dry between two of them. The machine is driven by the same rule.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
from collections.abc import Callable
from contextvars import Context
from itertools import count
from typing import Any

START_US = 1_700_000_000_000_000


class Hanging(Exception):
    """Every task waits for something that can never come."""


class _Timer(asyncio.TimerHandle):
    """Timers of one moment keep their order."""

    _number = 0
    _numbers = count()

    def __lt__(self, other: Any) -> bool:
        return bool((self._when, self._number) < (other._when, other._number))  # type: ignore[attr-defined]


class _NoInput(selectors.DefaultSelector):
    """Called when the loop would wait for the world."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout > 0:
            self.loop.jump()
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time() starts where the machine's does and counts whole microseconds.

    Attributes:
        started: Actions that were begun, without those that were called off before the run next waited.
        cancelled: Actions that were called off before they were over.
    """

    def __init__(self) -> None:
        selector = _NoInput()
        selector.loop = self
        self._now_us = START_US
        self._endings: list[tuple[int, int, asyncio.Future[None]]] = []
        self._turn = 0
        self._number = 0
        self.started = 0
        self.cancelled = 0
        super().__init__(selector)
        self._clock_resolution = 5e-7

    def time(self) -> float:
        return self._now_us / 1e6

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _Timer(round(when * 1e6) / 1e6, callback, args, self, context)
        timer._number = next(timer._numbers)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    async def pass_time(self, seconds: float) -> None:
        """What an action does: be away for that long, and at least until nothing else is left to do."""
        ending = self.create_future()
        self._number += 1
        heapq.heappush(self._endings, (self._now_us + round(seconds * 1e6), self._number, ending))
        self.started += 1
        turn = self._turn
        try:
            await ending
        except asyncio.CancelledError:
            if self._turn > turn:
                self.cancelled += 1
            else:  # the machine would not even have begun it
                self.started -= 1
            raise

    def jump(self) -> None:
        """Let time pass until something happens.

        Raises:
            Hanging: Nothing ever will.
        """
        timers, endings = self._scheduled, self._endings  # type: ignore[attr-defined]
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
        while endings and endings[0][2].done():
            heapq.heappop(endings)
        self._turn += 1
        timer_us = round(timers[0]._when * 1e6) if timers else None
        if endings and (timer_us is None or endings[0][0] < timer_us):
            self._now_us, _, ending = heapq.heappop(endings)
            ending.set_result(None)
        elif timer_us is not None:
            self._now_us = max(self._now_us, timer_us)
        else:
            raise Hanging


async def takes(seconds: float = 0.0) -> None:
    """Let an action of the tests take that long, in virtual time; a real worker is not involved."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualLoop):
        await loop.pass_time(seconds)
    else:
        await asyncio.sleep(seconds)
