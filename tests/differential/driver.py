"""Runs a compiled workflow on the machine in one thread, and natively; says where the two differ.

Both run on virtual time: an action takes what it says it `takes`, and its result comes at that moment, in the order that `virtual_time` explains.
After every entry the machine can be thrown away and made again, from a snapshot or from the journal, and must go on as if nothing had happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.differential.virtual_time import START_US, Hanging, VirtualLoop
from waymark.sdk.actions import registry
from waymark.sdk.classes import LiveClasses, construct
from waymark.sdk.context import CurrentCall, current
from waymark.sdk.workflow import Workflow, native_run, workflow_registry
from waymark.values.codec import decode, encode, encode_exception
from waymark.vm.events import (
    CONSTRUCT,
    CallFailed,
    CallSucceeded,
    CallTimedOut,
    CancelCall,
    Completed,
    Effect,
    Entry,
    Event,
    Failed,
    StartCall,
    WriteLog,
    decode_entry,
    encode_entry,
)
from waymark.vm.machine import Machine
from waymark.vm.snapshots import restore, snapshot

_NO_INSTANCE = UUID(int=0)


@dataclass(frozen=True)
class Ending:
    """How a run ended, in a form that can be compared."""

    kind: str
    value: Any
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


def ending_of_value(value: Any) -> Ending:
    """A result: its value, its type, and those of everything inside it."""
    return Ending("value", value, typed(value))


def ending_of_error(error: BaseException) -> Ending:
    """An exception: class and message, and the same of its causes."""
    chain = []
    link: BaseException | None = error
    while link is not None:
        chain.append(f"{type(link).__module__}.{type(link).__qualname__}: {link}")
        link = link.__cause__
    return Ending("error", None, " <- ".join(chain))


def typed(value: Any) -> str:
    """A value with the types of all its parts; sets in a fixed order."""
    if isinstance(value, dict):
        name = "" if type(value) is dict else type(value).__qualname__
        return name + "{" + ", ".join(f"{typed(k)}: {typed(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}(" + ", ".join(map(typed, value)) + ")"
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}(" + ", ".join(sorted(map(typed, value))) + ")"
    if isinstance(value, BaseException):
        return f"{type(value).__qualname__}({value.args!r}: {value})"
    return f"{type(value).__qualname__} {value!r}"


HANGS = Ending("hangs", None, "every task waits for ever")


@dataclass(frozen=True)
class Native:
    """What plain asyncio gave."""

    ending: Ending
    started: int
    """Actions that were begun."""
    cancelled: int
    """Actions that were called off."""
    printed: str


def run_native(cls: type[Workflow], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Native:
    """The oracle: run() under plain asyncio, as `asyncio.run` runs it."""
    # What a caller passes is stored first, so the native run gets a copy as well.
    args, kwargs = decode(encode((args, kwargs)), LiveClasses(registry))
    runner = asyncio.Runner(loop_factory=VirtualLoop)
    loop = runner.get_loop()
    assert isinstance(loop, VirtualLoop)
    printed = io.StringIO()
    result: Any = None
    failure: BaseException | None = None
    try:
        with runner, contextlib.redirect_stdout(printed):
            result = runner.run(native_run(cls(), *args, **kwargs))
    except (Exception, asyncio.CancelledError, BaseExceptionGroup) as error:
        failure = error
    if isinstance(failure, Hanging):
        ending = HANGS
    else:
        ending = ending_of_value(result) if failure is None else ending_of_error(failure)
    return Native(ending, loop.started, loop.cancelled, printed.getvalue())


@dataclass(order=True)
class _UnderWay:
    """A call whose result will come at a moment of virtual time."""

    due_us: int
    number: int
    event: Event = field(compare=False)


class Driver:
    """Drives one run.

    Args:
        cls: The workflow.
        between: Called with the machine after every entry; returns the machine to go on with.
    """

    def __init__(
        self, cls: type[Workflow], between: Callable[[Driver, Machine], Machine] | None = None
    ) -> None:
        compiled = workflow_registry.compiled(cls)
        self.program = compiled.program
        self.between = between
        self.journal: list[bytes] = []
        self.snapshots: list[bytes] = []
        self.input = b""
        self.calls: list[str] = []
        self.printed: list[str] = []
        """What was printed, step by step."""
        self.built = 0
        """Those of the calls that only built an instance of a class."""
        self.cancelled = 0
        """Calls that were called off, by the run or by their timeout."""
        self._now_us = START_US
        self._under_way: list[_UnderWay] = []
        self._classes = LiveClasses(registry)

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Ending:
        """To the end."""
        self.input = encode([list(args), kwargs])
        machine = Machine(self.program)
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            self._take(runner, machine.begin(self.input, START_US, b"seed"))
            for _ in range(10_000):
                if machine.outcome is not None:
                    return self._ending(machine)
                entry = self._next_entry(machine)
                self.journal.append(encode_entry(entry))
                self._take(runner, machine.apply(decode_entry(self.journal[-1])))
                if self.between is not None and machine.outcome is None:
                    machine = self.between(self, machine)
        raise AssertionError("the run does not end")

    def _next_entry(self, machine: Machine) -> Entry:
        """What happens next: a timer or a result, timers first."""
        under_way = self._under_way
        if (waits_for := machine.tasks.exclusive) is not None:
            found = next(call for call in under_way if call.event.call_id == waits_for)
            under_way.remove(found)
            heapq.heapify(under_way)
            return Entry(self._now_us, (found.event,))
        while under_way and not machine.expects(under_way[0].event.call_id, under_way[0].event.attempt):
            heapq.heappop(under_way)
        timer_us = machine.next_timer_us()
        if under_way and (timer_us is None or under_way[0].due_us < timer_us):
            call = heapq.heappop(under_way)
            self._now_us = call.due_us
            self.cancelled += isinstance(call.event, CallTimedOut)
            return Entry(self._now_us, (call.event,))
        assert timer_us is not None, "the run waits for nothing"
        self._now_us = max(self._now_us, timer_us)
        return Entry(self._now_us, ())

    def _take(self, runner: asyncio.Runner, effects: Iterable[Effect]) -> None:
        loop = runner.get_loop()
        for effect in effects:
            if isinstance(effect, WriteLog):
                self.printed.append(effect.text)
                continue
            if isinstance(effect, CancelCall):
                self.cancelled += 1
                continue
            began = loop.time()
            event = runner.run(self._perform(effect))
            due_us = self._now_us + round((loop.time() - began) * 1e6)
            heapq.heappush(self._under_way, _UnderWay(due_us, len(self.calls), event))

    async def _perform(self, call: StartCall) -> Event:
        args, kwargs = decode(call.arguments, self._classes)
        self.calls.append(f"{call.name}{typed(args)}{typed(kwargs)}#{call.attempt}")
        self.built += call.kind == CONSTRUCT
        try:
            if call.kind == CONSTRUCT:
                value = construct(call.module, call.name, args, kwargs)
            else:
                action = registry.find(call.module, call.name)
                assert action is not None
                current.set(
                    CurrentCall(
                        _NO_INSTANCE, self.program.workflow, call.call_id, call.attempt, f"key:{call.call_id}"
                    )
                )
                coroutine = action.function(*args, **kwargs)
                if call.timeout_us:
                    async with asyncio.timeout(call.timeout_us / 1e6) as limit:
                        value = await coroutine
                else:
                    value = await coroutine
            return CallSucceeded(call.call_id, call.attempt, encode(value, root=f"result of {call.name}"))
        except TimeoutError as error:
            if call.timeout_us and limit.expired():
                return CallTimedOut(call.call_id, call.attempt)
            return CallFailed(call.call_id, call.attempt, encode_exception(error))
        except Exception as error:
            return CallFailed(call.call_id, call.attempt, encode_exception(error))
        finally:
            current.set(None)

    def _ending(self, machine: Machine) -> Ending:
        match machine.outcome:
            case Completed(value=value):
                return ending_of_value(decode(value, self._classes))
            case Failed(error_type="WorkflowDeadlock"):
                return HANGS
            case Failed(exception=data):
                return ending_of_error(decode(data, self._classes))
        raise AssertionError("the run has not ended")

    def from_snapshot(self, machine: Machine) -> Machine:
        """Throw the machine away and restore it; the state written again must be the same."""
        state = snapshot(machine)
        again = restore(self.program, state)
        assert snapshot(again) == state
        return again

    def from_journal(self, machine: Machine) -> Machine:
        """Throw the machine away and apply the journal from the start."""
        again = Machine(self.program)
        again.begin(self.input, START_US, b"seed")
        for entry in self.journal:
            again.apply(decode_entry(entry))
        assert again.outcome is None
        assert snapshot(again) == snapshot(machine)
        return again
