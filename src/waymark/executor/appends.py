"""Group commit: while one append is on its way, the next batch gathers; so latency is one commit and its cost is shared."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from waymark.clock import Clock
from waymark.errors import StoreDataError, StoreUnavailable
from waymark.executor.active import ActiveInstance
from waymark.executor.database_time import DatabaseTime
from waymark.model.records import Append, ExecutorId, InstanceId
from waymark.store.protocol import JournalStore

log = logging.getLogger("waymark.executor")

MAX_BATCH = 500
MAX_BATCH_BYTES = 8 * 1024 * 1024
_BACKOFF_FIRST_S = 0.05
_BACKOFF_LAST_S = 2.0


class Appender:
    """Commits entries of many instances.

    Args:
        on_committed: Called with each instance and its append once it is durable.
        on_refused: Called with each instance whose append the fence refused: it is somebody else's now.
        on_unstorable: Called with each instance whose entry the database can never take.
        max_outcomes: Most finished instances in one statement.
    """

    def __init__(
        self,
        executor_id: ExecutorId,
        store: JournalStore,
        time: DatabaseTime,
        clock: Clock,
        *,
        on_committed: Callable[[Sequence[tuple[ActiveInstance, Append]]], None],
        on_refused: Callable[[ActiveInstance], None],
        on_unstorable: Callable[[ActiveInstance], None],
        max_outcomes: int = MAX_BATCH,
    ) -> None:
        self._executor_id = executor_id
        self._store = store
        self._time = time
        self._clock = clock
        self._on_committed = on_committed
        self._on_refused = on_refused
        self._on_unstorable = on_unstorable
        self._max_outcomes = max_outcomes
        self._queue: list[tuple[ActiveInstance, Append]] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, instance: ActiveInstance, append: Append) -> None:
        """Queue an entry; at most one per instance until it is answered."""
        self._queue.append((instance, append))
        self._idle.clear()
        self._wake.set()

    @property
    def idle(self) -> asyncio.Event:
        """Set while nothing is queued or on its way."""
        return self._idle

    async def run(self) -> None:
        """Commit batches until cancelled."""
        while True:
            if not self._queue:
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
            await self._commit(self._take())

    def _take(self) -> list[tuple[ActiveInstance, Append]]:
        size = outcomes = count = 0
        for _instance, append in self._queue:
            size += len(append.events) + (len(append.outcome.payload) if append.outcome else 0)
            outcomes += append.outcome is not None
            if count and (size > MAX_BATCH_BYTES or outcomes > self._max_outcomes or count >= MAX_BATCH):
                break
            count += 1
        batch, self._queue = self._queue[:count], self._queue[count:]
        return batch

    async def _commit(self, batch: list[tuple[ActiveInstance, Append]]) -> None:
        """Try until the answer is known: a lost reply may hide a commit, and only the store can tell."""
        backoff_s = _BACKOFF_FIRST_S
        appends = [append for _, append in batch]
        while True:
            try:
                answer = await self._store.append(self._executor_id, appends)
            except StoreUnavailable as error:
                if backoff_s == _BACKOFF_FIRST_S:
                    log.warning("appends wait for the database: %s", error)
                await self._clock.sleep(backoff_s * (0.5 + random.random()))
                backoff_s = min(backoff_s * 2, _BACKOFF_LAST_S)
            except StoreDataError as error:
                self._settle(batch, error.accepted, error.refused)
                return
            else:
                self._time.observe(answer.database_now)
                self._settle(batch, answer.accepted, frozenset())
                return

    def _settle(
        self,
        batch: list[tuple[ActiveInstance, Append]],
        accepted: frozenset[InstanceId],
        unstorable: frozenset[InstanceId],
    ) -> None:
        committed: list[tuple[ActiveInstance, Append]] = []
        for instance, append in batch:
            if append.instance_id in accepted:
                committed.append((instance, append))
            elif append.instance_id in unstorable:
                self._on_unstorable(instance)
            else:
                self._on_refused(instance)
        self._on_committed(committed)
