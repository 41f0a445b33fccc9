"""Tasks, as asyncio has them: each runs until it waits, a ready queue decides who is next, a result wakes who watched it.

Tasks switch only where Python would switch. Where the machine must ask a worker in a place in which Python would not have switched
(building an instance of a user class) the run stands still: no other task runs until that call is answered.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NoReturn

from waymark.values.special import refuse_special
from waymark.vm.code import Code
from waymark.vm.heap import Heap
from waymark.vm.interpreter import HANDLERS
from waymark.vm.limits import Meter, exceeded
from waymark.vm.objects import (
    DONE,
    FAILED,
    PENDING,
    UNBOUND,
    ActionCall,
    Coroutine,
    Frame,
    Future,
    Gather,
    PendingCall,
    SleepCall,
    Task,
)
from waymark.vm.signals import SWITCH, WAIT
from waymark.vm.unwinding import (
    UNCATCHABLE,
    Reraise,
    add_context,
    as_fresh,
    note_place,
    reraise,
    to_exception,
)

_FUTURE_BYTES = 600
_STEPS_PER_UNWOUND_FRAME = 16


class Tasks:
    """Tasks of one machine."""

    def __init__(self, machine: Any, code: Code, meter: Meter, heap: Heap) -> None:
        self._machine = machine
        self._code = code
        self._meter = meter
        self._heap = heap
        # State: in a snapshot.
        self.ready: deque[tuple[Any, int, Future | None]] = deque()
        """Who runs next: a task to start (no future), or who is told of a future and under which index."""
        self.exclusive: int | None = None
        """Call that everything waits for."""
        self.exclusive_task: Task | None = None
        # Empty between two slices.
        self._running: Task | None = None
        self._outer: list[Task] = []
        """Tasks whose library functions call back, outermost first."""
        self._passing: BaseException | None = None
        """An exception of the run on its way through a library function."""

    @property
    def running(self) -> Task:
        """The task that runs now."""
        assert self._running is not None
        return self._running

    @property
    def frames(self) -> list[Frame]:
        """Frames that run now, outermost first."""
        return [frame for task in (*self._outer, self._running) if task is not None for frame in task.frames]

    # ---------------------------------------------------------------- whose turn

    def start(self, coroutine: Coroutine) -> Task:
        """A new task that begins with its first turn."""
        task = Task(coroutine)
        self.ready.append((task, 0, None))
        return task

    def run_ready(self) -> None:
        """Run every task that can go on."""
        ready = self.ready
        machine = self._machine
        while ready and self.exclusive is None and machine.outcome is None:
            target, index, future = ready.popleft()
            if type(target) is Gather:
                self._gathered(target, index, future)
            elif future is None:
                self._begin(target)
            else:
                self._resume(target, future)
        self._running = None

    def resolve(self, future: Future, value: Any) -> None:
        """Give a future its value, and tell who waits for it."""
        future.status, future.value = DONE, value
        self._tell(future)

    def reject(self, future: Future, error: BaseException) -> None:
        """Let a future fail, and tell who waits for it."""
        future.status, future.exception = FAILED, error
        self._tell(future)

    def _tell(self, future: Future) -> None:
        for target, index in future.watchers:
            self.ready.append((target, index, future))
        future.watchers = []
        if future is self._machine.main:
            self._machine.end(future)

    def stand_still(self, call: PendingCall) -> None:
        """Let nothing run until this call is answered."""
        self.exclusive, self.exclusive_task = call.call_id, self.running

    def go_on(self, future: Future) -> None:
        """The call that everything waited for is answered: its task runs first, as if it had never stopped."""
        task = self.exclusive_task
        assert task is not None
        self.exclusive = self.exclusive_task = None
        self._resume(task, future)

    def _begin(self, task: Task) -> None:
        start, task.start = task.start, None
        self._running = task
        try:
            if type(start) is Coroutine:
                self._enter_coroutine(task, start)
            else:
                self._machine.flight.start(start, task)
        except UNCATCHABLE:
            raise
        except Exception as error:  # it was awaited before, or its arguments cannot be stored
            self.reject(task, self._caught(error))
        else:
            if task.frames:
                self.run(task)

    def _resume(self, task: Task, future: Future) -> None:
        """Give a waiting task what it waited for."""
        self._running = task
        if not task.frames:  # a task made of a call alone takes the result of what it started
            if future.exception is not None:
                self.reject(task, future.exception)
            else:
                self.resolve(task, future.value)
            return
        if future.exception is None:
            task.frames[-1].stack.append(future.value)
        elif not self._unwind(task, self._with_context(future.exception)):
            return
        self.run(task)

    # ---------------------------------------------------------------- running

    def run(self, task: Task) -> None:
        """Run a task until it waits or ends."""
        machine = self._machine
        frames = task.frames
        handlers = HANDLERS
        while True:
            frame = frames[-1]
            code = frame.code
            signal: str | None = None
            try:
                while signal is None:
                    pc = frame.pc
                    frame.pc = pc + 2
                    signal = handlers[code[pc]](machine, frame, code[pc + 1])
            except UNCATCHABLE:
                raise
            except Reraise as carried:
                error = carried.exception
            except BaseException as raised:
                error = self._caught(raised)
            else:
                if signal is WAIT:
                    return
                continue
            if not self._unwind(task, error):
                return

    def _caught(self, raised: BaseException) -> BaseException:
        """What an instruction raised, as an exception of the run."""
        if raised is self._passing:
            self._passing = None
            return raised
        if isinstance(raised, RecursionError):
            # CPython's own stack, whose depth differs from process to process: nothing that a program may decide by.
            exceeded("data, or calls of library functions, are nested too deep")
        if not isinstance(raised, Exception):
            raise raised
        return self._with_context(as_fresh(raised))

    def _unwind(self, task: Task, error: BaseException) -> bool:
        """Go to the handler of an exception; False when there is none and the task ended with it."""
        error.__traceback__ = None
        frames = task.frames
        functions = self._code.program.functions
        while frames:
            self._meter.burn(_STEPS_PER_UNWOUND_FRAME)
            frame = frames[-1]
            note_place(self._code, error, frame)
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
        self.reject(task, error)
        return False

    def push(self, task: Task, index: int, values: list[Any]) -> None:
        """Enter a function."""
        if len(task.frames) >= self._meter.limits.frames:
            self.raise_recursion()
        task.frames.append(Frame(index, values, self._code.code[index]))

    def leave(self, value: Any) -> str:
        """RETURN: give the value to the caller, or end the task with it."""
        task = self.running
        task.frames.pop()
        if task.frames:
            task.frames[-1].stack.append(value)
            return SWITCH
        self.resolve(task, value)
        return WAIT

    def enter_inner(self, task: Task) -> None:
        """A library function calls back: what it calls is a task that must not wait."""
        self._outer.append(self.running)
        self._running = task

    def leave_inner(self) -> None:
        """What was called back has ended."""
        self._running = self._outer.pop()

    # ---------------------------------------------------------------- exceptions

    def handled(self) -> BaseException | None:
        """The exception being handled by the innermost `except`."""
        for task in (self._running, *reversed(self._outer)):
            if task is not None:
                for frame in reversed(task.frames):
                    if frame.handled is not None:
                        return frame.handled
        return None

    def _with_context(self, error: BaseException) -> BaseException:
        return add_context(self._meter, error, self.handled())

    def raise_value(self, value: Any, cause: Any) -> NoReturn:
        """RAISE: an instance or a class, with an optional cause."""
        error = to_exception(value, "exceptions must derive from BaseException")
        if cause is not UNBOUND:
            problem = "exception causes must derive from BaseException"
            error.__cause__ = None if cause is None else to_exception(cause, problem)
            error.__suppress_context__ = True
        reraise(self._with_context(error))

    def raise_recursion(self) -> NoReturn:
        """Calls are too deep, which a program may catch, for it is the same depth everywhere."""
        reraise(self._with_context(RecursionError("maximum recursion depth exceeded")))

    def pass_through(self, error: BaseException) -> NoReturn:
        """Raise an exception of the run as Python's own, for the library function that called back to see."""
        self._passing = error
        raise error

    # ---------------------------------------------------------------- awaiting

    def await_value(self, frame: Frame, value: Any) -> str | None:
        """AWAIT: continue at once where Python would, else wait."""
        task = self.running
        if isinstance(value, Future):
            return self._await_future(frame, task, value)
        if type(value) is Coroutine:
            self._meter.burn(self._code.call_costs[value.index])
            self._enter_coroutine(task, value)
            return SWITCH
        if type(value) in (ActionCall, SleepCall):
            future = Future()
            self._machine.flight.start(value, future)
            return self._await_future(frame, task, future)
        refuse_special(value, "__await__")
        raise TypeError(f"object {type(value).__name__} can't be used in 'await' expression")

    def _await_future(self, frame: Frame, task: Task, future: Future) -> str | None:
        if future.status == PENDING:
            future.watchers.append((task, 0))
            return WAIT
        if future.exception is not None:
            reraise(self._with_context(future.exception))
        if future.yields:  # sleep(0): the others first
            future.yields = False
            self.ready.append((task, 0, future))
            return WAIT
        frame.stack.append(future.value)
        return None

    def _enter_coroutine(self, task: Task, coroutine: Coroutine) -> None:
        if coroutine.started:
            raise RuntimeError("cannot reuse already awaited coroutine")
        coroutine.started = True
        self.push(task, coroutine.index, coroutine.locals)

    # ---------------------------------------------------------------- gather

    def gather(self, *awaitables: Any, return_exceptions: Any = False) -> Future:
        """`asyncio.gather(...)`."""
        self._meter.burn(8 * len(awaitables))
        self._heap.charge(_FUTURE_BYTES * (1 + len(awaitables)))
        gather = Gather(len(awaitables), bool(return_exceptions))
        children: dict[int, Future] = {}
        for index, awaitable in enumerate(awaitables):
            child = children.get(id(awaitable))
            if child is None:
                child = children[id(awaitable)] = self._ensure_future(awaitable)
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
        return self.start(awaitable)

    def _gathered(self, gather: Gather, index: int, child: Future | None) -> None:
        if gather.status != PENDING or child is None:
            return
        if child.exception is not None and not gather.keeps_exceptions:
            self.reject(gather, child.exception)
            return
        gather.results[index] = child.value if child.exception is None else child.exception
        gather.missing -= 1
        if gather.missing == 0:
            self.resolve(gather, gather.results)
