"""What a machine does with what it is told, and what it ignores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.vm.programs import START_US, answer, begin, compile_body, result, started
from waymark.errors import ValueDecodingError
from waymark.program.program import Program
from waymark.values.codec import encode, encode_exception
from waymark.vm.events import (
    CONSTRUCT,
    CallFailed,
    CallLost,
    CallSucceeded,
    CallTimedOut,
    CancelCall,
    Effect,
    Entry,
    Event,
    StartCall,
    decode_entry,
    encode_entry,
)
from waymark.vm.limits import Limits
from waymark.vm.machine import MAX_LOSSES, Machine
from waymark.vm.snapshots import restore, snapshot


def tell(machine: Machine, *events: Event, after_us: int = 10) -> list[Effect]:
    """One entry."""
    return machine.apply(Entry(machine.now_us + after_us, events))


def failed(call: StartCall, error: BaseException) -> CallFailed:
    """An attempt that raised."""
    return CallFailed(call.call_id, call.attempt, encode_exception(error))


def done(call: StartCall, value: Any) -> CallSucceeded:
    """An attempt that returned."""
    return CallSucceeded(call.call_id, call.attempt, encode(value))


def policy_program(directory: Path, policy: str) -> Program:
    """One action with a policy."""
    return compile_body(directory, f"return await self.run_action(echo(1), {policy})")


def test_events_that_nobody_waits_for_change_nothing(tmp_path: Path) -> None:
    """Unknown calls, attempts that are over or have not begun, answers that come twice: not a byte of the state changes."""
    program = compile_body(tmp_path, "a = await echo(1)\nb = await echo(2)\nreturn [a, b]")
    machine, (call, *_) = begin(program)
    assert isinstance(call, StartCall)
    (second,) = started(tell(machine, done(call, "x")))
    before = snapshot(machine)
    now_us = machine.now_us
    for event in (
        done(call, "again"),
        CallLost(call.call_id, 1),
        CallTimedOut(call.call_id, 1),
        failed(call, ValueError()),
        CallSucceeded(second.call_id, 2, encode(1)),
        CallSucceeded(second.call_id, 0, encode(1)),
        CallSucceeded(99, 1, encode(1)),
        CallLost(-1, 1),
    ):
        assert not machine.expects(event.call_id, event.attempt)
        assert machine.apply(Entry(now_us, (event,))) == []
    assert snapshot(machine) == before
    tell(machine, done(second, "y"), done(second, "z"))
    assert result(machine) == ["x", "y"]
    assert tell(machine, done(second, "w")) == []
    assert result(machine) == ["x", "y"]


def test_attempts_and_backoff(tmp_path: Path) -> None:
    """Each failure is followed by the next attempt after its pause, until there are no more."""
    program = policy_program(tmp_path, "retry=RetryPolicy(attempts=3, backoff_seconds=2)")
    machine, effects = begin(program)
    (call,) = started(effects)
    assert tell(machine, failed(call, ValueError("one"))) == []
    due_us = machine.next_timer_us()
    assert due_us == START_US + 10 + 2_000_000
    assert not machine.has_calls_in_flight()
    assert not machine.expects(call.call_id, 2)  # it has not begun
    assert machine.apply(Entry(due_us - 1, ())) == []
    machine = restore(program, snapshot(machine))
    (second,) = started(machine.apply(Entry(due_us, ())))
    assert (second.call_id, second.attempt) == (call.call_id, 2)
    tell(machine, failed(second, ValueError("two")))
    (third,) = started(machine.apply(Entry(machine.next_timer_us() or 0, ())))
    tell(machine, failed(third, ValueError("three")))
    assert result(machine) == ("ValueError", "three")


def test_a_retry_without_a_pause_starts_at_once(tmp_path: Path) -> None:
    """And a class that is not named is not retried."""
    program = policy_program(tmp_path, "retry=RetryPolicy(attempts=9, exception_types=['LookupError'])")
    machine, effects = begin(program)
    (call,) = started(effects)
    (second,) = started(tell(machine, failed(call, KeyError("a"))))  # by its base class
    assert second.attempt == 2
    tell(machine, failed(second, ValueError("b")))
    assert result(machine) == ("ValueError", "b")


@pytest.mark.parametrize("names", ["[]", "['ActionTimeout']"])
def test_a_timeout_is_retried_only_when_named(names: str, tmp_path: Path) -> None:
    """For the action may still be running."""
    program = policy_program(tmp_path, f"retry=RetryPolicy(attempts=2, exception_types={names}), timeout=1.5")
    machine, effects = begin(program)
    (call,) = started(effects)
    assert call.timeout_us == 1_500_000
    again = started(tell(machine, CallTimedOut(call.call_id, 1)))
    if names == "[]":
        kind, message = result(machine)
        assert kind == "ActionTimeout"
        assert "longer than its timeout of 1.5 s" in message
    else:
        assert again[0].attempt == 2


def test_losses_cost_no_attempt_but_are_counted(tmp_path: Path) -> None:
    """The same attempt again, up to a cap of their own."""
    machine, effects = begin(policy_program(tmp_path, "retry=RetryPolicy(attempts=2)"))
    (call,) = started(effects)
    for _ in range(MAX_LOSSES):
        (again,) = started(tell(machine, CallLost(call.call_id, 1)))
        assert again == call
    tell(machine, CallLost(call.call_id, 1))
    kind, message = result(machine)
    assert kind == "ExhaustedRetriesError"
    assert f"was lost {MAX_LOSSES + 1} times" in message


def test_a_result_that_cannot_be_read_is_an_error_of_the_run(tmp_path: Path) -> None:
    """Which the program may catch."""
    body = "try:\n    await echo(1)\nexcept Exception as e:\n    return [type(e).__name__, e.__cause__, e.__context__]"
    program = compile_body(tmp_path, body)
    for event in (
        CallSucceeded(1, 1, b"\x07nonsense"),
        CallFailed(1, 1, b""),
        CallFailed(1, 1, encode("no exception")),
    ):
        machine, _ = begin(program)
        tell(machine, event)
        assert result(machine) == ["ValueDecodingError", None, None]


def test_gather_fails_with_the_first_failure(tmp_path: Path) -> None:
    """What runs is called off when the run ends; with return_exceptions everything is waited for."""
    machine, effects = begin(compile_body(tmp_path, "return await asyncio.gather(echo(1), echo(2), echo(3))"))
    one, two, three = started(effects)
    cancelled = tell(machine, failed(two, ValueError("x")))
    assert cancelled == [CancelCall(one.call_id), CancelCall(three.call_id)]
    assert result(machine) == ("ValueError", "x")
    body = "found = await asyncio.gather(echo(1), echo(2), return_exceptions=True)\nreturn [str(e) for e in found]"
    machine, effects = begin(compile_body(tmp_path, body))
    one, two = started(effects)
    assert tell(machine, failed(one, ValueError("x"))) == []
    tell(machine, done(two, "y"))
    assert result(machine) == ["x", "y"]


def test_a_gather_that_failed_lets_the_rest_go_on(tmp_path: Path) -> None:
    """As asyncio does: the others are not cancelled, their results are simply not awaited."""
    body = """
    self.seen = []
    try:
        await asyncio.gather(echo("boom"), self.note("a"))
    except ValueError:
        pass
    await echo("more")
    return self.seen
    """
    helpers = "async def note(self, name):\n    self.seen.append(await echo(name))"
    machine, effects = begin(compile_body(tmp_path, body, helpers))
    boom, note = started(effects)
    (more,) = started(tell(machine, failed(boom, ValueError())))
    tell(machine, done(note, "a"))
    tell(machine, done(more, 1))
    assert result(machine) == ["a"]


def test_a_run_that_ends_starts_nothing_more(tmp_path: Path) -> None:
    """A call that was asked for in the same step as the end never begins; the ones before it are called off."""
    body = "x = asyncio.gather(echo(1), echo(2))\nawait asyncio.sleep(0)\nraise Broken('over')"
    machine, effects = begin(compile_body(tmp_path, body))
    assert effects == []
    assert result(machine) == ("Broken", "over")
    assert machine.next_timer_us() is None
    assert machine.calls_in_flight() == []


EXCLUSIVE = """
self.seen = []
await asyncio.gather(self.build(), self.count(), self.count())
return self.seen
"""
EXCLUSIVE_HELPERS = """
async def build(self):
    await echo("start")
    self.seen.append("before")
    customer = Customer(name="Ada")
    self.seen.append(customer.name)

