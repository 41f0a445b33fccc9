"""Functions of the user's modules and classes that the workflow calls: compiled along, each with its own module as context.

What cannot be compiled is refused where it is named, with the reason: the code that names it is what its author works on. A function that
names an unfit one is unfit itself, so findings travel from callee to caller until they reach a function of the workflow.
"""

from __future__ import annotations

import ast
import sysconfig
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waymark.compiler.bindings import Helper
from waymark.compiler.check import check_function
from waymark.compiler.diagnostics import Diagnostic, Findings
from waymark.compiler.resolve import library
from waymark.compiler.resolve.functions import FunctionResolver
from waymark.compiler.resolve.statics import Refusal
from waymark.compiler.source import Files, locate, shown_path

if TYPE_CHECKING:
    from waymark.compiler.resolve.workflow_class import WorkflowClass

_GENERATOR_FLAGS = 0x20 | 0x200
_STANDARD = tuple(sysconfig.get_path(name) + "/" for name in ("stdlib", "platstdlib"))


@dataclass(frozen=True, slots=True)
class _Entry:
    """A function that is compiled along."""

    function: types.FunctionType
    findings: Findings


class PlainFunctions:
    """Those of one program.

    Args:
        workflow: Gives the table of functions, and remembers where each is named.
        files: Source files that are read already.
    """

    def __init__(self, workflow: WorkflowClass, files: Files) -> None:
        self._workflow = workflow
        self._files = files
        self._known: dict[types.FunctionType, Helper | Refusal] = {}
        self._entries: dict[int, _Entry] = {}
        """By number of the function."""
        self._waiting: list[FunctionResolver] = []

    def bind(self, function: types.FunctionType, shown: str, decorator: str = "") -> Helper | Refusal:
        """What a function is to the program.

        Args:
            function: The function.
            shown: How the source names it.
            decorator: Builtin decorator that it was found under.
        """
        if function not in self._known:
            self._known[function] = self._enter(function, shown, decorator)
        return self._known[function]

    def resolve(self) -> None:
        """Resolve what has been named so far, and what that names."""
        while self._waiting:
            self._waiting.pop(0).resolve()

    def report(self) -> None:
        """Report every place that names a function with findings of its own."""
        for resolver, node, index in self._workflow.mentions:
            reason = self.reason(index)
            if reason:
                resolver.report(node, "WM130", reason, library.PLAIN_HELP)

    def reason(self, index: int) -> str:
        """Why a function with findings cannot be compiled along; empty for one without."""
        entry = self._entries.get(index)
        if entry is None or not entry.findings:
            return ""
        return _unfit(entry.function, _cause(entry.findings.sorted()[0]))

    def _enter(self, function: types.FunctionType, shown: str, decorator: str) -> Helper | Refusal:
        problem = _problem(function)
        if not is_users(function) and not hasattr(function, "__wrapped__"):
            return Refusal(*library.refusal(function, shown))
        if problem:
            return Refusal("WM130", _unfit(function, problem), library.PLAIN_HELP)
        findings = Findings()
        source = locate(function.__name__, function, True, self._files, findings, decorator)
        if source is None or not check_function(source, findings):
            return Refusal("WM130", _unfit(function, _cause(findings.sorted()[0])), library.PLAIN_HELP)
        resolver = FunctionResolver(source, self._workflow, findings)
        index = self._workflow.table.add(resolver)
        self._entries[index] = _Entry(function, findings)
        self._waiting.append(resolver)
        return Helper(index, isinstance(source.node, ast.AsyncFunctionDef), is_static=True)


def is_users(function: types.FunctionType) -> bool:
    """Whether a function is the user's own: of no package, and not Waymark's."""
    path = function.__code__.co_filename
    return (
        function.__module__.partition(".")[0] not in library.STANDARD_MODULES | {"waymark"}
        and not path.startswith(_STANDARD)
        and not library.is_installed(path)
    )


def _problem(function: types.FunctionType) -> str:
    if hasattr(function, "__wrapped__"):
        return "it is decorated, so what runs is not its own code"
    if function.__code__.co_flags & _GENERATOR_FLAGS:
        return "it is a generator"
    if "__class__" in function.__code__.co_freevars:
        return "it calls super(), which only methods of the workflow can"
    if function.__closure__ is not None:
        return "it keeps variables of a function around it, as decorated functions do"
    if function.__name__ == "<lambda>":
        return "it is a lambda; write it with `def`"
    return ""


def _unfit(function: types.FunctionType, problem: str) -> str:
    code = function.__code__
    name = function.__qualname__.rpartition("<locals>.")[2]
    return (
        f"`{name}` ({shown_path(code.co_filename)}:{code.co_firstlineno}) cannot be compiled along: {problem}"
    )


def _cause(finding: Diagnostic) -> str:
    """The innermost reason: what a chain of callers names is said once."""
    text = finding.message.rpartition("cannot be compiled along: ")[2]
    return text if text != finding.message else f"{text} ({finding.file}:{finding.line})"
