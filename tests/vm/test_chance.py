"""Time and chance of a run: its own, and the same in every replay."""

from __future__ import annotations

import random
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.vm.programs import START_US, answer, begin, compile_body, result, run_echo, started
from waymark.program.program import Program
from waymark.values.codec import encode
from waymark.vm.events import CallSucceeded, Entry
from waymark.vm.machine import Machine
from waymark.vm.snapshots import restore, snapshot

DRAWS = """
import_ = [uuid.uuid4(), random.random(), random.gauss(0, 1), secrets.token_hex(4)]
own = random.Random()
await echo(1)
import_ += [uuid.uuid4(), random.random(), random.gauss(0, 1), random.sample(range(100), 5), secrets.randbelow(1000), own.random(), own.gauss(0, 1)]
x = list(range(10))
random.shuffle(x)
return [import_, x, own.choice(x), random.choices("abc", k=4), random.randbytes(3), secrets.token_urlsafe(5), secrets.choice("xyz")]
"""


def run(program: Program, seed: bytes) -> Any:
    """The result under a seed."""
    machine, effects = begin(program, seed=seed)
    for call in started(effects):
        answer(machine, call, 1)
    return result(machine)


def test_two_draws_of_a_run_differ_and_no_two_runs_draw_the_same(tmp_path: Path) -> None:
    """Ids are unique in the run and between runs."""
    program = compile_body(tmp_path, "return [uuid.uuid4() for _ in range(1000)]")
    drawn = [found for seed in (b"a", b"b", b"c") for found in run(program, seed)]
    assert len(set(drawn)) == 3000
    assert {(found.version, found.variant) for found in drawn} == {(4, uuid.RFC_4122)}
    assert run(program, b"a") == run(program, b"a")


def test_chance_survives_snapshots_and_replays(tmp_path: Path) -> None:
    """A machine restored between two draws goes on with the same numbers, from its snapshot and from its journal."""
    program = compile_body(tmp_path, DRAWS)
    expected = run(program, b"seed")
    machine, effects = begin(program, seed=b"seed")
    (call,) = started(effects)
    again = restore(program, snapshot(machine))
    assert snapshot(again) == snapshot(machine)
    replayed = Machine(program)
    replayed.begin(encode([[], {}]), START_US, b"seed")
    for one in (again, replayed):
        one.apply(Entry(one.now_us + 10, (CallSucceeded(call.call_id, 1, encode(1)),)))
        assert result(one) == expected
    assert run(program, b"other") != expected


def test_a_seed_of_the_program_gives_what_it_gives_natively(tmp_path: Path) -> None:
    """`random.seed` and `random.Random(seed)` are Python's own generator."""
    program = compile_body(
        tmp_path,
        "random.seed(5)\nown = random.Random('text')\nreturn [random.random(), random.randint(1, 99), own.random()]",
    )
    first = random.Random(5)
    assert run(program, b"any") == [first.random(), first.randint(1, 99), random.Random("text").random()]


def test_a_run_without_a_recorded_seed_draws_nothing(tmp_path: Path) -> None:
    """Rather that than the same ids in every run."""
    kind, message = run(compile_body(tmp_path, "return uuid.uuid4()"), b"")
    assert kind == "UnsupportedPatternError"
    assert "without a seed" in message


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("random.choice([])", ("IndexError", "Cannot choose from an empty sequence")),
        (
            "random.sample({1, 2}, 1)",
            ("TypeError", "Population must be a sequence.  For dicts or sets, use sorted(d)."),
        ),
        ("random.randint(5, 1)", None),
        ("random.sample([1], 2)", ("ValueError", "Sample larger than population or is negative")),
        ("secrets.randbelow(0)", ("ValueError", "Upper bound must be positive.")),
        ("secrets.choice([])", ("IndexError", "Cannot choose from an empty sequence")),
        ("random.shuffle((1, 2))", ("TypeError", "'tuple' object does not support item assignment")),
        (
            "datetime.now('x')",
            ("TypeError", "tzinfo argument must be None or of a tzinfo subclass, not type 'str'"),
        ),
    ],
)
def test_errors_are_those_of_python(expression: str, error: tuple[str, str] | None, tmp_path: Path) -> None:
    """Class and message."""
    found = run(compile_body(tmp_path, f"return {expression}"), b"seed")
    if error is None:
        assert found[0] == "ValueError"
        assert "empty range" in found[1]
    else:
        assert found == error


def test_time_is_that_of_the_entry_and_stands_still_between_two_waits(tmp_path: Path) -> None:
    """All clocks agree, and a replay gives the same."""
    body = """
    first = [datetime.now(timezone.utc), time.time(), time.time_ns(), time.monotonic(), datetime.utcnow()]
    for _ in range(1000): pass
    same = datetime.now(tz=timezone.utc) == first[0]
    await asyncio.sleep(90)
    return [first, same, datetime.now(timezone.utc) - first[0], time.perf_counter() - first[3]]
    """
    first, same, later, clock = result(run_echo(compile_body(tmp_path, body)))
    assert same
    assert first[0].isoformat() == "2023-11-14T22:13:20+00:00"
    assert first[1:4] == [START_US / 1e6, START_US * 1000, START_US / 1e6]
    assert first[4] == first[0].replace(tzinfo=None)
    assert later.total_seconds() == 90
    assert clock == 90


@pytest.mark.parametrize("body", ["tz = None\nreturn datetime.now(tz)", "return datetime.fromtimestamp(5)"])
def test_the_zone_of_the_host_is_refused_while_running_too(body: str, tmp_path: Path) -> None:
    """When the compiler could not see it."""
    kind, message = result(run_echo(compile_body(tmp_path, body)))
    assert kind == "UnsupportedPatternError"
    assert "time zone of the host" in message
