"""for and while, with break, continue and else."""

from __future__ import annotations

import ast

from waymark.compiler.lower.blocks import Loop
from waymark.compiler.lower.builder import Label
from waymark.compiler.lower.expressions import jump_if
from waymark.compiler.lower.function import FunctionLowering
from waymark.compiler.lower.leaving import left_blocks
from waymark.compiler.lower.tables import Table
from waymark.program.instructions import Op


def lower_for(to: FunctionLowering, node: ast.For) -> None:
    """The iterator stays on the stack while the body runs."""
    builder = to.builder
    start, exhausted, end = Label(), Label(), Label()
    to.expression(node.iter)
    builder.emit(Op.ITER)
    builder.place(start)
    builder.jump(Op.NEXT, exhausted)
    to.assign(node.target)
    _body(to, node.body, Loop(start, end, has_iterator=True, outer_region=builder.region))
    builder.jump_back(start)
    builder.place(exhausted)
    to.statements(node.orelse)
    builder.place(end)


def lower_while(to: FunctionLowering, node: ast.While) -> None:
    builder = to.builder
    start, false, end = Label(), Label(), Label()
    builder.place(start)
    if not (isinstance(node.test, ast.Constant) and node.test.value):
        jump_if(to, node.test, false, False)
    _body(to, node.body, Loop(start, end, has_iterator=False, outer_region=builder.region))
    builder.jump_back(start)
    builder.place(false)
    to.statements(node.orelse)
    builder.place(end)


def _body(to: FunctionLowering, statements: list[ast.stmt], loop: Loop) -> None:
    to.blocks.append(loop)
    to.statements(statements)
    to.blocks.pop()


def lower_break(to: FunctionLowering, node: ast.Break) -> None:
    depth = _inside_loop(to)
    loop = to.blocks[-depth - 1]
    assert isinstance(loop, Loop)
    with left_blocks(to, depth + 1, keeps_value=False):
        to.builder.jump(Op.JUMP, loop.end)


def lower_continue(to: FunctionLowering, node: ast.Continue) -> None:
    depth = _inside_loop(to)
    loop = to.blocks[-depth - 1]
    assert isinstance(loop, Loop)
    with left_blocks(to, depth, keeps_value=False):
        to.builder.jump_back(loop.start)


def _inside_loop(to: FunctionLowering) -> int:
    """How many blocks stand between here and the innermost loop."""
    return next(depth for depth, block in enumerate(reversed(to.blocks)) if isinstance(block, Loop))


LOOPS: Table = {
    ast.For: lower_for,
    ast.While: lower_while,
    ast.Break: lower_break,
    ast.Continue: lower_continue,
}
