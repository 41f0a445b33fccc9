"""Calls in flight and timers: what a run has asked for and not got yet."""

from __future__ import annotations

import heapq
from typing import Any

from waymark.errors import ActionTimeout, ExhaustedRetriesError, ValueDecodingError
from waymark.model.policy import RetryPolicy, timeout_message
from waymark.values.codec import decode, encode
from waymark.vm.code import Code
from waymark.vm.events import (
    ACTION,
    CallFailed,
    CallLost,
    CallSucceeded,
    CallTimedOut,
    CancelCall,
    Event,
    StartCall,
)
from waymark.vm.futures import DONE, FAILED, Future, Timer
from waymark.vm.heap import Heap
from waymark.vm.objects import ActionCall, PendingCall
from waymark.vm.tasks import Tasks
from waymark.vm.unwinding import as_fresh

MAX_LOSSES = 20
"""Times that infrastructure may lose one call before it fails."""

_FOREVER_US = 2**62
_CALL_BYTES = 500


class Flight:
    """Calls and timers of one machine."""

    def __init__(self, machine: Any, code: Code, heap: Heap, tasks: Tasks) -> None:
        self._machine = machine
        self._code = code
        self._heap = heap
        self._tasks = tasks
        # State: in a snapshot.
        self.next_number = 1
        self.pending: dict[int, PendingCall] = {}
        """By call id."""
        self.timers: list[tuple[int, int, Timer]] = []
        """Heap of (due, number, timer)."""
        self.cancelled_timers = 0
        """How many of them tell nobody any more."""
        # Of the slice.
        self.moment_us = 0
        """Moment whose timers tell now."""
        self.effects: list[StartCall | CancelCall] = []
        self._begun: set[int] = set()
        """Calls of which an attempt is among the effects."""
        self._withdrawn: set[int] = set()
        """Those of them that were called off before it could start."""

    # ---------------------------------------------------------------- asking

    def start(self, call: ActionCall, future: Future) -> None:
        """Begin what is awaited; the future takes its result.

        Raises:
            RuntimeError: It was awaited before.
            ValueEncodingError: Its arguments cannot be stored.
        """
        if call.started:
            raise RuntimeError("cannot reuse already awaited coroutine")
        call.started = True
        action = self._code.program.actions[call.index]
        arguments = encode([list(call.args), call.kwargs], root=f"arguments of {action}")
        asked = self.ask(
            ACTION,
            action.module,
            action.name,
            arguments,
            future=future,
            policy=call.policy,
            timeout_us=call.timeout_us,
        )
        future.call_id = asked.call_id

    def ask(
        self,
        kind: int,
        module: str,
        name: str,
        arguments: bytes,
        *,
        future: Future | None = None,
        policy: RetryPolicy | None = None,
        timeout_us: int = 0,
        is_exclusive: bool = False,
    ) -> PendingCall:
        """Have a worker run something."""
        call = PendingCall(self._number(), kind, module, name, arguments, future or Future())
        call.policy = policy
        call.timeout_us = timeout_us
        call.exclusive = is_exclusive
        self._heap.charge(_CALL_BYTES + len(arguments))
        self.pending[call.call_id] = call
        self._attempt(call)
        return call

    def _attempt(self, call: PendingCall) -> None:
        self.effects.append(_effect(call))
        self._begun.add(call.call_id)

    def try_again(self, call: PendingCall) -> None:
        """The pause before the next attempt is over."""
        if call.call_id in self.pending:
            call.is_waiting = False
            self._attempt(call)

    def call_off(self, call_id: int) -> None:
        """Nobody waits for a call any more."""
        call = self.pending.pop(call_id, None)
        if call is None or call.is_waiting:
            return
        if call_id in self._begun:
            self._withdrawn.add(call_id)
        else:
            self.effects.append(CancelCall(call_id))

    def take_effects(self) -> list[StartCall | CancelCall]:
        """What the slice asks for."""
        taken = self.effects
        if self._withdrawn:
            taken = [effect for effect in taken if effect.call_id not in self._withdrawn]
        self.effects = []
        self._begun.clear()
        self._withdrawn.clear()
        return taken

    def _number(self) -> int:
        number = self.next_number
        self.next_number += 1
        return number

    # ---------------------------------------------------------------- what happened

    def expects(self, call_id: int, attempt: int) -> bool:
        """Whether an event about this attempt would mean anything."""
        call = self.pending.get(call_id)
        return call is not None and call.attempt == attempt and not call.is_waiting

    def handle(self, event: Event) -> None:
        """Take an event; one that nobody waits for any more changes nothing."""
        if not self.expects(event.call_id, event.attempt):
            return
        call = self.pending[event.call_id]
        match event:
            case CallSucceeded(value=data):
                self._heap.charge(4 * len(data))
                try:
                    value = decode(data, self._code.classes)
                except ValueDecodingError as error:
                    self._answer(call, None, as_fresh(error))
                else:
                    self._answer(call, value, None)
            case CallFailed(exception=data):
                self._attempt_failed(call, self._decode_exception(data))
            case CallTimedOut():
                message = timeout_message(f"{call.module}:{call.name}", call.timeout_us)
                self._attempt_failed(call, ActionTimeout(message))
            case CallLost():
                self._lost(call)

    def _decode_exception(self, data: bytes) -> BaseException:
        self._heap.charge(4 * len(data))
        try:
            error = decode(data, self._code.classes)
        except ValueDecodingError as problem:
            return as_fresh(problem)
        if isinstance(error, BaseException):
            return error
        return ValueDecodingError("the worker sent no exception")

    def _lost(self, call: PendingCall) -> None:
        """Not the action's fault: the same attempt again, but not for ever."""
        call.losses += 1
        if call.losses > MAX_LOSSES:
            message = (
                f"action {call.module}:{call.name} was lost {call.losses} times, "
                "because the worker that ran it died each time"
            )
            self._answer(call, None, ExhaustedRetriesError(message))
        else:
            self._attempt(call)

    def _attempt_failed(self, call: PendingCall, error: BaseException) -> None:
        policy: RetryPolicy | None = call.policy
        if policy is None or not policy.allows(call.attempt, {cls.__name__ for cls in type(error).__mro__}):
            self._answer(call, None, error)
            return
        call.attempt += 1
        if policy.backoff_seconds > 0:
            call.is_waiting = True
            self.call_later(policy.backoff_seconds, call)
        else:
            self._attempt(call)

    def _answer(self, call: PendingCall, value: Any, error: BaseException | None) -> None:
        del self.pending[call.call_id]
        future: Future = call.future
        future.call_id = 0
        if call.exclusive:
            future.status, future.value, future.exception = (DONE if error is None else FAILED), value, error
            self._tasks.go_on(future)
        elif error is None:
            self._tasks.resolve(future, value)
        else:
            self._tasks.reject(future, error)

    # ---------------------------------------------------------------- timers

    def call_later(self, delay: float, target: Any) -> Timer:
        """Tell somebody after so many seconds."""
        pause_us = round(min(max(float(delay), 0.0), 1e12) * 1_000_000)
        return self.call_at(self._machine.now_us + pause_us, target)

    def call_at(self, due_us: int, target: Any) -> Timer:
        """Tell somebody at a moment of database time."""
        timer = Timer(target)
        heapq.heappush(self.timers, (min(due_us, _FOREVER_US), self._number(), timer))
        return timer

    def cancel_timer(self, timer: Timer) -> None:
        """Let a timer tell nobody; one that has told is left alone."""
        if timer.target is not None:
            timer.target = None
            self.cancelled_timers += timer.is_set

    def add_due_timers(self) -> None:
        """Let the timers of the earliest moment that has come tell, in the order in which they were set.

        A run that was away sees the moments one by one. Timers of a later one wait until nothing is left to do.
        """
        timers, ready = self.timers, self._tasks.ready
        if not timers or timers[0][0] > (self.moment_us if ready else self._machine.now_us):
            return
        self.moment_us = timers[0][0]
        while timers and timers[0][0] <= self.moment_us:
            timer = heapq.heappop(timers)[2]
            timer.is_set = False
            if timer.target is None:
                self.cancelled_timers -= 1
            else:
                ready.append((timer, 0, None))

    def drop_cancelled_timers(self) -> None:
        """Forget timers that tell nobody: those in front, and all of them once they are the larger part."""
        timers = self.timers
        if 2 * self.cancelled_timers > len(timers):
            self.timers = timers = [entry for entry in timers if entry[2].target is not None]
            heapq.heapify(timers)
            self.cancelled_timers = 0
        while timers and timers[0][2].target is None:
            heapq.heappop(timers)
            self.cancelled_timers -= 1

    def next_timer_us(self) -> int | None:
        """When the earliest timer is due, or None."""
        return self.timers[0][0] if self.timers and self.timers[0][0] < _FOREVER_US else None

    # ---------------------------------------------------------------- what runs now

    def calls(self) -> list[StartCall]:
        """The attempts that must be running now: what a new owner starts again."""
        return [_effect(call) for call in self.pending.values() if not call.is_waiting]

    def has_calls(self) -> bool:
        """Whether any attempt must be running now."""
        return any(not call.is_waiting for call in self.pending.values())

    def is_empty(self) -> bool:
        """Whether nothing can ever happen to the run any more; timers beyond the end of time count as nothing."""
        return not self.pending and not any(
            timer.target for due_us, _, timer in self.timers if due_us < _FOREVER_US
        )

    def end(self) -> None:
        """The run has ended: what still runs is called off, and what was asked for in this slice is not started."""
        for call_id in list(self.pending):
            self.call_off(call_id)
        self.effects = [effect for effect in self.effects if isinstance(effect, CancelCall)]
        self.pending.clear()
        self.timers.clear()


def _effect(call: PendingCall) -> StartCall:
    return StartCall(
        call.call_id, call.attempt, call.kind, call.module, call.name, call.arguments, call.timeout_us
    )
