"""How a child process notices that its parent is gone: two ways, because each has a hole.

* `die_with_parent` asks the kernel (Linux) to kill this process when the parent's thread that forked it ends. It works
  while Python is stuck in C code, but not through a wrapper command such as `uv run`, whose pid is the parent's.
* `watch_parent` blocks a thread on a socket that only the parent holds. It works through wrappers and on every system,
  and takes along the processes that this one started, but needs the interpreter's lock to act.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends. Does nothing where the kernel cannot."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def watch_parent(held_by_parent: socket.socket) -> None:
    """Kill this process, and its process group if it leads one, when the parent's end of a socket closes.

    Args:
        held_by_parent: Blocking socket; the parent sends nothing more on it.
    """

    def watch() -> None:
        try:
            while held_by_parent.recv(4096):
                pass
        except OSError:
            pass
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="waymark-parent-watch", daemon=True).start()
