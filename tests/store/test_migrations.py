"""The schema: made by whoever comes first, the same by either way, and refused when it does not fit."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from psycopg import sql

from tests.store.backends import execute
from waymark.errors import SchemaMismatch, StoreUnavailable
from waymark.store.postgres import PostgresStore, check_schema, migrate, print_migrations
from waymark.store.postgres.migrations import load_migrations

pytestmark = pytest.mark.anyio

NUMBERS = tuple(migration.number for migration in load_migrations())

SHAPE = """
SELECT 'column', c.table_name || '.' || c.column_name, c.data_type || c.is_nullable || coalesce(c.column_default, '')
FROM information_schema.columns AS c WHERE c.table_schema = 'waymark'
UNION ALL
SELECT 'index', i.indexname, i.indexdef FROM pg_indexes AS i WHERE i.schemaname = 'waymark'
UNION ALL
SELECT 'constraint', k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint AS k JOIN pg_namespace AS n ON n.oid = k.connamespace WHERE n.nspname = 'waymark'
UNION ALL
SELECT 'option', r.relname, array_to_string(r.reloptions, ',')
FROM pg_class AS r JOIN pg_namespace AS n ON n.oid = r.relnamespace WHERE n.nspname = 'waymark'
ORDER BY 1, 2, 3
"""


async def test_a_fresh_database_is_migrated_once(empty_database_url: str) -> None:
    """The first call applies every step and records it, the next one finds nothing to do."""
    assert await migrate(empty_database_url) == NUMBERS
    assert await migrate(empty_database_url) == ()
    await check_schema(empty_database_url)
    recorded = await execute(empty_database_url, "SELECT number FROM waymark.schema_migrations ORDER BY 1")
    assert recorded == [(number,) for number in NUMBERS]


async def test_concurrent_migrations_apply_each_step_once(empty_database_url: str) -> None:
    """Any number of processes may start on a fresh database at once."""
    applied = await asyncio.gather(*(migrate(empty_database_url) for _ in range(8)))
    assert sorted(number for numbers in applied for number in numbers) == sorted(NUMBERS)


async def test_the_printed_sql_makes_the_same_schema(database_url: str, empty_database_url: str) -> None:
    """What a DBA runs and what the code runs end alike; `database_url` was made from the printed SQL."""
    await migrate(empty_database_url)
    assert await execute(database_url, SHAPE) == await execute(empty_database_url, SHAPE)
    assert await migrate(database_url) == ()
    assert print_migrations(after=NUMBERS[-1]) == ""


async def test_a_failed_step_leaves_nothing_behind(empty_database_url: str) -> None:
    """A step is one transaction, so the next try begins where this one began."""
    await execute(empty_database_url, "CREATE SCHEMA waymark", "CREATE TABLE waymark.journal (other int)")
    with pytest.raises(StoreUnavailable, match="already exists"):
        await migrate(empty_database_url)
    left = await execute(
        empty_database_url, "SELECT relname FROM pg_class WHERE relnamespace = 'waymark'::regnamespace"
    )
    assert left == [("journal",)]
    await execute(empty_database_url, "DROP TABLE waymark.journal")
    assert await migrate(empty_database_url) == NUMBERS


async def test_an_older_schema_is_refused(database_url: str) -> None:
    """Code that needs a later step does not start."""
    await execute(database_url, "DELETE FROM waymark.schema_migrations")
    with pytest.raises(
        SchemaMismatch, match=rf"schema is at 0, this release needs {NUMBERS[-1]}; run the migrations"
    ):
        await PostgresStore(database_url).start()


async def test_a_newer_schema_is_accepted_while_it_says_so(database_url: str) -> None:
    """Hosts are upgraded one by one: an old process may restart until a step says that it is too old."""
    add = "INSERT INTO waymark.schema_migrations (number, name, oldest_code) VALUES (%(n)s, 'later', %(oldest)s)"
    await execute(database_url, add, n=9001, oldest=NUMBERS[-1])
    await check_schema(database_url)
    await execute(database_url, add, n=9002, oldest=9002)
    with pytest.raises(SchemaMismatch, match="needs a release that knows 9002"):
        await check_schema(database_url)
    with pytest.raises(SchemaMismatch, match="upgrade Waymark on this host"):
        await migrate(database_url)


async def test_an_ordinary_role_can_migrate_and_run(empty_database_url: str) -> None:
    """Neither superuser rights nor extensions: CREATE on the database is enough."""
    role = "waymark_ordinary"
    parts = psycopg.conninfo.conninfo_to_dict(empty_database_url)
    await execute(empty_database_url, f"CREATE ROLE {role} LOGIN NOSUPERUSER PASSWORD 'ordinary'")
    try:
        async with await psycopg.AsyncConnection.connect(empty_database_url, autocommit=True) as connection:
            grant = sql.SQL("GRANT CREATE ON DATABASE {} TO {}")
            await connection.execute(grant.format(sql.Identifier(str(parts["dbname"])), sql.Identifier(role)))
        dsn = f"postgresql://{role}:ordinary@{parts['host']}:{parts['port']}/{parts['dbname']}"
        assert await migrate(dsn) == NUMBERS
        store = PostgresStore(dsn)
        await store.start()
        await store.stop()
    finally:
        await execute(empty_database_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


async def test_a_database_that_cannot_hold_every_text_is_refused(postgres_server: str) -> None:
    """Text of another encoding would fail late, when a run's error message is stored."""
    name = "waymark_latin1"
    await execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        dsn = postgres_server.rsplit("/", 1)[0] + f"/{name}"
        with pytest.raises(SchemaMismatch, match=r"encoding is LATIN1.*ENCODING 'UTF8'"):
            await migrate(dsn)
    finally:
        await execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def test_every_migration_says_when_it_runs() -> None:
    """Steps are numbered without gaps, and name the oldest code that may go on beside them."""
    assert [*NUMBERS] == [*range(1, len(NUMBERS) + 1)]
    for migration in load_migrations():
        assert 1 <= migration.oldest_code <= migration.number
        assert "Run before the code" in migration.sql or "Run after the code" in migration.sql
