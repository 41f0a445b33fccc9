"""A whole Waymark on this machine for demos and measurements: PostgreSQL, pool, and a bridge that the SDK boots."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from waymark.testing.embedded_postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Stack:
    """PostgreSQL and the environment that everything else runs in."""

    def __init__(self, postgres: EmbeddedPostgres, directory: Path, settings: Mapping[str, str]) -> None:
        self.postgres = postgres
        self.directory = directory
        self.dsn = postgres.create_database()
        self.pool: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")},
            # A runtime directory of its own: this bridge is nobody else's, and is stopped at the end.
            "XDG_RUNTIME_DIR": str(directory),
            "PYTHONPATH": str(ROOT / "examples"),
            "WAYMARK_DATABASE_URL": self.dsn,
            "WAYMARK_WORKER_GRPC_ADDR": "127.0.0.1:0",
            "WAYMARK_BRIDGE_GRPC_PORT": str(free_port()),
            "WAYMARK_LOG_LEVEL": "WARNING",
            **settings,
        }

    def use_here(self) -> None:
        """Let the SDK of this process use the stack."""
        for name in [name for name in os.environ if name.startswith("WAYMARK_")]:
            del os.environ[name]
        os.environ.update(self.environment)
        sys.path.insert(0, str(ROOT / "examples"))

    def start_pool(self) -> None:
        """Start the workers, in a process group of their own."""
        self.pool = subprocess.Popen(
            [str(Path(sys.executable).parent / "waymark-start-workers")],
            env=self.environment,
            cwd=self.directory,
            start_new_session=True,
        )

    def pool_processes(self) -> list[int]:
        """Pids of the pool: supervisor, shards, workers."""
        assert self.pool is not None
        found = [self.pool.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                for children in Path(f"/proc/{pid}/task").glob("*/children"):
                    found.extend(int(child) for child in children.read_text().split())
        return found

    def kill_pool(self) -> int:
        """SIGKILL every process of the pool at once; returns how many there were."""
        assert self.pool is not None
        pids = self.pool_processes()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.pool.wait()
        self.pool = None
        return len(pids)

    def stop_pool(self) -> None:
        """Stop the workers in an orderly way."""
        if self.pool is not None:
            self.pool.terminate()
            try:
                self.pool.wait(20)
            except subprocess.TimeoutExpired:
                self.kill_pool()
            self.pool = None

    def stop_bridges(self) -> None:
        """End the bridges that were booted for this stack: they carry its runtime directory in their environment."""
        marker = f"XDG_RUNTIME_DIR={self.directory}".encode()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                command = (entry.parent / "cmdline").read_bytes()
                if marker in entry.read_bytes().split(b"\0") and b"bridge" in command:
                    os.kill(int(entry.parent.name), signal.SIGTERM)


@contextlib.contextmanager
def local_stack(settings: Mapping[str, str] | None = None, *, is_durable: bool = False) -> Iterator[Stack]:
    """A stack that leaves nothing behind.

    Args:
        settings: More environment variables.
        is_durable: Whether PostgreSQL waits for the disk on commit.
    """
    with (
        tempfile.TemporaryDirectory(prefix="waymark-stack-") as directory,
        EmbeddedPostgres(fsync=is_durable) as postgres,
    ):
        os.chmod(directory, 0o700)
        stack = Stack(postgres, Path(directory), settings or {})
        try:
            yield stack
        finally:
            stack.stop_pool()
            stack.stop_bridges()


def wait_until(condition: object, timeout_s: float, what: str) -> None:
    """Look at a condition every 20 ms.

    Raises:
        TimeoutError: It did not hold in time.
    """
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {timeout_s:g} s")
        time.sleep(0.02)
