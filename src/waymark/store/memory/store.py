"""The store's contract over plain dictionaries, for one process and one event loop.

Safety: no method waits between its first look and its last write, so each is one atomic step of the event loop.
Nothing is scanned per append; a claim looks at the live instances, which tests and development keep few.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from waymark.errors import StoreDataError, VersionConflict
from waymark.model.records import (
    TERMINAL,
    Append,
    AppendAnswer,
    Claim,
    ClaimedInstance,
    ExecutorId,
    ExecutorLease,
    History,
    InstanceId,
    InstanceStatus,
    InstanceView,
    JournalEntry,
    NewInstance,
    Quarantine,
    Release,
    Snapshot,
    WorkflowVersion,
)
from waymark.store.limits import MAX_ROW_BYTES, check_new_instances, check_version, listable, payload_bytes
from waymark.store.mailbox import Mailbox
from waymark.store.memory.tables import InstanceRow, LeaseRow, Tables
from waymark.store.protocol import MAX_CLAIMS_WITHOUT_PROGRESS
from waymark.store.quarantine import QUARANTINE_MESSAGE
from waymark.store.starts import Known, resolve_starts


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class MemoryStore:
    """`Store` in memory. Nothing survives the process.

    Args:
        now: The "database" clock; aware UTC, never going back.
    """

    def __init__(self, *, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._tables = Tables()
        self._listeners: dict[Mailbox, frozenset[str]] = {}

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to close; what is stored stays until the store is forgotten."""

    async def register_version(self, version: WorkflowVersion) -> None:
        """See `VersionStore.register_version`."""
        check_version(version)
        stored = self._tables.versions.setdefault((version.name, version.version), version)
        if stored.program_hash != version.program_hash:
            raise VersionConflict(
                f"workflow {version.name!r} version {version.version!r} is stored with another program; "
                f"give the changed workflow a new version"
            )

    async def read_version(self, name: str, version: str) -> WorkflowVersion | None:
        """See `VersionStore.read_version`."""
        return self._tables.versions.get((name, version))

    async def start_instances(self, batch: Sequence[NewInstance]) -> Mapping[InstanceId, InstanceId]:
        """See `InstanceStore.start_instances`."""
        check_new_instances(batch)
        resolved = resolve_starts(batch, {at: self._find_known(new) for at, new in enumerate(batch)})
        for new in resolved.fresh:
            if (new.workflow_name, new.workflow_version) not in self._tables.versions:
                raise VersionConflict(
                    f"workflow version {new.workflow_name!r} {new.workflow_version!r} is not registered; "
                    f"register it before the start"
                )
        now = self._now()
        for position, new in enumerate(resolved.fresh):
            age = now + position * timedelta.resolution  # in the order of the batch, as in PostgreSQL
            row = InstanceRow(new, created_at=age, entropy=uuid4(), wake_at=age)
            self._tables.instances[new.instance_id] = self._tables.live[new.instance_id] = row
            if new.idempotency_key is not None:
                self._tables.keys[new.workflow_name, new.idempotency_key] = new.instance_id
        return resolved.answers

    async def read_instances(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, InstanceView]:
        """See `InstanceStore.read_instances`."""
        found = ((instance_id, self._tables.instances.get(instance_id)) for instance_id in ids)
        return {instance_id: row.view() for instance_id, row in found if row is not None}

    async def read_finished(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, InstanceView]:
        """See `InstanceStore.read_finished`."""
        views = await self.read_instances(ids)
        return {instance_id: view for instance_id, view in views.items() if view.status in TERMINAL}

    async def open_executor(
        self, executor_id: ExecutorId, *, host: str, pid: int, ttl_ms: int
    ) -> ExecutorLease:
        """See `LeaseStore.open_executor`. Repeating it extends the lease.

        Raises:
            StoreDataError: The id was used before.
        """
        expires_at = self._expiry(ttl_ms)
        lease = self._tables.leases.setdefault(executor_id, LeaseRow(listable(host), pid, expires_at))
        if lease.expires_at <= self._now() or (lease.host, lease.pid) != (listable(host), pid):
            raise StoreDataError(f"executor id {executor_id} was used before; every boot takes a new one")
        lease.expires_at = expires_at
        return ExecutorLease(executor_id, lease.host, lease.pid, expires_at)

    async def renew_executors(self, ids: Sequence[ExecutorId], *, ttl_ms: int) -> frozenset[ExecutorId]:
        """See `LeaseStore.renew_executors`."""
        expires_at = self._expiry(ttl_ms)
        renewed = frozenset(executor_id for executor_id in ids if self._is_alive(executor_id))
        for executor_id in renewed:
            self._tables.leases[executor_id].expires_at = expires_at
        return renewed

    async def close_executor(self, executor_id: ExecutorId) -> int:
        """See `LeaseStore.close_executor`."""
        lease = self._tables.leases.get(executor_id)
        if lease is not None:
            lease.expires_at = min(lease.expires_at, self._now())
        owned = [row for row in self._tables.live.values() if row.owner == executor_id]
        for row in owned:
            row.owner = None
        return len(owned)

    async def reclaim_expired(self, *, limit: int) -> int:
        """See `LeaseStore.reclaim_expired`."""
        freed = self._free_orphans(limit)
        owners = {row.owner for row in self._tables.live.values()}
        for executor_id in [
            one for one in self._tables.leases if one not in owners and not self._is_alive(one)
        ]:
            del self._tables.leases[executor_id]
        return freed

    async def claim(self, executor_id: ExecutorId, *, limit: int) -> Claim:
        """See `LeaseStore.claim`."""
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        now = self._now()
        if not self._is_alive(executor_id):
            return Claim((), now)
        self._free_orphans(limit)
        due = [
            row
            for row in self._tables.live.values()
            if row.owner is None and row.wake_at and (row.is_due or row.wake_at <= now)
        ]
        due.sort(key=lambda row: row.queue_order)
        taken, quarantined = [], []
        for row in due[:limit]:
            row.epoch += 1
            row.claims_without_progress += 1
            row.started_at = row.started_at or now
            if row.claims_without_progress > MAX_CLAIMS_WITHOUT_PROGRESS:
                row.set_aside(QUARANTINE_MESSAGE)
                quarantined.append(row.request.instance_id)
            else:
                row.owner, row.status = executor_id, InstanceStatus.RUNNING
                taken.append(_claimed(row))
        return Claim(tuple(taken), now, tuple(quarantined))

    async def release(self, executor_id: ExecutorId, batch: Sequence[Release]) -> frozenset[InstanceId]:
        """See `LeaseStore.release`."""
        accepted = set()
        for release in batch:
            row = self._tables.live.get(release.instance_id)
            if row and row.is_fenced(executor_id, release.epoch) and row.last_seq == release.last_seq:
                row.owner, row.claims_without_progress = None, 0
                row.wake_at, row.is_due = release.wake_at or row.wake_at, release.wake_at is None
                accepted.add(release.instance_id)
        return frozenset(accepted)

    async def quarantine(self, executor_id: ExecutorId, batch: Sequence[Quarantine]) -> frozenset[InstanceId]:
        """See `LeaseStore.quarantine`."""
        accepted = set()
        for one in batch:
            row = self._tables.live.get(one.instance_id)
            if row and row.is_fenced(executor_id, one.epoch) and row.last_seq == one.last_seq:
                row.set_aside(listable(one.reason))
                accepted.add(one.instance_id)
        return frozenset(accepted)

    async def append(self, executor_id: ExecutorId, batch: Sequence[Append]) -> AppendAnswer:
        """See `JournalStore.append`."""
        if len({append.instance_id for append in batch}) < len(batch):
            raise ValueError("a batch holds at most one entry per instance")
        refused = frozenset(append.instance_id for append in batch if payload_bytes(append) > MAX_ROW_BYTES)
        now = self._now()
        accepted = frozenset(
            append.instance_id
            for append in batch
            if append.instance_id not in refused and self._append(executor_id, append, now)
        )
        _raise_if_refused("journal entries", accepted, refused)
        return AppendAnswer(accepted, now)

    async def read_histories(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, History]:
        """See `JournalStore.read_histories`."""
        histories = {}
        for instance_id in ids:
            row = self._tables.instances.get(instance_id)
            snapshots = tuple(row.snapshots) if row else ()
            after = snapshots[-1].seq if snapshots else 0
            histories[instance_id] = History(
                instance_id, snapshots, tuple(row.journal[after:]) if row else ()
            )
        return histories

    async def write_snapshots(
        self, executor_id: ExecutorId, batch: Sequence[Snapshot]
    ) -> frozenset[InstanceId]:
        """See `JournalStore.write_snapshots`."""
        if len({snapshot.instance_id for snapshot in batch}) < len(batch):
            raise ValueError("a batch holds at most one snapshot per instance")
        refused = frozenset(
            snapshot.instance_id for snapshot in batch if payload_bytes(snapshot) > MAX_ROW_BYTES
        )
        accepted = set()
        for snapshot in batch:
            row = self._tables.live.get(snapshot.instance_id)
            if (
                row is None
                or snapshot.instance_id in refused
                or not row.is_fenced(executor_id, snapshot.epoch)
            ):
                continue
            newest = row.snapshots[0].seq if row.snapshots else -1
            if newest < snapshot.seq <= row.last_seq:
                row.snapshots = [snapshot, *row.snapshots[:1]]
                accepted.add(snapshot.instance_id)
        _raise_if_refused("snapshots", frozenset(accepted), refused)
        return frozenset(accepted)

    async def notify(self, channel: str) -> None:
        """See `WakeStore.notify`."""
        for mailbox, channels in self._listeners.items():
            if channel in channels:
                mailbox.put(channel)

    @asynccontextmanager
    async def listen(self, channels: Sequence[str]) -> AsyncGenerator[AsyncIterator[str], None]:
        """See `WakeStore.listen`."""
        mailbox = Mailbox()
        self._listeners[mailbox] = frozenset(channels)
        for channel in channels:
            mailbox.put(channel)
        try:
            yield mailbox
        finally:
            del self._listeners[mailbox]

    def _find_known(self, new: NewInstance) -> Known:
        owner = (
            self._tables.keys.get((new.workflow_name, new.idempotency_key)) if new.idempotency_key else None
        )
        first = self._tables.instances[owner].request if owner else None
        is_same = first is not None and (first.workflow_version, first.input) == (
            new.workflow_version,
            new.input,
        )
        return Known(new.instance_id in self._tables.instances, owner, is_same)

    def _expiry(self, ttl_ms: int) -> datetime:
        if ttl_ms < 1:
            raise ValueError(f"ttl_ms must be at least 1, got {ttl_ms}")
        return self._now() + timedelta(milliseconds=ttl_ms)

    def _is_alive(self, executor_id: ExecutorId) -> bool:
        lease = self._tables.leases.get(executor_id)
        return lease is not None and lease.expires_at > self._now()

    def _free_orphans(self, limit: int) -> int:
        orphans = [row for row in self._tables.live.values() if row.owner and not self._is_alive(row.owner)]
        orphans.sort(key=lambda row: row.queue_order)
        for row in orphans[:limit]:
            row.owner = None
        return len(orphans[:limit])

    def _append(self, executor_id: ExecutorId, append: Append, now: datetime) -> bool:
        row = self._tables.instances.get(append.instance_id)
        if row is None:
            return False
        if not row.is_fenced(executor_id, append.epoch) or row.last_seq != append.last_seq:
            # A repeated batch whose answer was lost: epochs are never given out twice, so the entry is the caller's.
            earlier = row.journal[append.last_seq] if 0 <= append.last_seq < row.last_seq else None
            return earlier is not None and (earlier.epoch, earlier.events) == (append.epoch, append.events)
        row.last_seq += 1
        row.claims_without_progress = 0
        row.journal.append(JournalEntry(row.last_seq, append.epoch, append.events, now))
        if append.outcome is not None:
            outcome = append.outcome
            texts = (listable(outcome.error_type), listable(outcome.error_message))
            row.end(replace(outcome, error_type=texts[0], error_message=texts[1]), now)
            del self._tables.live[append.instance_id]
        return True


def _claimed(row: InstanceRow) -> ClaimedInstance:
    return ClaimedInstance(
        instance_id=row.request.instance_id,
        workflow_name=row.request.workflow_name,
        workflow_version=row.request.workflow_version,
        input=row.request.input,
        created_at=row.created_at,
        epoch=row.epoch,
        last_seq=row.last_seq,
        claims_without_progress=row.claims_without_progress,
        started_at=row.started_at or row.created_at,
        entropy=row.entropy,
    )


def _raise_if_refused(what: str, accepted: frozenset[InstanceId], refused: frozenset[InstanceId]) -> None:
    if refused:
        raise StoreDataError(
            f"{len(refused)} of {len(refused) + len(accepted)} {what} cannot be stored: "
            f"at most {MAX_ROW_BYTES} bytes are",
            accepted=accepted,
            refused=refused,
        )
