"""with and async with.

The manager stays on the stack while the body runs. It is left on every way out: the end, each jump out (in `leaving`), an exception, which
it may end. What `as` names is assigned under its protection, as in CPython.
"""

from __future__ import annotations

import ast

from waymark.compiler.lower.blocks import Managed
from waymark.compiler.lower.builder import Label
from waymark.compiler.lower.exceptions import close_clean_up, open_clean_up
from waymark.compiler.lower.function import FunctionLowering
from waymark.compiler.lower.leaving import leave_manager
from waymark.compiler.lower.tables import Table
from waymark.program.instructions import Op


def lower_with(to: FunctionLowering, node: ast.With | ast.AsyncWith) -> None:
    _lower_items(to, node.items, node.body, isinstance(node, ast.AsyncWith))


def _lower_items(
    to: FunctionLowering, items: list[ast.withitem], body: list[ast.stmt], is_async: bool
) -> None:
    """Several items are as many blocks inside each other."""
    builder = to.builder
    item, rest = items[0], items[1:]
    end = Label()
    outer = builder.region
    with builder.at(item.context_expr):
        to.expression(item.context_expr)
        builder.emit(Op.ENTER, int(is_async))
        if is_async:
            builder.emit(Op.AWAIT)
        region = builder.open_region(above=1)
        to.blocks.append(Managed(is_async, outer, item.context_expr))
        if item.optional_vars is None:
            builder.emit(Op.POP)
        else:
            to.assign(item.optional_vars)
    if rest:
        _lower_items(to, rest, body, is_async)
    else:
        to.statements(body)
    to.blocks.pop()
    with builder.at(item.context_expr):
        builder.region = outer
        leave_manager(to, is_async)
        builder.jump(Op.JUMP, end)
        if builder.enter_handler(region):
            _lower_handler(to, is_async, end)
        builder.place(end)


def _lower_handler(to: FunctionLowering, is_async: bool, end: Label) -> None:
    """An exception came: manager and exception are on the stack."""
    builder = to.builder
    goes_on = Label()
    clean_up = open_clean_up(to)
    builder.emit(Op.COPY, 3)
    builder.emit(Op.COPY, 2)
    builder.emit(Op.LEAVE, int(is_async))
    if is_async:
        builder.emit(Op.AWAIT)
    builder.jump(Op.JUMP_FALSE, goes_on)
    builder.emit(Op.POP)
    builder.region = clean_up.outer
    builder.emit(Op.POP_EXC)
    builder.emit(Op.POP)
    builder.jump(Op.JUMP, end)
    builder.region = clean_up
    builder.place(goes_on)
    builder.emit(Op.RERAISE)
    close_clean_up(to, clean_up, clean_up.outer)


MANAGERS: Table = {ast.With: lower_with, ast.AsyncWith: lower_with}
