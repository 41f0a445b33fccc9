"""Functions as values: what they show, and where they cannot go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vm.programs import begin, compile_body, result, run_echo

HELPERS = "def helper(self):\n    pass"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("return lambda: 1", "result of Tested.run()"),
        ("return {'a': [1, lambda: 1]}", "result of Tested.run()['a'][1]"),
        ("return [self.helper]", "result of Tested.run()[0]"),
        ("return (echo,)", "result of Tested.run()[0]"),
        ("return [len]", "result of Tested.run()[0]"),
        ("return [n for n in [(k for k in x)]]", "result of Tested.run()[0]"),
        ("await echo([1, lambda: 1])", "echo[0][0][1]"),
        ("await echo(value={'k': self.helper})", "echo[1]['value']['k']"),
    ],
)
def test_a_function_that_would_leave_the_run_is_an_error_with_its_path(
    body: str, path: str, tmp_path: Path
) -> None:
    """Results and arguments of actions are data; the message says which part is not."""
    kind, message = result(run_echo(compile_body(tmp_path, body, HELPERS), [1]))
    assert kind == "ValueEncodingError"
    assert path in message


@pytest.mark.parametrize(
    "body",
    [
        "return str(lambda: 1)",
        "return f'{[self.helper]}'",
        "return repr({'f': echo})",
        "return '%s' % ([].append,)",
        "return '{}'.format(iter([1]))",
        "return repr(echo(1))",
        "f = lambda: 1\nf.cache = 1",
        "return getattr(echo, '__name__')",
    ],
)
def test_what_differs_from_process_to_process_ends_the_run_with_the_reason(body: str, tmp_path: Path) -> None:
    """The text of a function holds its address, which no program may decide by; neither has it attributes of its own."""
    machine, _ = begin(compile_body(tmp_path, body, HELPERS))
    assert result(machine)[0] == "UnsupportedPatternError"


def test_the_text_of_a_builtin_function_is_the_same_everywhere(tmp_path: Path) -> None:
    """It holds no address."""
    assert result(run_echo(compile_body(tmp_path, "return str(len)"))) == "<built-in function len>"
