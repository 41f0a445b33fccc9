"""A machine's state as bytes, and back. A snapshot is a cache: applying the journal from the start gives an equal state."""

from __future__ import annotations

import datetime
import enum
from typing import Any

from waymark.errors import UnsupportedPatternError, ValueDecodingError
from waymark.program.patterns import PATTERN_CODE
from waymark.program.program import Program
from waymark.values.classes import ClassKey
from waymark.values.codec import InternalType, decode, encode
from waymark.values.collections import Deque
from waymark.values.synthetic import SyntheticClasses
from waymark.vm import (
    barriers,
    callables,
    chance,
    containers,
    coroutines,
    futures,
    groups,
    hashes,
    iteration,
    lazy,
    locks,
    managers,
    objects,
    patterns,
    queues,
    selections,
    sharing,
    tasks,
    timeouts,
    waiting,
)
from waymark.vm.code import Code
from waymark.vm.library import loadable_classes
from waymark.vm.limits import DEFAULT_LIMITS, Limits
from waymark.vm.machine import Machine

STATE_FORMAT = 3
"""Raised when the meaning of a stored state changes. An unknown format is skipped, for the journal is the truth."""

_MAX_STATE_BYTES = 512 * 1024 * 1024
_MAX_STATE_DEPTH = 600

# Codes are part of the format: add at the end, never renumber.
_FILLED: tuple[type, ...] = (
    objects.BoundFunction,
    objects.BoundMethod,
    objects.Closure,
    objects.SelfObject,
    objects.ActionCall,
    objects.Coroutine,
    objects.Frame,
    objects.PendingCall,
    iteration.SequenceIterator,
    iteration.ReversedIterator,
    iteration.KeyedIterator,
    iteration.EnumerateIterator,
    iteration.ZipIterator,
    iteration.MapIterator,
    iteration.FilterIterator,
    iteration.DictKeys,
    iteration.DictValues,
    iteration.DictItems,
    objects.Cell,
    iteration.Generator,
)
_OF_LIBRARY: tuple[type, ...] = (
    chance.Generator,
    Deque,
    iteration.DequeIterator,
    *callables.TYPES,
    *containers.TYPES,
    *lazy.TYPES,
    *selections.TYPES,
    *sharing.TYPES,
    *hashes.TYPES,
    *patterns.TYPES,
)
_FIRST_LIBRARY_CODE = -128
_FIRST_FILLED_CODE = 70

_CONCURRENT: tuple[type, ...] = (
    futures.Gather,
    futures.Task,
    futures.Future,
    coroutines.SleepCall,
    futures.Shield,
    futures.Timer,
    tasks.RunEnd,
    managers.EnterCall,
    managers.ExitCall,
    managers.Suppress,
    managers.NullContext,
    locks.EnterLock,
    locks.Lock,
    locks.LockAcquire,
    locks.Semaphore,
    locks.BoundedSemaphore,
    locks.SemaphoreAcquire,
    locks.Event,
    locks.EventWait,
    locks.Condition,
    locks.ConditionWait,
    locks.ConditionWaitFor,
    queues.Queue,
    queues.LifoQueue,
    queues.PriorityQueue,
    queues.QueueGet,
    queues.QueuePut,
    queues.QueueJoin,
    groups.TaskGroup,
    groups.GroupExit,
    timeouts.Timeout,
    timeouts.WaitFor,
    waiting.Countdown,
    waiting.WaitCall,
    waiting.AsCompleted,
    waiting.NextCompleted,
    barriers.Barrier,
    barriers.BarrierWait,
    barriers.BarrierChange,
)
"""Tasks, what they wait for, and asyncio's own coroutines; from the lower half of the codes."""
_FIRST_CONCURRENT_CODE = -90
_CODE_CLASS, _CODE_BUILTIN, _CODE_UNBOUND, _CODE_RANGE, _CODE_SLICE, _CODE_OBJECT = 64, 65, 66, 67, 68, 69
_CODE_WEEK = 63
_CODE_FUNCTION, _CODE_ACTION = 126, 127


_WEEK_TYPE = type(datetime.date.min.isocalendar())
_LIBRARY = loadable_classes()
_CLASS_TYPE = InternalType(_CODE_CLASS, ("__module__", "__qualname__"))

