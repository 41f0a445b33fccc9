"""Snapshots, and the histories that recovery reads, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from waymark.model.records import ExecutorId, History, InstanceId, JournalEntry, Snapshot
from waymark.store.postgres.bisect import write_apart
from waymark.store.postgres.queries import query
from waymark.store.postgres.subject import Subject


class Snapshots(Subject):
    """Snapshots and reading, for `JournalStore` over PostgreSQL."""

    async def read_histories(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, History]:
        """See `JournalStore.read_histories`.

        Two statements: entries are only ever added, so those after the oldest snapshot read are all there still.
        """
        snapshots: dict[InstanceId, list[Snapshot]] = {instance_id: [] for instance_id in ids}
        entries: dict[InstanceId, list[JournalEntry]] = {instance_id: [] for instance_id in ids}
        wanted = list(snapshots)
        for row in await self._connections.general.fetch(query("read_snapshots"), {"ids": wanted}):
            snapshots[row[0]].append(Snapshot(*row))
        kept = {instance_id: tuple(found[:2]) for instance_id, found in snapshots.items()}
        after = [kept[instance_id][-1].seq if kept[instance_id] else 0 for instance_id in wanted]
        for row in await self._connections.general.fetch(
            query("read_entries"), {"ids": wanted, "seqs": after}
        ):
            entries[row[0]].append(JournalEntry(*row[1:]))
        return {
            instance_id: History(instance_id, kept[instance_id], tuple(entries[instance_id]))
            for instance_id in wanted
        }

    async def write_snapshots(
        self, executor_id: ExecutorId, batch: Sequence[Snapshot]
    ) -> frozenset[InstanceId]:
        """See `JournalStore.write_snapshots`.

        Raises:
            StoreDataError: As in `append`.
        """
        if len({snapshot.instance_id for snapshot in batch}) < len(batch):
            raise ValueError("a batch holds at most one snapshot per instance")

        async def write(part: Sequence[Snapshot]) -> frozenset[InstanceId]:
            rows = await self._connections.general.fetch(
                query("write_snapshots"),
                {
                    "executor": executor_id,
                    "ids": [snapshot.instance_id for snapshot in part],
                    "seqs": [snapshot.seq for snapshot in part],
                    "epochs": [snapshot.epoch for snapshot in part],
                    "hashes": [snapshot.program_hash for snapshot in part],
                    "formats": [snapshot.state_format for snapshot in part],
                    "checksums": [snapshot.checksum for snapshot in part],
                    "states": [snapshot.state for snapshot in part],
                },
            )
            return frozenset(row[0] for row in rows)

        written = await write_apart(batch, write)
        written.raise_if_refused("snapshots")
        return frozenset(written.accepted)
