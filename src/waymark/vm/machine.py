"""The virtual machine: one run of one program, advanced by journal entries.

Safety argument. The state changes only in `begin` and `apply`, both of which depend on the program, the state and their
arguments alone: no clock, no I/O, no randomness, no iteration over anything unordered, nothing of the host's environment. So applying
the same entries to the same start gives the same state and the same effects, on any host, in any process; the journal is the truth and
everything in memory can be thrown away at any time.

What a program can make go wrong ends its run, or is an exception in it. What else comes out of `begin` or `apply` is a fault of the
engine: the machine is then worthless, and its caller must drop it and set the instance aside.
"""

from __future__ import annotations

from typing import Any

from waymark.errors import ValueDecodingError, ValueEncodingError, WorkflowLimitExceeded
from waymark.program.program import Program
from waymark.values.codec import decode, encode, encode_exception
from waymark.values.exceptions import MESSAGE
from waymark.values.synthetic import SyntheticClasses
from waymark.vm.attributes import Attributes
from waymark.vm.calls import Calls
from waymark.vm.chance import Chance
from waymark.vm.code import Code
from waymark.vm.deadlock import deadlock
from waymark.vm.events import Completed, Effect, Entry, Failed, StartCall
from waymark.vm.flight import MAX_LOSSES, Flight
from waymark.vm.futures import Future, Task
from waymark.vm.heap import Heap
from waymark.vm.items import Items
from waymark.vm.limits import DEFAULT_LIMITS, Limits, Meter
from waymark.vm.objects import Coroutine, SelfObject
from waymark.vm.operations import guard_add
from waymark.vm.operators import compare
from waymark.vm.patterns import Patterns
from waymark.vm.printing import Printed
from waymark.vm.tasks import Tasks
from waymark.vm.unwinding import UNCATCHABLE, note_place
from waymark.vm.weight import check_shown


