"""A stack per test: its own database, ledger, pools and bridge."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from waymark.sdk.connection import ConfiguredSource, connector
from waymark.testing.local_stack import LocalStack, local_stack

USER_CODE = Path(__file__).parent / "user_code"

LEDGER = """
CREATE TABLE ledger (
    id bigserial PRIMARY KEY, instance_id uuid NOT NULL, call_id bigint NOT NULL, attempt int NOT NULL,
    state text NOT NULL, pid int NOT NULL, at timestamptz NOT NULL
)
"""

FAST_LEASE = {"WAYMARK_LOCK_TTL_MS": "1500", "WAYMARK_LOCK_HEARTBEAT_MS": "300"}


@pytest.fixture
def stack(
    database_url: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalStack]:
    """A stack whose SDK is this process; pools are started by the test."""
    settings = {
        "PYTHONPATH": str(USER_CODE),
        "LEDGER_URL": empty_database_url,
        "WAYMARK_WORKER_COUNT": "2",
        "WAYMARK_EXECUTOR_SHARDS": "2",
        "WAYMARK_USER_MODULE": "engine_flows",
    }
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(LEDGER)
    monkeypatch.setattr(sys, "path", [str(USER_CODE), *sys.path])
    with local_stack(database_url, settings) as made:
        for name in [name for name in os.environ if name.startswith("WAYMARK_")]:
            monkeypatch.delenv(name)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        connector.use(ConfiguredSource())
        yield made


@pytest.fixture
def flows(stack: LocalStack) -> Any:
    """The module of workflows."""
    return importlib.import_module("engine_flows")


@pytest.fixture
def run(stack: LocalStack) -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    """Run a coroutine function and close the SDK's channel after it."""

    def runner(body: Callable[[], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            try:
                return await body()
            finally:
                await connector.client().close()

        return asyncio.run(main())

    return runner
