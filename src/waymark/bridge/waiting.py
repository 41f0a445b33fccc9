"""One batched look at the database for however many callers wait."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from waymark.errors import StoreError, StoreUnavailable
from waymark.model.records import InstanceId, InstanceView
from waymark.store.protocol import CHANNEL_DONE, InstanceStore, WakeStore

log = logging.getLogger("waymark.bridge")

POLL_S = 0.5
"""Longest time between looks when no notification arrives, unless looking has become expensive."""

_BATCH = 2000
_POLL_SHARE = 20
"""A look that took long is not repeated without a reason before this many times as long."""


class Watch:
    """What one stream waits for. `close` ends it early."""

    def __init__(self) -> None:
        self.ids: set[InstanceId] = set()
        """Not answered yet."""
        self.is_closed = False
        self._answers: dict[InstanceId, InstanceView | None] = {}
        self._changed = asyncio.Event()

    def tell(self, instance_id: InstanceId, view: InstanceView | None) -> None:
        """Answer an id: how it ended, or None when it does not exist."""
        if instance_id in self.ids:
            self.ids.discard(instance_id)
            self._answers[instance_id] = view
            self._changed.set()

    def close(self) -> None:
        """Nothing more will be answered."""
        self.is_closed = True
        self._changed.set()

    async def answers(self) -> dict[InstanceId, InstanceView | None]:
        """What was answered since the last call; waits for some. Empty: closed."""
        while not self._answers and not self.is_closed:
            self._changed.clear()
            await self._changed.wait()
        answers, self._answers = self._answers, {}
        return answers


class Waiters:
    """Everything that is waited for. `run` must be running."""

    def __init__(self, store: InstanceStore) -> None:
        self._store = store
        self._watches: set[Watch] = set()
        self._watching: defaultdict[InstanceId, set[Watch]] = defaultdict(set)
        self._unseen: set[InstanceId] = set()
        """Waited for, and not yet looked at on its own: it may have ended before, or not exist."""
        self._has_unseen = asyncio.Event()
        self._hint = asyncio.Event()

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """A watch, to which ids are then added."""
        watch = Watch()
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)
            for instance_id in watch.ids:
                self._forget(instance_id, watch)

    def add(self, watch: Watch, ids: Sequence[InstanceId]) -> None:
        """Wait for these too."""
        watch.ids.update(ids)
        for instance_id in ids:
            self._watching[instance_id].add(watch)
        self._unseen.update(ids)
        self._has_unseen.set()

    def wake(self) -> None:
        """Instances may have ended."""
        self._hint.set()

    def close(self) -> None:
        """End every watch."""
        for watch in self._watches:
            watch.close()

    async def run(self) -> None:
        """Look until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._answer_new())
            tasks.create_task(self._answer_ended())

    async def _answer_new(self) -> None:
        """Look once at each id that is new; those that come meanwhile share the next look."""
        while True:
            await self._has_unseen.wait()
            self._has_unseen.clear()
            try:
                for ids in _batches(self._unseen):
                    views = await self._store.read_instances(ids)
                    self._unseen.difference_update(ids)
                    for instance_id in ids:
                        view = views.get(instance_id)
                        if view is None or view.finished_at is not None:
                            self._tell(instance_id, view)
            except StoreError as error:
                _complain(error)
                self._has_unseen.set()
                await asyncio.sleep(POLL_S)

    async def _answer_ended(self) -> None:
        """Look at all when told that some ended, and every now and then because nobody may tell."""
        loop = asyncio.get_running_loop()
        took_s = 0.0
        while True:
            try:
                async with asyncio.timeout(max(POLL_S, took_s * _POLL_SHARE)):
                    await self._hint.wait()
            except TimeoutError:
                pass
            self._hint.clear()
            began = loop.time()
            try:
                for ids in _batches(self._watching):
                    for instance_id, view in (await self._store.read_finished(ids)).items():
                        self._tell(instance_id, view)
            except StoreError as error:
                _complain(error)
                await asyncio.sleep(POLL_S)
            took_s = loop.time() - began
            # Hints can come with every commit. Resting as long as a look took keeps the database half free of us.
            await asyncio.sleep(took_s)

    def _tell(self, instance_id: InstanceId, view: InstanceView | None) -> None:
        for watch in list(self._watching.get(instance_id, ())):
            watch.tell(instance_id, view)
            self._forget(instance_id, watch)

    def _forget(self, instance_id: InstanceId, watch: Watch) -> None:
        watching = self._watching[instance_id]
        watching.discard(watch)
        if not watching:
            del self._watching[instance_id]
            self._unseen.discard(instance_id)


def _complain(error: StoreError) -> None:
    log.warning("waiting callers wait for the database: %s", error)


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