_WRITTEN: dict[type, InternalType] = {
    type: _CLASS_TYPE,
    patterns.Pattern: InternalType(PATTERN_CODE, patterns.Pattern.__waymark_state__),
    enum.EnumMeta: _CLASS_TYPE,
    objects.BuiltinFunction: InternalType(_CODE_BUILTIN, ("name",)),
    objects.Unbound: InternalType(_CODE_UNBOUND, ()),
    objects.FunctionValue: InternalType(_CODE_FUNCTION, objects.FunctionValue.__waymark_state__),
    objects.ActionValue: InternalType(_CODE_ACTION, objects.ActionValue.__waymark_state__),
    range: InternalType(_CODE_RANGE, ("start", "stop", "step"), range),
    slice: InternalType(_CODE_SLICE, ("start", "stop", "step"), slice),
    object: InternalType(_CODE_OBJECT, (), object),
    _WEEK_TYPE: InternalType(
        _CODE_WEEK,
        ("year", "week", "weekday"),
        lambda *week: datetime.date.fromisocalendar(*week).isocalendar(),
    ),
    **{
        cls: InternalType(first + offset, cls.__waymark_state__, type=cls)  # type: ignore[attr-defined]
        for first, types in (
            (_FIRST_FILLED_CODE, _FILLED),
            (_FIRST_LIBRARY_CODE, _OF_LIBRARY),
            (_FIRST_CONCURRENT_CODE, _CONCURRENT),
        )
        for offset, cls in enumerate(types)
    },
}
"""How each type of the machine is written; those without a way to be read need the machine for it."""

_READ = {internal.code: internal for internal in _WRITTEN.values()}


def _readers(machine: Machine) -> dict[int, InternalType]:
    classes = machine.code.classes

    def load_class(module: str, qualname: str) -> type:
        found = _LIBRARY.get((module, qualname))
        return found if found is not None else classes.class_for(ClassKey(module, qualname))

    return {
        **_READ,
        **machine.patterns.readers,
        _CODE_CLASS: InternalType(_CODE_CLASS, _CLASS_TYPE.names, load_class),
        _CODE_BUILTIN: InternalType(_CODE_BUILTIN, ("name",), machine.calls.library.value),
        _CODE_FUNCTION: InternalType(_CODE_FUNCTION, ("index",), machine.calls.function),
        _CODE_ACTION: InternalType(_CODE_ACTION, ("index",), machine.calls.action),
        _CODE_UNBOUND: InternalType(_CODE_UNBOUND, (), lambda: objects.UNBOUND),
    }


def snapshot(machine: Machine) -> bytes:
    """The state of a machine that waits.

    Raises:
        ValueEncodingError: The state holds something too deep or too big to be written; the journal still has it all.
    """
    heap, fibers, flight = machine.heap, machine.tasks, machine.flight
    state: list[Any] = [
        machine.now_us,
        flight.next_number,
        heap.allocated,
        heap.checked_at,
        machine.main,
        list(fibers.ready),
        fibers.round,
        fibers.alive,
        fibers.started,
        fibers.phase,
        flight.pending,
        flight.timers,
        flight.cancelled_timers,
        fibers.exclusive,
        fibers.exclusive_task,
        machine.globals,
        [machine.chance.seed, machine.chance.drawn, machine.chance.generator],
    ]
    return encode(
        state, root="state", max_bytes=_MAX_STATE_BYTES, max_depth=_MAX_STATE_DEPTH, internals=_WRITTEN
    )


def restore(
    program: Program | Code,
    data: bytes,
    classes: SyntheticClasses | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Machine:
    """A machine in the state that was written.

    Raises:
        ValueDecodingError: The bytes are damaged.
    """
    machine = Machine(program, classes, limits)
    heap, fibers, flight = machine.heap, machine.tasks, machine.flight
    code = machine.code.code

    def link(made: Any) -> None:
        if isinstance(made, objects.Frame):
            made.code = code[made.function]
        elif hasattr(made, "__waymark_of_machine__"):
            made.machine = machine
        elif isinstance(made, managers.LoopBound):
            made.tasks = fibers

    try:
        state = decode(data, machine.code.classes, internals=_readers(machine), on_internal=link)
        (
            machine.now_us,
            flight.next_number,
            heap.allocated,
            heap.checked_at,
            machine.main,
            ready,
            fibers.round,
            fibers.alive,
            fibers.started,
            fibers.phase,
            flight.pending,
            flight.timers,
            flight.cancelled_timers,
            fibers.exclusive,
            fibers.exclusive_task,
            machine.globals,
            (machine.chance.seed, machine.chance.drawn, machine.chance.generator),
        ) = state
        fibers.ready.extend(ready)
    except (TypeError, ValueError, UnsupportedPatternError) as error:
        raise ValueDecodingError(f"damaged state: {error}") from error
    return machine
