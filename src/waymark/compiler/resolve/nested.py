"""Functions written inside a workflow function: `lambda` and `def`."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from waymark.compiler.source import CodeNode, FunctionSource

if TYPE_CHECKING:
    from waymark.compiler.resolve.functions import FunctionResolver

_FUTURE_ANNOTATIONS = 0x1000000
"""Flag of code under `from __future__ import annotations`, which evaluates none."""

_ANNOTATION_PARTS = (
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Constant,
    ast.BinOp,
    ast.Tuple,
    ast.List,
    ast.expr_context,
    ast.operator,
)


def nested_source(outer: FunctionSource, node: CodeNode) -> FunctionSource:
    """The source of a function inside another."""
    match node:
        case ast.Lambda():
            name = "<lambda>"
        case ast.GeneratorExp():
            name = "<genexpr>"
        case _:
            name = node.name
    return replace(
        outer,
        name=name,
        label=f"{outer.label}.<locals>.{name}",
        qualname=f"{outer.qualname}.<locals>.{name}",
        node=node,
        is_static=True,
        is_nested=True,
    )


def default_nodes(arguments: ast.arguments) -> list[ast.expr]:
    """Defaults in the order in which Python evaluates them."""
    return [*arguments.defaults, *(part for part in arguments.kw_defaults if part is not None)]


def with_default(arguments: ast.arguments) -> set[str]:
    """Names of the parameters that have a default."""
    positional = [*arguments.posonlyargs, *arguments.args]
    found = {part.arg for part in positional[len(positional) - len(arguments.defaults) :]}
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return found | {part.arg for part, default in pairs if default is not None}


def check_annotations(resolver: FunctionResolver, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Python evaluates the annotations of a function when it is defined; here they are left out, so that must change nothing."""
    function = resolver.source.function
    if function.__code__.co_flags & _FUTURE_ANNOTATIONS:
        return
    for annotation in _annotations(node):
        if not _is_settled(annotation, function):
            resolver.report(
                annotation,
                "WM150",
                f"the annotation `{ast.unparse(annotation)}` would have to be evaluated in the run",
                "leave it out, write it with names of the module, or add `from __future__ import annotations`",
            )


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    arguments = node.args
    parts = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    for part in parts:
        if part is not None and part.annotation is not None:
            yield part.annotation
    if node.returns is not None:
        yield node.returns


def _is_settled(annotation: ast.expr, function: types.FunctionType) -> bool:
    """Whether evaluating it has no effect, and succeeds."""
    if not all(isinstance(part, _ANNOTATION_PARTS) for part in ast.walk(annotation)):
        return False
    names = {part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)}
    if names & {*function.__code__.co_varnames, *function.__code__.co_cellvars}:
        return False
    try:
        eval(compile(ast.Expression(annotation), "<annotation>", "eval"), dict(function.__globals__))
    except Exception:  # what the user's classes raise when they are subscripted
        return False
    return True
