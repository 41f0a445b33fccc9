"""Whole programs: a workflow class over the actions and classes of `tests.differential.bodies.shared`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.choices import Choices, Drawn
from tests.fuzz.header import HEADER
from tests.fuzz.scope import Scope
from tests.fuzz.statements import Statements
from tests.fuzz.text import Text

FEATURES: tuple[str, ...] = (
    *(
        "actions",
        "if",
        "for",
        "while",
        "try",
        "raise",
        "unpack",
        "delete",
        "assert",
        "match",
        "nested",
        "lambda",
        "generators",
        "walrus",
    ),
    *("attributes", "library", "leave", "suppress", "groups", "unbound", "failing", "policies", "helpers"),
    *("gather", "tasks", "wait", "wait_for", "task_group", "locks"),
)
"""What a program may or may not use; each is in about half of them, so that they meet in ever new company."""

if sys.version_info < (3, 12):
    # The machine follows later Pythons, which wrote wait_for anew and taught suppress to look into exception groups.
    FEATURES = tuple(feature for feature in FEATURES if feature not in ("wait_for", "groups"))

MOST_STATEMENTS = 25

ARGUMENTS: tuple[tuple[Any, ...], ...] = (
    (0, "", []),
    (1, "a", [1]),
    (7, "bc,a", [3, 1, 2]),
    (-4, "x y", [0, -1, 5, 5]),
    (10**18, "Zürich", [100, 7]),
)


@dataclass(frozen=True)
class Program:
    """One generated program.

    Attributes:
        source: Text of a module with a workflow class `Flow`.
        arguments: Those of run().
        recipes: Rows of the library in it.
    """

    source: str
    arguments: tuple[Any, ...]
    recipes: frozenset[str] = frozenset()


def write(choices: Choices) -> Program:
    """A program, as the choices will have it."""
    features = frozenset(choices.some(FEATURES, 55))
    text = Text()
    statements = Statements(choices, text)
    helpers: list[str] = []
    coroutines: list[str] = []
    with text.indented():
        if "helpers" in features:
            _write_helpers(choices, statements, text, features, helpers, coroutines)
        text.line("async def run(self, i0, s0, l0):")
        with text.indented():
            text.line("out = self.log = []")
            text.line("self.keys = []")
            scope = Scope(True, features, helpers=helpers, coroutines=coroutines)
            for kind, name in (("int", "i0"), ("str", "s0"), ("list", "l0")):
                scope.add(kind, name)
            statements.left = MOST_STATEMENTS
            statements.some(scope, 8)
            shown = [
                name for kind in ("int", "list", "dict", "tuple", "item", "any") for name in scope.of(kind)
            ]
            text.line(f"return [out, self.count, {', '.join(shown)}]")
    return Program(
        f"{HEADER}\n\nclass Flow(Workflow):\n    count = 3\n\n{text}",
        choices.pick(ARGUMENTS),
        frozenset(text.recipes),
    )


def _write_helpers(
    choices: Choices,
    statements: Statements,
    text: Text,
    features: frozenset[str],
    helpers: list[str],
    coroutines: list[str],
) -> None:
    statements.left = 6
    for number in range(choices.up_to(2)):
        name = f"helper{number}"
        text.line(f"def {name}(self, n, *, k=2):")
        with text.indented():
            text.line("out = self.log")
            scope = Scope(False, features)
            scope.add("int", "n")
            text.line(f"if k > 3 or n % 5 > 3: return {statements.expressions.of('int', scope)}")
            statements.some(scope, 3)
            text.line(
                f"return self.{name}(n // 2, k=k + 1)"
                if choices.chance(40)
                else f"return {statements.expressions.of('int', scope)}"
            )
        helpers.append(f"self.{name}")
    if choices.chance(50):
        text.line("async def waits(self, n):")
        with text.indented():
            text.line("out = self.log")
            scope = Scope(True, features - {"nested"}, helpers=list(helpers))
            scope.add("int", "n")
            statements.some(scope, 3)
            text.line(f"return {statements.expressions.of('int', scope)}")
        coroutines.append("self.waits")


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Well-typed, terminating programs."""
    return write(Drawn(draw))
