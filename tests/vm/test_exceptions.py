"""Exceptions of a run are Python's: their contexts and causes, whoever raises them, and nothing of the machine's own."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vm.programs import begin, compile_body, result, run_echo, started
from waymark.values.codec import decode
from waymark.values.exceptions import TRACE
from waymark.vm.events import Entry, Failed

HELPERS = """
def fail(self, n):
    raise Broken(str(n))

def fail_again(self, n):
    try:
        raise KeyError(n)
    except KeyError:
        raise Broken(str(n))

def stop(self, n):
    if n == 3:
        raise StopIteration
    return n

def inner(self, n):
    return sorted([n], key=self.fail)[0]

def deep(self, n):
    return self.deep(n + 1)

def nested(self, n):
    return sorted([n], key=self.nested)
"""

CASES: dict[str, object] = {
    # a function that a library function calls back sees what is being handled outside
    "try:\n    raise ValueError('a')\nexcept ValueError as e:\n    try:\n        list(map(self.fail, [1]))\n    except Broken as b:\n        return b.__context__ is e": True,
    "try:\n    raise ValueError('a')\nexcept ValueError as e:\n    try:\n        list(map(self.fail_again, [1]))\n    except Broken as b:\n"
    "        return [type(b.__context__).__name__, b.__context__.__context__ is e]": ["KeyError", True],
    "try:\n    sorted([2, 1], key=self.inner)\nexcept Broken as b:\n    return [str(b), b.__context__]": [
        "2",
        None,
    ],
    # StopIteration ends the library function that sees it, as natively
    "return list(map(self.stop, [1, 2, 3, 4]))": [1, 2],
    "return next(map(self.stop, [3]), 'default')": "default",
    "try:\n    return sorted([3], key=self.stop)\nexcept StopIteration as e:\n    return e.args": (),
    # what our own code catches on the way is not shown
    "try:\n    list(zip([1], [1, 2], strict=True))\nexcept ValueError as e:\n    return [e.__context__, e.__cause__]": [
        None,
        None,
    ],
    "try:\n    [1][5]\nexcept IndexError as e:\n    return [e.__context__, e.__cause__]": [
        None,
        None,
    ],
    "try:\n    Color('x')\nexcept ValueError as e:\n    return [e.__context__, e.__cause__]": [None, None],
    "try:\n    await echo(object())\nexcept ValueError as e:\n    return e.__context__": None,
    # recursion that the program can catch is the same depth everywhere
    "try:\n    return self.deep(1)\nexcept RecursionError as e:\n    return str(e)": "maximum recursion depth exceeded",
    "try:\n    return self.nested(1)\nexcept RecursionError as e:\n    return str(e)": "maximum recursion depth exceeded",
    "try:\n    raise RecursionError('mine')\nexcept RecursionError as e:\n    return str(e)": "mine",
    "e = RecursionError('mine')\nself.e = e\ntry:\n    await asyncio.gather(echo(1))\n    raise e\nexcept RecursionError as f:\n    return f is e": True,
    # cycles are broken, and found
    "e, f = ValueError('a'), ValueError('b')\ntry:\n    try:\n        raise e\n    except ValueError:\n        raise f\nexcept ValueError:\n    pass\n"
    "try:\n    try:\n        raise f\n    except ValueError:\n        raise e\nexcept ValueError as g:\n    return [g is e, e.__context__ is f, f.__context__]": [
        True,
        True,
        None,
    ],
    # methods and functions are equal to themselves
    "return [self.fail == self.fail, self.fail == self.deep, len == len, echo == echo, [].append == [].append]": [
        True,
        False,
        True,
        True,
        False,
    ],
    "return [callable(len), callable(self.fail), callable(echo), callable(Item), callable(1), callable('a'.upper)]": [
        True,
        True,
        True,
        True,
        False,
        True,
    ],
}


@pytest.mark.parametrize("body", CASES)
def test_an_exception_is_what_python_would_have_raised(body: str, tmp_path: Path) -> None:
    """Worked out natively; the differential bodies compare many more."""
    if body.startswith("try:\n    await echo(object())"):
        body = body.replace("ValueError", "Exception")
        assert result(run_echo(compile_body(tmp_path, body, HELPERS))) is None
        return
    assert result(run_echo(compile_body(tmp_path, body, HELPERS))) == CASES[body]


def test_data_too_deep_for_the_host_is_nothing_a_program_may_decide_by(tmp_path: Path) -> None:
    """How deep the host's stack goes differs from process to process, so it ends the run."""
    for use in ("repr(x)", "x == y", "sorted([x, y])", "{f'{x}'}"):
        body = f"x, y = [], []\nfor _ in range(50_000):\n    x, y = [x], [y]\ntry:\n    {use}\nexcept RecursionError:\n    return 'caught'"
        kind, message = result(run_echo(compile_body(tmp_path, body)))
        assert kind == "WorkflowLimitExceeded"
        assert "nested too deep" in message


def test_the_trace_names_the_lines_of_the_workflow(tmp_path: Path) -> None:
    """Innermost first, with the functions, also when the run ends past every handler."""
    program = compile_body(
        tmp_path,
        "return self.one()",
        "def one(self):\n    return self.two()\ndef two(self):\n    raise Broken('x')",
    )
    machine = run_echo(program)
    assert isinstance(machine.outcome, Failed)
    error = decode(machine.outcome.exception)
    assert [place[2] for place in vars(error)[TRACE]] == ["Tested.two", "Tested.one", "Tested.run"]
    lines = [place[1] for place in vars(error)[TRACE]]
    assert lines == sorted(lines, reverse=True)
    limited = compile_body(
        tmp_path, "return sorted([1], key=self.one)", "def one(self, n):\n    return 'a' * 10 ** 10"
    )
    machine = run_echo(limited)
    assert isinstance(machine.outcome, Failed)
    error = decode(machine.outcome.exception)
    assert [place[2] for place in vars(error)[TRACE]][:1] == ["Tested.one"]


def test_no_memory_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A MemoryError of the host is not the program's to catch either, wherever it strikes."""
    program = compile_body(
        tmp_path, "try:\n    x = [await echo(1)]\nexcept BaseException:\n    return 'caught'\nreturn x"
    )
    machine, effects = begin(program)

    def failing(*args: object, **kwargs: object) -> object:
        raise MemoryError

    monkeypatch.setattr("waymark.vm.flight.decode", failing)
    from waymark.vm.events import CallSucceeded

    machine.apply(Entry(machine.now_us, (CallSucceeded(started(effects)[0].call_id, 1, b""),)))
    kind, message = result(machine)
    assert kind == "WorkflowLimitExceeded"
    assert "needs more memory" in message
