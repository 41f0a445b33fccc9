"""The schema's numbered steps: applied by whoever comes first, or printed for a DBA.

Each step is one transaction that first takes an advisory lock, so any number of processes may start at once, and that
records itself. A step names the oldest code that can still work with it: hosts may be upgraded one by one, and
an old process may restart meanwhile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

import psycopg

from waymark.errors import SchemaMismatch
from waymark.store.postgres.connections import Connection, Connector
from waymark.store.postgres.errors import translate

_LOCK_KEY = 0x5741_594D_4152_4B01
"""Advisory lock of this database: "WAYMARK" and 1."""

_OLDEST_SERVER = 14
_LEDGER = """\
CREATE SCHEMA IF NOT EXISTS waymark;
CREATE TABLE IF NOT EXISTS waymark.schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    oldest_code integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step."""

    number: int
    name: str
    oldest_code: int
    """Lowest number of newest migration that code must know to work with the schema after this step."""
    sql: str


def load_migrations() -> tuple[Migration, ...]:
    """All steps of this release, in order."""
    folder = files("waymark.store.postgres") / "migrations"
    found = []
    for file in folder.iterdir():
        named = re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name)
        if named:
            text = file.read_text(encoding="utf-8")
            oldest = re.search(r"^-- oldest code: (\d+)$", text, re.MULTILINE)
            if oldest is None:
                raise ValueError(f"migration {file.name} does not say `-- oldest code: <number>`")
            found.append(Migration(int(named[1]), named[2], int(oldest[1]), text))
    return tuple(sorted(found, key=lambda migration: migration.number))


def print_migrations(*, after: int = 0) -> str:
    """The SQL that a DBA runs instead of `migrate`.

    Args:
        after: Number of the newest step that the database has; 0 for a fresh one.
    """
    return "\n".join(
        f"BEGIN;\n\n{_LEDGER}\n{migration.sql.rstrip()}\n\n{_record(migration)}\n\nCOMMIT;\n"
        for migration in load_migrations()
        if migration.number > after
    )


async def migrate(dsn: str, *, role: str = "waymark-migrate") -> tuple[int, ...]:
    """Bring the schema up to this release; safe to call from many processes at once.

    Returns:
        Numbers of the steps that this call applied.

    Raises:
        StoreUnavailable: No answer; the steps that were done stay done.
        SchemaMismatch: The server is too old, or the schema too new for this release.
    """
    connector = Connector(dsn, role=role)
    # No limit on a step: an index on a big journal takes as long as it takes.
    connection = await connector.open("migrate", statement_timeout_ms=0)
    try:
        _check_server(connection)
        applied = [step.number for step in load_migrations() if await _apply(connection, step)]
        await _check(connection)
        return tuple(applied)
    except psycopg.Error as error:
        raise translate(error, connector.secrets) from error
    finally:
        await connection.close()


async def check_schema(dsn: str, *, role: str = "waymark-check") -> None:
    """Whether this release can work with the database.

    Raises:
        SchemaMismatch: It cannot; says why and what to do.
        StoreUnavailable: No answer.
    """
    connector = Connector(dsn, role=role)
    connection = await connector.open("check", statement_timeout_ms=10_000)
    try:
        _check_server(connection)
        await _check(connection)
    except psycopg.Error as error:
        raise translate(error, connector.secrets) from error
    finally:
        await connection.close()


async def _apply(connection: Connection, migration: Migration) -> bool:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
        # Only now: waiting for another process's long step is not an error, waiting for a table in use is one.
        await connection.execute("SET LOCAL lock_timeout = '30s'")
        if await _has_ledger(connection):
            done = await connection.execute(
                "SELECT 1 FROM waymark.schema_migrations WHERE number = %s", (migration.number,)
            )
            if await done.fetchone():
                return False
        else:
            await connection.execute(_LEDGER.encode())
        await connection.execute(migration.sql.encode())
        await connection.execute(_record(migration).encode())
    return True


async def _check(connection: Connection) -> None:
    known = load_migrations()[-1].number
    if not await _has_ledger(connection):
        raise SchemaMismatch("the database has no Waymark schema; run the migrations")
    cursor = await connection.execute(
        "SELECT coalesce(max(number), 0), coalesce(max(oldest_code), 0) FROM waymark.schema_migrations"
    )
    newest, oldest_code = await cursor.fetchone() or (0, 0)
    if newest < known:
        raise SchemaMismatch(
            f"the database schema is at {newest}, this release needs {known}; run the migrations"
        )
    if oldest_code > known:
        raise SchemaMismatch(
            f"the database schema is at {newest} and needs a release that knows {oldest_code}, this one knows {known}; "
            f"upgrade Waymark on this host"
        )


async def _has_ledger(connection: Connection) -> bool:
    cursor = await connection.execute("SELECT to_regclass('waymark.schema_migrations') IS NOT NULL")
    row = await cursor.fetchone()
    return bool(row and row[0])


def _check_server(connection: Connection) -> None:
    version = connection.info.server_version // 10_000
    if version < _OLDEST_SERVER:
        raise SchemaMismatch(f"the server is PostgreSQL {version}; Waymark needs {_OLDEST_SERVER} or later")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise SchemaMismatch(
            f"the database's encoding is {encoding}, which cannot hold every text; create one with ENCODING 'UTF8'"
        )


def _record(migration: Migration) -> str:
    return (
        "INSERT INTO waymark.schema_migrations (number, name, oldest_code) "
        f"VALUES ({migration.number}, '{migration.name}', {migration.oldest_code});"
    )
