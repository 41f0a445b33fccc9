"""A watcher that outlives the process which started an embedded PostgreSQL, and cleans up after it.

Runs as a program (`python -I -S postgres_keeper.py <parent pid> <data directory> <removable directory>`) in a
session of its own, so neither Ctrl-C nor a kill of the parent's process group reaches it. It acts only after its
parent is gone; a parent that closes its server kills the keeper first.

Why not PR_SET_PDEATHSIG on the server: that signal is sent when the parent *thread* ends, so a server started
from a short-lived thread would die with it; and the temporary directory would stay behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

POLL_SECONDS = 0.2
"""How often the parent is looked for."""

STOP_SECONDS = 10.0
"""How long a server may take for an immediate shutdown before it is killed."""


def main(arguments: list[str]) -> int:
    """Wait for the parent to go, then stop the server and remove its directory.

    Args:
        arguments: Pid of the parent, data directory, directory to remove.
    """
    parent, data, removable = int(arguments[0]), Path(arguments[1]), arguments[2]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    wait_for_initdb(data)
    stop_server(data)
    for _ in range(10):
        # The parent may have died inside initdb, or before the server wrote its pid file: look again.
        shutil.rmtree(removable, ignore_errors=True)
        time.sleep(POLL_SECONDS)
        stop_server(data)
        if not os.path.exists(removable):
            break
    return 0


def wait_for_initdb(data: Path) -> None:
    """Let what makes the cluster end by itself, which it does soon without its parent.

    Killed, or with its files gone, it would leave its shared memory to the machine for good.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(is_making(entry, data) for entry in Path("/proc").iterdir()):
        time.sleep(0.05)


def is_making(process: Path, data: Path) -> bool:
    """Whether a process is initdb for this data directory, or one of the servers that initdb runs in it."""
    try:
        words = (process / "cmdline").read_bytes().split(b"\0") if process.name.isdigit() else []
        if f"--pgdata={data}".encode() in words:
            return True
        return bool({b"--boot", b"--single"} & set(words)) and same_directory(process, data)
    except OSError:
        return False


def same_directory(process: Path, data: Path) -> bool:
    """Whether a process works in the data directory, as every server does."""
    return os.path.realpath(os.readlink(process / "cwd")) == os.path.realpath(data)


def stop_server(data: Path) -> None:
    """End the server of a data directory: at once, and by force if it does not obey."""
    pid = server_pid(data)
    if pid is None:
        return
    deadline = time.monotonic() + STOP_SECONDS
    # SIGQUIT is PostgreSQL's immediate shutdown; unlike SIGKILL it ends the backends and frees shared memory.
    sent = send(pid, signal.SIGQUIT)
    while sent and time.monotonic() < deadline:
        time.sleep(0.05)
        sent = send(pid, 0) if server_pid(data) == pid else False
    if sent:
        send(pid, signal.SIGKILL)


def server_pid(data: Path) -> int | None:
    """Pid in the server's own pid file, if that process runs from this data directory."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        # A pid that was given to another process meanwhile has another working directory.
        return pid if same_directory(Path(f"/proc/{pid}"), data) else None
    except (OSError, ValueError):
        return None


def send(pid: int, number: signal.Signals | int) -> bool:
    """Send a signal; False when there is no such process."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