class Machine:
    """One run. Make it and `begin`, or use `waymark.vm.snapshots.restore`.

    Args:
        program: Verified program, or the `Code` of it that all runs in a process share.
        classes: The program's classes, when a program is given; made here unless given.
        limits: What the run may use.

    Raises:
        ProgramError: A constant of the program cannot be read.
    """

    def __init__(
        self,
        program: Program | Code,
        classes: SyntheticClasses | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        code = program if isinstance(program, Code) else Code(program, classes)
        self.code = code
        self.classes = code.classes
        self.names = code.names
        self.constants = code.constants
        self.limits = limits
        self.meter = Meter(limits)
        self.heap = Heap(self, self.meter)
        self.chance = Chance(self.meter)
        self.items = Items(self.meter, self.heap)
        self.tasks = Tasks(self, code, self.meter, self.heap)
        self.flight = Flight(self, code, self.heap, self.tasks)
        self.attributes = Attributes(code, self)
        self.calls = Calls(self, code, self.meter, self.heap, self.tasks, self.attributes)

        self.printed = Printed()
        self.patterns = Patterns(self)

        # State, with that of heap, chance, tasks and flight: all of it is in a snapshot.
        self.now_us = 0
        self.main: Task | None = None
        self.globals: dict[int, Any] = {}

        self.outcome: Completed | Failed | None = None

    # ---------------------------------------------------------------- life

    def begin(self, arguments: bytes, at_us: int, seed: bytes = b"") -> list[Effect]:
        """Start run() and advance to its first wait.

        Args:
            arguments: Encoded [args, kwargs] of run(), without self.
            at_us: Database time of the start, microseconds since 1970 UTC.
            seed: Recorded with the start, and known to nobody else: what chance is made of. Without one the run can draw nothing.
        """
        self.now_us = at_us
        self.chance.seed = seed
        self._open_slice(0)
        try:
            try:
                args, kwargs = decode(arguments, self.code.classes)
                values = self.calls.bind(0, [SelfObject(self.code.program.class_name), *args], kwargs)
            except (TypeError, ValueDecodingError) as error:
                self._end_with(error)
            else:
                self.main = self.tasks.start_main(Coroutine(0, values))
                self.tasks.run_ready()
        except (*UNCATCHABLE, RecursionError) as error:
            self._end_with(error)
        return self._close_slice()

    def apply(self, entry: Entry) -> list[Effect]:
        """Advance by one journal entry; returns the effects in order. They may be performed once the entry is durable."""
        if self.outcome is not None:
            return []
        self.now_us = max(self.now_us, entry.at_us)
        self._open_slice(len(entry.events))
        try:
            self.tasks.run_ready()
            for event in entry.events:
                if self._has_ended():
                    break
                self.flight.handle(event)
                self.tasks.run_ready()
        except (*UNCATCHABLE, RecursionError) as error:
            self._end_with(error)
        return self._close_slice()

    def expects(self, call_id: int, attempt: int) -> bool:
        """Whether an event about this attempt would mean anything."""
        return self.outcome is None and self.flight.expects(call_id, attempt)

    def next_timer_us(self) -> int | None:
        """When the earliest timer is due, or None."""
        return self.flight.next_timer_us()

    def calls_in_flight(self) -> list[StartCall]:
        """The attempts that must be running now: what a new owner starts again."""
        return self.flight.calls()

    def has_calls_in_flight(self) -> bool:
        """Whether any attempt must be running now."""
        return self.flight.has_calls()

    def _open_slice(self, events: int) -> None:
        self.meter.fuel = self.limits.fuel + self.limits.fuel_per_event * events
        self.flight.moment_us = self.now_us

    def _close_slice(self) -> list[Effect]:
        if self.outcome is None and self.flight.is_empty():
            self._fail(deadlock(self.code, self.tasks))
        if self.outcome is not None:
            self.flight.end()
            self.tasks.ready.clear()
        self.flight.drop_cancelled_timers()
        return [*self.flight.take_effects(), *self.printed.take()]

    # ---------------------------------------------------------------- the end

    def _has_ended(self) -> bool:
        return self.outcome is not None

    def end(self, main: Future) -> None:
        """run() is over."""
        error = main.failure()
        if error is not None:
            self._fail(error)
            return
        try:
            self.outcome = Completed(
                encode(main.value, root=f"result of {self.code.program.class_name}.run()")
            )
        except ValueEncodingError as problem:
            self._fail(problem)

    def _end_with(self, error: BaseException) -> None:
        """End the run by an error that `except` must not see."""
        if isinstance(error, MemoryError):
            error = WorkflowLimitExceeded(
                "the run needs more memory than its shard may use; do this in an @action"
            )
        if isinstance(error, RecursionError):  # tasks that wait for tasks, without end
            error = WorkflowLimitExceeded(
                "too many tasks wait for each other in a row; do this in an @action"
            )
        error.__traceback__ = None
        for frame in reversed(self.tasks.frames):
            note_place(self.code, error, frame)
        self._fail(error)

    def _fail(self, error: BaseException) -> None:
        text = vars(error).get(MESSAGE)
        if not isinstance(text, str):
            try:
                self.meter.fuel = self.limits.fuel  # the run may have used up all it had
                check_shown(self.meter, error)
                text = str(error)
            except Exception as problem:  # an argument that is too big or too odd to be shown
                text = f"({type(problem).__name__} while its message was made)"
        self.outcome = Failed(encode_exception(error), type(error).__name__, text)

    # ---------------------------------------------------------------- for instructions

    def loop_time(self) -> float:
        """What the event loop's clock shows: the same as `time.monotonic()`."""
        return self.now_us / 1e6

    def moment_of(self, loop_time: float) -> int:
        """Database time of a moment of that clock."""
        return round(min(loop_time, 1e12) * 1_000_000)

    def load_global(self, index: int) -> Any:
        """The instance's own copy of a module constant."""
        if index not in self.globals:
            data = self.code.program.globals[index].value
            self.heap.charge(4 * len(data))
            self.globals[index] = decode(data, self.code.classes, internals=self.patterns.readers)
        return self.globals[index]

    def add(self, left: Any, right: Any) -> Any:
        """`left + right`, for library functions that add."""
        guard_add(self.meter, left, right)
        self.meter.burn()
        return left + right

    def compare(self, symbol: str, left: Any, right: Any) -> Any:
        """A comparison, for library functions that look for something."""
        self.meter.burn()
        return compare(self.meter, symbol, left, right)

    def roots(self) -> list[Any]:
        """Everything the run holds on to."""
        return [
            self.main,
            [*self.tasks.ready],
            self.tasks.alive,
            self.tasks.exclusive_task,
            self.flight.pending,
            self.flight.timers,
            self.globals,
            self.chance.generator,
            self.tasks.frames,
        ]


__all__ = ["MAX_LOSSES", "Machine"]
