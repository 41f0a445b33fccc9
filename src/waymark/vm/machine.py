"""The virtual machine: one run of one program, advanced by journal entries.

Safety argument. The state changes only in `begin` and `apply`, both of which depend on the program, the state and their
arguments alone: no clock, no I/O, no randomness, no iteration over anything unordered. So applying the same entries to the same start gives the same
state and the same effects, on any host, in any process; the journal is the truth and everything in memory can be thrown away at any time.

Concurrency is asyncio's: tasks run until they wait, a ready queue decides who is next, a result wakes who watched it. Tasks switch only where Python
would switch. Where the machine must ask a worker in a place in which Python would not have switched (building an instance of a user class), the call
is exclusive: nothing else runs until it is answered.
"""

from __future__ import annotations

import heapq
import sys
from collections import deque
from typing import Any, NoReturn

from waymark.errors import (
    ActionTimeout,
    ExhaustedRetriesError,
    UnsupportedPatternError,
    ValueDecodingError,
    ValueEncodingError,
    WorkflowLimitExceeded,
)
from waymark.model.policy import RetryPolicy, timeout_message, timeout_us
from waymark.program.instructions import BINARY_OPERATORS, COMPARE_OPERATORS, UNARY_OPERATORS
from waymark.program.program import Program
from waymark.values.codec import decode, encode, encode_exception
from waymark.values.exceptions import MESSAGE, TRACE
from waymark.values.synthetic import SyntheticClasses
from waymark.vm.attributes import Attributes
from waymark.vm.binding import DEFAULT, Binder, make_binder
from waymark.vm.calls import MethodCalls
from waymark.vm.events import (
    ACTION,
    CONSTRUCT,
    CallFailed,
    CallLost,
    CallSucceeded,
    CallTimedOut,
    CancelCall,
    Completed,
    Effect,
    Entry,
    Event,
    Failed,
    StartCall,
)
from waymark.vm.interpreter import HANDLERS, SWITCH, WAIT
from waymark.vm.library import ClassCalls, Library
from waymark.vm.limits import DEFAULT_LIMITS, Limits, exceeded
from waymark.vm.objects import (
    DONE,
    FAILED,
    PENDING,
    UNBOUND,
    ActionCall,
    ActionValue,
    BoundMethod,
    BuiltinFunction,
    Coroutine,
    Frame,
    FunctionValue,
    Future,
    Gather,
    PendingCall,
    SelfObject,
    SleepCall,
    Task,
)
from waymark.vm.operations import SafeFormatter, binary_table, compare_table, unary_table

MAX_LOSSES = 20
"""Times that infrastructure may lose one call before it fails."""

_UNCATCHABLE = (WorkflowLimitExceeded, UnsupportedPatternError, MemoryError)
_TRACE_LIMIT = 100
_FOREVER_US = 2**62


