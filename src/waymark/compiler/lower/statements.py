"""Statements that neither loop nor catch."""

from __future__ import annotations

import ast

from waymark.compiler.lower.builder import Label
from waymark.compiler.lower.expressions import binary_operator, jump_if
from waymark.compiler.lower.function import NONE, FunctionLowering
from waymark.compiler.lower.leaving import left_blocks
from waymark.compiler.lower.tables import Table
from waymark.compiler.lower.targets import local_of
from waymark.program.instructions import Op


def lower_expression_statement(to: FunctionLowering, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        to.expression(node.value)
        to.builder.emit(Op.POP)


def lower_assign(to: FunctionLowering, node: ast.Assign) -> None:
    """The value first, then the targets from left to right."""
    to.expression(node.value)
    for target in node.targets[:-1]:
        to.builder.emit(Op.COPY, 1)
        to.assign(target)
    to.assign(node.targets[-1])


def lower_annotated(to: FunctionLowering, node: ast.AnnAssign) -> None:
    """Without a value, only what the target consists of is evaluated."""
    if node.value is not None:
        to.expression(node.value)
        to.assign(node.target)
        return
    match node.target:
        case ast.Attribute(value=value):
            parts: list[ast.expr] = [value]
        case ast.Subscript(value=value, slice=key):
            parts = [value, key]
        case _:
            parts = []
    for part in parts:
        to.expression(part)
        to.builder.emit(Op.POP)


def lower_augmented(to: FunctionLowering, node: ast.AugAssign) -> None:
    """The target's parts are evaluated once, before the value."""
    emit = to.builder.emit
    operator = binary_operator(node.op)
    match node.target:
        case ast.Name() as name:
            to.load(local_of(to, name))
            to.expression(node.value)
            emit(Op.INPLACE, operator)
            to.store(local_of(to, name))
        case ast.Attribute(value=value, attr=attribute):
            attribute = to.resolved.source.mangled(attribute)
            to.expression(value)
            emit(Op.COPY, 1)
            emit(Op.ATTR, attribute)
            to.expression(node.value)
            emit(Op.INPLACE, operator)
            emit(Op.SWAP, 2)
            emit(Op.STORE_ATTR, attribute)
        case ast.Subscript(value=value, slice=key):
            to.expression(value)
            to.expression(key)
            emit(Op.COPY, 2)
            emit(Op.COPY, 2)
            emit(Op.ITEM)
            to.expression(node.value)
            emit(Op.INPLACE, operator)
            emit(Op.SWAP, 3)
            emit(Op.SWAP, 2)
            emit(Op.STORE_ITEM)


def lower_delete(to: FunctionLowering, node: ast.Delete) -> None:
    for target in node.targets:
        _delete(to, target)


def _delete(to: FunctionLowering, target: ast.expr) -> None:
    with to.builder.at(target):
        match target:
            case ast.Name():
                to.delete(local_of(to, target))
            case ast.Attribute(value=value, attr=attribute):
                to.expression(value)
                to.builder.emit(Op.DELETE_ATTR, to.resolved.source.mangled(attribute))
            case ast.Subscript(value=value, slice=key):
                to.expression(value)
                to.expression(key)
                to.builder.emit(Op.DELETE_ITEM)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    _delete(to, part)


def lower_if(to: FunctionLowering, node: ast.If) -> None:
    """A chain of `elif` is walked in a loop: it may be longer than the nesting that is allowed."""
    builder = to.builder
    end = Label()
    while True:
        otherwise = Label()
        jump_if(to, node.test, otherwise, False)
        to.statements(node.body)
        if node.orelse:
            builder.jump(Op.JUMP, end)
        builder.place(otherwise)
        match node.orelse:
            case [ast.If() as following]:
                builder.node = node = following
            case rest:
                to.statements(rest)
                break
    builder.place(end)


def lower_return(to: FunctionLowering, node: ast.Return) -> None:
    """The value is evaluated first and kept on the stack while the blocks around are left."""
    if node.value is None:
        to.constant(NONE)
    else:
        to.expression(node.value)
    with left_blocks(to, len(to.blocks), keeps_value=True):
        to.builder.emit(Op.RETURN)


def lower_pass(to: FunctionLowering, node: ast.Pass) -> None:
    """Nothing."""


def lower_assert(to: FunctionLowering, node: ast.Assert) -> None:
    builder = to.builder
    holds = Label()
    jump_if(to, node.test, holds, True)
    builder.emit(Op.BUILTIN, "AssertionError")
    if node.msg is not None:
        to.expression(node.msg)
        builder.emit(Op.CALL, 1)
    builder.emit(Op.RAISE, 1)
    builder.place(holds)


STATEMENTS: Table = {
    ast.Expr: lower_expression_statement,
    ast.Assign: lower_assign,
    ast.AnnAssign: lower_annotated,
    ast.AugAssign: lower_augmented,
    ast.Delete: lower_delete,
    ast.If: lower_if,
    ast.Return: lower_return,
    ast.Pass: lower_pass,
    ast.Assert: lower_assert,
}
