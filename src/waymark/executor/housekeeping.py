"""What can wait a little: snapshots, instances given back, instances set aside. Written in batches, all of it fenced."""

from __future__ import annotations

import logging
from collections.abc import Callable

from waymark.errors import StoreDataError
from waymark.executor.active import ActiveInstance
from waymark.executor.database_time import to_datetime
from waymark.executor.recovery import take_snapshot
from waymark.model.records import ExecutorId, InstanceId, Quarantine, Release, Snapshot
from waymark.store.protocol import Store

log = logging.getLogger("waymark.executor")

RELEASE_BATCH = 200
_SNAPSHOT_BATCH = 50

_NEVER = to_datetime(253_370_764_800 * 1_000_000)
"""Year 9999: due only when something else makes it so."""


class Housekeeping:
    """Of one shard.

    Args:
        on_released: Called with each instance that is no longer this shard's.
    """

    def __init__(
        self, executor_id: ExecutorId, store: Store, on_released: Callable[[ActiveInstance], None]
    ) -> None:
        self._executor_id = executor_id
        self._store = store
        self._on_released = on_released
        self._snapshots: dict[InstanceId, Snapshot] = {}
        self._leaving: dict[InstanceId, ActiveInstance] = {}
        self._quarantines: dict[InstanceId, Quarantine] = {}
        self._releases: dict[InstanceId, Release] = {}

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be given back or set aside; snapshots are only a cache."""
        return not (self._leaving or self._quarantines or self._releases)

    def keep_snapshot(self, instance: ActiveInstance) -> None:
        """Save where an instance is, when memory and journal agree and it is further than the last time."""
        if not instance.is_settled or instance.last_seq <= instance.snapshot_seq:
            return
        taken = take_snapshot(
            instance.instance_id,
            instance.last_seq,
            instance.epoch,
            instance.loaded.program_hash,
            instance.machine,
        )
        instance.bytes_since_snapshot = 0
        if taken is not None:
            instance.snapshot_seq = taken.seq
            instance.snapshot_bytes = len(taken.state)
            self._snapshots[instance.instance_id] = taken

    def let_go(self, instance: ActiveInstance) -> None:
        """Give an instance back as soon as memory and journal agree."""
        instance.is_leaving = True
        self._leaving[instance.instance_id] = instance

    def give_back(self, release: Release) -> None:
        """Give back what was claimed and never came to life."""
        self._releases[release.instance_id] = release

    def set_aside(self, instance_id: InstanceId, epoch: int, last_seq: int, reason: str) -> None:
        """Quarantine an instance; until it is written it is ours, in no memory, and nobody runs it."""
        log.error("instance %s is quarantined: %s", instance_id, reason)
        self._quarantines[instance_id] = Quarantine(instance_id, epoch, last_seq, reason)

    def forget(self, instance_id: InstanceId) -> None:
        """It has left memory."""
        self._leaving.pop(instance_id, None)
        self._snapshots.pop(instance_id, None)

    def give_up(self) -> None:
        """The lease has run out: everything is free already, and the next owner will find the same faults."""
        for instance in list(self._leaving.values()):
            self._on_released(instance)
        self._leaving.clear()
        self._quarantines.clear()
        self._releases.clear()
        self._snapshots.clear()

    async def write(self) -> None:
        """Write what has gathered. A snapshot goes before the release of its instance, which ends our right to write it.

        Raises:
            StoreUnavailable: No answer; what was not written is kept for the next time.
        """
        leaving = [instance for instance in self._leaving.values() if instance.is_settled]
        await self._write_snapshots()
        await self._write_quarantines()
        await self._release(leaving)

    async def _write_snapshots(self) -> None:
        while self._snapshots:
            batch = [
                self._snapshots[instance_id] for instance_id in sorted(self._snapshots)[:_SNAPSHOT_BATCH]
            ]
            try:
                await self._store.write_snapshots(self._executor_id, batch)
            except StoreDataError as error:  # those that could be stored were
                log.warning("snapshots of %d instances cannot be stored: %s", len(error.refused), error)
            for snapshot in batch:
                if self._snapshots.get(snapshot.instance_id) is snapshot:
                    del self._snapshots[snapshot.instance_id]

    async def _write_quarantines(self) -> None:
        batch = list(self._quarantines.values())
        if batch:
            await self._store.quarantine(self._executor_id, batch)
        for one in batch:
            if self._quarantines.get(one.instance_id) is one:
                del self._quarantines[one.instance_id]

    async def _release(self, leaving: list[ActiveInstance]) -> None:
        """Whatever the answer, they are ours no longer: refused means that somebody else has them."""
        early = list(self._releases.values())
        for start in range(0, len(early), RELEASE_BATCH):
            batch = early[start : start + RELEASE_BATCH]
            await self._store.release(self._executor_id, batch)
            for release in batch:
                if self._releases.get(release.instance_id) is release:
                    del self._releases[release.instance_id]
        for start in range(0, len(leaving), RELEASE_BATCH):
            instances = leaving[start : start + RELEASE_BATCH]
            instances = [one for one in instances if self._leaving.get(one.instance_id) is one]
            if instances:
                await self._store.release(self._executor_id, [_release_of(one) for one in instances])
            for one in instances:
                if self._leaving.get(one.instance_id) is one:
                    self._on_released(one)


def _release_of(instance: ActiveInstance) -> Release:
    machine = instance.machine
    timer_us = machine.next_timer_us()
    wake_at = None
    if not machine.has_calls_in_flight():
        wake_at = to_datetime(timer_us) if timer_us is not None else _NEVER
    return Release(instance.instance_id, instance.epoch, instance.last_seq, wake_at)
