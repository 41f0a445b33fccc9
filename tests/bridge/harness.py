"""A user's machine in small: a runtime directory of its own, free ports, and no bridge left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from waymark.testing.local_stack import free_port, kept_directory, wait_until

BOOT = [sys.executable, "-m", "waymark.cli.boot_singleton"]
BRIDGE = [sys.executable, "-m", "waymark.cli.bridge"]


class Desk:
    """What one user has on one machine."""

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        self.directory = directory
        self.port = free_ports(3)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")},
            "XDG_RUNTIME_DIR": str(directory),
            "WAYMARK_BRIDGE_GRPC_PORT": str(self.port),
            **settings,
        }
        self._started: list[subprocess.Popen[str]] = []

    @property
    def runtime(self) -> Path:
        """Token, lock and logs."""
        return self.directory / "waymark"

    def token(self) -> str:
        """The user's own token."""
        return (self.runtime / "token").read_text()

    def boot(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the boot helper to its end."""
        environment = {**self.environment, **settings}
        return subprocess.run(
            [*BOOT, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def booted(self, *arguments: str, **settings: str) -> int:
        """The port that the boot helper prints."""
        done = self.boot(*arguments, **settings)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def start_bridge(self, port: int | None = None, **settings: str) -> subprocess.Popen[str]:
        """A bridge in the foreground, which need not become healthy."""
        address = f"127.0.0.1:{self.port if port is None else port}"
        process = subprocess.Popen(
            BRIDGE,
            env={**self.environment, "WAYMARK_BRIDGE_GRPC_ADDR": address, **settings},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def serving_bridge(self, port: int | None = None, **settings: str) -> subprocess.Popen[str]:
        """A bridge in the foreground that serves."""
        process = self.start_bridge(port, **settings)
        assert process.stderr is not None
        for line in process.stderr:
            if "serving on" in line:
                return process
        raise AssertionError("the bridge did not serve")

    def bridges(self) -> list[int]:
        """Pids of bridges that were booted with this runtime directory."""
        marker = f"XDG_RUNTIME_DIR={self.directory}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                words = (entry.parent / "cmdline").read_bytes().split(b"\0")
                is_bridge = any(word.endswith((b"waymark-bridge", b"waymark.cli.bridge")) for word in words)
                if is_bridge and marker in entry.read_bytes().split(b"\0"):
                    found.append(int(entry.parent.name))
        return found

    def kill_bridges(self) -> None:
        """SIGKILL to all of them."""
        for pid in self.bridges():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.bridges(), 5, "end of the bridges")

    def close(self) -> None:
        """End everything."""
        for process in self._started:
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()
        self.kill_bridges()


@contextlib.contextmanager
def open_desk(**settings: str) -> Iterator[Desk]:
    """A desk in a new directory."""
    with kept_directory("waymark-desk-") as directory:
        desk = Desk(directory, settings)
        try:
            yield desk
        finally:
            desk.close()


def free_ports(count: int) -> int:
    """The first of this many consecutive free ports."""
    while True:
        first = free_port()
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
            return first


@contextlib.contextmanager
def listener(port: int) -> Iterator[socket.socket]:
    """Somebody else on a port, who never says a word."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", port))
        one.listen(64)
        yield one
