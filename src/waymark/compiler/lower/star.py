"""The handlers of `except*`: each gets its part of the exception, and what all of them leave behind is raised in the end.

The stack holds the previous exception, the one that came, a list of what the handlers raised, and what no handler has caught so far.
Nothing leaves a handler but by an exception, for CPython allows no jump out of it.
"""

from __future__ import annotations

import ast

from waymark.compiler.lower.builder import Label, Region
from waymark.compiler.lower.function import NONE, FunctionLowering
from waymark.compiler.lower.leaving import unbind
from waymark.program.instructions import COMPARE_OPERATORS, Op

_IS = COMPARE_OPERATORS.index("is")


def lower_star_handlers(
    to: FunctionLowering, handlers: list[ast.ExceptHandler], outer: Region | None, end: Label
) -> None:
    """previous exc -> nothing: the handlers, then the end of the statement or what is left to raise."""
    builder = to.builder
    done = Label()
    builder.emit(Op.BUILD_LIST, 0)
    builder.emit(Op.COPY, 2)
    for handler in handlers:
        with builder.at(handler):
            _lower_handler(to, handler)
    builder.emit(Op.LIST_APPEND, 1)
    builder.emit(Op.STAR_RAISE)
    _jump_if_none(to, done)
    builder.emit(Op.RERAISE)
    builder.place(done)
    builder.emit(Op.POP)
    builder.region = outer
    builder.emit(Op.POP_EXC)
    builder.jump(Op.JUMP, end)


def _lower_handler(to: FunctionLowering, handler: ast.ExceptHandler) -> None:
    builder = to.builder
    clean_up = builder.region
    unmatched, following = Label(), Label()
    assert handler.type is not None
    to.expression(handler.type)
    builder.emit(Op.STAR_MATCH)
    _jump_if_none(to, unmatched)
    local = None if handler.name is None else to.resolved.handler_locals[handler]
    if local is None:
        builder.emit(Op.POP)
    else:
        to.store(local)
    inner = builder.open_region()
    to.statements(handler.body)
    builder.region = clean_up
    if local is not None:
        unbind(to, local)
    builder.jump(Op.JUMP, following)
    if builder.enter_handler(inner):
        builder.emit(Op.LIST_APPEND, 2)
        if local is not None:
            unbind(to, local)
        builder.jump(Op.JUMP, following)
    builder.place(unmatched)
    builder.emit(Op.POP)
    builder.place(following)


def _jump_if_none(to: FunctionLowering, label: Label) -> None:
    """v -> v; jump when it is None."""
    to.builder.emit(Op.COPY, 1)
    to.constant(NONE)
    to.builder.emit(Op.COMPARE, _IS)
    to.builder.jump(Op.JUMP_TRUE, label)