class Machine:
    """One run. Make it with `begin` or `waymark.vm.snapshots.restore`.

    Args:
        program: Verified program.
        classes: The program's classes; shared by all runs of the program in a process.
        limits: What the run may use.
    """

    def __init__(
        self, program: Program, classes: SyntheticClasses | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.program = program
        self.classes = classes or SyntheticClasses(program.classes)
        self.limits = limits
        self.names = program.names
        self.constants = tuple(decode(constant, self.classes) for constant in program.constants)
        self.unary = unary_table(UNARY_OPERATORS)
        self.binary = binary_table(BINARY_OPERATORS, limits, in_place=False)
        self.inplace = binary_table(BINARY_OPERATORS, limits, in_place=True)
        self.compare = compare_table(COMPARE_OPERATORS)
        self.attributes = Attributes({a.name: a.value for a in program.class_attributes}, self.load_global)
        self.library = Library(
            limits, self.attributes.get, {"asyncio.gather": self._gather, "asyncio.sleep": SleepCall.make}
        )
        self._methods = MethodCalls(limits, SafeFormatter(self.attributes.get))
        self._class_calls = ClassCalls(limits)
        self._binders: dict[int, Binder] = {}
        self._action_binders: dict[int, Binder] = {}

        # State: everything below is in a snapshot.
        self.now_us = 0
        self.next_number = 1
        self.allocated = 0
        self.main: Task | None = None
        self.ready: deque[tuple[Any, int, Future | None]] = deque()
        self.pending: dict[int, PendingCall] = {}
        self.timers: list[tuple[int, int, Future | None, int]] = []
        """(due, number, future to resolve, call to retry); one of the last two is set."""
        self.exclusive: int | None = None
        """Call id that everything waits for."""
        self.exclusive_task: Task | None = None
        self.globals: dict[int, Any] = {}

        self.outcome: Completed | Failed | None = None
        self._fuel = 0
        self._effects: list[Effect] = []
        self._task: Task | None = None
        self._call_back_depth = 0

    # ---------------------------------------------------------------- life

    def begin(self, arguments: bytes, at_us: int) -> list[Effect]:
        """Start run() and advance to its first wait.

        Args:
            arguments: Encoded [args, kwargs] of run(), without self.
            at_us: Database time of the start, microseconds since 1970 UTC.
        """
        self.now_us = at_us
        self._open_slice()
        try:
            args, kwargs = decode(arguments, self.classes)
            values = self._bind(0, [SelfObject(self.program.class_name), *args], kwargs)
            self.main = Task(Coroutine(0, values))
            self.ready.append((self.main, 0, None))
            self._run_ready()
        except (*_UNCATCHABLE, TypeError, ValueDecodingError) as error:
            self._end_with(error)
        return self._close_slice()

    def apply(self, entry: Entry) -> list[Effect]:
        """Advance by one journal entry; returns the effects in order. They may be performed once the entry is durable."""
        if self.outcome is not None:
            return []
        self.now_us = max(self.now_us, entry.at_us)
        self._open_slice()
        try:
            self._fire_timers()
            for event in entry.events:
                self._handle(event)
                self._run_ready()
        except _UNCATCHABLE as error:
            self._end_with(error)
        return self._close_slice()

    def expects(self, call_id: int, attempt: int) -> bool:
        """Whether an event about this attempt would mean anything."""
        call = self.pending.get(call_id)
        return call is not None and call.attempt == attempt and not call.is_waiting and self.outcome is None

    def next_timer_us(self) -> int | None:
        """When the earliest timer is due, or None."""
        return self.timers[0][0] if self.timers and self.timers[0][0] < _FOREVER_US else None

    def calls_in_flight(self) -> list[StartCall]:
        """The attempts that must be running now: what a new owner starts again."""
        return [self._start_effect(call) for call in self.pending.values() if not call.is_waiting]

    def has_calls_in_flight(self) -> bool:
        """Whether any attempt must be running now."""
        return any(not call.is_waiting for call in self.pending.values())

    def _open_slice(self) -> None:
        self._fuel = self.limits.fuel
        self._effects = []

    def _close_slice(self) -> list[Effect]:
        if self.outcome is not None:
            started = {effect.call_id for effect in self._effects if isinstance(effect, StartCall)}
            self._effects = [
                CancelCall(c.call_id)
                for c in self.pending.values()
                if not c.is_waiting and c.call_id not in started
            ]
            self.pending.clear()
            self.timers.clear()
            self.ready.clear()
        return self._effects

    def _end_with(self, error: BaseException) -> None:
        """End the run by an error that `except` must not see."""
        if isinstance(error, MemoryError):
            error = WorkflowLimitExceeded(
                "the run needs more memory than its shard may use; do this in an @action"
            )
        error.__traceback__ = None
        if self._task is not None:
            for frame in reversed(self._task.frames):
                self._note_place(error, frame)
        self._fail_run(error)

    def _fail_run(self, error: BaseException) -> None:
        text = vars(error).get(MESSAGE)
        if not isinstance(text, str):
            try:
                text = str(error)
            except Exception as problem:  # a repr of something odd in its arguments
                text = f"<{type(problem).__name__} in __str__>"
        self.outcome = Failed(encode_exception(error), type(error).__name__, text)

    # ---------------------------------------------------------------- events

    def _handle(self, event: Event) -> None:
        if not self.expects(event.call_id, event.attempt):
            return
        call = self.pending[event.call_id]
        match event:
            case CallSucceeded(value=value):
                try:
                    result = decode(value, self.classes)
                except ValueDecodingError as error:
                    self._answer(call, None, error)
                else:
                    self._answer(call, result, None)
            case CallFailed(exception=data):
                self._attempt_failed(call, self._decode_exception(data))
            case CallTimedOut():
                self._attempt_failed(
                    call, ActionTimeout(timeout_message(f"{call.module}:{call.name}", call.timeout_us))
                )
            case CallLost():
                call.losses += 1
                if call.losses > MAX_LOSSES:
                    lost = ExhaustedRetriesError(
                        f"action {call.module}:{call.name} was lost {call.losses} times, because the worker that ran it died each time"
                    )
                    self._answer(call, None, lost)
                else:
                    self._effects.append(self._start_effect(call))

    def _decode_exception(self, data: bytes) -> BaseException:
        try:
            error = decode(data, self.classes)
        except ValueDecodingError as problem:
            return problem
        return (
            error if isinstance(error, BaseException) else ValueDecodingError("the worker sent no exception")
        )

    def _attempt_failed(self, call: PendingCall, error: BaseException) -> None:
        policy: RetryPolicy | None = call.policy
        if policy is None or not policy.allows(call.attempt, {cls.__name__ for cls in type(error).__mro__}):
            self._answer(call, None, error)
            return
        call.attempt += 1
        if policy.backoff_seconds > 0:
            call.is_waiting = True
            self._add_timer(self.now_us + round(policy.backoff_seconds * 1_000_000), None, call.call_id)
        else:
            self._effects.append(self._start_effect(call))

    def _answer(self, call: PendingCall, value: Any, error: BaseException | None) -> None:
        del self.pending[call.call_id]
        if call.exclusive:
            task = self.exclusive_task
            self.exclusive = self.exclusive_task = None
            assert task is not None
            call.future.status, call.future.value, call.future.exception = (
                (FAILED if error else DONE),
                value,
                error,
            )
            self._resume(task, call.future)
        elif error is None:
            self._resolve(call.future, value)
        else:
            self._reject(call.future, error)

    def _fire_timers(self) -> None:
        while self.timers and self.timers[0][0] <= self.now_us and self.outcome is None:
            _due, _number, future, call_id = heapq.heappop(self.timers)
            if future is not None:
                if future.status == PENDING:
                    self._resolve(future, future.value)
            elif (call := self.pending.get(call_id)) is not None:
                call.is_waiting = False
                self._effects.append(self._start_effect(call))
            self._run_ready()

    def _add_timer(self, due_us: int, future: Future | None, call_id: int) -> None:
        heapq.heappush(self.timers, (min(due_us, _FOREVER_US), self._number(), future, call_id))

    def _number(self) -> int:
        number = self.next_number
        self.next_number += 1
        return number

    # ---------------------------------------------------------------- tasks

    def _resolve(self, future: Future, value: Any) -> None:
        future.status, future.value = DONE, value
        self._tell(future)

    def _reject(self, future: Future, error: BaseException) -> None:
        future.status, future.exception = FAILED, error
        self._tell(future)

    def _tell(self, future: Future) -> None:
        for target, index in future.watchers:
            self.ready.append((target, index, future))
        future.watchers = []
        if future is self.main:
            if future.exception is not None:
                self._fail_run(future.exception)
            else:
                self._complete(future.value)

    def _complete(self, value: Any) -> None:
        try:
            self.outcome = Completed(encode(value, root=f"result of {self.program.class_name}.run()"))
        except ValueEncodingError as error:
            self._fail_run(error)

    def _run_ready(self) -> None:
        ready = self.ready
        while ready and self.exclusive is None and self.outcome is None:
            target, index, future = ready.popleft()
            if type(target) is Gather:
                self._gathered(target, index, future)
            elif future is None:
                self._start_task(target)
            else:
                self._resume(target, future)

    def _start_task(self, task: Task) -> None:
        start, task.start = task.start, None
        self._task = task
        try:
            if type(start) is ActionCall:
                self._start_action(start, task)
            elif type(start) is SleepCall:
                self._start_sleep(start, task)
            else:
                self._enter_coroutine(task, start)
        except _UNCATCHABLE:
            raise
        except Exception as error:  # the awaitable was used before, or its arguments cannot be stored
            self._reject(task, error)
        else:
            if task.frames:
                self._run(task)

    def _resume(self, task: Task, future: Future) -> None:
        """Give a waiting task what it waited for."""
        if not task.frames:  # a task made of a call alone takes the result of what it started
            if future.exception is not None:
                self._reject(task, future.exception)
            else:
                self._resolve(task, future.value)
            return
        self._task = task
        if future.exception is None:
            task.frames[-1].stack.append(future.value)
        elif not self._raised(task, self._with_context(future.exception)):
            return
        self._run(task)

    def _run(self, task: Task) -> None:
        """Run a task until it waits or ends."""
        frames = task.frames
        handlers = HANDLERS
        while True:
            frame = frames[-1]
            code = frame.code
            error: BaseException | None = None
            signal: str | None = None
            try:
                while signal is None:
                    pc = frame.pc
                    frame.pc = pc + 2
                    signal = handlers[code[pc]](self, frame, code[pc + 1])
            except _UNCATCHABLE:
                raise
            except _Reraise as unwound:
                error = unwound.exception
            except Exception as raised:
                error = self._with_context(raised)
            if error is not None:
                if not self._raised(task, error):
                    return
            elif signal is WAIT:
                return

    def _raised(self, task: Task, error: BaseException) -> bool:
        """Unwind a task to the handler of an exception; False when there is none and the task ended with it."""
        error.__traceback__ = None
        frames = task.frames
        functions = self.program.functions
        while frames:
            frame = frames[-1]
            self._note_place(error, frame)
            function = functions[frame.function]
            pc = frame.pc - 2
            for handler in function.handlers:
                if handler.start <= pc < handler.end:
                    del frame.stack[handler.depth :]
                    frame.stack.append(error)
                    frame.pc = handler.target
                    return True
            frames.pop()
            if function.is_async and isinstance(error, StopIteration):
                replaced = RuntimeError("coroutine raised StopIteration")
                replaced.__cause__ = replaced.__context__ = error
                error = replaced
        self._reject(task, error)
        return False

    def _note_place(self, error: BaseException, frame: Frame) -> None:
        """Remember where an exception passed, innermost first: the one place that knows positions."""
        places = vars(error).setdefault(TRACE, [])
        if len(places) < _TRACE_LIMIT:
            function = self.program.functions[frame.function]
            pc = frame.pc - 2
            line = 0
            for entry in function.lines:
                if entry.start > pc:
                    break
                line = entry.line
            places.append((function.file, line, function.qualname))

    def handled_exception(self) -> BaseException | None:
        """The exception being handled by the innermost `except` of the task."""
        assert self._task is not None
        for frame in reversed(self._task.frames):
            if frame.handled is not None:
                return frame.handled
        return None

    def _with_context(self, error: BaseException) -> BaseException:
        handled = self.handled_exception()
        if handled is not None and handled is not error:
            # As CPython does: break a cycle before it is made.
            link = handled
            while link.__context__ is not None:
                if link.__context__ is error:
                    link.__context__ = None
                    break
                link = link.__context__
            error.__context__ = handled
        return error

    def leave(self, value: Any) -> str:
        """RETURN: give the value to the caller, or end the task with it."""
        task = self._task
        assert task is not None
        task.frames.pop()
        if task.frames:
            task.frames[-1].stack.append(value)
            return SWITCH
        self._resolve(task, value)
        return WAIT

    def reraise(self, error: BaseException) -> NoReturn:
        """Raise an exception as it is, without a new context."""
        raise _Reraise(error)

    def raise_value(self, value: Any, cause: Any) -> NoReturn:
        """RAISE: an instance or a class, with an optional cause."""
        error = self._exception_of(value, "exceptions must derive from BaseException")
        if cause is not UNBOUND:
            error.__cause__ = (
                None
                if cause is None
                else self._exception_of(cause, "exception causes must derive from BaseException")
            )
            error.__suppress_context__ = True
        raise _Reraise(self._with_context(error))

    def _exception_of(self, value: Any, problem: str) -> BaseException:
        if isinstance(value, type) and issubclass(value, BaseException):
            info = getattr(value, "__waymark_info__", None)
            if info is not None and info.has_code:
                raise UnsupportedPatternError(
                    f"raise {value.__name__} needs code of the class; write raise {value.__name__}(...)"
                )
            return value()
        if isinstance(value, BaseException):
            return value
        raise TypeError(problem)

    # ---------------------------------------------------------------- awaiting

    def await_value(self, frame: Frame, value: Any) -> str | None:
        """AWAIT: continue at once where Python would, else wait."""
        task = self._task
        assert task is not None
        if isinstance(value, Future):
            return self._await_future(frame, task, value)
        if type(value) is Coroutine:
            self.burn()
            self._enter_coroutine(task, value)
            return SWITCH
        future = Future()
        if type(value) is ActionCall:
            self._start_action(value, future)
        elif type(value) is SleepCall:
            self._start_sleep(value, future)
        else:
            raise TypeError(f"object {type(value).__name__} can't be used in 'await' expression")
        return self._await_future(frame, task, future)

    def _await_future(self, frame: Frame, task: Task, future: Future) -> str | None:
        if future.status == PENDING:
            future.watchers.append((task, 0))
            return WAIT
        if future.exception is not None:
            raise future.exception
        if isinstance(future.value, _Yield):  # sleep(0): the others first
            future.value = future.value.result
            self.ready.append((task, 0, future))
            return WAIT
        frame.stack.append(future.value)
        return None

    def _enter_coroutine(self, task: Task, coroutine: Coroutine) -> None:
        if coroutine.started:
            raise RuntimeError("cannot reuse already awaited coroutine")
        coroutine.started = True
        self._push(task, coroutine.index, coroutine.locals)

    def _push(self, task: Task, index: int, values: list[Any]) -> None:
        if len(task.frames) >= self.limits.frames:
            raise RecursionError("maximum recursion depth exceeded")
        task.frames.append(Frame(index, values, self.program.functions[index].code))

    def _start_sleep(self, call: SleepCall, future: Future) -> None:
        if call.started:
            raise RuntimeError("cannot reuse already awaited coroutine")
        call.started = True
        delay = call.delay
        if delay <= 0:
            if type(future) is Task:
                self._resolve(future, call.result)
            else:
                future.status, future.value = DONE, _Yield(call.result)
            return
        if delay != delay:
            raise ValueError("Invalid delay: NaN (not a number)")
        future.value = call.result
        self._add_timer(self.now_us + round(min(float(delay), 1e12) * 1_000_000), future, 0)

    def _start_action(self, call: ActionCall, future: Future) -> None:
        if call.started:
            raise RuntimeError("cannot reuse already awaited coroutine")
        call.started = True
        action = self.program.actions[call.index]
        arguments = encode([list(call.args), call.kwargs], root=f"arguments of {action}")
        pending = PendingCall(self._number(), ACTION, action.module, action.name, arguments, future)
        pending.policy = call.policy
        pending.timeout_us = call.timeout_us
        self._ask(pending)

    def _ask(self, pending: PendingCall) -> None:
        self.pending[pending.call_id] = pending
        self._effects.append(self._start_effect(pending))

    @staticmethod
    def _start_effect(call: PendingCall) -> StartCall:
        return StartCall(
            call.call_id, call.attempt, call.kind, call.module, call.name, call.arguments, call.timeout_us
        )

    def _gather(self, *awaitables: Any, return_exceptions: Any = False) -> Future:
        gather = Gather(len(awaitables), bool(return_exceptions))
        tasks: dict[int, Future] = {}
        for index, awaitable in enumerate(awaitables):
            child = tasks.get(id(awaitable))
            if child is None:
                child = tasks[id(awaitable)] = self._ensure_future(awaitable)
            if child.status == PENDING:
                child.watchers.append((gather, index))
            else:
                self.ready.append((gather, index, child))
        if not awaitables:
            gather.status, gather.value = DONE, []
        return gather

    def _ensure_future(self, awaitable: Any) -> Future:
        if isinstance(awaitable, Future):
            return awaitable
        if type(awaitable) not in (ActionCall, Coroutine, SleepCall):
            raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
        task = Task(awaitable)
        self.ready.append((task, 0, None))
        return task

    def _gathered(self, gather: Gather, index: int, child: Future | None) -> None:
        if gather.status != PENDING or child is None:
            return
        if child.exception is not None and not gather.keeps_exceptions:
            self._reject(gather, child.exception)
            return
        gather.results[index] = child.value if child.exception is None else child.exception
        gather.missing -= 1
        if gather.missing == 0:
            self._resolve(gather, gather.results)

    # ---------------------------------------------------------------- calls

    def call(self, frame: Frame, callee: Any, args: list[Any], kwargs: dict[str, Any]) -> str | None:
        """CALL: push the result, or enter the function."""
        self.burn()
        kind = type(callee)
        result: Any
        if kind is BoundMethod:
            result = self._methods.call(callee, args, kwargs)
        elif kind is BuiltinFunction:
            result = callee.implementation(*args, **kwargs)
        elif kind is ActionValue:
            result = self.call_action(callee, args, kwargs)
        elif kind is FunctionValue:
            return self._call_function(frame, callee, args, kwargs)
        elif isinstance(callee, type):
            info = getattr(callee, "__waymark_info__", None)
            if info is not None and info.has_code:
                return self._construct(callee, args, kwargs)
            result = self._class_calls.call(callee, args, kwargs)
        else:
            raise TypeError(f"'{kind.__name__}' object is not callable")
        if type(result) in (str, bytes, list, tuple):
            self.charge(result)
        frame.stack.append(result)
        return None

    def _call_function(
        self, frame: Frame, callee: FunctionValue, args: list[Any], kwargs: dict[str, Any]
    ) -> str | None:
        values = self._bind(callee.index, [callee.receiver, *args] if callee.bound else args, kwargs)
        if self.program.functions[callee.index].is_async:
            frame.stack.append(Coroutine(callee.index, values))
            return None
        assert self._task is not None
        self._push(self._task, callee.index, values)
        return SWITCH

    def call_back(self, callee: FunctionValue, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A library function calls a function of the program, which must end without waiting."""
        values = self._bind(callee.index, [callee.receiver, *args] if callee.bound else list(args), kwargs)
        if self.program.functions[callee.index].is_async:
            return Coroutine(callee.index, values)
        if self._call_back_depth >= 50:
            raise RecursionError("maximum recursion depth exceeded")
        outer = self._task
        inner = Task(None)
        self._push(inner, callee.index, values)
        self._task = inner
        self._call_back_depth += 1
        try:
            self._run(inner)
        finally:
            self._task = outer
            self._call_back_depth -= 1
        if inner.status == PENDING:
            raise UnsupportedPatternError(
                f"{self.callee_name(callee)} builds an instance of a class with code of its own while a library function calls it; "
                "build it in a loop, or in an @action"
            )
        if inner.exception is not None:
            raise inner.exception
        return inner.value

    def call_action(self, callee: ActionValue, args: list[Any], kwargs: dict[str, Any]) -> ActionCall:
        """An awaitable for one call of an action; arguments are bound as Python would, so a wrong one fails here."""
        reference = self.program.actions[callee.index]
        binder = self._action_binders.get(callee.index)
        if binder is None:
            binder = self._action_binders[callee.index] = make_binder(reference.name, reference.parameters)
        binder(*args, **kwargs)
        return ActionCall(callee.index, tuple(args), kwargs)

    def set_policy(self, call: Any, policy: Any, timeout: Any) -> None:
        """RUN_ACTION: attach retry policy and timeout to a call."""
        if type(call) is not ActionCall:
            raise TypeError(f"run_action() needs the call of an action, got {type(call).__name__}")
        if policy is not None and not isinstance(policy, RetryPolicy):
            raise TypeError(f"run_action() retry must be a RetryPolicy, got {type(policy).__name__}")
        call.policy = policy
        call.timeout_us = timeout_us(timeout)

    def _construct(self, cls: Any, args: list[Any], kwargs: dict[str, Any]) -> str:
        """Build an instance of a class with code of its own: on a worker, while the run stands still."""
        task = self._task
        assert task is not None
        key = cls.__waymark_info__.key
        arguments = encode([args, kwargs], root=f"arguments of {key.qualname}()")
        pending = PendingCall(self._number(), CONSTRUCT, key.module, key.qualname, arguments, Future())
        pending.exclusive = True
        if self._call_back_depth == 0:
            self.exclusive = pending.call_id
            self.exclusive_task = task
            self._ask(pending)
        return WAIT

    def _bind(self, index: int, args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
        function = self.program.functions[index]
        binder = self._binders.get(index)
        if binder is None:
            binder = self._binders[index] = make_binder(function.qualname, function.parameters)
        values = binder(*args, **kwargs)
        for position, value in enumerate(values):
            if value is DEFAULT:
                default = function.parameters[position].default
                assert default is not None
                values[position] = self.load_global(default)
        values.extend([UNBOUND] * (len(function.locals) - len(values)))
        return values

    def callee_name(self, callee: Any) -> str:
        """How CPython names a callee in argument errors."""
        if isinstance(callee, FunctionValue):
            return f"{self.program.module}.{self.program.functions[callee.index].qualname}()"
        if isinstance(callee, ActionValue):
            reference = self.program.actions[callee.index]
            return f"{reference.module}.{reference.name}()"
        if isinstance(callee, BoundMethod):
            return f"{type(callee.receiver).__name__}.{callee.name}()"
        if isinstance(callee, BuiltinFunction | type):
            name = callee.name if isinstance(callee, BuiltinFunction) else callee.__qualname__
            return f"{name}()"
        return f"{type(callee).__name__} object"

    def class_at(self, index: int) -> type:
        """The class of a row of the class table."""
        return self.classes.class_for(self.program.classes[index].key)

    def load_global(self, index: int) -> Any:
        """The instance's own copy of a module constant."""
        if index not in self.globals:
            self.globals[index] = decode(self.program.globals[index].value, self.classes)
        return self.globals[index]

    def unbound_local(self, frame: Frame, index: int) -> UnboundLocalError:
        """The error of reading a local that has no value."""
        name = self.program.functions[frame.function].locals[index]
        return UnboundLocalError(
            f"cannot access local variable '{name}' where it is not associated with a value"
        )

    # ---------------------------------------------------------------- limits

    def burn(self) -> None:
        """Use one unit of fuel."""
        self._fuel -= 1
        if self._fuel < 0:
            exceeded(f"the run used more than {self.limits.fuel:,} loop turns and calls between two waits")

    def charge(self, value: Any) -> None:
        """Account for a new text or container; every so often, measure what the run really holds."""
        size = len(value)
        if size < 1024:
            return
        self.allocated += size if isinstance(value, str | bytes) else 8 * size
        if self.allocated > self.limits.heap:
            held = self._measure()
            if held > self.limits.heap:
                exceeded(f"the run holds about {held:,} bytes, more than the limit of {self.limits.heap:,}")
            self.allocated = held

    def _measure(self) -> int:
        """Bytes reachable from the state, roughly."""
        seen: set[int] = set()
        stack: list[Any] = [
            self.main,
            list(self.ready),
            self.pending,
            self.timers,
            self.globals,
            self.exclusive_task,
        ]
        total = 0
        while stack:
            value = stack.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            total += sys.getsizeof(value)
            if isinstance(value, dict):
                stack.extend(value.keys())
                stack.extend(value.values())
            elif isinstance(value, list | tuple):
                stack.extend(value)
            elif (names := getattr(type(value), "__waymark_state__", None)) is not None:
                stack.extend(getattr(value, name) for name in names)
            elif hasattr(type(value), "__waymark_set__"):
                stack.extend(value)
            elif hasattr(value, "__dict__") and not isinstance(value, type):
                stack.append(vars(value))
        return total


class _Reraise(Exception):
    """Carries an exception of the run through the handlers, already with its context."""

    def __init__(self, exception: BaseException) -> None:
        self.exception = exception


class _Yield:
    """Result of sleep(0) before the task has let the others run; never in a snapshot, for it is taken in the same step."""

    def __init__(self, result: Any) -> None:
        self.result = result


__all__ = ["MAX_LOSSES", "Machine"]
