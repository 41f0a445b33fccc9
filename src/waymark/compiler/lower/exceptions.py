"""try and raise.

A handler is entered with the exception on the stack. It saves the exception handled so far (PUSH_EXC) and restores it on every way
out (POP_EXC). An exception that leaves the handler itself goes to a clean-up handler that restores it too.
"""

from __future__ import annotations

import ast

from waymark.compiler.lower.blocks import FinallyBody, FinallyHandler, Handler
from waymark.compiler.lower.builder import Label, Region
from waymark.compiler.lower.function import FunctionLowering
from waymark.compiler.lower.leaving import unbind
from waymark.compiler.lower.star import lower_star_handlers
from waymark.compiler.lower.tables import Table
from waymark.program.instructions import Op


def lower_try(to: FunctionLowering, node: ast.Try | ast.TryStar) -> None:
    if node.finalbody:
        _lower_finally(to, node)
    else:
        _lower_except(to, node)


def _lower_finally(to: FunctionLowering, node: ast.Try | ast.TryStar) -> None:
    """The finally body is lowered for every way out: the end, each jump out (in `leaving`), an exception."""
    builder = to.builder
    end = Label()
    outer = builder.region
    region = builder.open_region()
    to.blocks.append(FinallyBody(node.finalbody, outer))
    if node.handlers:
        _lower_except(to, node)
    else:
        to.statements(node.body)
    to.blocks.pop()
    builder.region = outer
    to.statements(node.finalbody)
    builder.jump(Op.JUMP, end)

    if _enter(to, region):
        clean_up = open_clean_up(to)
        to.blocks.append(FinallyHandler(outer))
        to.statements(node.finalbody)
        to.blocks.pop()
        builder.emit(Op.RERAISE)
        close_clean_up(to, clean_up, outer)
    builder.place(end)


def _lower_except(to: FunctionLowering, node: ast.Try | ast.TryStar) -> None:
    builder = to.builder
    end = Label()
    outer = builder.region
    region = builder.open_region()
    to.statements(node.body)
    builder.region = outer
    to.statements(node.orelse)
    builder.jump(Op.JUMP, end)

    if _enter(to, region):
        clean_up = open_clean_up(to)
        if isinstance(node, ast.TryStar):
            lower_star_handlers(to, node.handlers, outer, end)
        else:
            for handler in node.handlers:
                _lower_handler(to, handler, outer, end)
            builder.emit(Op.RERAISE)
        close_clean_up(to, clean_up, outer)
    builder.place(end)


def _lower_handler(
    to: FunctionLowering, handler: ast.ExceptHandler, outer: Region | None, end: Label
) -> None:
    """One `except`; previous exception and exception are on the stack, and stay when it does not match."""
    builder = to.builder
    clean_up = builder.region
    following = Label()
    with builder.at(handler):
        if handler.type is not None:
            to.expression(handler.type)
            builder.emit(Op.EXC_MATCH)
            builder.jump(Op.JUMP_FALSE, following)
        if handler.name is None:
            builder.emit(Op.POP)
            _handler_body(to, handler, Handler(None, outer))
            builder.region = outer
            builder.emit(Op.POP_EXC)
        else:
            _named_handler(to, handler, outer)
        builder.jump(Op.JUMP, end)
        builder.region = clean_up
        builder.place(following)


def _named_handler(to: FunctionLowering, handler: ast.ExceptHandler, outer: Region | None) -> None:
    """`except E as name`: the name is unbound on every way out, an exception included."""
    builder = to.builder
    clean_up = builder.region
    local = to.resolved.handler_locals[handler]
    after = Label()
    to.store(local)
    inner = builder.open_region()
    _handler_body(to, handler, Handler(local, outer))
    builder.region = outer
    builder.emit(Op.POP_EXC)
    unbind(to, local)
    builder.jump(Op.JUMP, after)
    builder.region = clean_up
    if builder.enter_handler(inner):
        unbind(to, local)
        builder.emit(Op.RERAISE)
    builder.region = outer
    builder.place(after)


def _handler_body(to: FunctionLowering, handler: ast.ExceptHandler, block: Handler) -> None:
    to.blocks.append(block)
    to.statements(handler.body)
    to.blocks.pop()


def _enter(to: FunctionLowering, region: Region) -> bool:
    return to.builder.enter_handler(region)


def open_clean_up(to: FunctionLowering) -> Region:
    """Save the handled exception and guard the handler: exc -> previous exc."""
    builder = to.builder
    clean_up = Region(Label(), builder.depth or 0, builder.region)
    builder.emit(Op.PUSH_EXC)
    builder.region = clean_up
    return clean_up


def close_clean_up(to: FunctionLowering, clean_up: Region, outer: Region | None) -> None:
    """Restore the handled exception when another one leaves the handler."""
    builder = to.builder
    builder.region = outer
    if builder.enter_handler(clean_up):
        builder.emit(Op.SWAP, 2)
        builder.emit(Op.POP_EXC)
        builder.emit(Op.RERAISE)


def lower_raise(to: FunctionLowering, node: ast.Raise) -> None:
    parts = [part for part in (node.exc, node.cause) if part is not None]
    for part in parts:
        to.expression(part)
    to.builder.emit(Op.RAISE, len(parts))


EXCEPTIONS: Table = {ast.Try: lower_try, ast.TryStar: lower_try, ast.Raise: lower_raise}
