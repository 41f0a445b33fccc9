"""LISTEN and NOTIFY. Hints only: whatever goes wrong here costs latency, never a wake-up that polling would miss.

Behind a transaction pooler LISTEN reaches nobody, or fails: the iterator then yields the channels once after each
connect and is silent. NOTIFY is a statement of its own, because its commit takes a lock that all notifying commits of
the server share.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

import psycopg
from psycopg import sql

from waymark.errors import StoreError
from waymark.store.mailbox import Mailbox
from waymark.store.postgres.connections import Connection, Connector, jittered
from waymark.store.postgres.queries import query
from waymark.store.postgres.subject import Subject

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 15.0
"""Waits between attempts to connect double from the first to the longest."""

CHECK_S = 20.0
"""How often a silent connection is asked whether it is alive."""

logger = logging.getLogger(__name__)


class Wake(Subject):
    """`WakeStore` over PostgreSQL."""

    async def notify(self, channel: str) -> None:
        """See `WakeStore.notify`."""
        await self._connections.general.fetch(query("notify_channel"), {"channel": channel})

    @asynccontextmanager
    async def listen(self, channels: Sequence[str]) -> AsyncGenerator[AsyncIterator[str], None]:
        """See `WakeStore.listen`. Enters at once, even while the database is away."""
        mailbox = Mailbox()
        listener = asyncio.create_task(_listen(self._connections.connector, tuple(channels), mailbox))
        try:
            yield mailbox
        finally:
            # Awaited before the connection's descriptor can be given to another, or the loop waits on the wrong one.
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener


async def _listen(connector: Connector, channels: tuple[str, ...], mailbox: Mailbox) -> None:
    pause = FIRST_PAUSE_S
    while True:
        try:
            connection = await connector.open("listen", statement_timeout_ms=10_000)
            try:
                for channel in channels:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                for channel in channels:
                    mailbox.put(channel)
                pause = FIRST_PAUSE_S
                await _forward(connection, mailbox)
            finally:
                await connection.close()
        except (StoreError, psycopg.Error, OSError, TimeoutError) as error:
            logger.debug("LISTEN is interrupted, polling goes on: %s", type(error).__name__)
        await asyncio.sleep(jittered(pause))
        pause = min(pause * 2, LONGEST_PAUSE_S)


async def _forward(connection: Connection, mailbox: Mailbox) -> None:
    """Pass notifications on until the connection breaks."""
    while True:
        async with aclosing(connection.notifies(timeout=CHECK_S)) as notifications:
            async for notification in notifications:
                mailbox.put(notification.channel)
        # A peer that vanished does not break a connection on which nothing is sent.
        async with asyncio.timeout(CHECK_S):
            await connection.execute("SELECT 1")