async def count(self):
    self.seen.append(await echo("count"))
"""


def test_the_run_stands_still_while_a_worker_builds_an_instance(tmp_path: Path) -> None:
    """Python would not switch tasks in a constructor: results and timers of others wait until it is answered."""
    program = compile_body(tmp_path, EXCLUSIVE, EXCLUSIVE_HELPERS)
    machine, effects = begin(program)
    start, one, two = started(effects)
    (construct,) = started(tell(machine, done(start, 0)))
    assert (construct.kind, construct.name) == (CONSTRUCT, "Customer")
    assert tell(machine, done(one, "one")) == []
    machine = restore(program, snapshot(machine))
    assert tell(machine, done(two, "two")) == []
    assert machine.outcome is None
    from waymark.values.classes import ClassKey, ClassKind

    record = machine.code.classes.new_record(
        ClassKind.PYDANTIC, ClassKey(construct.module, "Customer"), ("name", "age")
    )
    vars(record).update(name="Ada", age=18)
    tell(machine, done(construct, record))
    assert result(machine) == ["before", "Ada", "one", "two"]


def test_an_instance_that_cannot_be_built_raises_where_it_was_built(tmp_path: Path) -> None:
    """The validation error of the class arrives in the constructor's place."""
    body = "try:\n    Customer(name=5)\nexcept ValueError as e:\n    return str(e)"
    machine, effects = begin(compile_body(tmp_path, body))
    (construct,) = started(effects)
    tell(machine, failed(construct, ValueError("not a name")))
    assert result(machine) == "not a name"


