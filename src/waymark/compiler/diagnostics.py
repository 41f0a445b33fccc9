"""What the compiler cannot accept: code, place, reason and a way out, collected before anything fails."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waymark.errors import UnsupportedPatternError

if TYPE_CHECKING:
    from waymark.compiler.source import FunctionSource

CODES: dict[str, str] = {
    "WM101": "the source of a function cannot be found, or differs from what was imported",
    "WM102": "code that is nested too deeply or too long",
    "WM103": "syntax that this release does not know",
    "WM104": "yield",
    "WM107": "a class defined inside a workflow function",
    "WM108": "import",
    "WM109": "global",
    "WM110": "with over something that it cannot enter",
    "WM111": "async for",
    "WM112": "async with over something that it cannot enter",
    "WM116": "a decorator on a workflow function",
    "WM117": "type aliases and type parameters",
    "WM118": "await inside a generator expression",
    "WM120": "a name that is not defined",
    "WM121": "a local variable that is never assigned",
    "WM122": "an attribute that the workflow does not have",
    "WM123": "self used as a value",
    "WM124": "a kind of class member that workflows cannot use",
    "WM125": "assignment to a method of the workflow",
    "WM126": "state that is set in __init__",
    "WM130": "a function that cannot be compiled along",
    "WM131": "a library function or class that workflows do not have",
    "WM132": "input and output",
    "WM133": "time and chance",
    "WM134": "a value that cannot be kept with the program",
    "WM135": "a class whose own code would have to run",
    "WM136": "a method that values in workflows do not have",
    "WM137": "a module used as a value",
    "WM138": "special attributes",
    "WM139": "a workflow started inside a workflow",
    "WM140": "an awaitable that is never awaited",
    "WM141": "await of something that is not awaitable",
    "WM142": "a wrong call of self.run_action",
    "WM143": "a typing construct used as a value",
    "WM144": "a part of asyncio that workflows do not have",
    "WM150": "an annotation that would have to be evaluated",
    "WM170": "the time zone of the host",
    "WM171": "a regular expression, whose time nobody can tell",
    "WM160": "the event loop and what belongs to it",
}
"""Every code and what it refuses. A code is never given another meaning."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: Key of `CODES`.
        message: What is wrong, without a final stop.
        file: Path as shown to people, relative to the working directory where possible.
        line: From 1.
        column: From 1, in characters.
        function: Name of the function with its class, as `CheckoutWorkflow.run`.
        help: The way out, as a short instruction.
        source: The line of source, without its line end.
        width: Characters the caret underlines.
    """

    code: str
    message: str
    file: str
    line: int
    column: int
    function: str
    help: str
    source: str = ""
    width: int = 1

    def __str__(self) -> str:
        lines = [
            f"{self.code}: {self.message}",
            f"  {self.file}:{self.line}:{self.column} in {self.function}",
        ]
        text = self.source.strip()
        if text:
            indent = len(self.source) - len(self.source.lstrip())
            start = max(self.column - 1 - indent, 0)
            carets = "^" * max(1, min(self.width, len(text) - start))
            lines += [f"      {text}", f"      {' ' * start}{carets}"]
        lines.append(f"  help: {self.help}")
        return "\n".join(lines)


class Findings:
    """Collects diagnostics of one compilation."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int, int], Diagnostic] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, diagnostic: Diagnostic) -> None:
        """Record a finding; one place is blamed once per code."""
        key = (diagnostic.code, diagnostic.file, diagnostic.line, diagnostic.column)
        self._found.setdefault(key, diagnostic)

    def report(self, function: FunctionSource, node: ast.AST, code: str, message: str, help: str) -> None:
        """Record a finding at a node of a function."""
        assert code in CODES, code
        line = getattr(node, "lineno", function.node.lineno)
        text = function.line_text(line)
        column = function.column(line, getattr(node, "col_offset", function.node.col_offset))
        end = getattr(node, "end_col_offset", None)
        width = 1
        if end is not None:
            same_line = getattr(node, "end_lineno", line) == line
            width = (function.column(line, end) if same_line else len(text) + 1) - column
        self.add(
            Diagnostic(code, message, function.file, line, column, function.label, help, text, max(width, 1))
        )

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Everything found, in source order."""
        return tuple(sorted(self._found.values(), key=lambda d: (d.file, d.line, d.column, d.code)))


def refuse(name: str, diagnostics: Iterable[Diagnostic]) -> UnsupportedPatternError:
    """The error that carries all findings about a workflow."""
    found = tuple(diagnostics)
    problems = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    text = "\n\n".join(str(diagnostic) for diagnostic in found)
    return UnsupportedPatternError(f"{name} cannot be compiled, {problems}:\n\n{text}", found)
