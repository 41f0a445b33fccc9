"""One batched look at the database for however many callers wait."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from waymark.errors import StoreUnavailable
from waymark.model.records import InstanceId, InstanceView
from waymark.store.protocol import CHANNEL_DONE, InstanceStore, WakeStore

log = logging.getLogger("waymark.bridge")

POLL_S = 0.5
"""Longest time between looks when no notification arrives."""

_BATCH = 2000


class Waiters:
    """Callers that wait for instances to end. `run` must be running."""

    def __init__(self, store: InstanceStore) -> None:
        self._store = store
        self._waiting: defaultdict[InstanceId, set[asyncio.Future[InstanceView | None]]] = defaultdict(set)
        self._unseen: set[InstanceId] = set()
        """Waited for, and not yet known to exist."""
        self._look = asyncio.Event()

    def wake(self) -> None:
        """Instances may have ended."""
        self._look.set()

    async def wait_any(self, ids: Sequence[InstanceId], timeout_s: float) -> dict[InstanceId, InstanceView | None]:
        """Those of `ids` that have ended, or None for one that does not exist; empty after the timeout."""
        loop = asyncio.get_running_loop()
        futures: dict[asyncio.Future[InstanceView | None], InstanceId] = {
            loop.create_future(): instance_id for instance_id in ids
        }
        for future, instance_id in futures.items():
            if instance_id not in self._waiting:
                self._unseen.add(instance_id)
            self._waiting[instance_id].add(future)
        self._look.set()
        try:
            done, _ = await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for future, instance_id in futures.items():
                waiting = self._waiting.get(instance_id)
                if waiting is not None:
                    waiting.discard(future)
                    if not waiting:
                        del self._waiting[instance_id]
                        self._unseen.discard(instance_id)
        return {futures[future]: future.result() for future in done}

    async def run(self) -> None:
        """Look when woken, and every now and then because a wake-up may be lost."""
        while True:
            try:
                async with asyncio.timeout(POLL_S):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            try:
                await self._look_at_all()
            except StoreUnavailable as error:
                log.warning("waiting callers wait for the database: %s", error)
                await asyncio.sleep(POLL_S)

    async def _look_at_all(self) -> None:
        for ids in _batches(self._unseen):
            views = await self._store.read_instances(ids)
            self._unseen.difference_update(ids)
            for instance_id in ids:
                view = views.get(instance_id)
                if view is None or view.finished_at is not None:
                    self._tell(instance_id, view)
        for ids in _batches(self._waiting):
            for instance_id, view in (await self._store.read_finished(ids)).items():
                self._tell(instance_id, view)

    def _tell(self, instance_id: InstanceId, view: InstanceView | None) -> None:
        for future in self._waiting.get(instance_id, ()):
            if not future.done():
                future.set_result(view)


def _batches(ids: Iterable[InstanceId]) -> Iterator[list[InstanceId]]:
    every = list(ids)
    for start in range(0, len(every), _BATCH):
        yield every[start : start + _BATCH]


async def forward_done(store: WakeStore, waiters: Waiters) -> None:
    """Wake the waiters when executors say that instances ended."""
    async with store.listen([CHANNEL_DONE]) as notified:
        async for _channel in notified:
            waiters.wake()


class Notifier:
    """Coalesced notifications of one channel: never on the path of the write they tell of."""

    def __init__(self, store: WakeStore, channel: str) -> None:
        self._store = store
        self._channel = channel
        self._due = asyncio.Event()

    def notify(self) -> None:
        """Soon, once for all that asked."""
        self._due.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._store.notify(self._channel)
            except StoreUnavailable:
                await asyncio.sleep(POLL_S)  # only a hint: executors poll
