"""Comprehensions, inlined as loops with locals of their own."""

from __future__ import annotations

import ast
from collections.abc import Callable

from waymark.compiler.bindings import Form
from waymark.compiler.lower.builder import Label
from waymark.compiler.lower.expressions import jump_if
from waymark.compiler.lower.function import FALSE, NONE, TRUE, FunctionLowering
from waymark.compiler.lower.tables import Table
from waymark.program.instructions import Op

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def lower_list_comprehension(to: FunctionLowering, node: ast.ListComp | ast.GeneratorExp) -> None:
    """A list; generator expressions that are consumed at once are lists too."""
    to.builder.emit(Op.BUILD_LIST, 0)
    _add_elements(to, node, node.elt, Op.LIST_APPEND)


def lower_set_comprehension(to: FunctionLowering, node: ast.SetComp | ast.GeneratorExp) -> None:
    to.builder.emit(Op.BUILD_SET, 0)
    _add_elements(to, node, node.elt, Op.SET_ADD)


def _add_elements(
    to: FunctionLowering, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, element: ast.expr, add: Op
) -> None:
    def lower_element() -> None:
        to.expression(element)
        to.builder.emit(add, len(node.generators) + 1)

    loops(to, node, lower_element)


def lower_dict_comprehension(to: FunctionLowering, node: ast.DictComp) -> None:
    def lower_item() -> None:
        to.expression(node.key)
        to.expression(node.value)
        to.builder.emit(Op.DICT_SET, len(node.generators) + 1)

    to.builder.emit(Op.BUILD_DICT, 0)
    loops(to, node, lower_item)


def lower_any_all(to: FunctionLowering, node: ast.GeneratorExp, form: Form) -> None:
    """any() and all() stop at the first element that decides."""
    builder = to.builder
    wanted = form is Form.ANY
    decided, end = Label(), Label()

    def lower_element() -> None:
        jump_if(to, node.elt, decided, wanted)

    loops(to, node, lower_element)
    to.constant(FALSE if wanted else TRUE)
    builder.jump(Op.JUMP, end)
    builder.place(decided)
    if builder.is_reachable:
        for _ in node.generators:
            builder.emit(Op.POP)
        _clear(to, to.resolved.comprehensions[node].locals)
    to.constant(TRUE if wanted else FALSE)
    builder.place(end)


def loops(to: FunctionLowering, node: Comprehension, lower_element: Callable[[], None]) -> None:
    """The nested loops of a comprehension; its locals are unbound afterwards, as they are in Python."""
    scope = to.resolved.comprehensions[node]
    cells = tuple(index for index in scope.locals if to.resolved.is_cell(index))
    _clear(to, scope.locals if scope.clear_first else cells)
    _loop(to, node.generators, lower_element)
    _clear(to, scope.locals)


def _loop(
    to: FunctionLowering, generators: list[ast.comprehension], lower_element: Callable[[], None]
) -> None:
    builder = to.builder
    generator, inner = generators[0], generators[1:]
    start, end = Label(), Label()
    to.expression(generator.iter)
    builder.emit(Op.ITER)
    builder.place(start)
    builder.jump(Op.NEXT, end)
    to.assign(generator.target)
    skip = Label()
    for condition in generator.ifs:
        jump_if(to, condition, skip, False)
    if inner:
        _loop(to, inner, lower_element)
    else:
        lower_element()
    builder.place(skip)
    builder.jump_back(start)
    builder.place(end)


def _clear(to: FunctionLowering, indexes: tuple[int, ...]) -> None:
    """Unbind locals; a cell is given up, for functions made in the comprehension keep theirs."""
    for index in indexes:
        if to.resolved.is_cell(index):
            to.builder.emit(Op.NEW_CELL, index)
        else:
            to.constant(NONE)
            to.builder.emit(Op.STORE, index)
            to.builder.emit(Op.DELETE, index)


COMPREHENSIONS: Table = {
    ast.ListComp: lower_list_comprehension,
    ast.GeneratorExp: lower_list_comprehension,
    ast.SetComp: lower_set_comprehension,
    ast.DictComp: lower_dict_comprehension,
}
