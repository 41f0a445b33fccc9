"""One worker process of the pool, from its spawn to its end.

The process inherits one end of a socket pair. Down it goes the one-time secret (argv and environment can be read by
others); up comes a report when the worker cannot start; and its closing tells the worker that the pool has died.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from waymark.errors import WaymarkError
from waymark.pool.child import Child
from waymark.pool.command import WorkerCommand
from waymark.pool.router import Lane
from waymark.proto.worker_pb2 import Hello

_STREAM_END_GRACE_S = 0.5
"""How long the stream of a dead process may take to end by itself: time for results that are still in the socket."""

_DRAINED_EXIT_S = 5.0
"""How long a drained worker may take to leave the interpreter."""


class WorkerStartError(WaymarkError):
    """A worker did not start.

    Attributes:
        summary: One line: what failed.
        details: Traceback of the worker, or empty.
        may_be_the_command: Whether another command could do better: this one's Python lacks a module.
    """

    def __init__(self, summary: str, details: str = "", *, may_be_the_command: bool = True) -> None:
        super().__init__(summary)
        self.summary = summary
        self.details = details
        self.may_be_the_command = may_be_the_command


class SpawnedWorker:
    """A worker process and, once it has attached, its lane."""

    def __init__(self, child: Child, channel: socket.socket, worker_id: bytes, secret: bytes) -> None:
        self.child = child
        self.worker_id = worker_id
        self._secret: bytes | None = secret
        self._channel = channel
        self._report = b""
        self._attached: asyncio.Future[Lane] = asyncio.get_running_loop().create_future()
        self._watching = asyncio.create_task(self._watch())

    @classmethod
    def spawn(
        cls,
        command: WorkerCommand,
        *,
        bridge: str,
        user_modules: Sequence[str],
        environment: Mapping[str, str],
    ) -> SpawnedWorker:
        """Start the process.

        Args:
            bridge: `host:port` of the pool's gRPC server.

        Raises:
            WorkerStartError: The command cannot be run.
        """
        worker_id = secrets.token_bytes(16)
        secret = secrets.token_bytes(32)
        ours, theirs = socket.socketpair()
        argv = [*command.argv, "--bridge", bridge, "--worker-id", worker_id.hex()]
        argv += ["--secret-fd", str(theirs.fileno())]
        for module in user_modules:
            argv += ["--user-module", module]
        try:
            child = Child.spawn(argv, environment=environment, pass_fds=[theirs.fileno()])
        except OSError as error:
            ours.close()
            raise WorkerStartError(f"{command}: {error.strerror or error}") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        ours.send(secret)
        return cls(child, ours, worker_id, secret)

    def admits(self, hello: Hello) -> bool:
        """Whether a Hello proves to come from this process. True once; the secret is used up by it."""
        if self._secret is None or not hmac.compare_digest(self._secret, hello.secret):
            return False
        self._secret = None
        return True

    def attach(self, lane: Lane) -> None:
        """The process has its stream."""
        if not self._attached.done():
            self._attached.set_result(lane)

    @property
    def lane(self) -> Lane:
        """The lane of a worker that has attached."""
        return self._attached.result()

    @property
    def has_attached(self) -> bool:
        return self._attached.done()

    async def attached(self, timeout_s: float) -> Lane:
        """Wait until the process is ready for work.

        Raises:
            WorkerStartError: It ended first, or took too long; it is dead then.
        """
        try:
            async with asyncio.timeout(timeout_s):
                either: list[asyncio.Future[Any]] = [self._attached, self._watching]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self.kill()
            await self.ended()
            raise WorkerStartError(f"a worker did not attach within {timeout_s:g} seconds") from None
        except BaseException:
            self.kill()
            raise
        if self._attached.done():
            return self._attached.result()
        raise self._start_error(await self.child.wait())

    async def ended(self) -> None:
        """Wait until process and stream are both gone."""
        await asyncio.wait([self._watching])

    def kill(self) -> None:
        """End it now."""
        self.child.kill()

    async def _watch(self) -> None:
        """A worker is a process with a stream; when either ends, end the other."""
        exited = asyncio.create_task(self.child.wait())
        either: list[asyncio.Future[Any]] = [exited, self._attached]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._attached.done():
            lane = self._attached.result()
            cut = asyncio.create_task(lane.ended.wait())
            both: list[asyncio.Future[Any]] = [exited, cut]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if exited.done():
                # A process that the worker forked may hold the socket open; do not wait for that one.
                await asyncio.wait([cut], timeout=_STREAM_END_GRACE_S)
                if not cut.done():
                    lane.port.close(f"the worker's process ended with code {exited.result()}")
                    await cut
            else:
                await self._let_drained_exit(lane, exited)
        await exited
        self._report = self._read_report()
        self._channel.close()

    async def _let_drained_exit(self, lane: Lane, exited: asyncio.Task[int]) -> None:
        # After a drain the stream ends first and the process follows by itself; else its state is unknown.
        if lane.is_drained:
            await asyncio.wait([exited], timeout=_DRAINED_EXIT_S)
        self.kill()

    def _read_report(self) -> bytes:
        report = b""
        try:
            while chunk := self._channel.recv(65536):
                report += chunk
        except OSError:
            pass
        return report

    def _start_error(self, code: int) -> WorkerStartError:
        try:
            report = json.loads(self._report)
            what, error = str(report["what"]), str(report["error"])
            return WorkerStartError(
                f"{what}: {error}",
                str(report["traceback"]),
                may_be_the_command=bool(report["may_be_the_command"]),
            )
        except (ValueError, KeyError, TypeError):
            how = f"was ended by signal {-code}" if code < 0 else f"exited with code {code}"
            return WorkerStartError(f"a worker {how} before it attached; what it wrote to stderr says why")
