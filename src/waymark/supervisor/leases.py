"""Renews the leases of all live shards in one statement, and tells each until when it may act on its own.

Why a shard never acts on a lease that another may already have taken: the database counts the TTL from the moment it
executes the renewal; the shard counts it from the moment the renewal was *sent*, which is earlier, on a clock that runs
in suspend, and less a margin. Whatever happens to the reply, the shard stops first.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from waymark.clock import Clock
from waymark.errors import StoreUnavailable
from waymark.pool.backoff import Backoff
from waymark.store.protocol import LeaseStore
from waymark.supervisor.database import Database
from waymark.supervisor.service import Service
from waymark.supervisor.shards import Dispatcher, Shards

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeaseTerm:
    """How long a lease lives."""

    ttl_ms: int

    @property
    def margin_ms(self) -> int:
        """Time a shard gives up at the end of a lease: what it started just before must have left by then."""
        return max(self.ttl_ms // 10, 1)

    def usable_until_us(self, sent_us: int) -> int:
        """Until when a shard may act on a renewal that was sent at `sent_us`."""
        return sent_us + (self.ttl_ms - self.margin_ms) * 1000


class LeaseHeartbeat(Service):
    """The renewal loop."""

    name = "lease heartbeat"

    def __init__(
        self,
        *,
        store: LeaseStore,
        database: Database,
        shards: Shards,
        pool: Dispatcher,
        clock: Clock,
        term: LeaseTerm,
        interval_ms: int,
    ) -> None:
        super().__init__()
        if interval_ms < 1:
            raise ValueError(f"interval_ms must be above 0, got {interval_ms}")
        self._store = store
        self._database = database
        self._shards = shards
        self._pool = pool
        self._clock = clock
        self._term = term
        self._interval_s = interval_ms / 1000

    async def _run(self) -> None:
        backoff = Backoff(first_s=min(0.05, self._interval_s), most_s=min(1.0, self._interval_s))
        while True:
            try:
                await self._renew()
            except StoreUnavailable:
                await self._clock.sleep(backoff.next_s())
            else:
                backoff.reset()
                await self._clock.sleep(self._interval_s)

    async def _renew(self) -> None:
        held = [shard for shard in self._shards if shard.has_lease]
        if not held:
            return
        sent_us = self._clock.monotonic_us()
        ids = [shard.executor_id for shard in held]
        renewed = await self._database.ask(lambda: self._store.renew_executors(ids, ttl_ms=self._term.ttl_ms))
        usable_until_us = self._term.usable_until_us(sent_us)
        for shard in held:
            if shard.executor_id in renewed:
                self._shards.lease(shard, usable_until_us, self._pool)
            else:
                # Others may own its instances by now, and a lease that ended is never revived.
                log.warning("the lease of %s has expired; replacing it", shard)
                shard.has_lease = False
                shard.kill()


class Watchdog(Service):
    """Kills shards that say nothing: their lease must not be renewed for ever by a supervisor that is well.

    Counts its own ticks and not time: after a suspend of the whole machine or a SIGSTOP of everything, no shard has
    been silent for a single tick.
    """

    name = "watchdog"

    def __init__(
        self, shards: Shards, clock: Clock, *, silence_s: float, start_s: float, tick_s: float = 1.0
    ) -> None:
        """
        Args:
            silence_s: How long a shard may say nothing. Shards speak once a second.
            start_s: The same before its first word: imports, first connection.
        """
        super().__init__()
        if not 0 < tick_s <= silence_s:
            raise ValueError(f"tick_s must be above 0 and at most silence_s, got {tick_s} and {silence_s}")
        self._shards = shards
        self._clock = clock
        self._tick_s = tick_s
        self._silence_s = silence_s
        self._start_s = start_s

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(self._tick_s)
            for shard in self._shards:
                shard.silent_ticks += 1
                silent_s = shard.silent_ticks * self._tick_s
                if silent_s > (self._silence_s if shard.is_ready else self._start_s):
                    log.error("%s has said nothing for %g s; replacing it", shard, silent_s)
                    shard.kill()
