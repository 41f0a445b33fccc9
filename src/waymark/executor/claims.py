"""Taking instances over: from a claim to a machine that waits."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from waymark.clock import Clock
from waymark.errors import ProgramError, StoreUnavailable, UnknownFormat
from waymark.executor.active import ActiveInstance
from waymark.executor.database_time import DatabaseTime, to_datetime, to_us
from waymark.executor.housekeeping import Housekeeping
from waymark.executor.programs import LoadedProgram, Programs
from waymark.executor.recovery import recover
from waymark.executor.waiting import Pace
from waymark.model.records import ClaimedInstance, ExecutorId, History, InstanceId, Release
from waymark.store.protocol import Store
from waymark.vm.events import Effect
from waymark.vm.machine import Machine

log = logging.getLogger("waymark.executor")

_RECOVERY_RETRY_S = 30.0
_STORE_RETRY_S = 0.2


class Stopping(Exception):
    """Unwinds a claim while the shard stops."""


class Claims:
    """Of one shard.

    Args:
        on_alive: Called with each instance that has come to life, and what must run for it now.
        is_stopping: Whether the shard stops, and waits for the database no longer.
    """

    def __init__(
        self,
        executor_id: ExecutorId,
        store: Store,
        clock: Clock,
        time: DatabaseTime,
        housekeeping: Housekeeping,
        *,
        on_alive: Callable[[ActiveInstance, Sequence[Effect]], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._executor_id = executor_id
        self._store = store
        self._clock = clock
        self._time = time
        self._housekeeping = housekeeping
        self._programs = Programs(store)
        self._on_alive = on_alive
        self._is_stopping = is_stopping
        self.lock = asyncio.Lock()
        """Held while a claim is under way."""

    async def claim(self, limit: int) -> int:
        """Take up to so many due instances; returns how many the store gave.

        Raises:
            StoreUnavailable: No answer to the claim itself.
        """
        async with self.lock:
            claim = await self._store.claim(self._executor_id, limit=limit)
            self._time.observe(claim.database_now)
            for instance_id in claim.quarantined:
                log.error(
                    "instance %s is quarantined: it was claimed too often without progress", instance_id
                )
            await self._take_all(claim.instances)
            return len(claim.instances)

    async def _take_all(self, batch: Sequence[ClaimedInstance]) -> None:
        waiting = list(batch)
        try:
            histories = await self._read_histories([one.instance_id for one in batch if one.last_seq])
            pace = Pace(self._clock)
            while waiting:
                claimed = waiting[0]
                empty = History(claimed.instance_id, (), ())
                await self._take_over(claimed, histories.get(claimed.instance_id, empty), pace)
                waiting.pop(0)
                await pace.breathe()
        except Stopping:
            for claimed in waiting:
                self._housekeeping.give_back(
                    Release(claimed.instance_id, claimed.epoch, claimed.last_seq, None)
                )

    async def _take_over(self, claimed: ClaimedInstance, history: History, pace: Pace) -> None:
        """Bring a claimed instance to life.

        One that cannot be does not stop the others. What is damaged stays so: it is set aside, with the reason. What a
        newer release wrote is given back for later, for a pool of that release.
        """
        try:
            loaded = await self._load(claimed)
            effects: Sequence[Effect]
            if claimed.last_seq:
                machine = await recover(claimed, history, loaded, pace)
                effects = machine.calls_in_flight()
            else:
                machine = Machine(loaded.code)
                effects = machine.begin(claimed.input, to_us(claimed.started_at), claimed.seed)
        except Stopping:
            raise
        except UnknownFormat as error:
            log.warning("instance %s waits: %s", claimed.instance_id, error)
            self._wait_for_newer(claimed)
            return
        except ProgramError as error:
            self._set_aside(claimed, f"it cannot be recovered: {error}")
            return
        except Exception as error:
            log.exception("instance %s: a fault of the engine", claimed.instance_id)
            self._set_aside(claimed, fault_reason(error))
            return
        newest = history.snapshots[0] if history.snapshots else None
        instance = ActiveInstance(
            instance_id=claimed.instance_id,
            workflow_name=claimed.workflow_name,
            epoch=claimed.epoch,
            last_seq=claimed.last_seq,
            loaded=loaded,
            machine=machine,
            snapshot_seq=newest.seq if newest else 0,
            snapshot_bytes=len(newest.state) if newest else 0,
            bytes_since_snapshot=sum(
                len(entry.events) for entry in history.entries if newest is None or entry.seq > newest.seq
            ),
        )
        self._on_alive(instance, effects)

    def _set_aside(self, claimed: ClaimedInstance, reason: str) -> None:
        self._housekeeping.set_aside(claimed.instance_id, claimed.epoch, claimed.last_seq, reason)

    def _wait_for_newer(self, claimed: ClaimedInstance) -> None:
        wake_at = to_datetime(self._time.now_us() + round(_RECOVERY_RETRY_S * 1e6))
        self._housekeeping.give_back(Release(claimed.instance_id, claimed.epoch, claimed.last_seq, wake_at))

    async def _read_histories(self, ids: list[InstanceId]) -> dict[InstanceId, History]:
        while ids:
            try:
                return dict(await self._store.read_histories(ids))
            except StoreUnavailable:
                await self._pause()
        return {}

    async def _load(self, claimed: ClaimedInstance) -> LoadedProgram:
        while True:
            try:
                return await self._programs.load(claimed.workflow_name, claimed.workflow_version)
            except StoreUnavailable:
                await self._pause()

    async def _pause(self) -> None:
        if self._is_stopping():
            raise Stopping
        await self._clock.sleep(_STORE_RETRY_S * (1 + random.random()))


def fault_reason(error: BaseException) -> str:
    """What an instance says that the engine could not run."""
    return (
        f"the engine failed on it, which is a fault of Waymark: {type(error).__name__}: {error}; "
        "the shard's log has the place; please report it"
    )
