"""A stack ends with whoever made it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from waymark.testing.directory_keeper import users_of
from waymark.testing.local_stack import wait_until

PARENT = """
import os, subprocess, sys, time
from waymark.testing.local_stack import kept_directory
with kept_directory("waymark-kept-") as directory:
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(directory)}
    child = subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True)
    print(directory, flush=True)
    sys.stdin.readline()
    child.kill()
    child.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, None])
def test_what_runs_from_a_kept_directory_ends_with_its_maker(number: signal.Signals | None) -> None:
    """Killed, with its process group, or closed in order: no process and no directory is left, and no keeper either."""
    maker = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert maker.stdin is not None
    assert maker.stdout is not None
    directory = Path(maker.stdout.readline().strip())
    assert directory.parent == Path(tempfile.gettempdir())
    assert list(users_of(str(directory)))
    if number is not None:
        os.killpg(maker.pid, number)
    maker.communicate("\n" if number is None else None)
    wait_until(lambda: not list(users_of(str(directory))), 20, "end of what ran there")
    wait_until(lambda: not directory.exists(), 20, "removal of the directory")
    wait_until(lambda: not _keepers(directory), 20, "end of the keeper")


def _keepers(directory: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(directory).encode() in words:
            found.append(entry.parent.name)
    return found
