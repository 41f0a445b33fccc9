"""Every import between rooms is one that the table allows, and what lives in the user's process stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "waymark"

# Room → rooms it may import. STYLE.md's table with the changes that docs/decisions.md argues for.
ALLOWED: dict[str, str] = {
    "__init__": "sdk model errors",
    "errors": "",
    "clock": "",
    "proto": "",
    "model": "errors",
    "config": "model errors",
    "telemetry": "model",
    "values": "proto model errors",
    "program": "proto values model errors",
    "compiler": "program values model errors",
    "vm": "program values model errors",
    "store": "model errors clock telemetry",
    "link": "errors",
    "pool": "link proto model errors clock telemetry",
    "executor": "vm program values store link proto model errors clock telemetry",
    "supervisor": "pool store link proto model errors clock telemetry",
    "bridge": "boot store program proto values model errors telemetry",
    "boot": "proto config model errors",
    "sdk": "compiler bridge boot config proto values model errors",
    "worker": "sdk link proto values config errors clock telemetry",
    "testing": "sdk vm executor pool bridge store proto model errors clock",
    "cli": "*",
}

# Single files that may use less than their room: what the user's process loads.
STRICTER: dict[str, str] = {
    "bridge/client.py": "bridge proto model errors",
    "bridge/channel.py": "boot bridge proto model errors",
    "bridge/waits.py": "bridge proto errors",
    "bridge/per_loop.py": "",
    "bridge/server.py": "bridge store program proto values model errors telemetry",
    "sdk/actions.py": "",
    "sdk/context.py": "",
    "sdk/workflow.py": "sdk compiler errors model",
    "sdk/runs.py": "sdk model",
}


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the full name instead of a relative import"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def _room(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def test_every_import_between_rooms_is_allowed() -> None:
    """A room imports only the rooms that its row names."""
    wrong: list[str] = []
    for path in sorted(SOURCE.rglob("*.py")):
        room = _room(path)
        if room == "proto":
            continue
        relative = str(path.relative_to(SOURCE))
        allowed = set(STRICTER.get(relative, f"{ALLOWED[room]} {room}").split())
        for line, name in _imports(path):
            parts = name.split(".")
            if parts[0] == "waymark" and len(parts) > 1 and "*" not in allowed and parts[1] not in allowed:
                wrong.append(f"{relative}:{line}: {room} may not import {parts[1]}")
    assert not wrong, "\n".join(wrong)


def test_the_table_names_every_room() -> None:
    """A new room needs a row, and a row needs a room."""
    rooms = {_room(path) for path in SOURCE.rglob("*.py")}
    assert rooms == set(ALLOWED)


def test_only_the_store_speaks_sql() -> None:
    """psycopg is imported in store/postgres alone; the launcher of test databases only when it makes one."""
    users = {
        str(path.relative_to(SOURCE).parent)
        for path in SOURCE.rglob("*.py")
        if any(name.split(".")[0] == "psycopg" for _, name in _imports(path))
    }
    assert users <= {"store/postgres", "testing"}


@pytest.mark.parametrize(
    "module",
    [
        "waymark",
        "waymark.sdk.workflow",
        "waymark.sdk.client",
        "waymark.worker.main",
        "waymark.boot.singleton",
    ],
)
def test_the_users_process_loads_no_database_driver(module: str) -> None:
    """Importing the SDK, the worker or the boot helper loads neither psycopg nor the engine."""
    program = (
        f"import sys, {module}\n"
        "heavy = [name for name in ('psycopg', 'waymark.store.postgres', 'waymark.executor', 'waymark.vm') if name in sys.modules]\n"
        "print(heavy); sys.exit(bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_waymark_loads_no_grpc() -> None:
    """A module of workflows imports quickly; gRPC comes with the first run."""
    program = "import sys, waymark; sys.exit('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
