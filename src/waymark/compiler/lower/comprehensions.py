"""Comprehensions, inlined as loops with locals of their own, and generator expressions, which are functions."""

from __future__ import annotations

import ast
from collections.abc import Callable

from waymark.compiler.bindings import Form
from waymark.compiler.lower.builder import Label
from waymark.compiler.lower.expressions import jump_if
from waymark.compiler.lower.function import FALSE, NONE, TRUE, FunctionLowering
from waymark.compiler.lower.functions import push_cells
from waymark.compiler.lower.tables import Table
from waymark.compiler.resolve.scopes import Comprehension
from waymark.program.instructions import Op


def lower_list_comprehension(to: FunctionLowering, node: ast.ListComp) -> None:
    to.builder.emit(Op.BUILD_LIST, 0)
    _add_elements(to, node, node.elt, Op.LIST_APPEND)


def lower_set_comprehension(to: FunctionLowering, node: ast.SetComp) -> None:
    to.builder.emit(Op.BUILD_SET, 0)
    _add_elements(to, node, node.elt, Op.SET_ADD)


def _add_elements(to: FunctionLowering, node: ast.ListComp | ast.SetComp, element: ast.expr, add: Op) -> None:
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


def lower_generator(to: FunctionLowering, node: ast.GeneratorExp) -> None:
    """A generator, or the list of its items where they are taken all at once."""
    if to.resolved.forms.get(node) is Form.COLLECTED:
        collect_list(to, node)
    else:
        _make_generator(to, node)


def collect_list(to: FunctionLowering, node: ast.GeneratorExp) -> None:
    """Push the list of all items."""
    to.builder.emit(Op.BUILD_LIST, 0)
    _drain(to, node, Op.LIST_APPEND)


def collect_set(to: FunctionLowering, node: ast.GeneratorExp) -> None:
    """Push the set of all items."""
    to.builder.emit(Op.BUILD_SET, 0)
    _drain(to, node, Op.SET_ADD)


def _drain(to: FunctionLowering, node: ast.GeneratorExp, add: Op) -> None:
    builder = to.builder
    start, end = Label(), Label()
    with builder.at(node):
        _make_generator(to, node)
        builder.place(start)
        builder.jump(Op.NEXT, end)
        builder.emit(add, 2)
        builder.jump_back(start)
        builder.place(end)


def _make_generator(to: FunctionLowering, node: ast.GeneratorExp) -> None:
    """The first iterable is evaluated now, in this function."""
    to.expression(node.generators[0].iter)
    to.builder.emit(Op.ITER)
    index = to.resolved.nested[node]
    push_cells(to, index)
    to.builder.emit(Op.MAKE_GENERATOR, index)


def lower_generator_body(to: FunctionLowering, node: ast.GeneratorExp) -> None:
    """The code of a generator expression."""

    def lower_element() -> None:
        to.expression(node.elt)
        to.builder.emit(Op.YIELD)

    to.load(0)
    _loop(to, node.generators, lower_element)
    to.constant(NONE)
    to.builder.emit(Op.RETURN)


def lower_any_all(to: FunctionLowering, node: ast.GeneratorExp, form: Form) -> None:
    """any() and all() stop at the first element that decides."""
    builder = to.builder
    wanted = form is Form.ANY
    start, exhausted, end = Label(), Label(), Label()
    _make_generator(to, node)
    builder.place(start)
    builder.jump(Op.NEXT, exhausted)
    decided = Label()
    builder.jump(Op.JUMP_TRUE if wanted else Op.JUMP_FALSE, decided)
    builder.jump_back(start)
    builder.place(exhausted)
    to.constant(FALSE if wanted else TRUE)
    builder.jump(Op.JUMP, end)
    builder.place(decided)
    builder.emit(Op.POP)
    to.constant(TRUE if wanted else FALSE)
    builder.place(end)


def loops(to: FunctionLowering, node: Comprehension, lower_element: Callable[[], None]) -> None:
    """The nested loops of a comprehension; its locals are unbound afterwards, as they are in Python."""
    scope = to.resolved.comprehensions[node]
    cells = tuple(index for index in scope.locals if to.resolved.is_cell(index))
    _clear(to, scope.locals if scope.clear_first else cells)
    to.expression(node.generators[0].iter)
    to.builder.emit(Op.ITER)
    _loop(to, node.generators, lower_element)
    _clear(to, scope.locals)


def _loop(
    to: FunctionLowering, generators: list[ast.comprehension], lower_element: Callable[[], None]
) -> None:
    """The loops, the iterator of the outermost on the stack."""
    builder = to.builder
    generator, inner = generators[0], generators[1:]
    start, end = Label(), Label()
    builder.place(start)
    builder.jump(Op.NEXT, end)
    to.assign(generator.target)
    skip = Label()
    for condition in generator.ifs:
        jump_if(to, condition, skip, False)
    if inner:
        to.expression(inner[0].iter)
        builder.emit(Op.ITER)
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
    ast.GeneratorExp: lower_generator,
    ast.SetComp: lower_set_comprehension,
    ast.DictComp: lower_dict_comprehension,
}
