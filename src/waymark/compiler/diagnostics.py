"""What the compiler cannot accept: code, place, reason and a way out, collected before anything fails."""

from __future__ import annotations

import ast
import linecache
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waymark.compiler.codes import CODES, reference
from waymark.errors import UnsupportedPatternError

if TYPE_CHECKING:
    from waymark.compiler.source import FunctionSource


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
        lines += [f"  help: {self.help}", f"  more: {reference(self.code)}"]
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

    def report_function(self, code: types.CodeType, file: str, label: str, why: tuple[str, str, str]) -> None:
        """Record a finding (code, message, help) about a function as a whole, of which only the first line may be known."""
        text = linecache.getline(code.co_filename, code.co_firstlineno).rstrip()
        column = len(text) - len(text.lstrip()) + 1
        width = max(len(text) - column + 1, 1)
        self.add(Diagnostic(why[0], why[1], file, code.co_firstlineno, column, label, why[2], text, width))

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Everything found, in source order."""
        return tuple(sorted(self._found.values(), key=lambda d: (d.file, d.line, d.column, d.code)))


def refuse(name: str, diagnostics: Iterable[Diagnostic]) -> UnsupportedPatternError:
    """The error that carries all findings about a workflow."""
    found = tuple(diagnostics)
    problems = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    text = "\n\n".join(str(diagnostic) for diagnostic in found)
    return UnsupportedPatternError(f"{name} cannot be compiled, {problems}:\n\n{text}", found)
