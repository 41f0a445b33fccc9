"""Second pass: refuse what no table row lowers, before any name is looked at.

Walks without recursion, so code of any depth gets a diagnostic and no RecursionError.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from waymark.compiler.decisions import FIELDS, NODES, Lowered, Refused, is_set
from waymark.compiler.diagnostics import Findings
from waymark.compiler.source import FunctionSource, WorkflowSource

MAX_DEPTH = 120
"""Nesting of one function. Later passes recurse, with at most three Python frames per level."""
MAX_NODES = 100_000
"""Syntax nodes of one function."""


def check(source: WorkflowSource, findings: Findings) -> WorkflowSource:
    """Report every refused node and field. Later passes may rely on depth and size only of what is returned."""
    fit = tuple(function for function in source.functions if check_function(function, findings))
    return replace(source, functions=fit)


def check_function(function: FunctionSource, findings: Findings) -> bool:
    """Report what is refused in one function; False when it is too big for the later passes."""
    waiting: list[tuple[ast.AST, int]] = [(function.node, 0)]
    count = 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if depth > MAX_DEPTH or count > MAX_NODES:
            what = f"nested more than {MAX_DEPTH} levels deep" if depth > MAX_DEPTH else "too long"
            help = (
                "split it into several statements or helper methods; for many terms, put them in a list"
                if depth > MAX_DEPTH
                else "split the function into helper methods"
            )
            findings.report(function, node, "WM102", f"this code is {what}", help)
            return False
        refusal = _refusal(node, function)
        if refusal is not None:
            findings.report(function, node, refusal.code, refusal.message, refusal.help)
            continue
        waiting.extend(
            (child, depth if _is_elif(node, child) else depth + 1)
            for child in _children(node, function, findings)
        )
    return True


def _refusal(node: ast.AST, function: FunctionSource) -> Refused | None:
    name = type(node).__name__
    if name in NODES:
        return NODES[name]
    if name not in FIELDS:
        return Refused("WM103", f"`{name}` is syntax that Waymark does not know", "write it in an older form")
    return None


def _children(node: ast.AST, function: FunctionSource, findings: Findings) -> list[ast.AST]:
    """Child nodes of the fields that are not refused; refused fields that are set are reported."""
    decisions = FIELDS[type(node).__name__]
    found: list[ast.AST] = []
    for name in node._fields:
        if node is getattr(function.node, "args", None) and name in ("defaults", "kw_defaults"):
            continue  # evaluated when the module was imported
        value = getattr(node, name, None)
        decision = decisions.get(
            name, Refused("WM103", f"`{name}` is a field that Waymark does not know", "leave it out")
        )
        parts = value if isinstance(value, list) else [value]
        nodes = [part for part in parts if isinstance(part, ast.AST)]
        if isinstance(decision, Refused):
            blamed = [part for part in nodes if not _is_static_marker(part, name, function)]
            if is_set(value) and (blamed or not nodes):
                place = blamed[0] if blamed else _place(node)
                findings.report(function, place, decision.code, decision.message, decision.help)
        elif isinstance(decision, Lowered):
            found += nodes
    return found


def _place(node: ast.AST) -> ast.AST:
    return node.target if isinstance(node, ast.comprehension) else node


def _is_static_marker(part: ast.AST, field: str, function: FunctionSource) -> bool:
    """`@staticmethod` and its like, which whoever found the function has already taken into account."""
    return field == "decorator_list" and isinstance(part, ast.Name) and part.id == function.decorator


def _is_elif(node: ast.AST, child: ast.AST) -> bool:
    """Each `elif` is an If in the orelse of the one before; the passes walk such a chain in a loop."""
    return isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)


def is_refused(node: ast.AST) -> bool:
    """Whether `check` refused this node type, so that later passes pass over it."""
    name = type(node).__name__
    return name in NODES or name not in FIELDS
