"""Waiting by the executor's clock, and letting others run during long work."""

from __future__ import annotations

import asyncio

from waymark.clock import Clock

_SHARE_US = 5_000


async def wait(event: asyncio.Event, clock: Clock, seconds: float | None = None) -> None:
    """Until an event is set, or for so many seconds."""
    if seconds is None or event.is_set():
        await event.wait()
        return
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((sleeping, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
        waiting.cancel()


class Pace:
    """Keeps one long piece of work from holding up the loop: results, progress and other instances get their turns."""

    def __init__(self, clock: Clock, *, share_us: int = _SHARE_US) -> None:
        self._clock = clock
        self._share_us = share_us
        self._since_us = clock.monotonic_us()

    async def breathe(self) -> None:
        """Let others run when this has gone on for long enough."""
        if self._clock.monotonic_us() - self._since_us >= self._share_us:
            await asyncio.sleep(0)
            self._since_us = self._clock.monotonic_us()
