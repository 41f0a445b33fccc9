"""Frozen records that pass between the engine and its store.

Times named `_at` are aware UTC datetimes from the database clock. `payload` fields are opaque bytes: an encoded
value (`waymark.values`), an encoded batch of events (`waymark.vm.events`), a program or a VM state. The store never looks inside.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

InstanceId = NewType("InstanceId", UUID)
"""Identity of one started workflow."""

ExecutorId = NewType("ExecutorId", UUID)
"""Identity of one boot of one shard process; never used twice."""


class InstanceStatus(StrEnum):
    """Where an instance is in its life."""

    QUEUED = "queued"
    """Acknowledged, no shard has taken it yet."""
    RUNNING = "running"
    """Taken by a shard at least once."""
    QUARANTINED = "quarantined"
    """Set aside after it harmed its shard repeatedly; an operator releases it."""
    COMPLETED = "completed"
    """Ended with a result. Terminal."""
    FAILED = "failed"
    """Ended with an exception. Terminal."""
    CANCELLED = "cancelled"
    """Ended on request. Terminal."""


TERMINAL = frozenset({InstanceStatus.COMPLETED, InstanceStatus.FAILED, InstanceStatus.CANCELLED})
"""Statuses after which nothing changes any more."""


@dataclass(frozen=True, slots=True)
class WorkflowVersion:
    """One compiled program under its name. Immutable once stored."""

    name: str
    """Workflow name (`Workflow.short_name()`)."""
    version: str
    """Version id: the program hash in hex, unless the class pins one."""
    program_hash: bytes
    """SHA-256 of `program`, 32 bytes."""
    program_format: int
    """Format number of `program`; an executor loads only formats it knows."""
    program: bytes
    """Encoded `waymark.program.Program`."""
    source: str
    """Source text, for people."""


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A request to start one instance. `instance_id` is chosen by the caller, so a repeated request starts nothing twice."""

    instance_id: InstanceId
    workflow_name: str
    workflow_version: str
    input: bytes
    """Encoded dict of the arguments of run()."""
    priority: int = 0
    """Higher goes first; -2**31 to 2**31 - 1."""
    idempotency_key: str | None = None
    """Unique per workflow name when given."""


@dataclass(frozen=True, slots=True)
class ClaimedInstance:
    """An instance that a claim gave to an executor, with what is needed to run it."""

    instance_id: InstanceId
    workflow_name: str
    workflow_version: str
    input: bytes
    created_at: datetime
    epoch: int
    """Ownership count: this claim's number; every append must carry it."""
    last_seq: int
    """Sequence number of the newest journal entry; 0 when there is none."""
    claims_without_progress: int
    """Claims since the last accepted append, this one included."""
    started_at: datetime
    """When it was claimed for the first time: the time at which its run() begins, in every replay."""
    entropy: UUID = field(repr=False)
    """Drawn by the store when the instance was added, and told to nobody else."""

    @property
    def seed(self) -> bytes:
        """What all chance of the run is made of: known by nobody who knows the id alone, and never that of another instance."""
        return hashlib.sha256(b"waymark" + self.instance_id.bytes + self.entropy.bytes).digest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an instance ended."""

    status: InstanceStatus
    """A terminal status."""
    payload: bytes
    """COMPLETED: the encoded result. Otherwise: the encoded exception."""
    error_type: str = ""
    """Class name of the exception, for lists; empty when completed."""
    error_message: str = ""
    """Its message, for lists."""


@dataclass(frozen=True, slots=True)
class Append:
    """One journal entry to add, and the end of the instance when it is the last one.

    Accepted only if the instance is owned by the executor under `epoch` and its newest entry is `last_seq`.
    """

    instance_id: InstanceId
    epoch: int
    last_seq: int
    """The newest entry before this one; the new entry becomes `last_seq + 1`."""
    events: bytes
    """Encoded batch of events."""
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One accepted append."""

    seq: int
    """Dense from 1 within the instance."""
    epoch: int
    """Ownership count of the executor that added it."""
    events: bytes
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A saved VM state: a cache of replaying entries 1 to `seq`."""

    instance_id: InstanceId
    seq: int
    """Newest entry the state includes."""
    epoch: int
    """Ownership count under which it was written."""
    program_hash: bytes
    state_format: int
    checksum: bytes
    """SHA-256 over identity, seq, program hash, format and state; made and checked by the executor."""
    state: bytes


@dataclass(frozen=True, slots=True)
class History:
    """What recovery reads for one instance: snapshots newest first, and the tail each of them needs."""

    instance_id: InstanceId
    snapshots: tuple[Snapshot, ...]
    """At most two, newest first."""
    entries: tuple[JournalEntry, ...]
    """Entries after the OLDEST of `snapshots` (from 1 when there is none), in order."""


@dataclass(frozen=True, slots=True)
class Release:
    """An owner gives an instance back. Accepted under the same fence as an append."""

    instance_id: InstanceId
    epoch: int
    last_seq: int
    wake_at: datetime | None
    """When it becomes due again (UTC); None: at once."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An owner sets an instance aside that it can never run. Accepted under the same fence as an append."""

    instance_id: InstanceId
    epoch: int
    last_seq: int
    reason: str
    """What is wrong with it and what to do, for people; becomes its `error_message`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Answer to a claim."""

    instances: tuple[ClaimedInstance, ...]
    database_now: datetime
    """Database clock when the claim was made."""
    quarantined: tuple[InstanceId, ...] = ()
    """Instances that the claim set aside instead of handing them out."""


@dataclass(frozen=True, slots=True)
class AppendAnswer:
    """Answer to a batch of appends. Whatever is not accepted has lost its owner: drop the memory, write nothing."""

    accepted: frozenset[InstanceId]
    database_now: datetime


@dataclass(frozen=True, slots=True)
class InstanceView:
    """What a caller may know about an instance."""

    instance_id: InstanceId
    workflow_name: str
    workflow_version: str
    status: InstanceStatus
    priority: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    payload: bytes | None
    """Result or exception, as in `Outcome`; None until the instance ended."""
    error_type: str
    error_message: str


@dataclass(frozen=True, slots=True)
class ExecutorLease:
    """One lease row: a shard process of one host, alive until `expires_at` unless renewed."""

    executor_id: ExecutorId
    host: str
    pid: int
    expires_at: datetime
