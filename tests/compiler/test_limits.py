"""Code that is too deep or too long gets a diagnostic, never a RecursionError."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compiler.support import findings, load, run_body
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


def test_a_thousand_parentheses_never_reach_the_compiler() -> None:
    """CPython refuses them with a SyntaxError, so no module can hold them."""
    with pytest.raises((SyntaxError, MemoryError, RecursionError)):
        compile("(" * 1000 + "1" + ")" * 1000, "x", "eval")


def test_a_long_elif_chain_compiles(tmp_path: Path) -> None:
    """An `elif` is a step in a chain and no deeper level."""
    chain = "if n == 0:\n    return 0\n" + "".join(f"elif n == {i}:\n    return {i}\n" for i in range(1, 150))
    assert findings(run_body(tmp_path, chain, parameters="n")) == ()


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


def test_a_workflow_of_500_lines_compiles_fast(tmp_path: Path) -> None:
    """The goal is 100 ms; the assertion leaves room for a busy machine."""
    cls = load(tmp_path, long_workflow()).Flow
    compile_workflow(cls)
    best = min(_seconds(cls) for _ in range(3))
    assert best < 0.5, f"{best * 1000:.0f} ms"


def _seconds(cls: type) -> float:
    start = time.perf_counter()
    compile_workflow(cls)
    return time.perf_counter() - start


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
