"""What must hold in the journal and the ledger after any fault: invariants I1 to I4 of RELIABILITY.md."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from waymark.vm.events import CallSucceeded, decode_entry


@dataclass(frozen=True)
class Findings:
    """What the check saw; `violations` must be empty."""

    violations: list[str]
    entries: int
    executions: int
    repeated: int
    """Executions of an attempt beyond its first: allowed for what was in flight when its host died."""
    takeovers: int
    """Instances that had more than one owner."""


def check(dsn: str, ledger_dsn: str) -> Findings:
    """Compare journal, instances and ledger."""
    violations: list[str] = []
    committed: dict[tuple[UUID, int], datetime] = {}
    takeovers = 0
    with psycopg.connect(dsn) as database:
        rows = database.execute(
            "SELECT instance_id, seq, epoch, events, committed_at FROM waymark.journal ORDER BY instance_id, seq"
        ).fetchall()
        unfinished = database.execute(
            "SELECT count(*) FROM waymark.instances WHERE finished_at IS NULL"
        ).fetchone()
        alive = database.execute("SELECT count(*) FROM waymark.instance_state").fetchone()
    assert unfinished is not None
    assert alive is not None
    if unfinished[0] or alive[0]:
        violations.append(f"I1: {unfinished[0]} instances have not ended, {alive[0]} still have an owner row")
    by_instance: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
    for instance_id, seq, epoch, events, committed_at in rows:
        by_instance[instance_id].append((seq, epoch))
        for event in decode_entry(bytes(events)).events:
            if isinstance(event, CallSucceeded):
                key = (instance_id, event.call_id)
                if key in committed:
                    violations.append(f"I2: {key} has two results")
                committed.setdefault(key, committed_at)
    for instance_id, entries in by_instance.items():
        if [seq for seq, _ in entries] != list(range(1, len(entries) + 1)):
            violations.append(f"I2: journal of {instance_id} is not dense")
        epochs = [epoch for _, epoch in entries]
        if epochs != sorted(epochs):
            violations.append(f"I2: epochs of {instance_id} go back: {epochs}")
        takeovers += len(set(epochs)) > 1
    with psycopg.connect(ledger_dsn) as ledger:
        executions = ledger.execute(
            "SELECT instance_id, call_id, attempt, at FROM ledger WHERE state = 'begun'"
        ).fetchall()
    seen: dict[tuple[UUID, int, int], int] = defaultdict(int)
    for instance_id, call_id, attempt, at in executions:
        seen[instance_id, call_id, attempt] += 1
        done_at = committed.get((instance_id, call_id))
        if done_at is None:
            violations.append(f"I3: {instance_id}:{call_id} was executed and has no result")
        elif at > done_at:
            violations.append(
                f"I3: {instance_id}:{call_id} began at {at}, after its result was committed at {done_at}"
            )
    return Findings(violations, len(rows), len(executions), sum(seen.values()) - len(seen), takeovers)
