"""Durable state in PostgreSQL, all subjects together."""

from __future__ import annotations

from waymark.store.postgres.connections import Connections
from waymark.store.postgres.instances import Instances
from waymark.store.postgres.journal import Journal
from waymark.store.postgres.leases import Leases
from waymark.store.postgres.migrations import check_schema
from waymark.store.postgres.snapshots import Snapshots
from waymark.store.postgres.versions import Versions
from waymark.store.postgres.wake import Wake


class PostgresStore(Versions, Instances, Leases, Journal, Snapshots, Wake):
    """`Store` over PostgreSQL. Connections are opened when first used.

    Args:
        dsn: PostgreSQL URL or key-value string.
        role: Name of this process for `pg_stat_activity`, as "waymark-shard".
        max_connections: Most connections at once, those of `listen` not counted: one for appends, one for
            leases, the rest for everything else. At least 3.

    Raises:
        StoreUnavailable: The DSN cannot be parsed.
        ValueError: `max_connections` is too low.
    """

    def __init__(self, dsn: str, *, role: str = "waymark", max_connections: int = 4) -> None:
        self._dsn = dsn
        self._role = role
        self._connections = Connections(dsn, role=role, max_connections=max_connections)
        self._unanswered = {}

    async def start(self) -> None:
        """Look whether the database is there and its schema fits.

        Raises:
            StoreUnavailable: No answer.
            SchemaMismatch: The schema is another one; `migrate` brings it up to date.
        """
        await check_schema(self._dsn, role=self._role)

    async def stop(self) -> None:
        """Close every connection; safe before `start` and twice."""
        await self._connections.close()
