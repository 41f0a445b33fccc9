"""One child process in a session of its own: spawned, awaited, killed with everything that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence


class Child:
    """A running process; build it with `spawn`.

    It leads its own process group, so that a terminal's Ctrl-C does not reach it and a kill takes its children along.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._watch()

    @classmethod
    def spawn(
        cls, argv: Sequence[str], *, environment: Mapping[str, str], pass_fds: Sequence[int] = ()
    ) -> Child:
        """Start a process; it keeps stdout and stderr, and has no stdin.

        Raises:
            OSError: The command cannot be run.
        """
        # subprocess and not the loop's own spawn: that one forks without vfork under uvloop, which stalls the loop
        # longer the more memory the process has, and its child watcher needs SIGCHLD.
        process = subprocess.Popen(
            list(argv),
            env=dict(environment),
            pass_fds=tuple(pass_fds),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        return cls(process)

    @property
    def has_ended(self) -> bool:
        return self._ended.done()

    async def wait(self) -> int:
        """Wait for the end; returns the exit code, negative for the signal that ended it."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """End it and its process group now. Safe to repeat, and after the end."""
        self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: int) -> None:
        # Only while the process is not reaped: after that its id may belong to somebody else.
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            descriptor = os.pidfd_open(self.pid)
        except (AttributeError, OSError):
            # No pidfd here (not Linux, or an old kernel): a thread waits instead.
            task = asyncio.ensure_future(
                asyncio.to_thread(os.waitid, os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            )
            task.add_done_callback(lambda _: self._reap())
            return

        def ended() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            self._reap()

        loop.add_reader(descriptor, ended)

    def _reap(self) -> None:
        # What it left behind goes first, while the zombie still keeps the group's id from being used again.
        self._signal_group(signal.SIGKILL)
        code = self._process.wait()
        if not self._ended.done():
            self._ended.set_result(code)
