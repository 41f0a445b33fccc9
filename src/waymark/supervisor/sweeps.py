"""The loops that only watch the store: wake-ups for the shards, and ownership of processes that are gone."""

from __future__ import annotations

import logging

from waymark.clock import Clock
from waymark.errors import StoreUnavailable
from waymark.store.protocol import CHANNEL_READY, LeaseStore, WakeStore
from waymark.supervisor.database import Database
from waymark.supervisor.service import Service
from waymark.supervisor.shards import Shards

log = logging.getLogger(__name__)


class Waker(Service):
    """Passes wake-ups of the store on to the shards. Losing one costs latency only: shards poll by themselves."""

    name = "waker"

    def __init__(self, store: WakeStore, shards: Shards) -> None:
        super().__init__()
        self._store = store
        self._shards = shards

    async def _run(self) -> None:
        async with self._store.listen([CHANNEL_READY]) as channels:
            async for _ in channels:
                self._shards.wake()


class Reclaimer(Service):
    """Gives back what processes of dead hosts own. Claims see expired leases without it; it keeps the tables clean."""

    name = "reclaimer"

    def __init__(
        self,
        *,
        store: LeaseStore,
        database: Database,
        shards: Shards,
        clock: Clock,
        interval_ms: int,
        batch_size: int,
    ) -> None:
        super().__init__()
        if interval_ms < 1 or batch_size < 1:
            raise ValueError(
                f"interval_ms and batch_size must be above 0, got {interval_ms} and {batch_size}"
            )
        self._store = store
        self._database = database
        self._shards = shards
        self._clock = clock
        self._interval_s = interval_ms / 1000
        self._batch_size = batch_size

    async def _run(self) -> None:
        while True:
            try:
                await self._sweep()
            except StoreUnavailable:
                # Said once by the database's own log line; the next sweep tries again.
                pass
            await self._clock.sleep(self._interval_s)

    async def _sweep(self) -> None:
        total = 0
        reclaimed = self._batch_size
        while reclaimed >= self._batch_size:
            reclaimed = await self._database.ask(lambda: self._store.reclaim_expired(limit=self._batch_size))
            total += reclaimed
        if total:
            log.info("%d instances of processes that are gone were given back", total)
            self._shards.wake()
