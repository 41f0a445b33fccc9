"""Code that is too deep or too long gets a diagnostic, never a RecursionError."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compiler.support import findings, load, run_body
from tests.yardstick import SECOND, within
from waymark.compiler import compile_workflow


@pytest.fixture
def deep_python() -> Iterator[None]:
    """Lets CPython itself compile deep sources, so that ours is the limit that is met."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(60_000)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("deep_python")
def test_a_sum_of_5000_terms_is_refused_with_a_place(tmp_path: Path) -> None:
    """Each term nests one level deeper. Some Pythons cannot compile so many themselves, and get fewer."""
    try:
        cls = run_body(tmp_path, "return " + " + ".join(["n"] * 5000), parameters="n")
    except RecursionError:
        cls = run_body(tmp_path, "return " + " + ".join(["n"] * 500), parameters="n")
    (found,) = findings(cls)
    assert found.code == "WM102"
    assert "120 levels" in found.message
    assert found.function == "Flow.run"


def test_nesting_in_brackets_is_refused(tmp_path: Path) -> None:
    """CPython's own parser takes 199 brackets."""
    (found,) = findings(run_body(tmp_path, "return " + "[" * 190 + "]" * 190))
    assert found.code == "WM102"


def test_a_thousand_parentheses_never_reach_the_compiler(tmp_path: Path) -> None:
    """CPython refuses them with an error of its own, so no module can hold them; `waymark check` says so in one line."""
    with pytest.raises((SyntaxError, MemoryError, RecursionError)):
        compile("(" * 1000 + "1" + ")" * 1000, "x", "eval")
    (tmp_path / "deep.py").write_text(f"x = {'(' * 1000}1{')' * 1000}\n")
    waymark = Path(sys.executable).with_name("waymark")
    done = subprocess.run(
        [waymark, "check", "deep"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert re.fullmatch(r"waymark check: cannot import deep: .*\n", done.stderr), done.stderr


@pytest.mark.usefixtures("deep_python")
@pytest.mark.parametrize(
    "expression",
    [
        "lambda: " * 1000 + "n",
        "1 if n else " * 1000 + "2",
        "not " * 1000 + "n",
        "-" * 1000 + "n",
        "n ** " * 1000 + "n",
        "n" + ".strip()" * 1000,
        "n" + "[0]" * 1000,
        "n" + ".parent" * 1000,
        "[x for x in " * 60 + "n" + "]" * 60,
    ],
    ids=[
        "lambdas",
        "conditions",
        "nots",
        "minuses",
        "powers",
        "calls",
        "subscripts",
        "attributes",
        "comprehensions",
    ],
)
def test_a_thousand_levels_of_anything_are_refused_with_a_place(expression: str, tmp_path: Path) -> None:
    """Some Pythons cannot compile so many themselves, and get fewer."""
    try:
        cls = run_body(tmp_path, f"return {expression}", parameters="n")
    except (RecursionError, MemoryError, SyntaxError):
        return  # Python's own limit was met when the module was imported
    (found,) = findings(cls)
    assert found.code == "WM102"
    assert "120 levels" in found.message


@pytest.mark.parametrize(
    "body",
    [
        "".join(" " * depth + "if n:\n" for depth in range(95)) + " " * 95 + "return 1",
        "".join(" " * depth + f"def f{depth}():\n" for depth in range(90)) + " " * 90 + "return 1",
        "".join(" " * depth + "while n:\n" for depth in range(19)) + " " * 19 + "break",
        "if n == 0:\n    return 0\n" + "".join(f"elif n == {i}:\n    return {i}\n" for i in range(1, 1000)),
        "match n:\n    case " + " | ".join(map(str, range(1000))) + ":\n        return 1",
        "return " + "n < " * 1000 + "n",
        "a = " * 1000 + "n",
        "return f'" + "{n}" * 1000 + "'",
        "return [" + "*n, " * 1000 + "]",
    ],
    ids=["ifs", "functions", "loops", "elifs", "patterns", "comparisons", "targets", "fields", "stars"],
)
def test_what_python_takes_in_blocks_and_in_width_compiles(body: str, tmp_path: Path) -> None:
    """CPython itself takes 100 levels of indentation and 20 of loops; chains are flat."""
    assert findings(run_body(tmp_path, body, parameters="n")) == ()


def test_a_list_of_5000_items_compiles(tmp_path: Path) -> None:
    """Width is no depth."""
    assert findings(run_body(tmp_path, f"return [{', '.join(['n'] * 5000)}]", parameters="n")) == ()


def test_a_boolean_of_5000_terms_compiles(tmp_path: Path) -> None:
    """`and` chains are flat."""
    assert findings(run_body(tmp_path, f"return {' and '.join(['n'] * 5000)}", parameters="n")) == ()


def test_finally_bodies_that_multiply_are_refused(tmp_path: Path) -> None:
    """Sixteen nested `finally` with two ways out each would be 2**16 copies."""
    text = "return 1\n"
    for _ in range(16):
        inner = "".join(f"    {line}\n" for line in text.splitlines())
        text = f"try:\n    n()\nfinally:\n    if n:\n{''.join('    ' + x + chr(10) for x in inner.splitlines())}    n()\n"
    cls = run_body(tmp_path, text, parameters="n")
    assert [item.code for item in findings(cls)] == ["WM102"]


def test_a_workflow_of_500_lines_compiles_in_a_tenth_of_a_second(tmp_path: Path) -> None:
    """Of an idle core of the machine that yardsticks are counted for."""
    text = long_workflow()
    assert len(text.splitlines()) > 500
    cls = load(tmp_path, text).Flow
    compile_workflow(cls)
    within(SECOND / 10, lambda: compile_workflow(cls))


def long_workflow() -> str:
    """A workflow class of about 500 lines."""
    part = """
        total = 0
        for i in range(n):
            try:
                if i % 3 == 0 and total < 100:
                    total += await charge(i, note=f"step {i:>3}")
                else:
                    items = [x * 2 for x in range(i) if x != total]
                    total -= len(items)
            except (ValueError, KeyError) as error:
                log.append(str(error))
"""
    methods = "".join(
        f"\n    async def step_{m}(self, n, log):{part * 4}        return total\n" for m in range(11)
    )
    calls = "".join(f"        log.append(await self.step_{m}(n, log))\n" for m in range(11))
    return f"class Flow(Workflow):{methods}\n    async def run(self, n):\n        log = []\n{calls}        return log\n"
