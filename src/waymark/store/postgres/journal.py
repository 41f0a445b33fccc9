"""The journal in PostgreSQL.

Safety: the statement in `append_entries.sql` writes the owner row under a comparison of executor, epoch and last_seq,
and only what that write returns reaches the journal. An answer that was lost is found again by the entry
itself: an epoch is never given out twice, so an entry with our epoch, seq and events is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from waymark.model.records import Append, AppendAnswer, ExecutorId, InstanceId
from waymark.store.limits import listable
from waymark.store.postgres.bisect import write_apart
from waymark.store.postgres.queries import query
from waymark.store.postgres.subject import Subject


class Journal(Subject):
    """Adding entries, for `JournalStore` over PostgreSQL."""

    async def append(self, executor_id: ExecutorId, batch: Sequence[Append]) -> AppendAnswer:
        """See `JournalStore.append`. A batch of more than MAX_STATEMENT_BYTES takes several statements."""
        if len({append.instance_id for append in batch}) < len(batch):
            raise ValueError("a batch holds at most one entry per instance")
        times: list[datetime] = []

        async def write(part: Sequence[Append]) -> frozenset[InstanceId]:
            now, accepted = await self._append(executor_id, part)
            times.append(now)
            return accepted

        written = await write_apart(batch, write)
        written.raise_if_refused("journal entries")
        if not times:
            times.append((await self._append(executor_id, ()))[0])
        return AppendAnswer(frozenset(written.accepted), times[-1])

    async def _append(
        self, executor_id: ExecutorId, part: Sequence[Append]
    ) -> tuple[datetime, frozenset[InstanceId]]:
        outcomes = [append.outcome for append in part]
        rows = await self._connections.appends.fetch(
            query("append_entries"),
            {
                "executor": executor_id,
                "ids": [append.instance_id for append in part],
                "epochs": [append.epoch for append in part],
                "seqs": [append.last_seq for append in part],
                "events": [append.events for append in part],
                "statuses": [outcome and str(outcome.status) for outcome in outcomes],
                "payloads": [outcome and outcome.payload for outcome in outcomes],
                "error_types": [outcome and listable(outcome.error_type) for outcome in outcomes],
                "error_messages": [outcome and listable(outcome.error_message) for outcome in outcomes],
            },
        )
        accepted = frozenset(row[1] for row in rows if row[1] is not None)
        missing = [append for append in part if append.instance_id not in accepted]
        if missing:
            accepted |= await self._find_own(missing)
        return rows[0][0], accepted

    async def _find_own(self, missing: Sequence[Append]) -> frozenset[InstanceId]:
        """Which of the entries are there already: an earlier try was committed and its answer lost."""
        rows = await self._connections.appends.fetch(
            query("find_entries"),
            {
                "ids": [append.instance_id for append in missing],
                "epochs": [append.epoch for append in missing],
                "seqs": [append.last_seq + 1 for append in missing],
                "events": [append.events for append in missing],
            },
        )
        return frozenset(row[0] for row in rows)
