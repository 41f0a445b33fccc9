"""Databases for tests: a given server, else one in Docker, else an embedded one; a fresh database per test."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from waymark.testing.embedded_postgres import EmbeddedPostgres, create_database, drop_database

# Helpers beside the tests are imported as `tests.<room>.<module>`, whichever way pytest was started.
sys.path.insert(0, str(Path(__file__).parents[1]))

POSTGRES_IMAGE = "postgres:18-alpine"


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests run on asyncio's own loop; its error messages are the better ones."""
    return "asyncio", {"use_uvloop": False}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """DSN of a database on a server where tests may create others.

    WAYMARK_TEST_DATABASE_URL names a server; WAYMARK_TEST_DOCKER=0 keeps Docker out of it.
    """
    given = os.environ.get("WAYMARK_TEST_DATABASE_URL")
    if given:
        yield given
    elif os.environ.get("WAYMARK_TEST_DOCKER") != "0" and _docker_answers():
        with _docker_postgres() as dsn:
            yield dsn
    else:
        with EmbeddedPostgres() as server:
            yield server.dsn


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> Iterator[str]:
    """DSN of a migrated database that nobody connects to; tests get copies of it."""
    import psycopg

    from waymark.store.postgres import print_migrations

    dsn = create_database(postgres_server)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(print_migrations().encode())
    yield dsn
    drop_database(dsn)


@pytest.fixture
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """DSN of a database without the Waymark schema, dropped after the test."""
    dsn = create_database(postgres_server)
    yield dsn
    drop_database(dsn)


@pytest.fixture
def database_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """DSN of a fresh migrated database, dropped after the test."""
    dsn = create_database(postgres_server, migrated_template)
    yield dsn
    drop_database(dsn)


def _docker_answers() -> bool:
    if not os.environ.get("DOCKER_HOST") and not os.path.exists("/var/run/docker.sock"):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import docker

            client = docker.from_env(timeout=2)
            client.ping()
            client.close()
    except Exception:  # whatever is wrong with Docker here, the embedded server does
        return False
    return True


@contextmanager
def _docker_postgres() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from testcontainers.postgres import PostgresContainer

        container = PostgresContainer(POSTGRES_IMAGE, driver=None)
        container.start()
    try:
        yield container.get_connection_url()
    finally:
        container.stop()
