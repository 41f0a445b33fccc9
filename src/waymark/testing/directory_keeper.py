"""A watcher that outlives the process which made a runtime directory, and ends everything that runs from it.

Runs as a program (`python -I -S directory_keeper.py <parent pid> <directory>`) in a session of its own, so a kill of the parent's
process group does not reach it. It acts only after its parent is gone; a parent that cleans up kills the keeper first.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

POLL_SECONDS = 0.2
"""How often the parent is looked for."""

END_SECONDS = 10.0
"""How long processes may take to be gone after their kill."""


def main(arguments: list[str]) -> int:
    """Wait for the parent to go, then end what runs from the directory and remove it.

    Args:
        arguments: Pid of the parent, directory.
    """
    parent, directory = int(arguments[0]), arguments[1]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    deadline = time.monotonic() + END_SECONDS
    while (running := list(users_of(directory))) and time.monotonic() < deadline:
        for pid in running:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass  # it ended by itself
        time.sleep(0.05)
    shutil.rmtree(directory, ignore_errors=True)
    return 0


def users_of(directory: str) -> Iterator[int]:
    """Pids of the processes that have it for their runtime directory, as everything has that a stack starts."""
    marker = f"XDG_RUNTIME_DIR={directory}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if marker in words:
            yield int(entry.parent.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
