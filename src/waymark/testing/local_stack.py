"""A whole Waymark on this machine, for demos, measurements and fault tests: pools, and a bridge that the SDK boots.

Everything runs from its own runtime directory, on free ports, and is gone at the end: also what was killed half-way.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_STOP_TIMEOUT_S = 20.0
_READY_TIMEOUT_S = 60.0


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], timeout_s: float, what: str) -> None:
    """Look at a condition every 20 ms until it holds.

    Raises:
        TimeoutError: It did not hold in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {timeout_s:g} s")
        time.sleep(0.02)


@contextlib.contextmanager
def kept_directory(prefix: str) -> Iterator[Path]:
    """A new runtime directory. Should this process be killed, all that runs from it is ended and the directory removed."""
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        os.chmod(name, 0o700)
        keeper = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(Path(__file__).with_name("directory_keeper.py")),
                str(os.getpid()),
                name,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield Path(name)
        finally:
            keeper.kill()
            keeper.wait()


class Pool:
    """One `waymark-start-workers` with its children; its log goes to a file."""

    def __init__(self, environment: Mapping[str, str], directory: Path, log: Path) -> None:
        self.log = log
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [str(Path(sys.executable).parent / "waymark-start-workers")],
                env=dict(environment),
                cwd=directory,
                stderr=stderr,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Of the supervisor."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the supervisor lives."""
        return self._process.poll() is None

    def has_ended(self) -> bool:
        """Whether the supervisor is gone."""
        return not self.is_running

    def log_text(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(errors="replace")

    def wait_ready(self) -> None:
        """Wait until a shard has started."""
        wait_until(
            lambda: "is ready" in self.log_text() or not self.is_running,
            _READY_TIMEOUT_S,
            "start of the pool",
        )
        if not self.is_running:
            raise RuntimeError(f"the pool ended:\n{self.log_text()}")

    def processes(self) -> dict[int, str]:
        """Pids of the pool and what they are: supervisor, shard or worker."""
        found = {self._process.pid: "supervisor"}
        todo = [self._process.pid]
        while todo:
            parent = todo.pop()
            with contextlib.suppress(OSError):
                for children in Path(f"/proc/{parent}/task").glob("*/children"):
                    for child in map(int, children.read_text().split()):
                        command = Path(f"/proc/{child}/cmdline").read_bytes()
                        found[child] = "shard" if b"internal-shard" in command else "worker"
                        todo.append(child)
        return found

    def signal(self, number: int, kinds: Sequence[str] = ("supervisor", "shard", "worker")) -> int:
        """Send a signal to all processes of these kinds at once; returns how many there were."""
        targets = [pid for pid, kind in self.processes().items() if kind in kinds]
        for pid in targets:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return len(targets)

    def kill(self) -> int:
        """SIGKILL everything; returns how many processes there were."""
        count = self.signal(signal.SIGKILL)
        self._process.wait()
        return count

    def stop(self) -> int:
        """End it in order; returns the exit code."""
        if self.is_running:
            self.signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.returncode


class LocalStack:
    """The environment that pools, bridge and SDK share."""

    def __init__(self, dsn: str, directory: Path, settings: Mapping[str, str]) -> None:
        self.dsn = dsn
        self.directory = directory
        self.pools: list[Pool] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")},
            "XDG_RUNTIME_DIR": str(directory),
            "WAYMARK_DATABASE_URL": dsn,
            "WAYMARK_WORKER_GRPC_ADDR": "127.0.0.1:0",
            "WAYMARK_BRIDGE_GRPC_PORT": str(free_port()),
            **settings,
        }

    def use_here(self) -> None:
        """Let the SDK of this process use the stack; for scripts, which end with it."""
        for name in [name for name in os.environ if name.startswith("WAYMARK_")]:
            del os.environ[name]
        os.environ.update(self.environment)
        sys.path[:0] = [path for path in self.environment.get("PYTHONPATH", "").split(os.pathsep) if path]

    def start_pool(self, settings: Mapping[str, str] | None = None) -> Pool:
        """Start one more pool."""
        log = self.directory / f"pool-{len(self.pools)}.log"
        pool = Pool({**self.environment, **(settings or {})}, self.directory, log)
        self.pools.append(pool)
        return pool

    def bridge_pids(self) -> list[int]:
        """Bridges that were booted for this stack: its runtime directory is in their environment."""
        marker = f"XDG_RUNTIME_DIR={self.directory}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                command = (entry.parent / "cmdline").read_bytes()
                if marker in entry.read_bytes().split(b"\0") and b"waymark-bridge" in command.replace(
                    b".cli.", b"-"
                ):
                    found.append(int(entry.parent.name))
        return found

    def close(self) -> None:
        """End everything."""
        for pool in self.pools:
            pool.stop()
        for pid in self.bridge_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not self.bridge_pids(), 5, "end of the bridge")


@contextlib.contextmanager
def local_stack(dsn: str, settings: Mapping[str, str] | None = None) -> Iterator[LocalStack]:
    """A stack over a database that exists.

    Args:
        dsn: Its database.
        settings: More environment variables for everything in it.
    """
    with kept_directory("waymark-stack-") as directory:
        stack = LocalStack(dsn, directory, settings or {})
        try:
            yield stack
        finally:
            stack.close()
