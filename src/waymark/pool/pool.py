"""The pool: as many worker processes as asked for, attached and at work, whatever dies.

Each place of the pool has a keeper. It waits until the worker of its place ends or is worn out, and puts another
there: after a death at once (with a growing pause when workers die without having done anything), at the end of a
worker's life before the old one stops taking work.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import grpc.aio

from waymark.model.settings import Address
from waymark.pool.backoff import Backoff
from waymark.pool.command import WorkerCommand
from waymark.pool.router import Lane, Results, Router, SourceId
from waymark.pool.service import Admission, Refusal, WorkerPoolService, new_server
from waymark.pool.spawned import SpawnedWorker, WorkerStartError
from waymark.proto.worker_pb2 import Hello
from waymark.telemetry.figures import PoolFigures

ATTACH_TIMEOUT_S = 60.0
"""How long a worker may take from its spawn to its Hello; the imports of the user's modules are in it."""

HEALTHY_LIFE_S = 10.0
"""A worker that lived this long, or answered anything, does not count as one that fails to start."""

log = logging.getLogger(__name__)


class AddressTaken(Exception):
    """The pool cannot listen on its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOptions:
    """What a pool is made of."""

    address: Address
    """Where workers attach; port 0 picks a free one."""
    worker_count: int
    slots_per_worker: int
    """Actions at once in one worker."""
    commands: Sequence[WorkerCommand]
    """Tried in order at start; the first whose workers start is kept."""
    environment: Mapping[str, str]
    """Of the workers."""
    user_modules: Sequence[str] = ()
    max_actions: int | None = None
    """Actions a worker runs before it is replaced; None: no limit."""
    attach_timeout_s: float = ATTACH_TIMEOUT_S
    cancel_grace_s: float = 2.0
    """From the cancel of a timed-out action to the end of its worker."""


class WorkerPool:
    """Runs the workers and gives them calls.

    `start`, then `dispatch`, `cancel` and `forget_source`; results come by the callback. `stop` works before `start`
    and twice.
    """

    def __init__(self, options: PoolOptions, on_results: Callable[[SourceId, Results], None]) -> None:
        """Must be built where the event loop runs.

        Args:
            on_results: Called with `(source_id, [(token, encoded ActionResult), ...])`, at most once per source and
                turn of the loop.
        """
        if options.worker_count < 1:
            raise ValueError(f"worker_count must be at least 1, got {options.worker_count}")
        if not options.commands:
            raise ValueError("commands must not be empty")
        self._options = options
        self._router = Router(on_results, cancel_grace_s=options.cancel_grace_s)
        self._service = WorkerPoolService(self)
        self._server: grpc.aio.Server | None = None
        self._bridge = ""
        self._command = options.commands[0]
        self._workers: dict[bytes, SpawnedWorker] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self.dispatch = self._router.dispatch
        self.cancel = self._router.cancel
        self.forget_source = self._router.forget_source
        self.use_until = self._router.use_until

    @property
    def port(self) -> int:
        """The port that workers attach to; known after `start`."""
        return int(self._bridge.rpartition(":")[2] or 0)

    @property
    def pids(self) -> list[int]:
        """Processes of the workers, those that are starting or draining included."""
        return [worker.child.pid for worker in self._workers.values()]

    def figures(self) -> PoolFigures:
        """Counts and gauges of now."""
        figures = self._router.figures()
        figures.workers_refused = self._service.refused
        return figures

    async def start(self) -> None:
        """Listen, spawn every worker and wait until all have attached.

        Raises:
            AddressTaken: The address cannot be listened on.
            WorkerStartError: No command gave workers that start; nothing is left running. After a cancelled start
                call `stop`.
        """
        await self._listen()
        try:
            workers = await self._start_workers()
        except WorkerStartError:
            await self.stop()
            raise
        self._keepers = [asyncio.create_task(self._keep(worker)) for worker in workers]

    async def stop(self, *, grace_s: float = 0.0) -> None:
        """Let workers finish what they hold for up to `grace_s`, then end them and stop listening."""
        for keeper in self._keepers:
            keeper.cancel()
        if self._keepers:
            await asyncio.wait(self._keepers)
        self._keepers = []
        for lane in self._router.lanes:
            self._router.drain_lane(lane)
        leaving = [asyncio.create_task(worker.ended()) for worker in self._workers.values()]
        for worker in self._workers.values():
            if not worker.has_attached:
                worker.kill()
        if leaving and grace_s > 0:
            await asyncio.wait(leaving, timeout=grace_s)
        for worker in self._workers.values():
            worker.kill()
        if leaving:
            await asyncio.wait(leaving)
        self._workers.clear()
        if self._server is not None:
            await self._server.stop(None)
            self._server = None
        self._router.stop()

    # The gate of the service.

    def admit(self, hello: Hello) -> Admission:
        worker = self._workers.get(hello.worker_id)
        if worker is None or not worker.admits(hello):
            raise Refusal("unknown worker or wrong secret")
        return Admission(self._router, self._options.slots_per_worker, self._options.max_actions)

    def attached(self, lane: Lane) -> None:
        self._workers[lane.worker_id].attach(lane)

    async def _listen(self) -> None:
        address = self._options.address
        server = new_server()
        self._service.add_to(server)
        try:
            port = server.add_insecure_port(str(address))
        except RuntimeError as error:
            raise AddressTaken(str(error)) from error
        if port == 0:
            raise AddressTaken(str(address))
        await server.start()
        self._server = server
        # Workers run on this host: an unspecified bind address is reached by loopback.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
        self._bridge = str(Address(host, port))

    async def _start_workers(self) -> list[SpawnedWorker]:
        failures: list[tuple[WorkerCommand, WorkerStartError]] = []
        for command in self._options.commands:
            self._command = command
            try:
                return await self._launch_all()
            except WorkerStartError as error:
                failures.append((command, error))
                if not error.may_be_the_command:
                    break
        if len(failures) == 1:
            raise failures[0][1]
        tried = "; ".join(f"{command}: {error.summary}" for command, error in failures)
        details = "\n".join(error.details for _, error in failures if error.details)
        raise WorkerStartError(f"no worker command works; tried {tried}", details)

    async def _launch_all(self) -> list[SpawnedWorker]:
        """Every worker of the pool, or none."""
        launches = [asyncio.create_task(self._launch()) for _ in range(self._options.worker_count)]
        try:
            await asyncio.wait(launches, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            is_complete = all(
                launch.done() and not launch.cancelled() and not launch.exception() for launch in launches
            )
            if not is_complete:
                for launch in launches:
                    launch.cancel()
                for worker in self._workers.values():
                    worker.kill()
        outcomes = await asyncio.gather(*launches, return_exceptions=True)
        errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        if errors:
            raise errors[0]
        return [launch.result() for launch in launches]

    async def _launch(self) -> SpawnedWorker:
        """Spawn one worker and wait until it is ready."""
        worker = SpawnedWorker.spawn(
            self._command,
            bridge=self._bridge,
            user_modules=self._options.user_modules,
            environment=self._options.environment,
        )
        self._workers[worker.worker_id] = worker
        leaving = asyncio.create_task(worker.ended())
        leaving.add_done_callback(lambda _: self._workers.pop(worker.worker_id, None))
        await worker.attached(self._options.attach_timeout_s)
        return worker

    async def _keep(self, worker: SpawnedWorker) -> None:
        """Keep one place filled, for ever."""
        backoff = Backoff()
        while True:
            try:
                worker = await self._succeed(worker, backoff)
            except Exception:
                log.exception("the keeper of worker %s failed; starting another", worker.worker_id.hex())
                worker.kill()
                worker = await self._replace(backoff)

    async def _succeed(self, worker: SpawnedWorker, backoff: Backoff) -> SpawnedWorker:
        """Wait until a worker needs a successor; returns that, ready."""
        lane = worker.lane
        born = time.monotonic()
        await _either(lane.ended, lane.worn)
        if not lane.ended.is_set():
            log.info("worker %s has run its last action; starting another", worker.worker_id.hex())
            successor = await self._replace(backoff)
            self._router.drain_lane(lane)
            return successor
        log.warning(
            "worker %s (pid %d) is gone: %s", worker.worker_id.hex(), worker.child.pid, lane.end_reason
        )
        worker.kill()
        if lane.completed or time.monotonic() - born >= HEALTHY_LIFE_S:
            backoff.reset()
        else:
            await asyncio.sleep(backoff.next_s())
        return await self._replace(backoff)

    async def _replace(self, backoff: Backoff) -> SpawnedWorker:
        while True:
            try:
                return await self._launch()
            except WorkerStartError as error:
                wait_s = backoff.next_s()
                log.error("a worker could not be replaced, next try in %.1f s: %s", wait_s, error.summary)
                if error.details:
                    log.debug("worker output: %s", error.details)
                await asyncio.sleep(wait_s)


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    """Wait for the first of two events."""
    waits = [asyncio.create_task(one.wait()), asyncio.create_task(other.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
