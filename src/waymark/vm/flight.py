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
    Effect,
    Event,
    StartCall,
)
from waymark.vm.heap import Heap
from waymark.vm.objects import DONE, FAILED, PENDING, ActionCall, Future, PendingCall, SleepCall, Task
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
        self.timers: list[tuple[int, int, Future | None, int]] = []
        """Heap of (due, number, future to resolve, call to retry); one of the last two is set."""
        # Of the slice.
        self.effects: list[Effect] = []

    # ---------------------------------------------------------------- asking

    def start(self, call: ActionCall | SleepCall, future: Future) -> None:
        """Begin what is awaited; the future takes its result.

        Raises:
            RuntimeError: It was awaited before.
            ValueEncodingError: Its arguments cannot be stored.
        """
        if call.started:
            raise RuntimeError("cannot reuse already awaited coroutine")
        call.started = True
        if type(call) is SleepCall:
            self._start_sleep(call, future)
            return
        assert isinstance(call, ActionCall)
        action = self._code.program.actions[call.index]
        arguments = encode([list(call.args), call.kwargs], root=f"arguments of {action}")
        self.ask(
            ACTION,
            action.module,
            action.name,
            arguments,
            future=future,
            policy=call.policy,
            timeout_us=call.timeout_us,
        )

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
        self.effects.append(_effect(call))
        return call

    def _start_sleep(self, call: SleepCall, future: Future) -> None:
        delay = call.delay
        if delay <= 0:
            if type(future) is Task:
                self._tasks.resolve(future, call.result)
            else:
                future.status, future.value, future.yields = DONE, call.result, True
            return
        if delay != delay:
            raise ValueError("Invalid delay: NaN (not a number)")
        future.value = call.result
        self._add_timer(self._machine.now_us + round(min(float(delay), 1e12) * 1_000_000), future, 0)

    def _add_timer(self, due_us: int, future: Future | None, call_id: int) -> None:
        heapq.heappush(self.timers, (min(due_us, _FOREVER_US), self._number(), future, call_id))

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
            self.effects.append(_effect(call))

    def _attempt_failed(self, call: PendingCall, error: BaseException) -> None:
        policy: RetryPolicy | None = call.policy
        if policy is None or not policy.allows(call.attempt, {cls.__name__ for cls in type(error).__mro__}):
            self._answer(call, None, error)
            return
        call.attempt += 1
        if policy.backoff_seconds > 0:
            call.is_waiting = True
            self._add_timer(
                self._machine.now_us + round(policy.backoff_seconds * 1_000_000), None, call.call_id
            )
        else:
            self.effects.append(_effect(call))

    def _answer(self, call: PendingCall, value: Any, error: BaseException | None) -> None:
        del self.pending[call.call_id]
        future = call.future
        if call.exclusive:
            future.status, future.value, future.exception = (DONE if error is None else FAILED), value, error
            self._tasks.go_on(future)
        elif error is None:
            self._tasks.resolve(future, value)
        else:
            self._tasks.reject(future, error)

    # ---------------------------------------------------------------- timers

    def fire_timers(self) -> None:
        """Let every timer fire that is due, earliest first; tasks run in between, as they would have."""
        machine = self._machine
        while self.timers and self.timers[0][0] <= machine.now_us and machine.outcome is None:
            _due, _number, future, call_id = heapq.heappop(self.timers)
            if future is not None:
                if future.status == PENDING:
                    self._tasks.resolve(future, future.value)
            elif (call := self.pending.get(call_id)) is not None:
                call.is_waiting = False
                self.effects.append(_effect(call))
            self._tasks.run_ready()

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

    def end(self) -> None:
        """The run has ended: what still runs is called off, and what was asked for in this slice is not started."""
        unstarted = {effect.call_id for effect in self.effects if isinstance(effect, StartCall)}
        self.effects = [
            CancelCall(call.call_id)
            for call in self.pending.values()
            if not call.is_waiting and call.call_id not in unstarted
        ]
        self.pending.clear()
        self.timers.clear()


def _effect(call: PendingCall) -> StartCall:
    return StartCall(
        call.call_id, call.attempt, call.kind, call.module, call.name, call.arguments, call.timeout_us
    )
