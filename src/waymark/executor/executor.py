"""A shard's loop: claims instances, drives their machines, journals, then performs what they ask for.

Safety argument. A machine moves on in memory as soon as something happens, but nothing leaves this process before the entry that
led to it is committed under the fence (epoch, last_seq, owner): not a dispatch, not a result, not a notification. If the fence
refuses the entry, the memory is dropped and nothing was done. If this process dies, the journal holds all that anybody could
have seen. What a former owner may have dispatched and not journaled is dispatched again by the next owner: at least once per
attempt, under the same idempotency key.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from waymark.clock import Clock, SystemClock
from waymark.errors import ProgramError, StoreUnavailable, UnknownFormat, WaymarkError
from waymark.executor.active import ActiveInstance
from waymark.executor.appends import Appender
from waymark.executor.database_time import DatabaseTime, to_datetime, to_us
from waymark.executor.dispatch import Dispatcher, Outgoing
from waymark.executor.programs import LoadedProgram, Programs
from waymark.executor.recovery import recover, take_snapshot
from waymark.executor.results import Unavailable, to_event
from waymark.model.records import (
    Append,
    ClaimedInstance,
    ExecutorId,
    History,
    InstanceId,
    InstanceStatus,
    Outcome,
    Quarantine,
    Release,
    Snapshot,
)
from waymark.store.protocol import CHANNEL_DONE, Store
from waymark.vm.events import CancelCall, Completed, Entry, Failed, StartCall, encode_entry
from waymark.vm.machine import Machine

log = logging.getLogger("waymark.executor")

CLAIM_BATCH = 25
"""Instances in one claim: small, so that a burst of starts is shared by all shards and hosts that woke for it, not taken by the first."""
RELEASE_BATCH = 200
SNAPSHOT_BYTES = 256 * 1024
"""Journal bytes after which a snapshot is worth it, at least; and at least twice the size of the last one, so the cost stays a fixed share."""
_UNAVAILABLE_RETRY_S = 1.0
_RECOVERY_RETRY_S = 30.0
_LOG_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """What a shard is told.

    Raises:
        ValueError: A figure is out of range.
    """

    max_instances: int
    """Instances in memory."""
    poll_interval_ms: int = 100
    persist_interval_ms: int = 500
    """Longest wait of snapshots and releases before they are written."""
    evict_sleep_threshold_ms: int = 10_000
    done_batch_size: int = 500
    skips_sleep: bool = False
    """Timers fire at once when nothing else is going on: for tests."""

    def __post_init__(self) -> None:
        for name in ("max_instances", "poll_interval_ms", "persist_interval_ms", "done_batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")


@dataclass(slots=True)
class ExecutorFigures:
    """Counters since the start."""

    entries_appended: int = 0
    entries_rejected: int = 0
    instances_completed: int = 0
    actions_completed: int = 0


class Executor:
    """One shard. `run` until `stop`.

    Args:
        executor_id: Its lease row, which somebody else renews and tells of by `use_lease_until`.
        send: Takes attempts to run; their answers come back by `deliver`.
        cancel: Takes tokens of attempts nobody waits for any more.
    """

    def __init__(
        self,
        executor_id: ExecutorId,
        store: Store,
        settings: ExecutorSettings,
        *,
        send: Callable[[Sequence[Outgoing]], None],
        cancel: Callable[[Sequence[int]], None],
        clock: Clock | None = None,
    ) -> None:
        self.figures = ExecutorFigures()
        self._executor_id = executor_id
        self._store = store
        self._settings = settings
        self._clock = clock or SystemClock()
        self._time = DatabaseTime(self._clock)
        self._programs = Programs(store)
        self._dispatcher = Dispatcher(send, cancel, self._clock)
        self._appender = Appender(
            executor_id,
            store,
            self._time,
            on_committed=self._committed,
            on_refused=self._refused,
            on_unstorable=self._unstorable,
            max_outcomes=settings.done_batch_size,
        )
        self._active: dict[InstanceId, ActiveInstance] = {}
        self._timers: list[tuple[int, UUID]] = []
        self._timer_changed = asyncio.Event()
        self._work_available = asyncio.Event()
        self._snapshots: dict[InstanceId, Snapshot] = {}
        self._leaving: set[InstanceId] = set()
        self._quarantines: dict[InstanceId, Quarantine] = {}
        self._housekeeping_due = asyncio.Event()
        self._done_notification_due = asyncio.Event()
        self._is_stopping = False
        self._retries: set[asyncio.TimerHandle] = set()
        self._complained: dict[str, float] = {}

    @property
    def instances_in_memory(self) -> int:
        """How many instances this shard holds."""
        return len(self._active)

    # ---------------------------------------------------------------- told from outside

    def wake(self) -> None:
        """Instances may be due."""
        self._work_available.set()

    def use_lease_until(self, deadline_us: int) -> None:
        """The lease is this shard's own until then, by the monotonic clock of this host."""
        self._dispatcher.use_until(deadline_us)

    def deliver(self, results: Iterable[tuple[int, bytes]]) -> None:
        """Answers came back.

        Args:
            results: (token, encoded ActionResult).
        """
        touched: dict[InstanceId, ActiveInstance] = {}
        for token, body in results:
            dispatched = self._dispatcher.finish(token)
            if dispatched is None:
                continue
            instance, call = dispatched.instance, dispatched.call
            event = to_event(call, body)
            if isinstance(event, Unavailable):
                self._try_again(instance, call, event.reason)
            elif event is not None and instance.machine.expects(call.call_id, call.attempt):
                self.figures.actions_completed += 1
                instance.inbox.append(event)
                touched[instance.instance_id] = instance
        for instance in touched.values():
            self._step(instance)
        self._dispatcher.flush()

    def _try_again(self, instance: ActiveInstance, call: StartCall, reason: str) -> None:
        """An action that no worker knows waits, visibly, until one does."""
        self._complain(f"{call.module}:{call.name}", f"action {call.module}:{call.name} waits: {reason}")

        def start_again() -> None:
            self._retries.discard(handle)
            if self._active.get(instance.instance_id) is instance and instance.machine.expects(
                call.call_id, call.attempt
            ):
                self._dispatcher.start(instance, call)
                self._dispatcher.flush()

        handle = asyncio.get_running_loop().call_later(
            _UNAVAILABLE_RETRY_S * (0.75 + random.random() / 2), start_again
        )
        self._retries.add(handle)

    def _complain(self, subject: str, message: str) -> None:
        now_s = self._clock.monotonic_us() / 1e6
        if now_s - self._complained.get(subject, -_LOG_EVERY_S) >= _LOG_EVERY_S:
            self._complained[subject] = now_s
            log.warning("%s", message)

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Work until cancelled; `stop` first to leave nothing behind."""
        async with asyncio.TaskGroup() as tasks:
            for loop in (
                self._appender.run,
                self._claim_loop,
                self._timer_loop,
                self._housekeeping_loop,
                self._notify_loop,
            ):
                tasks.create_task(loop())

    async def stop(self, grace_ms: int) -> None:
        """Claim nothing more, let calls in flight come back, give everything back. `run` must still be running.

        Args:
            grace_ms: How long calls in flight may take.
        """
        self._is_stopping = True
        self._dispatcher.hold()
        try:
            async with asyncio.timeout(grace_ms / 1000):
                await self._dispatcher.emptied()
        except TimeoutError:
            log.warning(
                "%d calls were still running at the end of the grace period; they will run again",
                self._dispatcher.out,
            )
        await self._appender.settled()
        for instance in list(self._active.values()):
            instance.is_leaving = True
            self._leaving.add(instance.instance_id)
        while self._leaving or self._quarantines:
            await self._appender.settled()
            await self._keep_house()

    # ---------------------------------------------------------------- claiming

    async def _claim_loop(self) -> None:
        poll_s = self._settings.poll_interval_ms / 1000
        while True:
            claimed = 0
            self._work_available.clear()
            room = self._settings.max_instances - len(self._active)
            if room > 0 and not self._is_stopping and self._dispatcher.is_usable:
                try:
                    claimed = await self._claim(min(room, CLAIM_BATCH))
                except StoreUnavailable as error:
                    self._complain("claim", f"claims wait for the database: {error}")
                    await asyncio.sleep(poll_s + random.random() * 0.5)
            if claimed < CLAIM_BATCH:
                try:
                    async with asyncio.timeout(poll_s):
                        await self._work_available.wait()
                except TimeoutError:
                    pass

    async def _claim(self, limit: int) -> int:
        claim = await self._store.claim(self._executor_id, limit=limit)
        self._time.observe(claim.database_now)
        for instance_id in claim.quarantined:
            log.error("instance %s is quarantined: it was claimed too often without progress", instance_id)
        if not claim.instances:
            return 0
        known = [claimed.instance_id for claimed in claim.instances if claimed.last_seq]
        histories = await self._read_histories(known)
        for claimed in claim.instances:
            await self._take_over(
                claimed, histories.get(claimed.instance_id, History(claimed.instance_id, (), ()))
            )
        self._dispatcher.flush()
        return len(claim.instances)

    async def _read_histories(self, ids: list[InstanceId]) -> dict[InstanceId, History]:
        while ids:
            try:
                return dict(await self._store.read_histories(ids))
            except StoreUnavailable:
                await asyncio.sleep(0.2 + random.random() * 0.3)
        return {}

    async def _take_over(self, claimed: ClaimedInstance, history: History) -> None:
        """Bring a claimed instance to life.

        One that cannot be does not stop the others. What is damaged stays so: it is set aside, with the reason. What a
        newer release wrote is given back for later, for a pool of that release.
        """
        try:
            loaded = await self._load(claimed)
            if claimed.last_seq:
                machine = recover(claimed, history, loaded)
                effects = list(machine.calls_in_flight())
            else:
                machine = Machine(loaded.program, loaded.classes)
                effects = [
                    e
                    for e in machine.begin(claimed.input, to_us(claimed.started_at))
                    if isinstance(e, StartCall)
                ]
        except ProgramError as error:
            if isinstance(error, UnknownFormat):
                log.warning("instance %s waits: %s", claimed.instance_id, error)
                await self._give_back(claimed)
                return
            self._set_aside(
                claimed.instance_id, claimed.epoch, claimed.last_seq, f"it cannot be recovered: {error}"
            )
            return
        except WaymarkError as error:
            log.error("instance %s cannot be run here: %s", claimed.instance_id, error)
            await self._give_back(claimed)
            return
        instance = ActiveInstance(
            instance_id=claimed.instance_id,
            workflow_name=claimed.workflow_name,
            epoch=claimed.epoch,
            last_seq=claimed.last_seq,
            loaded=loaded,
            machine=machine,
            snapshot_seq=history.snapshots[0].seq if history.snapshots else 0,
            bytes_since_snapshot=sum(len(entry.events) for entry in history.entries),
        )
        self._active[claimed.instance_id] = instance
        if machine.outcome is not None:
            self._append(instance, Entry(self._time.now_us(), ()))
            return
        for effect in effects:
            self._dispatcher.start(instance, effect)
        self._after_step(instance)

    async def _load(self, claimed: ClaimedInstance) -> LoadedProgram:
        while True:
            try:
                return await self._programs.load(claimed.workflow_name, claimed.workflow_version)
            except StoreUnavailable:
                await asyncio.sleep(0.2 + random.random() * 0.3)

    async def _give_back(self, claimed: ClaimedInstance) -> None:
        wake_at = to_datetime(self._time.now_us() + round(_RECOVERY_RETRY_S * 1e6))
        release = Release(claimed.instance_id, claimed.epoch, claimed.last_seq, wake_at)
        try:
            await self._store.release(self._executor_id, [release])
        except StoreUnavailable as error:
            self._complain("release", f"releases wait for the database: {error}")

    # ---------------------------------------------------------------- stepping

    def _step(self, instance: ActiveInstance) -> None:
        """Apply what happened, unless an entry is on its way: then it gathers, and one entry will hold it all."""
        if instance.is_appending or instance.is_leaving:
            return
        now_us = self._time.now_us()
        timer_us = instance.machine.next_timer_us()
        if self._settings.skips_sleep and timer_us is not None and not instance.machine.has_calls_in_flight():
            now_us = max(now_us, timer_us)
        if not instance.inbox and (timer_us is None or timer_us > now_us):
            self._after_step(instance)
            return
        entry = Entry(max(now_us, instance.machine.now_us), tuple(instance.inbox))
        instance.inbox.clear()
        instance.held = instance.machine.apply(entry)
        self._append(instance, entry)

    def _append(self, instance: ActiveInstance, entry: Entry) -> None:
        instance.is_appending = True
        append = Append(
            instance.instance_id,
            instance.epoch,
            instance.last_seq,
            encode_entry(entry),
            _outcome(instance.machine),
        )
        self._appender.add(instance, append)

    def _committed(self, batch: Sequence[tuple[ActiveInstance, Append]]) -> None:
        """Entries are durable: perform what they led to."""
        self.figures.entries_appended += len(batch)
        for instance, append in batch:
            instance.is_appending = False
            instance.last_seq += 1
            instance.bytes_since_snapshot += len(append.events)
            if append.outcome is not None:
                self.figures.instances_completed += 1
                self._drop(instance)
                self._done_notification_due.set()
                continue
            held, instance.held = instance.held, []
            for effect in held:
                if isinstance(effect, CancelCall):
                    self._dispatcher.forget_call(instance, effect.call_id)
                else:
                    self._dispatcher.start(instance, effect)
            if instance.inbox:
                self._step(instance)
            else:
                self._after_step(instance)
        self._dispatcher.flush()

    def _after_step(self, instance: ActiveInstance) -> None:
        """Memory and journal agree: watch the next timer, keep a snapshot, leave memory when there is long nothing to do."""
        machine = instance.machine
        if instance.is_leaving or machine.outcome is not None:
            return
        if instance.bytes_since_snapshot >= max(SNAPSHOT_BYTES, 2 * instance.snapshot_bytes):
            self._queue_snapshot(instance)
        timer_us = machine.next_timer_us()
        if not instance.tokens and not machine.has_calls_in_flight():
            if self._settings.skips_sleep and timer_us is not None:
                asyncio.get_running_loop().call_soon(self._step_if_active, instance)
                return
            threshold_us = self._settings.evict_sleep_threshold_ms * 1000
            if timer_us is None or timer_us - self._time.now_us() > threshold_us:
                self._queue_snapshot(instance)
                instance.is_leaving = True
                self._leaving.add(instance.instance_id)
                self._housekeeping_due.set()
                return
        if timer_us is not None and timer_us != instance.timer_us:
            instance.timer_us = timer_us
            heapq.heappush(self._timers, (timer_us, instance.instance_id))
            self._timer_changed.set()

    def _step_if_active(self, instance: ActiveInstance) -> None:
        if self._active.get(instance.instance_id) is instance:
            self._step(instance)

    def _refused(self, instance: ActiveInstance) -> None:
        """Somebody else owns it: drop the memory, write nothing."""
        self.figures.entries_rejected += 1
        log.warning(
            "instance %s: entry %d was refused, another owner has it",
            instance.instance_id,
            instance.last_seq + 1,
        )
        self._drop(instance)

    def _unstorable(self, instance: ActiveInstance) -> None:
        """The database can never take this entry, and every further attempt would only make the same one again."""
        reason = f"the database refuses its journal entry {instance.last_seq + 1}"
        self._set_aside(instance.instance_id, instance.epoch, instance.last_seq, reason)
        self._drop(instance)

    def _set_aside(self, instance_id: InstanceId, epoch: int, last_seq: int, reason: str) -> None:
        """Quarantine an instance by the next housekeeping; until then it is ours, in no memory, and nobody runs it."""
        log.error("instance %s is quarantined: %s", instance_id, reason)
        self._quarantines[instance_id] = Quarantine(instance_id, epoch, last_seq, reason)

    def _drop(self, instance: ActiveInstance) -> None:
        if self._active.get(instance.instance_id) is instance:
            del self._active[instance.instance_id]
        self._leaving.discard(instance.instance_id)
        self._snapshots.pop(instance.instance_id, None)
        self._dispatcher.forget_instance(instance)
        self._work_available.set()

    # ---------------------------------------------------------------- timers

    async def _timer_loop(self) -> None:
        while True:
            self._timer_changed.clear()
            wait_s: float | None = None
            if self._timers:
                wait_s = (self._timers[0][0] - self._time.now_us()) / 1e6
                if wait_s <= 0:
                    self._fire_due_timers()
                    await asyncio.sleep(0)
                    continue
            try:
                async with asyncio.timeout(wait_s):
                    await self._timer_changed.wait()
            except TimeoutError:
                pass

    def _fire_due_timers(self) -> None:
        now_us = self._time.now_us()
        while self._timers and self._timers[0][0] <= now_us:
            due_us, instance_id = heapq.heappop(self._timers)
            instance = self._active.get(InstanceId(instance_id))
            if instance is not None:
                if instance.timer_us == due_us:
                    instance.timer_us = None
                self._step(instance)

    # ---------------------------------------------------------------- housekeeping

    def _queue_snapshot(self, instance: ActiveInstance) -> None:
        if not instance.is_settled or instance.last_seq <= instance.snapshot_seq:
            return
        taken = take_snapshot(
            instance.instance_id,
            instance.last_seq,
            instance.epoch,
            instance.loaded.program_hash,
            instance.machine,
        )
        instance.bytes_since_snapshot = 0
        if taken is not None:
            instance.snapshot_seq = taken.seq
            instance.snapshot_bytes = len(taken.state)
            self._snapshots[instance.instance_id] = taken

    async def _housekeeping_loop(self) -> None:
        interval_s = self._settings.persist_interval_ms / 1000
        while True:
            await asyncio.sleep(interval_s)
            try:
                await self._keep_house()
            except StoreUnavailable as error:
                self._complain("housekeeping", f"snapshots and releases wait for the database: {error}")

    async def _keep_house(self) -> None:
        """Write snapshots, then give back what leaves: a release without its snapshot costs only a longer replay."""
        snapshots, self._snapshots = self._snapshots, {}
        if snapshots:
            await self._store.write_snapshots(self._executor_id, list(snapshots.values()))
        await self._write_quarantines()
        releases: list[Release] = []
        for instance_id in sorted(self._leaving)[:RELEASE_BATCH]:
            instance = self._active.get(instance_id)
            if instance is None:
                self._leaving.discard(instance_id)
            elif not instance.is_appending:
                releases.append(self._release_of(instance))
        if not releases:
            return
        try:
            await self._store.release(self._executor_id, releases)
        except StoreUnavailable:
            if self._is_stopping and not self._dispatcher.is_usable:
                self._leaving.clear()  # the lease has run out, so they are free already
            await asyncio.sleep(0.2 + random.random() * 0.3)
            return
        for release in releases:
            instance = self._active.get(release.instance_id)
            if instance is not None:
                self._drop(instance)

    async def _write_quarantines(self) -> None:
        batch = list(self._quarantines.values())
        if not batch:
            return
        try:
            await self._store.quarantine(self._executor_id, batch)
        except StoreUnavailable:
            if self._is_stopping and not self._dispatcher.is_usable:
                self._quarantines.clear()  # the next owner will find the same
            await asyncio.sleep(0.2 + random.random() * 0.3)
            return
        for one in batch:
            if self._quarantines.get(one.instance_id) is one:
                del self._quarantines[one.instance_id]

    def _release_of(self, instance: ActiveInstance) -> Release:
        machine = instance.machine
        timer_us = machine.next_timer_us()
        wake_at = None
        if not machine.has_calls_in_flight():
            wake_at = to_datetime(timer_us) if timer_us is not None else _NEVER
        return Release(instance.instance_id, instance.epoch, instance.last_seq, wake_at)

    async def _notify_loop(self) -> None:
        """Tell the bridges that instances ended; never inside the append, and once for many."""
        while True:
            await self._done_notification_due.wait()
            self._done_notification_due.clear()
            try:
                await self._store.notify(CHANNEL_DONE)
            except StoreUnavailable:
                await asyncio.sleep(0.2)  # only a hint: the bridges poll


_NEVER = to_datetime(253_370_764_800 * 1_000_000)
"""Year 9999: due only when something else makes it so."""


def _outcome(machine: Machine) -> Outcome | None:
    match machine.outcome:
        case Completed(value=value):
            return Outcome(InstanceStatus.COMPLETED, value)
        case Failed(exception=data, error_type=error_type, error_message=message):
            return Outcome(InstanceStatus.FAILED, data, error_type, message[:4000].replace("\x00", "\ufffd"))
        case _:
            return None
