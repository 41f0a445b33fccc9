"""Functions inside a function: `lambda` and `def` make a value that holds defaults and cells."""

from __future__ import annotations

import ast

from waymark.compiler.lower.expressions import tuple_of
from waymark.compiler.lower.function import FunctionLowering
from waymark.compiler.lower.tables import Table
from waymark.compiler.resolve.nested import default_nodes
from waymark.program.instructions import Op


def make_function(to: FunctionLowering, node: ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Push the function: its defaults are evaluated now, its free variables are cells of this frame."""
    tuple_of(to, default_nodes(node.args))
    index = to.resolved.nested[node]
    push_cells(to, index)
    to.builder.emit(Op.MAKE_FUNCTION, index)


def push_cells(to: FunctionLowering, index: int) -> None:
    """Push the tuple of cells that a function inside this one uses."""
    cells = to.free_of(index)
    for cell in cells:
        to.builder.emit(Op.PUSH_CELL, cell)
    to.builder.emit(Op.BUILD_TUPLE, len(cells))


def lower_def(to: FunctionLowering, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    make_function(to, node)
    to.store(to.resolved.function_locals[node])


def lower_nonlocal(to: FunctionLowering, node: ast.Nonlocal) -> None:
    """Nothing: `resolve` has bound the names."""


MAKING: Table = {ast.Lambda: make_function}
DEFINITIONS: Table = {
    ast.FunctionDef: lower_def,
    ast.AsyncFunctionDef: lower_def,
    ast.Nonlocal: lower_nonlocal,
}
