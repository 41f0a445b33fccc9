"""Instances as callers see them, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from waymark.errors import StoreDataError, StoreUnavailable, VersionConflict
from waymark.model.records import InstanceId, InstanceStatus, InstanceView, NewInstance
from waymark.store.limits import check_new_instances
from waymark.store.postgres.connections import Row
from waymark.store.postgres.queries import query
from waymark.store.postgres.subject import Subject
from waymark.store.starts import Known, has_repeats, resolve_starts

MAX_RACES = 10
"""How often other starts of the same ids or keys may come between before the caller is told to try again."""


class Instances(Subject):
    """`InstanceStore` over PostgreSQL."""

    async def start_instances(self, batch: Sequence[NewInstance]) -> Mapping[InstanceId, InstanceId]:
        """See `InstanceStore.start_instances`.

        Optimistic: the requests are taken for new and added by one statement, which adds nothing when it finds one of
        them known. Only then are they looked up, decided, and those left over sent again.
        """
        check_new_instances(batch)
        known: Mapping[int, Known] = await self._find_known(batch) if has_repeats(batch) else {}
        for _ in range(MAX_RACES):
            resolved = resolve_starts(batch, known)
            if not resolved.fresh or await self._insert(resolved.fresh):
                return resolved.answers
            known = await self._find_known(batch)
        raise StoreUnavailable("others kept starting instances with the same ids or keys; try again")

    async def read_instances(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, InstanceView]:
        """See `InstanceStore.read_instances`."""
        return _views(await self._connections.general.fetch(query("read_instances"), {"ids": list(ids)}))

    async def read_finished(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, InstanceView]:
        """See `InstanceStore.read_finished`."""
        return _views(await self._connections.general.fetch(query("read_finished"), {"ids": list(ids)}))

    async def _insert(self, fresh: Sequence[NewInstance]) -> bool:
        try:
            rows = await self._connections.general.fetch(
                query("insert_instances"),
                {
                    "ids": [new.instance_id for new in fresh],
                    "names": [new.workflow_name for new in fresh],
                    "versions": [new.workflow_version for new in fresh],
                    "inputs": [new.input for new in fresh],
                    "priorities": [new.priority for new in fresh],
                    "keys": [new.idempotency_key for new in fresh],
                },
            )
        except StoreDataError as error:
            if isinstance(error.__cause__, UniqueViolation):
                return False  # a start of the same id or key committed after our look
            if isinstance(error.__cause__, ForeignKeyViolation):
                names = sorted({f"{new.workflow_name!r} {new.workflow_version!r}" for new in fresh})
                raise VersionConflict(
                    f"a workflow version is not registered, one of: {', '.join(names[:5])}; register it before the start"
                ) from error
            raise
        return bool(rows[0][0])

    async def _find_known(self, batch: Sequence[NewInstance]) -> Mapping[int, Known]:
        rows = await self._connections.general.fetch(
            query("find_instances"),
            {
                "ids": [new.instance_id for new in batch],
                "names": [new.workflow_name for new in batch],
                "versions": [new.workflow_version for new in batch],
                "inputs": [new.input for new in batch],
                "keys": [new.idempotency_key for new in batch],
            },
        )
        return {
            position - 1: Known(has_id, key_owner, bool(is_same))
            for position, has_id, key_owner, is_same in rows
        }


def _views(rows: Sequence[Row]) -> Mapping[InstanceId, InstanceView]:
    return {row[0]: InstanceView(*(*row[:3], InstanceStatus(row[3]), *row[4:])) for row in rows}
