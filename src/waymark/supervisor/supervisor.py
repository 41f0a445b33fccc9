"""The supervisor: boots pool and shards, keeps them alive, ends them in order.

It never runs user code or the VM, so nothing in it blocks and its heartbeat is never late. It ends in three ways:
a first signal stops in order within the grace; a second one stops now; an error before everything runs is raised.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass
from signal import Signals

import anyio
from anyio.abc import TaskGroup

from waymark.clock import Clock, SystemClock
from waymark.model.settings import StartWorkersSettings
from waymark.pool.command import WorkerCommand
from waymark.pool.pool import PoolOptions, WorkerPool
from waymark.store.protocol import Store
from waymark.supervisor.database import Database
from waymark.supervisor.keeper import ShardKeeper
from waymark.supervisor.leases import LeaseHeartbeat, LeaseTerm, Watchdog
from waymark.supervisor.service import Service
from waymark.supervisor.shard import ShardCommand
from waymark.supervisor.shards import Shards
from waymark.supervisor.sweeps import Reclaimer, Waker

SHARD_START_S = 60.0
"""How long a new shard may say nothing: imports, its first connection."""

LEAST_SILENCE_S = 3.0
"""A shard speaks once a second; however short its lease is, this much silence is no proof of anything."""

_STOP_RESERVE_S = 1.0
"""Part of the grace that is kept for ending workers and closing leases after the shards."""

_CLEAN_UP_S = 5.0
"""Most time for cancelled actions to clean up in an orderly stop."""

_CLOSE_S = 2.0
"""Most time for closing leases in an orderly stop."""

_EXIT_S = 0.3
"""Part of the grace that is kept for leaving the interpreter."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What the supervisor needs besides its settings."""

    store: Store
    prepare: Callable[[], Awaitable[object]]
    """Brings the database schema up to date; called once, before the store starts."""
    worker_commands: list[WorkerCommand]
    worker_environment: Mapping[str, str]
    shard_command: ShardCommand
    shard_environment: Mapping[str, str]
    grace_s: float
    """From the first signal to the end."""


class Supervisor:
    """One host's engine. `run` is its whole life."""

    def __init__(self, settings: StartWorkersSettings, launch: Launch, *, clock: Clock | None = None) -> None:
        if launch.grace_s < 0:
            raise ValueError(f"grace_s must be 0 or more, got {launch.grace_s}")
        self._settings = settings
        self._launch = launch
        self._clock = clock or SystemClock()
        self._shards = Shards()
        self._keepers: list[ShardKeeper] = []
        self._services: list[Service] = []
        self._pool: WorkerPool | None = None
        self._boot_scope = anyio.CancelScope()
        self._stop_scope = anyio.CancelScope()
        self._stop_asked = anyio.Event()
        self._exit_code = 0

    async def run(self) -> int:
        """Boot, run until a signal, stop; returns the exit code.

        Raises:
            StoreUnavailable, SchemaMismatch: The database cannot be used.
            AddressTaken: The worker address cannot be listened on.
            WorkerStartError: The workers do not start.
        """
        failure: Exception | None = None
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with anyio.create_task_group() as group:
                group.start_soon(self._heed, signals)
                try:
                    with self._boot_scope:
                        await self._boot(group)
                        log.info(
                            "running: %d shards, %d workers", len(self._keepers), self._settings.worker_count
                        )
                        await self._stop_asked.wait()
                    with self._stop_scope:
                        await self._stop_in_order()
                except Exception as error:
                    # Kept aside: leaving the task group with it would wrap it into a group.
                    failure = error
                finally:
                    with anyio.CancelScope(shield=True):
                        await self._stop_now()
                group.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return self._exit_code

    async def _heed(self, signals: AsyncIterable[Signals]) -> None:
        async for number in signals:
            if not self._stop_asked.is_set():
                log.info("%s: stopping within %g s", number.name, self._launch.grace_s)
                self._stop_asked.set()
                if not self._keepers:
                    self._boot_scope.cancel()
            else:
                log.warning("%s again: stopping now", number.name)
                self._exit_code = 128 + number
                self._stop_scope.cancel()

    async def _boot(self, group: TaskGroup) -> None:
        settings, launch = self._settings, self._launch
        await launch.prepare()
        await launch.store.start()
        self._pool = WorkerPool(
            PoolOptions(
                address=settings.worker_grpc_addr,
                worker_count=settings.worker_count,
                slots_per_worker=settings.concurrent_per_worker,
                commands=launch.worker_commands,
                environment=launch.worker_environment,
                user_modules=settings.user_module,
                max_actions=settings.max_action_lifecycle,
            ),
            self._shards.results,
        )
        await self._pool.start()
        log.info("workers attach to port %d", self._pool.port)
        self._start_services(group, self._pool)

    def _start_services(self, group: TaskGroup, pool: WorkerPool) -> None:
        settings, store = self._settings, self._launch.store
        term = LeaseTerm(settings.lock_ttl_ms)
        database = Database(patience_s=settings.lock_ttl_ms / 2000)
        self._services = [
            LeaseHeartbeat(
                store=store,
                database=database,
                shards=self._shards,
                pool=pool,
                clock=self._clock,
                term=term,
                interval_ms=settings.lock_heartbeat_ms,
            ),
            Watchdog(
                self._shards,
                self._clock,
                silence_s=max(settings.lock_ttl_ms / 1000, LEAST_SILENCE_S),
                start_s=SHARD_START_S,
            ),
            Waker(store, self._shards),
            Reclaimer(
                store=store,
                database=database,
                shards=self._shards,
                clock=self._clock,
                interval_ms=settings.expired_lock_reclaimer_interval_ms,
                batch_size=settings.expired_lock_reclaimer_batch_size,
            ),
        ]
        self._keepers = [
            ShardKeeper(
                command=self._launch.shard_command,
                environment=self._launch.shard_environment,
                shards=self._shards,
                pool=pool,
                store=store,
                database=database,
                term=term,
                clock=self._clock,
            )
            for _ in range(settings.executor_shards)
        ]
        for service in (*self._services, *self._keepers):
            service.start(group)

    async def _stop_in_order(self) -> None:
        """Shards release what they own; their actions come back or are given up; leases are closed."""
        ends_at = time.monotonic() + max(0.0, self._launch.grace_s - _EXIT_S)
        reserve_s = min(_STOP_RESERVE_S, self._launch.grace_s / 2)
        shard_grace_s = max(0.0, ends_at - time.monotonic() - reserve_s)
        for keeper in self._keepers:
            keeper.leave()
        for shard in self._shards:
            shard.stop(round(shard_grace_s * 1000))
        with anyio.move_on_after(shard_grace_s):
            for keeper in self._keepers:
                await keeper.wait_empty()
        for shard in self._shards:
            log.warning("%s did not stop in time and is ended", shard)
            shard.kill()
        # What still runs in the workers was cancelled with its shard; it may clean up.
        if self._pool is not None:
            await self._pool.stop(
                grace_s=max(0.0, min(_CLEAN_UP_S, ends_at - time.monotonic() - reserve_s / 2))
            )
        # A lease that cannot be closed, because the database is away, expires by itself.
        with anyio.move_on_after(max(0.0, min(_CLOSE_S, ends_at - time.monotonic()))):
            for keeper in self._keepers:
                await keeper.wait_settled()

    async def _stop_now(self) -> None:
        for service in (*self._services, *self._keepers):
            service.stop()
        for shard in self._shards:
            shard.kill()
        if self._pool is not None:
            await self._pool.stop()
        with anyio.move_on_after(1.0):
            await self._launch.store.stop()
