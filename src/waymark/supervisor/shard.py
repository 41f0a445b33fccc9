"""One shard process as its supervisor sees it: a child, a link, a lease."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence

from waymark.link import Link, LinkBroken, batches
from waymark.model.records import ExecutorId
from waymark.pool.child import Child
from waymark.pool.router import Results
from waymark.proto.link_pb2 import (
    FromShard,
    ShardLease,
    ShardProgress,
    ShardStop,
    ShardWake,
    ToShard,
)

ShardCommand = Callable[[ExecutorId, int], Sequence[str]]
"""Command line of a shard process, given its executor id and the inherited descriptor of its link."""

_EXIT_GRACE_S = 1.0
"""From the end of the link to the kill of a process that stays; and from the end of the process to that of the link."""


class ShardProcess:
    """A running shard; build it with `spawn`.

    Attributes:
        executor_id: Fresh for this process, never used again.
        is_ready: It has said so.
        has_lease: Its lease row is open and is to be renewed.
        silent_ticks: Ticks of the watchdog since it last said anything.
        progress: Its newest counters.
    """

    def __init__(self, executor_id: ExecutorId, child: Child, link: Link[FromShard]) -> None:
        self.executor_id = executor_id
        self.child = child
        self._link = link
        self.is_ready = False
        self.has_lease = False
        self.silent_ticks = 0
        self.progress = ShardProgress()
        self._cutting = asyncio.create_task(self._cut_link_after_exit())

    @classmethod
    async def spawn(
        cls, executor_id: ExecutorId, command: ShardCommand, environment: Mapping[str, str]
    ) -> ShardProcess:
        """Start a process.

        Raises:
            OSError: The command cannot be run.
        """
        ours, theirs = socket.socketpair()
        try:
            argv = command(executor_id, theirs.fileno())
            child = Child.spawn(argv, environment=environment, pass_fds=[theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(executor_id, child, await Link.open(ours, receives=FromShard))

    def __str__(self) -> str:
        return f"shard {self.executor_id} (pid {self.child.pid})"

    async def receive(self) -> FromShard | None:
        """The next message; None once the shard can say nothing more."""
        try:
            message = await self._link.receive()
        except LinkBroken:
            # Killed in the middle of a write.
            message = None
        if message is not None:
            self.silent_ticks = 0
        return message

    def wake(self) -> None:
        """Instances may be due."""
        self._link.send(ToShard(wake=ShardWake()))

    def lease(self, usable_until_us: int) -> None:
        """The lease was renewed; see `ShardLease`."""
        self._link.send(ToShard(lease=ShardLease(usable_until_us=usable_until_us)))

    def results(self, results: Results) -> None:
        """Calls came back."""
        for batch in batches(results, _result_size):
            message = ToShard()
            add = message.results.results.add
            for token, body in batch:
                add(token=token, body=body)
            self._link.send(message)

    def stop(self, grace_ms: int) -> None:
        """Ask it to release what it owns and exit."""
        self._link.send(ToShard(stop=ShardStop(grace_ms=grace_ms)))

    def kill(self) -> None:
        """End it now."""
        self.child.kill()

    async def _cut_link_after_exit(self) -> None:
        # What the process wrote is still in the socket; a process that it forked may hold the socket open.
        await self.child.wait()
        await asyncio.sleep(_EXIT_GRACE_S)
        await self._link.close(timeout_s=0)

    async def reap(self) -> int:
        """Wait for its exit, forced if need be, and close the link; returns the exit code."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EXIT_GRACE_S):
                await self.child.wait()
        self.kill()
        self._cutting.cancel()
        await self._link.close(timeout_s=0)
        return await self.child.wait()


def _result_size(entry: tuple[int, bytes]) -> int:
    return len(entry[1]) + 16