@pytest.mark.parametrize(
    "call", ["list(map(self.make, [1]))", "sorted([2, 1], key=self.make)", "list(map(Customer, ['a']))"]
)
def test_a_library_function_cannot_wait_for_a_constructor(call: str, tmp_path: Path) -> None:
    """It says what to do instead, and no `except` hides it."""
    body = f"try:\n    return {call}\nexcept Exception:\n    return 'hidden'"
    machine, effects = begin(
        compile_body(tmp_path, body, "def make(self, n):\n    return Customer(name=str(n))")
    )
    assert effects == []
    kind, message = result(machine)
    assert kind == "UnsupportedPatternError"
    assert "build it in a loop, or in an @action" in message


def test_timers_fire_in_order_and_before_the_events_of_their_entry(tmp_path: Path) -> None:
    """An entry that comes late lets all of them fire first."""
    body = "self.seen = []\nawait asyncio.gather(self.nap(3), self.nap(1), self.nap(2), self.call())\nreturn self.seen"
    helpers = """
    async def nap(self, seconds):
        await asyncio.sleep(seconds)
        self.seen.append(seconds)

    async def call(self):
        self.seen.append(await echo("x"))
    """
    machine, effects = begin(compile_body(tmp_path, body, helpers))
    (call,) = started(effects)
    machine.apply(Entry(START_US + 2_500_000, (done(call, "call"),)))
    assert machine.next_timer_us() == START_US + 3_000_000
    machine.apply(Entry(START_US + 9_000_000, ()))
    assert result(machine) == [1, 2, "call", 3]


def test_time_never_goes_back(tmp_path: Path) -> None:
    """An entry of an earlier time is taken at the time that is known already."""
    machine, _ = begin(compile_body(tmp_path, "await asyncio.sleep(1)\nreturn 1"))
    machine.apply(Entry(START_US - 5, ()))
    assert machine.now_us == START_US


def test_arguments_of_run_that_do_not_fit_fail_the_run(tmp_path: Path) -> None:
    """In CPython's words."""
    machine, _ = begin(compile_body(tmp_path, "return x"), 1, 2)
    assert result(machine) == (
        "TypeError",
        "Tested.run() takes from 1 to 2 positional arguments but 3 were given",
    )
    machine = Machine(compile_body(tmp_path, "return x"))
    machine.begin(b"\x63", START_US)
    assert result(machine)[0] == "ValueDecodingError"


def test_an_exception_of_base_exception_ends_a_run_like_any_other(tmp_path: Path) -> None:
    """SystemExit, KeyboardInterrupt and CancelledError of an action never reach the shard."""
    caught = "try:\n    await echo(1)\nexcept BaseException as e:\n    return type(e).__name__"
    called_back = "try:\n    await echo(1)\nexcept BaseException as e:\n    self.e = e\n    return list(map(self.throw, [1]))"
    helper = "def throw(self, n):\n    raise self.e"
    for error in (SystemExit(3), KeyboardInterrupt(), GeneratorExit()):
        for body in (caught, called_back, "return await echo(1)", "return await asyncio.gather(echo(1))"):
            machine, effects = begin(compile_body(tmp_path, body, helper))
            (call,) = started(effects)
            tell(machine, failed(call, error))
            found = result(machine)
            assert found == type(error).__name__ or found[0] == type(error).__name__


def test_entries_keep_their_bytes() -> None:
    """Encoded, decoded and encoded again; damaged ones are refused."""
    entry = Entry(
        START_US, (CallSucceeded(1, 2, b"x"), CallFailed(3, 4, b"y"), CallTimedOut(5, 6), CallLost(7, 8))
    )
    data = encode_entry(entry)
    assert decode_entry(data) == entry
    for size in range(len(data)):
        with pytest.raises(ValueDecodingError, match="damaged journal entry"):
            decode_entry(data[:size])


def test_a_long_entry_has_fuel_for_all_of_its_events(tmp_path: Path) -> None:
    """Results that gather while the database is slow do not add up to a limit."""
    body = "return sum(await asyncio.gather(*[self.work(n) for n in range(200)]))"
    helper = "async def work(self, n):\n    total = await echo(n)\n    for i in range(100):\n        total += i\n    return 1"
    program = compile_body(tmp_path, body, helper)
    for per_event, is_enough in ((1000, True), (100, False)):
        machine, effects = begin(program, limits=Limits(fuel=50_000, fuel_per_event=per_event))
        tell(machine, *[done(call, 1) for call in started(effects)])
        assert result(machine) == 200 if is_enough else result(machine)[0] == "WorkflowLimitExceeded"


def test_answers_reach_the_run_in_the_order_of_the_entry(tmp_path: Path) -> None:
    """Not in the order of the calls."""
    body = "self.seen = []\nawait asyncio.gather(self.call(1), self.call(2), self.call(3))\nreturn self.seen"
    helper = "async def call(self, n):\n    self.seen.append(await echo(n))"
    machine, effects = begin(compile_body(tmp_path, body, helper))
    one, two, three = started(effects)
    tell(machine, done(three, "c"), done(one, "a"), done(two, "b"))
    assert result(machine) == ["c", "a", "b"]
    assert answer(machine, one, 1) == []
