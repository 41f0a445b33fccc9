"""What the engine needs from durable state; every backend passes `tests/store/test_conformance.py`.

Contract shared by all methods:

* Each method is one atomic step, or a sequence of steps of which any prefix is harmless.
* `StoreUnavailable` means the outcome is unknown and the same call may be repeated; `append` and `start_instances`
  recognise their own earlier success.
* All times are decided by the database clock.
* A stale owner changes nothing: `append`, `release`, `quarantine` and `write_snapshots` compare executor, epoch and last_seq in the
  statement that writes, and report what was accepted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from waymark.model.records import (
    Append,
    AppendAnswer,
    Claim,
    ExecutorId,
    ExecutorLease,
    History,
    InstanceId,
    InstanceView,
    NewInstance,
    Quarantine,
    Release,
    Snapshot,
    WorkflowVersion,
)

CHANNEL_READY = "waymark_ready"
"""Notified after instances became due: executors look at the queue."""

CHANNEL_DONE = "waymark_done"
"""Notified after instances ended: the bridge looks for what its callers wait for."""

MAX_CLAIMS_WITHOUT_PROGRESS = 5
"""Claims without an accepted append after which an instance is quarantined."""


class VersionStore(Protocol):
    """Compiled programs."""

    async def register_version(self, version: WorkflowVersion) -> None:
        """Store a program; does nothing when the same one is stored already.

        Raises:
            VersionConflict: The name and version exist with another program hash.
        """
        ...

    async def read_version(self, name: str, version: str) -> WorkflowVersion | None:
        """The stored program, or None."""
        ...


class InstanceStore(Protocol):
    """Instances as callers see them."""

    async def start_instances(self, batch: Sequence[NewInstance]) -> Mapping[InstanceId, InstanceId]:
        """Add instances to the queue, in the order of the batch; durable on return.

        Returns:
            For each requested id the id of the instance that now exists: the same, or that of an earlier
            instance with the same workflow name and idempotency key. A known instance_id is left as it is.

        Raises:
            VersionConflict: A workflow version is not registered.
            IdempotencyConflict: A key exists with another version or input; nothing of the batch was added.
        """
        ...

    async def read_instances(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, InstanceView]:
        """Views of those that exist. `payload` is filled for terminal ones."""
        ...

    async def read_finished(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, InstanceView]:
        """Views of those among `ids` that have reached a terminal status."""
        ...


class LeaseStore(Protocol):
    """Ownership of instances by executors."""

    async def open_executor(
        self, executor_id: ExecutorId, *, host: str, pid: int, ttl_ms: int
    ) -> ExecutorLease:
        """Add the lease row of a new shard process."""
        ...

    async def renew_executors(self, ids: Sequence[ExecutorId], *, ttl_ms: int) -> frozenset[ExecutorId]:
        """Extend leases to `ttl_ms` from now. One that has expired or was closed is not revived and not returned."""
        ...

    async def close_executor(self, executor_id: ExecutorId) -> int:
        """End a lease and give its instances back at once; returns how many. Safe to repeat."""
        ...

    async def reclaim_expired(self, *, limit: int) -> int:
        """Give back up to `limit` instances of executors whose lease has expired or is gone; remove expired lease rows
        that own nothing more. Returns how many instances."""
        ...

    async def claim(self, executor_id: ExecutorId, *, limit: int) -> Claim:
        """Take up to `limit` due instances that are unowned, or whose owner's lease has expired or is gone.

        By priority (higher first), then age: how long it has been due. Raises epoch and claims_without_progress by
        one, marks queued ones running. An instance over MAX_CLAIMS_WITHOUT_PROGRESS is quarantined instead: status and
        reason are stored, it is owned by nobody and not due. An executor without a live lease gets nothing. What a
        claim took whose answer was lost is given back by the next claims of that executor.
        """
        ...

    async def release(self, executor_id: ExecutorId, batch: Sequence[Release]) -> frozenset[InstanceId]:
        """Give instances back; returns those accepted. Does not count as progress, but a release is not a failed claim
        either: claims_without_progress is set to 0."""
        ...

    async def quarantine(self, executor_id: ExecutorId, batch: Sequence[Quarantine]) -> frozenset[InstanceId]:
        """Set instances aside; returns those accepted. Their status and reason are stored, they are owned by nobody and
        not due. A repeated call whose answer was lost returns nothing, for they are owned no more."""
        ...


class JournalStore(Protocol):
    """The truth about what happened in each instance."""

    async def append(self, executor_id: ExecutorId, batch: Sequence[Append]) -> AppendAnswer:
        """Add one entry to each instance, and end those with an outcome, in one statement.

        An entry is accepted when executor, epoch and last_seq match the owner row; that resets claims_without_progress.
        An outcome sets status, payload and finished_at and removes the owner row.
        At most one entry per instance in a batch. Repeating a batch whose reply was lost reports entries
        that are already there (same epoch, seq and events) as accepted.

        Raises:
            StoreDataError: A row cannot be stored whatever is done; the backend has bisected, everything else of the batch
                was tried and `error.accepted` / `error.refused` (frozenset of instance ids) say what became of it.
        """
        ...

    async def read_histories(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, History]:
        """Snapshots and journal tails; an instance without either maps to an empty history."""
        ...

    async def write_snapshots(
        self, executor_id: ExecutorId, batch: Sequence[Snapshot]
    ) -> frozenset[InstanceId]:
        """Keep snapshots whose owner and epoch match and whose seq is at most last_seq and above every stored one;
        keeps the two newest per instance. Returns those accepted."""
        ...


class WakeStore(Protocol):
    """Hints that something changed. Losing any of them costs only latency: polling is the truth."""

    async def notify(self, channel: str) -> None:
        """Wake the listeners of a channel."""
        ...

    def listen(self, channels: Sequence[str]) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Iterate over the channels that were notified. The iterator reconnects by itself, and yields every channel
        once after each (re)connect because hints may have been lost meanwhile."""
        ...


class Store(VersionStore, InstanceStore, LeaseStore, JournalStore, WakeStore, Protocol):
    """All of durable state. `start` before use; `stop` works before `start` and twice."""

    async def start(self) -> None:
        """Connect. Raises StoreUnavailable or SchemaMismatch."""
        ...

    async def stop(self) -> None:
        """Close every connection."""
        ...
