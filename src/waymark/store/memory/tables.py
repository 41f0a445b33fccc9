"""What the memory store keeps: one record per row of the PostgreSQL schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from waymark.model.records import (
    ExecutorId,
    InstanceId,
    InstanceStatus,
    InstanceView,
    JournalEntry,
    NewInstance,
    Outcome,
    Snapshot,
    WorkflowVersion,
)
from waymark.store.quarantine import QUARANTINE_TYPE


@dataclass(slots=True)
class LeaseRow:
    """One row of `executors`."""

    host: str
    pid: int
    expires_at: datetime


@dataclass(slots=True)
class InstanceRow:
    """One row of `instances`, with that of `instance_state` while it lives, its journal and snapshots."""

    request: NewInstance
    created_at: datetime
    entropy: UUID
    wake_at: datetime | None
    """None: never, it is quarantined."""
    is_due: bool = True
    """Whether it need not wait for `wake_at`, which is then only its age."""
    status: InstanceStatus = InstanceStatus.QUEUED
    owner: ExecutorId | None = None
    epoch: int = 0
    last_seq: int = 0
    claims_without_progress: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    payload: bytes | None = None
    error_type: str = ""
    error_message: str = ""
    journal: list[JournalEntry] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    """At most two, newest first."""

    @property
    def queue_order(self) -> tuple[int, datetime, InstanceId]:
        """Where it stands in the queue; the smallest is claimed first."""
        assert self.wake_at is not None
        return (-self.request.priority, self.wake_at, self.request.instance_id)

    def is_fenced(self, executor_id: ExecutorId, epoch: int) -> bool:
        """Whether this executor owns it under this epoch."""
        return self.owner == executor_id and self.epoch == epoch and self.finished_at is None

    def end(self, outcome: Outcome, now: datetime) -> None:
        """Record how it ended, and let nobody own it."""
        self.status, self.payload, self.finished_at = outcome.status, outcome.payload, now
        self.error_type, self.error_message = outcome.error_type, outcome.error_message
        self.owner, self.wake_at = None, None

    def set_aside(self, reason: str) -> None:
        """Let nobody own it, and let it never be due."""
        self.status, self.owner, self.wake_at = InstanceStatus.QUARANTINED, None, None
        self.error_type, self.error_message = QUARANTINE_TYPE, reason

    def view(self) -> InstanceView:
        """What callers see."""
        request = self.request
        return InstanceView(
            instance_id=request.instance_id,
            workflow_name=request.workflow_name,
            workflow_version=request.workflow_version,
            status=self.status,
            priority=request.priority,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            payload=self.payload,
            error_type=self.error_type,
            error_message=self.error_message,
        )


@dataclass(slots=True)
class Tables:
    """Everything."""

    versions: dict[tuple[str, str], WorkflowVersion] = field(default_factory=dict)
    instances: dict[InstanceId, InstanceRow] = field(default_factory=dict)
    live: dict[InstanceId, InstanceRow] = field(default_factory=dict)
    """Those of `instances` that have not ended."""
    keys: dict[tuple[str, str], InstanceId] = field(default_factory=dict)
    """Instance by workflow name and idempotency key."""
    leases: dict[ExecutorId, LeaseRow] = field(default_factory=dict)
