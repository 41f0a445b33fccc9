"""What a run prints leaves the machine as an effect, once, and bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vm.programs import answer, begin, compile_body, result, run_echo, started
from tests.yardstick import SECOND, within
from waymark.vm.events import Effect, WriteLog
from waymark.vm.printing import MAX_CHARACTERS, MAX_LINES


def printed(effects: list[Effect]) -> list[str]:
    """The texts among effects."""
    return [effect.text for effect in effects if isinstance(effect, WriteLog)]


def test_what_a_step_prints_is_one_effect_of_that_step(tmp_path: Path) -> None:
    """Also of the step that ends the run, and of one that fails."""
    program = compile_body(
        tmp_path,
        """
        print("one", 1)
        print("two", end="")
        await echo(1)
        print("three")
        raise ValueError("over")
        """,
    )
    machine, effects = begin(program)
    assert printed(effects) == ["one 1\ntwo"]
    assert printed(answer(machine, started(effects)[0], 1)) == ["three\n"]
    assert result(machine) == ("ValueError", "over")


def test_printing_without_end_is_cut_and_says_so(tmp_path: Path) -> None:
    """By characters and by lines; the run goes on, and the next step has room again."""
    program = compile_body(
        tmp_path,
        """
        if x == "long":
            print("a" * (2 * 64 * 1024))
        else:
            for n in range(5000):
                print(n)
        await echo(1)
        print("next")
        """,
    )
    machine, effects = begin(program, "long")
    (text,) = printed(effects)
    assert text[:MAX_CHARACTERS] == "a" * MAX_CHARACTERS
    assert text[MAX_CHARACTERS:] == "\n(65,537 characters more, printed before the next wait, are left out)"
    assert printed(answer(machine, started(effects)[0], 1)) == ["next\n"]
    _, effects = begin(program, "lines")
    (text,) = printed(effects)
    assert text.startswith("0\n1\n2\n")
    assert text.count("\n") == MAX_LINES
    assert text.endswith("999\n(20,000 characters more, printed before the next wait, are left out)")


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n    print(1)",
        "while True:\n    print('a' * 1_000_000, sep='b' * 1_000_000)",
        "x = []\nfor n in range(60):\n    x = [x, x]\nprint(x)",
        "print(*['a' * 1_000_000] * 100_000)",
        "print(*range(900_000), sep='a' * 1_000_000)",
    ],
)
def test_printing_ends_its_own_run_at_most(tmp_path: Path, body: str) -> None:
    """Endless loops, endless values, endless separators: a second is plenty."""
    program = compile_body(tmp_path, body)
    found = within(SECOND, lambda: result(run_echo(program)))
    assert found is None or found[0] == "WorkflowLimitExceeded"


def test_a_file_given_at_run_time_ends_the_run_with_the_way_out(tmp_path: Path) -> None:
    """Where the compiler cannot see it."""
    program = compile_body(tmp_path, 'print(1, **{"file": 5})')
    name, message = result(run_echo(program))
    assert name == "UnsupportedPatternError"
    assert "goes to the run's log" in message
