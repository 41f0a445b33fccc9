"""Ownership of instances by executors, in PostgreSQL.

Safety: an executor owns an instance exactly while `owner` names it, and the foreign key keeps its lease row alive so
long. Liveness: whoever claims first gives back what expired leases own, so nothing waits for the sweep.

A claim whose answer is lost is the one write that cannot simply be repeated: its instances belong to an executor
that does not know of them, and its lease keeps others away. Every claim therefore has a ticket number, and later
claims give back what carries the ticket of an unanswered one, until no server can still be running it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from psycopg.errors import ForeignKeyViolation

from waymark.errors import StoreDataError
from waymark.model.records import (
    Claim,
    ClaimedInstance,
    ExecutorId,
    ExecutorLease,
    InstanceId,
    Quarantine,
    Release,
)
from waymark.store.limits import listable
from waymark.store.postgres.connections import Row
from waymark.store.postgres.queries import query
from waymark.store.postgres.subject import Subject
from waymark.store.protocol import MAX_CLAIMS_WITHOUT_PROGRESS
from waymark.store.quarantine import QUARANTINE_MESSAGE, QUARANTINE_TYPE

UNANSWERED_S = 120.0
"""How long a lost claim may still take effect: well past every statement timeout and TCP time-out."""

UPKEEP_LIMIT = 5_000
"""Most sleepers woken by one statement."""


class Leases(Subject):
    """`LeaseStore` over PostgreSQL."""

    _unanswered: dict[ExecutorId, dict[int, float]]
    """Per executor the tickets of claims without an answer, and when each was sent."""

    async def open_executor(
        self, executor_id: ExecutorId, *, host: str, pid: int, ttl_ms: int
    ) -> ExecutorLease:
        """See `LeaseStore.open_executor`. Repeating it extends the lease.

        Raises:
            StoreDataError: The id was used before.
        """
        rows = await self._connections.leases.fetch(
            query("insert_executor"),
            {"executor": executor_id, "host": listable(host), "pid": pid, "ttl_ms": _checked(ttl_ms)},
        )
        if not rows:
            raise StoreDataError(f"executor id {executor_id} was used before; every boot takes a new one")
        return ExecutorLease(*rows[0])

    async def renew_executors(self, ids: Sequence[ExecutorId], *, ttl_ms: int) -> frozenset[ExecutorId]:
        """See `LeaseStore.renew_executors`."""
        rows = await self._connections.leases.fetch(
            query("renew_executors"), {"ids": list(ids), "ttl_ms": _checked(ttl_ms)}
        )
        return frozenset(row[0] for row in rows)

    async def close_executor(self, executor_id: ExecutorId) -> int:
        """See `LeaseStore.close_executor`. Two statements: after the first nothing new can become its own."""
        await self._connections.general.fetch(query("expire_executor"), {"executor": executor_id})
        rows = await self._connections.general.fetch(query("free_owned"), {"executor": executor_id})
        self._unanswered.pop(executor_id, None)
        return len(rows)

    async def reclaim_expired(self, *, limit: int) -> int:
        """See `LeaseStore.reclaim_expired`."""
        freed = await self._free_orphans(limit)
        try:
            await self._connections.general.fetch(query("delete_executors"), {})
        except StoreDataError as error:
            # A claim that was under way when its lease expired made the executor an owner again: next sweep.
            if not isinstance(error.__cause__, ForeignKeyViolation):
                raise
        return freed

    async def claim(self, executor_id: ExecutorId, *, limit: int) -> Claim:
        """See `LeaseStore.claim`. One statement, or three when something had to be queued first."""
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        await self._free_strays(executor_id)
        rows = await self._take(executor_id, limit, is_tidy=False)
        if rows[0][1]:
            await self._free_orphans(limit)
            while await self._wake_sleepers() == UPKEEP_LIMIT:
                pass
            rows = await self._take(executor_id, limit, is_tidy=True)
        taken = [row for row in rows if row[2] is not None]
        return Claim(
            instances=tuple(ClaimedInstance(*row[2:12]) for row in taken if not row[12]),
            database_now=rows[0][0],
            quarantined=tuple(row[2] for row in taken if row[12]),
        )

    async def release(self, executor_id: ExecutorId, batch: Sequence[Release]) -> frozenset[InstanceId]:
        """See `LeaseStore.release`."""
        if not batch:
            return frozenset()
        rows = await self._connections.general.fetch(
            query("release_instances"),
            {
                "executor": executor_id,
                "ids": [release.instance_id for release in batch],
                "epochs": [release.epoch for release in batch],
                "seqs": [release.last_seq for release in batch],
                "wakes": [release.wake_at for release in batch],
            },
        )
        return frozenset(row[0] for row in rows)

    async def quarantine(self, executor_id: ExecutorId, batch: Sequence[Quarantine]) -> frozenset[InstanceId]:
        """See `LeaseStore.quarantine`."""
        if not batch:
            return frozenset()
        rows = await self._connections.general.fetch(
            query("quarantine_instances"),
            {
                "executor": executor_id,
                "ids": [one.instance_id for one in batch],
                "epochs": [one.epoch for one in batch],
                "seqs": [one.last_seq for one in batch],
                "reasons": [listable(one.reason) for one in batch],
                "error_type": QUARANTINE_TYPE,
            },
        )
        return frozenset(row[0] for row in rows)

    async def _take(self, executor_id: ExecutorId, limit: int, *, is_tidy: bool) -> list[Row]:
        ticket = secrets.randbits(62)
        try:
            return await self._connections.general.fetch(
                query("claim_instances"),
                {
                    "executor": executor_id,
                    "limit": limit,
                    "is_tidy": is_tidy,
                    "ticket": ticket,
                    "max_claims": MAX_CLAIMS_WITHOUT_PROGRESS,
                    "error_type": QUARANTINE_TYPE,
                    "error_message": QUARANTINE_MESSAGE,
                },
                may_repeat=False,
            )
        except BaseException:
            # Cancelled or unanswered: whether it took anything is unknown.
            self._unanswered.setdefault(executor_id, {})[ticket] = time.monotonic()
            raise

    async def _free_strays(self, executor_id: ExecutorId) -> None:
        tickets = self._unanswered.get(executor_id)
        if not tickets:
            return
        await self._connections.general.fetch(
            query("free_strays"), {"executor": executor_id, "tickets": list(tickets)}
        )
        oldest = time.monotonic() - UNANSWERED_S
        for ticket in [ticket for ticket, sent in tickets.items() if sent < oldest]:
            del tickets[ticket]

    async def _free_orphans(self, limit: int) -> int:
        return len(await self._connections.general.fetch(query("free_orphans"), {"limit": limit}))

    async def _wake_sleepers(self) -> int:
        return len(await self._connections.general.fetch(query("wake_sleepers"), {"limit": UPKEEP_LIMIT}))


def _checked(ttl_ms: int) -> int:
    if ttl_ms < 1:
        raise ValueError(f"ttl_ms must be at least 1, got {ttl_ms}")
    return ttl_ms
