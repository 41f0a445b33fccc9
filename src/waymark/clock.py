"""Time for services: a monotonic reading and a wait, both replaceable in tests.

The monotonic reading is CLOCK_BOOTTIME where the system has it, because leases must keep ageing while a
machine is suspended (CLOCK_MONOTONIC stops there). No code decides a lease by the wall clock of its host.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

_CLOCK_ID: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """What a service may know about time."""

    def monotonic_us(self) -> int:
        """Microseconds since an arbitrary start; never goes back, keeps running in suspend."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for at least this many seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def monotonic_us(self) -> int:
        return time.clock_gettime_ns(_CLOCK_ID) // 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves only when a test says so."""

    def __init__(self) -> None:
        self._now_us = 0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    def monotonic_us(self) -> int:
        return self._now_us

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append((self._now_us + round(seconds * 1_000_000), waiter))
        await waiter

    def advance(self, seconds: float) -> None:
        """Move time forward and wake every sleeper that is due."""
        self._now_us += round(seconds * 1_000_000)
        due = [waiter for at_us, waiter in self._waiters if at_us <= self._now_us]
        self._waiters = [(at_us, waiter) for at_us, waiter in self._waiters if at_us > self._now_us]
        for waiter in due:
            if not waiter.done():
                waiter.set_result(None)
