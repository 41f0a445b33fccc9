"""What a listener has not read yet: a set of channels that can be waited for."""

from __future__ import annotations

import asyncio


class Mailbox:
    """Channels that were notified, each at most once however often it was notified; iterated by one task."""

    def __init__(self) -> None:
        self._pending: dict[str, None] = {}
        self._is_filled = asyncio.Event()

    def put(self, channel: str) -> None:
        """Add a channel, if it is not waiting already."""
        self._pending[channel] = None
        self._is_filled.set()

    def __aiter__(self) -> Mailbox:
        return self

    async def __anext__(self) -> str:
        while not self._pending:
            self._is_filled.clear()
            await self._is_filled.wait()
        channel = next(iter(self._pending))
        del self._pending[channel]
        return channel
