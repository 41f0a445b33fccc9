"""Which worker runs which call, and what becomes of calls whose worker goes away.

Pure bookkeeping on one event loop: no process, no socket. A *source* is whoever dispatches (a shard, or the engine of
the in-memory bridge); a *lane* is one attached worker with its slots.

What holds:

* Every dispatched call is answered exactly once, unless its source is forgotten first.
* A lane answers only the tokens that it holds, each once. Lane tokens are never used twice in a process, so a late or
  repeated result can never be taken for another call's.
* Sources with queued calls take turns, one call at a time; each call goes to the lane with the fewest in flight. One
  wide fan-out therefore uses every worker and delays another source by one call per slot at most.
* A call of a source whose lease has run out is not handed out, and each carries the lease's deadline to the worker, which
  looks at it again: a host that was frozen starts nothing that another has taken over.
* A call's timeout runs from the moment it is handed to a lane, on this loop's clock, whatever the worker does.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from waymark.clock import Clock, SystemClock
from waymark.link.worker_stream import BODY_BYTES, REASON_CANCELLED, REASON_TIMEOUT
from waymark.pool import answers
from waymark.telemetry.figures import PoolFigures

SourceId = UUID
"""Who dispatches; for a shard its executor id."""

Results = list[tuple[int, bytes]]
"""Tokens as dispatched, each with an encoded ActionResult."""

CANCEL_GRACE_S = 2.0
"""How long an action may take to end after the cancel that its timeout sends; then its worker is replaced."""


class Port(Protocol):
    """The stream behind a lane. No method waits."""

    def dispatch(self, token: int, body: bytes, timeout_ms: int, usable_until_us: int) -> None: ...

    def cancel(self, token: int, reason: str) -> None: ...

    def drain(self) -> None: ...

    def close(self, reason: str) -> None: ...


class _Source:
    __slots__ = ("calls", "id", "queue", "results", "usable_until_us")

    def __init__(self, source_id: SourceId) -> None:
        self.id = source_id
        self.calls: dict[int, _Call] = {}
        self.queue: deque[_Call] = deque()
        self.results: Results = []
        self.usable_until_us = 0


class _Call:
    __slots__ = (
        "body",
        "is_cancelled",
        "is_done",
        "is_overdue",
        "lane",
        "lane_token",
        "source",
        "timeout_ms",
        "token",
    )

    def __init__(self, source: _Source, token: int, body: bytes, timeout_ms: int) -> None:
        self.source = source
        self.token = token
        self.body = body
        self.timeout_ms = timeout_ms
        self.lane: Lane | None = None
        self.lane_token = 0
        self.is_done = False
        self.is_overdue = False
        self.is_cancelled = False


class Lane:
    """One attached worker as the router sees it.

    Attributes:
        worker_id: As in its Hello.
        slots: Calls that it may hold at once.
        load: Calls that it holds now.
        completed: Calls that it has answered.
        loop_lag_us: How late its event loop was, by its last heartbeat.
        worn: Set once it has been given as many calls as it may run in its life.
        ended: Set when the stream is gone; nothing more comes from it.
        end_reason: Why, for people.
    """

    __slots__ = (
        "_calls",
        "_given",
        "_is_open",
        "_was_drained",
        "completed",
        "end_reason",
        "ended",
        "loop_lag_us",
        "max_calls",
        "port",
        "slots",
        "worker_id",
        "worn",
    )

    def __init__(self, worker_id: bytes, port: Port, *, slots: int, max_calls: int | None = None) -> None:
        if slots < 1:
            raise ValueError(f"slots must be at least 1, got {slots}")
        self.worker_id = worker_id
        self.port = port
        self.slots = slots
        self.max_calls = max_calls
        self.completed = 0
        self.loop_lag_us = 0
        self.worn = asyncio.Event()
        self.ended = asyncio.Event()
        self.end_reason = ""
        self._calls: dict[int, _Call] = {}
        self._given = 0
        self._is_open = True
        self._was_drained = False

    @property
    def load(self) -> int:
        return len(self._calls)

    @property
    def is_drained(self) -> bool:
        """Whether it was told to end."""
        return self._was_drained


class Router:
    """Calls of sources to lanes, and results back."""

    def __init__(
        self,
        on_results: Callable[[SourceId, Results], None],
        *,
        cancel_grace_s: float = CANCEL_GRACE_S,
        max_body_bytes: int = BODY_BYTES,
        clock: Clock | None = None,
    ) -> None:
        """Must be built where the event loop runs.

        Args:
            on_results: Called at most once per source and turn of the loop with everything that came back.
            cancel_grace_s: Time between the cancel of a timeout and the end of the worker.
            max_body_bytes: Larger dispatches are answered `too_large`.
            clock: For the leases of sources.
        """
        self._on_results = on_results
        self._cancel_grace_s = cancel_grace_s
        self._max_body_bytes = max_body_bytes
        self._clock = clock or SystemClock()
        self._loop = asyncio.get_running_loop()
        self._sources: dict[SourceId, _Source] = {}
        self._queued: deque[_Source] = deque()  # each source with a queue, once; the next to be served first
        self._answered: list[_Source] = []
        self._lanes: dict[Lane, None] = {}
        self._by_load: list[dict[Lane, None]] = [{}]  # open lanes with a free slot, by calls in flight
        self._lane_tokens = itertools.count(1)
        self._deadlines: list[tuple[float, int, _Call]] = []
        self._deadline_order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._turn_is_due = False
        self._counts = PoolFigures()

    # What sources do.

    def dispatch(self, source_id: SourceId, token: int, body: bytes, timeout_ms: int = 0) -> None:
        """Have a worker run a call as soon as a slot is free.

        Args:
            token: Chosen by the source; unique among its open calls. One that is open already is ignored.
            body: Encoded ActionDispatch, passed on as it is.
            timeout_ms: Longest run time in milliseconds; 0: no limit.
        """
        source = self._source(source_id)
        if token in source.calls:
            return
        call = source.calls[token] = _Call(source, token, body, timeout_ms)
        if len(body) > self._max_body_bytes:
            self._answer(call, answers.too_large(len(body), self._max_body_bytes))
            return
        if not source.queue and source not in self._queued:
            self._queued.append(source)
        source.queue.append(call)
        self._need_turn()

    def use_until(self, source_id: SourceId, deadline_us: int) -> None:
        """A source's lease was renewed: its calls may start until then, and wait after it.

        Args:
            deadline_us: CLOCK_BOOTTIME in microseconds; a source that never gets one has no limit.
        """
        source = self._source(source_id)
        source.usable_until_us = deadline_us
        if source.queue and source not in self._queued:
            self._queued.append(source)
        self._need_turn()

    def _source(self, source_id: SourceId) -> _Source:
        source = self._sources.get(source_id)
        if source is None:
            source = self._sources[source_id] = _Source(source_id)
        return source

    def cancel(self, source_id: SourceId, token: int) -> None:
        """Ask for the end of a call. It is still answered: with `cancelled`, or with what the action made of it."""
        source = self._sources.get(source_id)
        call = None if source is None else source.calls.get(token)
        if call is None or call.is_cancelled:
            return
        call.is_cancelled = True
        if call.lane is None:
            self._answer(call, answers.cancelled())
        else:
            call.lane.port.cancel(call.lane_token, REASON_CANCELLED)

    def forget_source(self, source_id: SourceId) -> None:
        """The source is gone: drop what it queued, cancel what runs for it, answer nothing."""
        source = self._sources.pop(source_id, None)
        if source is None:
            return
        for call in source.calls.values():
            if call.lane is None:
                call.is_done = True
            elif not call.is_cancelled:
                call.is_cancelled = True
                call.lane.port.cancel(call.lane_token, REASON_CANCELLED)
        source.calls.clear()
        source.queue.clear()
        source.results.clear()

    # What streams do.

    def add_lane(self, lane: Lane) -> None:
        """A worker has attached and takes work from now on."""
        self._lanes[lane] = None
        self._counts.workers_attached += 1
        self._place(lane)
        self._need_turn()

    def drain_lane(self, lane: Lane) -> None:
        """Give a worker nothing new and tell it to end after what it holds."""
        if lane._is_open and lane in self._lanes:
            self._withdraw(lane)
            lane._is_open = False
            lane._was_drained = True
            lane.port.drain()

    def remove_lane(self, lane: Lane, reason: str) -> None:
        """A worker is gone: what it held comes back lost, or as what it was about to become. Safe to repeat."""
        if lane not in self._lanes:
            return
        del self._lanes[lane]
        self._withdraw(lane)
        lane._is_open = False
        lane.end_reason = reason
        calls, lane._calls = lane._calls, {}
        for call in calls.values():
            if call.is_overdue:
                self._counts.timed_out += 1
                self._answer(call, answers.timed_out(call.timeout_ms))
            elif call.is_cancelled:
                self._answer(call, answers.cancelled())
            else:
                self._counts.lost += 1
                self._answer(call, answers.lost(reason))
        lane.ended.set()

    def result(self, lane: Lane, lane_token: int, body: bytes) -> None:
        """A worker answers a call."""
        calls = lane._calls
        call = calls.get(lane_token)
        if call is None:
            self._counts.unknown_results += 1
            return
        if lane._is_open:
            self._withdraw(lane)
            del calls[lane_token]
            self._place(lane)
        else:
            del calls[lane_token]
        lane.completed += 1
        self._counts.completed += 1
        self._answer(call, body)

    def stop(self) -> None:
        """Enforce no timeouts any more. Safe to repeat."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._deadlines.clear()

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Every worker that is attached."""
        return tuple(self._lanes)

    def figures(self) -> PoolFigures:
        """Counts and gauges of now."""
        figures = self._counts
        figures.queued = sum(not call.is_done for source in self._sources.values() for call in source.queue)
        figures.in_flight = sum(lane.load for lane in self._lanes)
        figures.workers = sum(lane._is_open for lane in self._lanes)
        return figures

    # One turn: everything that became possible since the last one, in one go.

    def _need_turn(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_is_due = False
        self._hand_out()
        answered, self._answered = self._answered, []
        for source in answered:
            results, source.results = source.results, []
            if results:
                self._on_results(source.id, results)

    def _hand_out(self) -> None:
        queued = self._queued
        while queued:
            source = queued[0]
            queue = source.queue
            while queue and queue[0].is_done:
                queue.popleft()
            if not queue or not self._is_usable(source):
                queued.popleft()  # a source whose lease has run out comes back with its renewal
                continue
            lane = self._idlest()
            if lane is None:
                return
            self._give(queue.popleft(), lane)
            queued.rotate(-1)

    def _is_usable(self, source: _Source) -> bool:
        return source.usable_until_us == 0 or self._clock.monotonic_us() < source.usable_until_us

    def _give(self, call: _Call, lane: Lane) -> None:
        token = next(self._lane_tokens)
        self._withdraw(lane)
        lane._calls[token] = call
        self._place(lane)
        call.lane = lane
        call.lane_token = token
        lane.port.dispatch(token, call.body, call.timeout_ms, call.source.usable_until_us)
        call.body = b""
        self._counts.dispatched += 1
        lane._given += 1
        if lane._given == lane.max_calls:
            lane.worn.set()
        if call.timeout_ms > 0:
            self._set_deadline(call, call.timeout_ms / 1000)

    def _answer(self, call: _Call, body: bytes) -> None:
        call.is_done = True
        source = call.source
        if source.calls.pop(call.token, None) is call:
            if not source.results:
                self._answered.append(source)
            source.results.append((call.token, body))
        self._need_turn()

    # Lanes by load.

    def _idlest(self) -> Lane | None:
        for lanes in self._by_load:
            for lane in lanes:
                return lane
        return None

    def _place(self, lane: Lane) -> None:
        load = len(lane._calls)
        if load < lane.slots:
            while load >= len(self._by_load):
                self._by_load.append({})
            self._by_load[load][lane] = None

    def _withdraw(self, lane: Lane) -> None:
        load = len(lane._calls)
        if load < len(self._by_load):
            self._by_load[load].pop(lane, None)

    # Timeouts.

    def _set_deadline(self, call: _Call, seconds: float) -> None:
        deadlines = self._deadlines
        # Finished calls stay in the heap until they would be due; sweep them before they outnumber the live ones.
        if len(deadlines) >= 1024 and len(deadlines) > 4 * sum(lane.load for lane in self._lanes):
            self._deadlines = deadlines = [entry for entry in deadlines if not entry[2].is_done]
            heapq.heapify(deadlines)
        at = self._loop.time() + seconds
        heapq.heappush(deadlines, (at, next(self._deadline_order), call))
        if self._timer is None or at < self._timer.when():
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._deadlines:
            self._timer = self._loop.call_at(self._deadlines[0][0], self._on_deadline)

    def _on_deadline(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._deadlines and (self._deadlines[0][2].is_done or self._deadlines[0][0] <= now):
            call = heapq.heappop(self._deadlines)[2]
            lane = call.lane
            if call.is_done or lane is None:
                continue
            if not call.is_overdue:
                call.is_overdue = True
                lane.port.cancel(call.lane_token, REASON_TIMEOUT)
                self._set_deadline(call, self._cancel_grace_s)
            else:
                self._counts.workers_killed += 1
                reason = "an action on the same worker outlived its timeout"
                self.remove_lane(lane, reason)
                lane.port.close(reason)
        self._arm()
