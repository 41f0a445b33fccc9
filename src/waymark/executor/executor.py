"""A shard's loop: claims instances, drives their machines, journals, then performs what they ask for.

Safety argument. A machine moves on in memory as soon as something happens, but nothing leaves this process before the entry that
led to it is committed under the fence (epoch, last_seq, owner): not a dispatch, not a result, not a notification. If the fence
refuses the entry, the memory is dropped and nothing was done. If this process dies, the journal holds all that anybody could
have seen. What a former owner may have dispatched and not journaled is dispatched again by the next owner: at least once per
attempt, under the same idempotency key.

One entry of an instance is on its way at a time, so what is committed is always the last thing its machine did. A machine that
fails is worthless and is dropped with its memory; its instance is set aside, and the others go on.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from waymark.clock import Clock, SystemClock
from waymark.errors import StoreUnavailable
from waymark.executor.active import ActiveInstance
from waymark.executor.appends import Appender
from waymark.executor.claims import Claims, fault_reason
from waymark.executor.database_time import DatabaseTime
from waymark.executor.dispatch import Dispatcher, Outgoing
from waymark.executor.housekeeping import Housekeeping
from waymark.executor.printed import FIRST_EPOCH, write_printed
from waymark.executor.results import Unavailable, to_event
from waymark.executor.timers import Due, Timers
from waymark.executor.waiting import wait
from waymark.model.records import Append, ExecutorId, InstanceId, InstanceStatus, Outcome
from waymark.store.protocol import CHANNEL_DONE, Store
from waymark.vm.events import (
    CallFailed,
    CallSucceeded,
    CancelCall,
    Completed,
    Effect,
    Entry,
    Event,
    Failed,
    StartCall,
    encode_entry,
)
from waymark.vm.machine import Machine

log = logging.getLogger("waymark.executor")

CLAIM_BATCH = 25
"""Instances in one claim: small, so that a burst of starts is shared by all shards and hosts that woke for it, not taken by the first."""
SNAPSHOT_BYTES = 256 * 1024
"""Journal bytes after which a snapshot is worth it, at least; and at least twice the size of the last one, so the cost stays a fixed share."""
MAX_EVENTS = 1000
"""Events of one entry, so that one step of one instance does not hold up the others for long."""
MAX_ENTRY_BYTES = 8 * 1024 * 1024
"""Of the results in one entry; a bigger one stands alone. A row that no database takes would set the instance aside."""
_TIMERS_AT_ONCE = 100
_UNAVAILABLE_RETRY_US = 1_000_000
_STORE_RETRY_S = 0.2
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
        self._store = store
        self._settings = settings
        self._clock = clock or SystemClock()
        self._time = DatabaseTime(self._clock)
        self._dispatcher = Dispatcher(send, cancel, self._clock)
        self._appender = Appender(
            executor_id,
            store,
            self._time,
            self._clock,
            on_committed=self._committed,
            on_refused=self._refused,
            on_unstorable=self._unstorable,
            max_outcomes=settings.done_batch_size,
        )
        self._housekeeping = Housekeeping(executor_id, store, self._drop)
        self._claims = Claims(
            executor_id,
            store,
            self._clock,
            self._time,
            self._housekeeping,
            on_alive=self._welcome,
            is_stopping=lambda: self._is_stopping,
        )
        self._timers = Timers(self._is_wanted)
        self._active: dict[InstanceId, ActiveInstance] = {}
        self._work_available = asyncio.Event()
        self._done_notification_due = asyncio.Event()
        self._is_stopping = False
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
            elif instance.machine.expects(call.call_id, call.attempt):
                self.figures.actions_completed += 1
                instance.inbox.append(event)
                touched[instance.instance_id] = instance
        for instance in touched.values():
            self._step(instance)
        self._dispatcher.flush()

    def _try_again(self, instance: ActiveInstance, call: StartCall, reason: str) -> None:
        """An action that no worker knows waits, visibly, until one does."""
        self._complain(f"{call.module}:{call.name}", f"action {call.module}:{call.name} waits: {reason}")
        pause_us = round(_UNAVAILABLE_RETRY_US * (0.75 + random.random() / 2))
        self._timers.add(Due(self._time.now_us() + pause_us, instance, call))

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

        Returns at the latest when the lease has run out, for then nothing is left to give back.

        Args:
            grace_ms: How long calls in flight may take.
        """
        self._is_stopping = True
        self._work_available.set()
        self._dispatcher.hold()
        async with self._claims.lock:
            pass
        await self._let_calls_return(grace_ms)
        # From here on no timer makes an instance move, so what is on its way to the journal comes to an end.
        for instance in list(self._active.values()):
            self._housekeeping.let_go(instance)
        while not self._housekeeping.is_done:
            await wait(self._appender.idle, self._clock, _STORE_RETRY_S)
            await asyncio.sleep(0)
            try:
                await self._housekeeping.write()
            except StoreUnavailable:
                if not self._dispatcher.is_usable:
                    self._housekeeping.give_up()
                    return
                await self._clock.sleep(_STORE_RETRY_S * (1 + random.random()))
            if self._housekeeping.is_done or self._dispatcher.is_usable:
                continue
            self._housekeeping.give_up()

    async def _let_calls_return(self, grace_ms: int) -> None:
        emptied = asyncio.ensure_future(self._dispatcher.emptied())
        grace = asyncio.ensure_future(self._clock.sleep(grace_ms / 1000))
        try:
            await asyncio.wait((emptied, grace), return_when=asyncio.FIRST_COMPLETED)
        finally:
            emptied.cancel()
            grace.cancel()
        if self._dispatcher.out:
            log.warning(
                "%d calls were still running at the end of the grace period; they will run again",
                self._dispatcher.out,
            )

    # ---------------------------------------------------------------- claiming

    async def _claim_loop(self) -> None:
        poll_s = self._settings.poll_interval_ms / 1000
        while True:
            claimed = 0
            self._work_available.clear()
            room = self._settings.max_instances - len(self._active)
            if room > 0 and not self._is_stopping and self._dispatcher.is_usable:
                try:
                    claimed = await self._claims.claim(min(room, CLAIM_BATCH))
                except StoreUnavailable as error:
                    self._complain("claim", f"claims wait for the database: {error}")
                    await self._clock.sleep(poll_s + random.random() * 0.5)
                self._dispatcher.flush()
            if claimed < CLAIM_BATCH:
                await wait(self._work_available, self._clock, poll_s)

    def _welcome(self, instance: ActiveInstance, effects: Sequence[Effect]) -> None:
        """An instance has come to life; what it asked for before is durable, so it may be performed."""
        self._active[instance.instance_id] = instance
        if instance.machine.outcome is not None:
            instance.held = list(effects)
            self._append(instance, Entry(max(self._time.now_us(), instance.machine.now_us), ()))
            return
        if instance.epoch == FIRST_EPOCH:
            write_printed(instance, effects)
        self._perform(instance, effects)
        self._after_step(instance)
        if self._is_stopping:
            self._housekeeping.let_go(instance)

    # ---------------------------------------------------------------- stepping

    def _step(self, instance: ActiveInstance) -> None:
        """Apply what happened, unless an entry is on its way: then it gathers, and one entry will hold it all."""
        if instance.is_appending or (instance.is_leaving and not instance.inbox):
            return
        if self._active.get(instance.instance_id) is not instance:
            return
        now_us = self._time.now_us()
        timer_us = instance.machine.next_timer_us()
        if self._settings.skips_sleep and timer_us is not None and not instance.machine.has_calls_in_flight():
            now_us = max(now_us, timer_us)
        if not instance.inbox and (timer_us is None or timer_us > now_us):
            self._after_step(instance)
            return
        entry = Entry(max(now_us, instance.machine.now_us), _take_events(instance.inbox))
        try:
            instance.held = instance.machine.apply(entry)
            self._append(instance, entry)
        except Exception as error:
            log.exception("instance %s: a fault of the engine", instance.instance_id)
            self._set_aside(instance, fault_reason(error))

    def _append(self, instance: ActiveInstance, entry: Entry) -> None:
        append = Append(
            instance.instance_id,
            instance.epoch,
            instance.last_seq,
            encode_entry(entry),
            _outcome(instance.machine),
        )
        instance.is_appending = True
        self._appender.add(instance, append)

    def _committed(self, batch: Sequence[tuple[ActiveInstance, Append]]) -> None:
        """Entries are durable: perform what they led to."""
        self.figures.entries_appended += len(batch)
        for instance, append in batch:
            instance.is_appending = False
            instance.last_seq += 1
            instance.bytes_since_snapshot += len(append.events)
            held, instance.held = instance.held, []
            write_printed(instance, held)
            if append.outcome is not None:
                self.figures.instances_completed += 1
                self._drop(instance)
                self._done_notification_due.set()
                continue
            self._perform(instance, held)
            if instance.inbox:
                self._step(instance)
            else:
                self._after_step(instance)
        self._dispatcher.flush()

    def _perform(self, instance: ActiveInstance, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, CancelCall):
                self._dispatcher.forget_call(instance, effect.call_id)
            elif isinstance(effect, StartCall):
                self._dispatcher.start(instance, effect)

    def _after_step(self, instance: ActiveInstance) -> None:
        """Memory and journal agree: watch the next timer, keep a snapshot, leave memory when there is long nothing to do."""
        machine = instance.machine
        if instance.is_leaving or machine.outcome is not None:
            return
        if instance.bytes_since_snapshot >= max(SNAPSHOT_BYTES, 2 * instance.snapshot_bytes):
            self._housekeeping.keep_snapshot(instance)
        timer_us = machine.next_timer_us()
        if not instance.tokens and not machine.has_calls_in_flight():
            if self._settings.skips_sleep and timer_us is not None:
                asyncio.get_running_loop().call_soon(self._step, instance)
                return
            threshold_us = self._settings.evict_sleep_threshold_ms * 1000
            if timer_us is None or timer_us - self._time.now_us() > threshold_us:
                self._housekeeping.keep_snapshot(instance)
                self._housekeeping.let_go(instance)
                return
        if timer_us is not None and timer_us != instance.timer_us:
            due = Due(timer_us, instance, None)
            instance.timer, instance.timer_us = due, timer_us
            self._timers.add(due)

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
        self._set_aside(instance, f"the database refuses its journal entry {instance.last_seq + 1}")

    def _set_aside(self, instance: ActiveInstance, reason: str) -> None:
        self._drop(instance)
        self._housekeeping.set_aside(instance.instance_id, instance.epoch, instance.last_seq, reason)

    def _drop(self, instance: ActiveInstance) -> None:
        if self._active.get(instance.instance_id) is instance:
            del self._active[instance.instance_id]
            self._housekeeping.forget(instance.instance_id)
        instance.is_leaving = True
        instance.inbox.clear()
        if instance.timer is not None:
            instance.timer.instance = None
            instance.timer = None
        self._dispatcher.forget_instance(instance)
        self._work_available.set()

    # ---------------------------------------------------------------- timers

    def _is_wanted(self, due: Due) -> bool:
        instance = due.instance
        if instance is None or self._active.get(instance.instance_id) is not instance:
            return False
        return instance.timer is due or due.call is not None

    async def _timer_loop(self) -> None:
        while True:
            self._timers.changed.clear()
            next_us = self._timers.next_us()
            if next_us is None:
                await self._timers.changed.wait()
                continue
            now_us = self._time.now_us()
            if next_us > now_us:
                await wait(self._timers.changed, self._clock, (next_us - now_us) / 1e6)
                continue
            for due in self._timers.take(now_us, limit=_TIMERS_AT_ONCE):
                self._fire(due)
            self._dispatcher.flush()
            await asyncio.sleep(0)

    def _fire(self, due: Due) -> None:
        instance, call = due.instance, due.call
        if instance is None:
            return
        if call is None:
            instance.timer = None
            instance.timer_us = None
            self._step(instance)
        elif instance.machine.expects(call.call_id, call.attempt):
            self._dispatcher.start(instance, call)

    # ---------------------------------------------------------------- in the background

    async def _housekeeping_loop(self) -> None:
        while True:
            await self._clock.sleep(self._settings.persist_interval_ms / 1000)
            if self._is_stopping:
                continue  # stop() writes by itself
            try:
                await self._housekeeping.write()
            except StoreUnavailable as error:
                self._complain("housekeeping", f"snapshots and releases wait for the database: {error}")

    async def _notify_loop(self) -> None:
        """Tell the bridges that instances ended; never inside the append, and once for many."""
        while True:
            await self._done_notification_due.wait()
            self._done_notification_due.clear()
            try:
                await self._store.notify(CHANNEL_DONE)
            except StoreUnavailable:
                await self._clock.sleep(_STORE_RETRY_S)  # only a hint: the bridges poll


def _take_events(inbox: list[Event]) -> tuple[Event, ...]:
    """The oldest events, as many as one entry may hold."""
    count = size = 0
    for event in inbox:
        if isinstance(event, CallSucceeded):
            size += len(event.value)
        elif isinstance(event, CallFailed):
            size += len(event.exception)
        if count == MAX_EVENTS or (count and size > MAX_ENTRY_BYTES):
            break
        count += 1
    taken = tuple(inbox[:count])
    del inbox[:count]
    return taken


def _outcome(machine: Machine) -> Outcome | None:
    match machine.outcome:
        case Completed(value=value):
            return Outcome(InstanceStatus.COMPLETED, value)
        case Failed(exception=data, error_type=error_type, error_message=message):
            return Outcome(InstanceStatus.FAILED, data, error_type, message[:4000].replace("\x00", "\ufffd"))
        case _:
            return None
