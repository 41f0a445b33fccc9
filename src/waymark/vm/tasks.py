"""Tasks, as asyncio has them: each runs until it waits, a ready queue decides who is next, a result wakes who watched it.

The queue is worked off in rounds, as asyncio's loop does it: timers that are due join at the beginning of a round, what becomes ready during
a round belongs to the next one. When run() is over the round is finished, the tasks that are left are cancelled, and the run ends with the
last of them.

Tasks switch only where Python would switch. Where the machine must ask a worker in a place in which Python would not have switched
(building an instance of a user class) the run stands still: no other task runs until that call is answered.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from typing import Any, NoReturn

from waymark.values.special import refuse_special
from waymark.vm.code import Code
from waymark.vm.concurrency import Functions
from waymark.vm.coroutines import Awaits, LibraryCoroutine
from waymark.vm.futures import CANCELLED, DONE, FAILED, PENDING, Future, Gather, Task, cancelled_error
from waymark.vm.heap import Heap
from waymark.vm.interpreter import HANDLERS
from waymark.vm.iteration import Generator
from waymark.vm.limits import Meter, exceeded
from waymark.vm.objects import UNBOUND, ActionCall, Coroutine, Frame, MachineValue, PendingCall
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

RUNNING, CLOSING, CANCELLING, CLOSED = 0, 1, 2, 3
"""Phases of a run: until run() has ended, until its round is over, until the tasks left over have ended, until that round is over."""

_FUTURE_BYTES = 600
_STEPS_PER_UNWOUND_FRAME = 16
_STEPS_PER_ADVANCE = 8
_STEPS_PER_ITEM = 4


class Tasks:
    """Tasks of one machine."""

    def __init__(self, machine: Any, code: Code, meter: Meter, heap: Heap) -> None:
        self.machine = machine
        self._code = code
        self._meter = meter
        self._heap = heap
        # State: in a snapshot.
        self.ready: deque[tuple[Any, int, Future | None]] = deque()
        """Who is next: (who, index, future it is told of, or None)."""
        self.round = 0
        """How many of `ready` belong to this round."""
        self.alive: dict[int, Task] = {}
        """Tasks that have not ended, by number."""
        self.started = 0
        """How many tasks there have been."""
        self.phase = RUNNING
        self.exclusive: int | None = None
        """Call that everything waits for."""
        self.exclusive_task: Task | None = None
        # Empty between two slices.
        self._running: Task | None = None
        self._outer: list[Task] = []
        """Tasks whose library functions call back, outermost first."""
        self._passing: BaseException | None = None
        """An exception of the run on its way through a library function."""
        self.functions = Functions(self, meter, heap)

    @property
    def running(self) -> Task:
        """The task that runs now."""
        assert self._running is not None
        return self._running

    @property
    def frames(self) -> list[Frame | LibraryCoroutine]:
        """Frames that run now, outermost first."""
        return [frame for task in (*self._outer, self._running) if task is not None for frame in task.frames]

    # ---------------------------------------------------------------- whose turn

    def start(self, awaitable: Any) -> Task:
        """A new task that begins with its first turn."""
        self.started += 1
        task = self.alive[self.started] = Task(awaitable, self.started)
        self._heap.charge(_FUTURE_BYTES)
        self.ready.append((task, 0, None))
        return task

    def start_main(self, coroutine: Coroutine) -> Task:
        """The task that runs run()."""
        main = self.start(coroutine)
        main.watchers.append((RunEnd(), 0))
        return main

    def run_ready(self) -> None:
        """Run every task that can go on."""
        ready = self.ready
        machine = self.machine
        while self.exclusive is None and machine.outcome is None:
            if self.round == 0:
                if self.phase in (CLOSING, CLOSED):
                    self._close()
                    continue
                machine.flight.add_due_timers()
                self.round = len(ready)
                if self.round == 0:
                    break
            self.round -= 1
            target, index, future = ready.popleft()
            if type(target) is Task:
                self._step(target, future)
            else:
                target.told(self, index, future)
        self._running = None

    def _close(self) -> None:
        """run() has ended: cancel the others, or end the run when there are none."""
        left = list(self.alive.values())
        if self.phase == CLOSED or not left:
            self.machine.end(self.machine.main)
            return
        self.phase = CANCELLING
        for task in left:
            task.cancel(self)
        closing = Gather(list(left), len(left), True)
        for index, task in enumerate(left):
            task.watchers.append((closing, index))
        closing.watchers.append((RunEnd(), 0))

    def resolve(self, future: Future, value: Any) -> None:
        """Give a future its value, and tell who waits for it."""
        future.status, future.value = DONE, value
        self.tell(future)

    def reject(self, future: Future, error: BaseException) -> None:
        """Let a future fail, and tell who waits for it."""
        future.status, future.exception = FAILED, error
        self.tell(future)

    def tell(self, future: Future) -> None:
        """A future has ended: everybody who watches it gets a turn."""
        for target, index in future.watchers:
            self.ready.append((target, index, future))
        future.watchers = []
        if type(future) is Task:
            self.alive.pop(future.number, None)

    def watch(self, future: Future, watcher: Any, index: int = 0) -> None:
        """Tell somebody of the end of a future, in a turn of its own even when it has ended already."""
        if future.status == PENDING:
            future.watchers.append((watcher, index))
        else:
            self.ready.append((watcher, index, future))

    def stand_still(self, call: PendingCall) -> None:
        """Let nothing run until this call is answered."""
        self.exclusive, self.exclusive_task = call.call_id, self.running

    def go_on(self, future: Future) -> None:
        """The call that everything waited for is answered: its task runs first, as if it had never stopped."""
        task = self.exclusive_task
        assert task is not None
        self.exclusive = self.exclusive_task = None
        self._running = task
        self._continue(task, future, future.exception)

    def _step(self, task: Task, future: Future | None) -> None:
        """The next step of a task: its first, or what follows the end of what it waited for."""
        if task.status != PENDING:
            return
        task.waiter = None
        error = None if future is None else future.failure()
        if task.is_cancelling:
            if not isinstance(error, CancelledError):
                error = cancelled_error(task.message)
            task.is_cancelling = False
        self._running = task
        if task.start is not None:
            self._begin(task, error)
        else:
            self._continue(task, future, error)

    def _begin(self, task: Task, error: BaseException | None) -> None:
        start, task.start = task.start, None
        try:
            if error is not None:
                start.started = True
                reraise(error)
            if type(start) is ActionCall:
                self.machine.flight.start(start, task)
            else:
                self._enter(task, start)
        except UNCATCHABLE:
            raise
        except Reraise as carried:
            self._end_task(task, carried.exception)
        except Exception as raised:  # it was awaited before, or its arguments cannot be stored
            self._end_task(task, self._caught(raised))
        else:
            if task.frames:
                self.run(task)

    def _continue(self, task: Task, future: Future | None, error: BaseException | None) -> None:
        if not task.frames:  # a task made of a call alone was cancelled
            assert error is not None
            self._end_task(task, error)
            return
        if error is not None:
            if not self._unwind(task, self.with_context(error)):
                return
        elif future is not None:
            task.frames[-1].stack.append(future.value)
        self.run(task)

    def _end_task(self, task: Task, error: BaseException) -> None:
        """A task ends with an exception."""
        if isinstance(error, CancelledError):
            task.status, task.exception, task.message = CANCELLED, error, None
            self.tell(task)
        else:
            self.reject(task, error)

    # ---------------------------------------------------------------- running

    def run(self, task: Task) -> None:
        """Run a task until it waits or ends."""
        machine = self.machine
        frames = task.frames
        handlers = HANDLERS
        while True:
            frame = frames[-1]
            code: tuple[int, ...] = frame.code
            signal: str | None = None
            try:
                if isinstance(frame, LibraryCoroutine):
                    signal = self._advance(task, frame, None)
                else:
                    while signal is None:
                        pc = frame.pc
                        frame.pc = pc + 2
                        signal = handlers[code[pc]](machine, frame, code[pc + 1])
            except UNCATCHABLE:
                raise
            except Reraise as carried:
                error, is_new = carried.exception, carried.is_new
            except BaseException as raised:
                error, is_new = self._caught(raised), True
            else:
                if signal is WAIT:
                    return
                continue
            if not self._unwind(task, error, is_new=is_new):
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
        return self.with_context(as_fresh(raised))

    def _unwind(self, task: Task, error: BaseException, *, is_new: bool = True) -> bool:
        """Go to the handler of an exception; False when there is none and the task ended with it.

        Args:
            is_new: It is raised in the innermost frame, so this place is one that it came by.
        """
        error.__traceback__ = None
        frames = task.frames
        functions = self._code.program.functions
        while frames:
            self._meter.burn(_STEPS_PER_UNWOUND_FRAME)
            frame = frames[-1]
            if isinstance(frame, LibraryCoroutine):
                thrown = self._throw(task, frame, error)
                if isinstance(thrown, BaseException):
                    error = thrown
                    continue
                return thrown is not WAIT
            if is_new:
                note_place(self._code, error, frame)
            is_new = True
            function = functions[frame.function]
            pc = frame.pc - 2
            for handler in function.handlers:
                if handler.start <= pc < handler.end:
                    del frame.stack[handler.depth :]
                    frame.stack.append(error)
                    frame.pc = handler.target
                    return True
            frames.pop()
            generator = frame.generator
            if generator is not None:
                generator.frame, generator.is_running = None, False
            if isinstance(error, StopIteration) and (function.is_async or generator is not None):
                kind = "coroutine" if generator is None else "generator"
                replaced = RuntimeError(f"{kind} raised StopIteration")
                replaced.__cause__ = replaced.__context__ = error
                error = replaced
        self._end_task(task, error)
        return False

    def _advance(self, task: Task, part: LibraryCoroutine, error: BaseException | None) -> str | None:
        """Let a coroutine of asyncio go on."""
        self._meter.burn(_STEPS_PER_ADVANCE)
        value = part.stack.pop() if part.stack else None
        try:
            found = part.advance(self, value, error)
        except BaseException:
            task.frames.pop()  # it is over
            raise
        if type(found) is not Awaits:
            return self.leave(found)
        if found.awaitable is None:
            self.ready.append((task, 0, None))
            return WAIT
        return self.await_value(part, found.awaitable)

    def _throw(self, task: Task, part: LibraryCoroutine, error: BaseException) -> str | BaseException | None:
        """Raise an exception in a coroutine of asyncio; gives what leaves it, or how the task goes on."""
        try:
            return self._advance(task, part, error)
        except UNCATCHABLE:
            raise
        except Reraise as carried:
            return carried.exception
        except Exception as raised:
            return add_context(self._meter, self._caught(raised), error)

    def push(self, task: Task, index: int, values: list[Any]) -> None:
        """Enter a function."""
        if len(task.frames) >= self._meter.limits.frames:
            self.raise_recursion()
        task.frames.append(Frame(index, values, self._code.code[index]))

    def leave(self, value: Any) -> str:
        """RETURN: give the value to the caller, or end the task with it."""
        task = self.running
        generator = task.frames.pop().generator
        if generator is not None:
            generator.frame, generator.is_running = None, False
        if not task.frames:
            if task.is_cancelling:  # it was cancelled, and has not waited since
                task.is_cancelling, task.status = False, CANCELLED
                self.tell(task)
            else:
                self.resolve(task, value)
            return WAIT
        caller = task.frames[-1]
        if generator is None:
            caller.stack.append(value)
        else:
            caller.stack.pop()
            caller.pc = caller.code[caller.pc - 1]
        return SWITCH

    def resume_generator(self, task: Task, generator: Generator) -> None:
        """Let a generator go on, on top of the frames of a task.

        Raises:
            ValueError: It runs already.
        """
        if generator.is_running:
            raise ValueError("generator already executing")
        frame = generator.frame
        assert frame is not None
        self._meter.burn(_STEPS_PER_ITEM)
        if len(task.frames) >= self._meter.limits.frames:
            self.raise_recursion()
        generator.is_running = True
        task.frames.append(frame)

    def give(self, frame: Frame, value: Any) -> str:
        """YIELD: give an item to who asked the generator."""
        task = self.running
        task.frames.pop()
        frame.generator.is_running = False
        if task.frames:
            task.frames[-1].stack.append(value)
            return SWITCH
        if task.is_cancelling:  # it was cancelled, and has not waited since
            task.is_cancelling, task.status = False, CANCELLED
            self.tell(task)
        else:
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
        for frame in reversed(self.frames):
            if isinstance(frame, Frame) and frame.handled is not None:
                return frame.handled
        return None

    def with_context(self, error: BaseException) -> BaseException:
        """An exception that is raised now, chained to the one being handled."""
        return add_context(self._meter, error, self.handled())

    def raise_value(self, value: Any, cause: Any) -> NoReturn:
        """RAISE: an instance or a class, with an optional cause."""
        error = to_exception(value, "exceptions must derive from BaseException")
        if cause is not UNBOUND:
            problem = "exception causes must derive from BaseException"
            error.__cause__ = None if cause is None else to_exception(cause, problem)
            error.__suppress_context__ = True
        reraise(self.with_context(error))

    def raise_recursion(self) -> NoReturn:
        """Calls are too deep, which a program may catch, for it is the same depth everywhere."""
        reraise(self.with_context(RecursionError("maximum recursion depth exceeded")))

    def pass_through(self, error: BaseException) -> NoReturn:
        """Raise an exception of the run as Python's own, for the library function that called back to see."""
        self._passing = error
        raise error

    # ---------------------------------------------------------------- awaiting

    def await_value(self, frame: Frame | LibraryCoroutine, value: Any) -> str | None:
        """AWAIT: continue at once where Python would, else wait."""
        task = self.running
        if isinstance(value, Future):
            return self._await_future(frame, task, value)
        if type(value) is ActionCall:
            future = Future()
            self.machine.flight.start(value, future)
            return self._await_future(frame, task, future)
        if type(value) is Coroutine or isinstance(value, LibraryCoroutine):
            self._enter(task, value)
            return SWITCH
        refuse_special(value, "__await__")
        raise TypeError(f"object {type(value).__name__} can't be used in 'await' expression")

    def _await_future(self, frame: Frame | LibraryCoroutine, task: Task, future: Future) -> str | None:
        if future.status == PENDING:
            if future is task:
                raise RuntimeError(f"Task cannot await on itself: {task!r}")
            future.watchers.append((task, 0))
            task.waiter = future
            if task.is_cancelling and future.cancel(self, task.message):
                task.is_cancelling = False
            return WAIT
        error = future.failure()
        if error is not None:
            reraise(self.with_context(error))
        frame.stack.append(future.value)
        return None

    def _enter(self, task: Task, coroutine: Coroutine | LibraryCoroutine) -> None:
        if coroutine.started:
            raise RuntimeError("cannot reuse already awaited coroutine")
        coroutine.started = True
        if isinstance(coroutine, LibraryCoroutine):
            if len(task.frames) >= self._meter.limits.frames:
                self.raise_recursion()
            task.frames.append(coroutine)
        else:
            self._meter.burn(self._code.call_costs[coroutine.index])
            self.push(task, coroutine.index, coroutine.locals)


class RunEnd(MachineValue):
    """Watches what the end of a run waits for: run() itself, then the tasks that were left over."""

    __slots__ = ()
    __waymark_state__: tuple[str, ...] = ()

    def told(self, tasks: Tasks, index: int, future: Future | None) -> None:
        """It has ended: this round is the last one."""
        tasks.phase = CLOSING if tasks.phase == RUNNING else CLOSED
