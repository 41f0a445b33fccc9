"""Notes about code that compiles and may still surprise: time stands still in a run between two waits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from waymark.compiler.bindings import Library, ResolvedFunction
from waymark.compiler.check import check
from waymark.compiler.diagnostics import Diagnostic, Findings
from waymark.compiler.resolve import resolve
from waymark.compiler.source import Files, find_source

_CLOCKS = frozenset(
    f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter") for unit in ("", "_ns")
) | {"datetime.datetime.now", "datetime.datetime.utcnow"}


def notes(cls: type, files: Files | None = None) -> tuple[Diagnostic, ...]:
    """Notes about a workflow that compiles, in source order; none about one that does not."""
    findings = Findings()
    resolved = resolve(check(find_source(cls, findings, files), findings), findings)
    if findings:
        return ()
    found = Findings()
    for function in resolved.functions:
        for clock in _clocks_in_still_loops(function):
            shown = ast.unparse(clock.func)
            found.report(
                function.source,
                clock,
                "WM190",
                f"`{shown}(...)` gives the same in every round: this loop never waits",
                "wait in the loop with `await asyncio.sleep(...)`, or measure in an @action",
            )
    return found.sorted()


def _clocks_in_still_loops(function: ResolvedFunction) -> Iterator[ast.Call]:
    for loop in ast.walk(function.source.node):
        if not isinstance(loop, ast.While | ast.For):
            continue
        parts = list(ast.walk(loop))
        if any(isinstance(part, ast.Await | ast.AsyncWith) for part in parts):
            continue
        for part in parts:
            if isinstance(part, ast.Call):
                called = function.bindings.get(part.func)
                if isinstance(called, Library) and called.name in _CLOCKS:
                    yield part
