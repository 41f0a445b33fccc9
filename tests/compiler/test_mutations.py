"""Changing any lowered part of a syntax tree changes the program: nothing is read and then forgotten."""

from __future__ import annotations

import ast
import copy
import dataclasses
from collections.abc import Iterator

import pytest

from tests.compiler.test_golden import CLASSES
from waymark.compiler.assemble import assemble
from waymark.compiler.check import check
from waymark.compiler.decisions import FIELDS, Lowered
from waymark.compiler.diagnostics import Findings
from waymark.compiler.lower import lower
from waymark.compiler.resolve import resolve
from waymark.compiler.source import FunctionSource, WorkflowSource, find_source
from waymark.program.program import Program


def _compile(source: WorkflowSource) -> Program | None:
    findings = Findings()
    resolved = resolve(check(source, findings), findings)
    return None if findings else assemble(lower(resolved, findings))


def _optional_parts(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Lowered fields that Python allows to be empty, and that are not."""
    for node in ast.walk(tree):
        row = FIELDS.get(type(node).__name__, {})
        for name, decision in row.items():
            if not isinstance(decision, Lowered) or not getattr(node, name, None):
                continue
            if (type(node).__name__, name) in _OPTIONAL:
                yield node, name


_OPTIONAL = {
    ("For", "orelse"), ("While", "orelse"), ("If", "orelse"), ("Try", "orelse"), ("Try", "finalbody"), ("Raise", "cause"),
    ("Return", "value"), ("Assert", "msg"), ("comprehension", "ifs"), ("Slice", "lower"), ("Slice", "upper"), ("Slice", "step"),
    ("FormattedValue", "format_spec"), ("Call", "args"), ("Call", "keywords"), ("List", "elts"), ("Set", "elts"),
}  # fmt: skip
_LISTS = {"orelse", "finalbody", "ifs", "args", "keywords", "elts"}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_leaving_out_an_optional_part_changes_the_program(cls: type) -> None:
    """`orelse`, `finalbody`, later conditions, keywords: without them the program is another, or is refused."""
    original = find_source(cls, Findings())
    whole = _compile(original)
    for index, function in enumerate(original.functions):
        for position, (_, name) in enumerate(_optional_parts(function.node)):
            node = copy.deepcopy(function.node)
            part, _ = list(_optional_parts(node))[position]
            setattr(part, name, [] if name in _LISTS else None)
            if "unreachable" in function.line_text(getattr(part, "lineno", 1)):
                continue
            if isinstance(part, ast.Try) and not part.handlers and not part.finalbody:
                continue
            if isinstance(part, ast.List | ast.Set) and not isinstance(
                getattr(part, "ctx", ast.Load()), ast.Load
            ):
                continue
            changed = _with_function(original, index, dataclasses.replace(function, node=node))
            assert _compile(changed) != whole, (
                f"{type(part).__name__}.{name} at line {getattr(part, 'lineno', '?')}"
            )


def _with_function(source: WorkflowSource, index: int, function: FunctionSource) -> WorkflowSource:
    functions = (*source.functions[:index], function, *source.functions[index + 1 :])
    return dataclasses.replace(source, functions=functions)
