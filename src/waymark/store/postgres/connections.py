"""Connections to PostgreSQL: a few lanes, opened when first used, each statement in its own transaction.

A lane is a fixed number of connections kept for one purpose, so that a slow page cannot delay a heartbeat and a
flood of heartbeats cannot delay an append. What a process does not use is never opened.

No statement is prepared on the server: behind a transaction pooler the next one may run on a session that does not
know it. Measured (PostgreSQL 18, no fsync), preparing would take an append of one entry from 1.0 to 0.5 ms and one of
200 entries from 5.8 to 4.6 ms, which is all planning; that it works behind any pooler is worth more for now.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg import AsyncConnection, conninfo
from psycopg.types.numeric import Int8BinaryDumper

from waymark.errors import StoreUnavailable
from waymark.store.postgres.errors import READ_ONLY, RETRIED, secrets_of, translate
from waymark.store.postgres.queries import Query

Row = tuple[Any, ...]
Connection = AsyncConnection[Row]

MAX_TRIES = 5
"""How often a statement is sent that ends in a deadlock or a serialization failure."""

CONNECT_TIMEOUT_S = 5
"""Longest wait for a connection."""

GRACE_S = 5.0
"""How long after its statement timeout the server may still answer before the connection is given up."""

LIVENESS = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    # A peer that vanished without a word is noticed after 5 + 3 * 2 seconds when idle, 10 when data is unacknowledged.
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Connector:
    """Opens connections with the session settings that the store relies on.

    Args:
        dsn: PostgreSQL URL or key-value string.
        role: Name of the process for `pg_stat_activity`, as "waymark-shard".

    Raises:
        StoreUnavailable: The DSN cannot be parsed.
    """

    def __init__(self, dsn: str, *, role: str) -> None:
        self.secrets = secrets_of(dsn)
        self._given = conninfo.conninfo_to_dict(dsn)
        self._role = role
        self._takes_options = True

    async def open(self, lane: str, *, statement_timeout_ms: int) -> Connection:
        """A new autocommit connection for a lane.

        Args:
            lane: Shown in `pg_stat_activity` after the role.
            statement_timeout_ms: Longest run of one statement; half of it is the longest wait for a lock. 0: no limit.

        Raises:
            StoreUnavailable: There is none to be had.
        """
        settings = {
            # Forced: a role or database may default to off, and an acknowledged append would be lost in a crash.
            "synchronous_commit": "on",
            "search_path": "pg_catalog",
            "statement_timeout": str(statement_timeout_ms),
            "lock_timeout": str(statement_timeout_ms // 2),
            # There are no open transactions by design; if one appears, a frozen process must not keep its locks.
            "idle_in_transaction_session_timeout": "5000",
            "timezone": "UTC",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        parameters: dict[str, Any] = {
            "target_session_attrs": "read-write",
            **LIVENESS,
            **self._given,
            "application_name": f"{self._role}/{lane}"[:63],
            "client_encoding": "utf8",
            "options": f"{self._given.get('options') or ''} {options}".strip(),
        }
        try:
            connection = await self._connect(parameters)
        except (psycopg.Error, OSError) as error:
            # `from None`: the driver's own text may quote a part of the DSN.
            raise translate(error, self.secrets) from None
        # All integers travel as int8, so that an array's type does not depend on the numbers in it.
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        return connection

    async def _connect(self, parameters: dict[str, Any]) -> Connection:
        if self._takes_options:
            try:
                return await AsyncConnection.connect(**parameters, autocommit=True, prepare_threshold=None)
            except psycopg.OperationalError as error:
                if "unsupported startup parameter" not in str(error):
                    raise
                self._takes_options = False
        # PgBouncer refuses settings unless told to ignore them. Nothing that keeps histories right depends on
        # them but one: a commit that is acknowledged before it is on disk would be forgotten by a crash.
        without = {name: value for name, value in parameters.items() if name != "options"}
        connection: Connection = await AsyncConnection.connect(
            **without, autocommit=True, prepare_threshold=None
        )
        cursor = await connection.execute("SELECT current_setting('synchronous_commit')")
        if await cursor.fetchone() == ("off",):
            await connection.close()
            raise StoreUnavailable(
                "synchronous_commit is off for this role or database and the pooler lets no client change that; "
                "run ALTER ROLE ... SET synchronous_commit = on"
            )
        return connection


class Lane:
    """A fixed number of connections for one purpose; safe for any number of tasks.

    Args:
        connector: Opens them.
        name: Shown in `pg_stat_activity` after the role.
        size: Most connections at once. At least 1.
        statement_timeout_ms: Longest run of one statement on the server.
    """

    def __init__(
        self, connector: Connector, name: str, *, size: int = 1, statement_timeout_ms: int = 30_000
    ) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1, got {size}")
        self._connector = connector
        self._name = name
        self._permits = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._statement_timeout_ms = statement_timeout_ms
        self._generation = 0

    async def fetch(
        self, query: Query, parameters: Mapping[str, Any], *, may_repeat: bool = True
    ) -> list[Row]:
        """Run one statement in its own transaction and read all its rows.

        Args:
            query: The statement.
            parameters: Its named values.
            may_repeat: Whether it may be sent again when a connection that had been idle turns out to be dead, which
                says nothing about whether the statement took effect.

        Raises:
            StoreUnavailable: No answer; whether it took effect is unknown.
            StoreDataError: The data was refused; nothing took effect.
            SchemaMismatch: A table or column is missing.
        """
        tries = 0
        async with self._permits:
            while True:
                tries += 1
                was_idle = bool(self._idle)
                connection = self._idle.pop() if was_idle else await self._open()
                try:
                    return await self._run(connection, query, parameters)
                except (psycopg.Error, OSError, TimeoutError) as error:
                    code = getattr(error, "sqlstate", None)
                    if code in RETRIED and tries < MAX_TRIES:
                        await asyncio.sleep(random.uniform(0.002, 0.02) * 2**tries)
                        continue
                    if connection.closed and was_idle and may_repeat:
                        # The server restarted while we were idle; the other idle connections died with it.
                        await self._discard_idle()
                        continue
                    raise translate(error, self._connector.secrets) from error

    async def close(self) -> None:
        """Close idle connections now and those in use when they come back."""
        self._generation += 1
        await self._discard_idle()

    async def _run(self, connection: Connection, query: Query, parameters: Mapping[str, Any]) -> list[Row]:
        generation = self._generation
        is_reusable = False
        try:
            async with asyncio.timeout(self._statement_timeout_ms / 1000 + GRACE_S):
                cursor = connection.cursor(binary=True)
                await cursor.execute(query.text, parameters)
                rows = await cursor.fetchall() if cursor.description else []
            is_reusable = True
            return rows
        except psycopg.Error as error:
            # A demoted primary refuses writes for ever: reconnecting may lead to the new one.
            is_reusable = not connection.closed and error.sqlstate is not None and error.sqlstate != READ_ONLY
            raise
        finally:
            # Anything else, a cancelled task included, leaves the connection in a state not worth finding out.
            if is_reusable and generation == self._generation:
                self._idle.append(connection)
            else:
                await connection.close()

    async def _open(self) -> Connection:
        return await self._connector.open(self._name, statement_timeout_ms=self._statement_timeout_ms)

    async def _discard_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()


class Connections:
    """The lanes of one process.

    Args:
        dsn: PostgreSQL URL or key-value string.
        role: Name of the process for `pg_stat_activity`.
        max_connections: Most connections at once, listeners not counted. At least 3: one for appends, one
            for leases, the rest for everything else.

    Raises:
        ValueError: `max_connections` is too low.
        StoreUnavailable: The DSN cannot be parsed.
    """

    def __init__(self, dsn: str, *, role: str, max_connections: int) -> None:
        if max_connections < 3:
            raise ValueError(f"max_connections must be at least 3, got {max_connections}")
        self.connector = Connector(dsn, role=role)
        self.appends = Lane(self.connector, "append")
        # A heartbeat that takes longer than this has missed its lease anyway.
        self.leases = Lane(self.connector, "lease", statement_timeout_ms=4_000)
        self.general = Lane(self.connector, "general", size=max_connections - 2)

    async def close(self) -> None:
        """Close every lane; a later statement opens what it needs again."""
        for lane in (self.appends, self.leases, self.general):
            await lane.close()


def jittered(seconds: float, random_unit: Callable[[], float] = random.random) -> float:
    """A wait between half of `seconds` and all of it, so that many processes do not come back at once."""
    return seconds * (0.5 + random_unit() / 2)
