"""Expressions: each leaves one value on the stack, in CPython's order of evaluation."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from waymark.compiler.bindings import (
    Action,
    Constant,
    Helper,
    Library,
    Local,
    SelfData,
    Stored,
    UserClass,
)
from waymark.compiler.lower.builder import Label
from waymark.compiler.lower.function import EMPTY_TEXT, NONE, FunctionLowering
from waymark.compiler.lower.tables import Table
from waymark.program.instructions import BINARY_OPERATORS, COMPARE_OPERATORS, UNARY_OPERATORS, Op
from waymark.values.codec import encode

_BINARY: dict[type, int] = {
    node: BINARY_OPERATORS.index(sign)
    for node, sign in {
        ast.Add: "+",
        ast.Sub: "-",
        ast.Mult: "*",
        ast.Div: "/",
        ast.FloorDiv: "//",
        ast.Mod: "%",
        ast.Pow: "**",
        ast.LShift: "<<",
        ast.RShift: ">>",
        ast.BitAnd: "&",
        ast.BitOr: "|",
        ast.BitXor: "^",
        ast.MatMult: "@",
    }.items()
}
_UNARY: dict[type, int] = {
    node: UNARY_OPERATORS.index(sign)
    for node, sign in {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not"}.items()
}
_COMPARE: dict[type, int] = {
    node: COMPARE_OPERATORS.index(sign)
    for node, sign in {
        ast.Eq: "==",
        ast.NotEq: "!=",
        ast.Lt: "<",
        ast.LtE: "<=",
        ast.Gt: ">",
        ast.GtE: ">=",
        ast.Is: "is",
        ast.IsNot: "is not",
        ast.In: "in",
        ast.NotIn: "not in",
    }.items()
}
_CONVERSIONS = {-1: 0, ord("s"): 1, ord("r"): 2, ord("a"): 3}

LARGE = 30
"""CPython puts up to this many items of a display on the stack before it builds the container."""


def binary_operator(operator: ast.operator) -> int:
    """Operand of BINARY and INPLACE."""
    return _BINARY[type(operator)]


def lower_constant(to: FunctionLowering, node: ast.Constant) -> None:
    binding = to.resolved.bindings.get(node)
    to.constant(binding.encoded if isinstance(binding, Constant) else encode(node.value))


def lower_name(to: FunctionLowering, node: ast.Name | ast.Attribute) -> None:
    """Push what a bound name stands for."""
    emit = to.builder.emit
    match to.resolved.bindings[node]:
        case Local(index):
            to.load(index)
        case Constant(encoded):
            emit(Op.CONST, encoded)
        case Stored() as stored:
            emit(Op.GLOBAL, stored)
        case Library(name):
            emit(Op.BUILTIN, name)
        case UserClass(info):
            emit(Op.CLASS, info)
        case Action(reference):
            emit(Op.ACTION, reference)
        case Helper(index=index, is_static=True):
            emit(Op.FUNCTION, index)
        case Helper(index=index):
            _self_of(to, node)
            emit(Op.BOUND, index)
        case SelfData(name):
            _self_of(to, node)
            emit(Op.ATTR, name)


def _self_of(to: FunctionLowering, node: ast.expr) -> None:
    """Push the workflow object of `self.name`."""
    assert isinstance(node, ast.Attribute)
    to.expression(node.value)


def lower_attribute(to: FunctionLowering, node: ast.Attribute) -> None:
    if node in to.resolved.bindings:
        lower_name(to, node)
        return
    to.expression(node.value)
    to.builder.emit(Op.ATTR, to.resolved.source.mangled(node.attr))


def lower_subscript(to: FunctionLowering, node: ast.Subscript) -> None:
    to.expression(node.value)
    to.expression(node.slice)
    to.builder.emit(Op.ITEM)


def lower_slice(to: FunctionLowering, node: ast.Slice) -> None:
    parts = [node.lower, node.upper]
    if node.step is not None:
        parts.append(node.step)
    for part in parts:
        if part is None:
            to.constant(NONE)
        else:
            to.expression(part)
    to.builder.emit(Op.SLICE, len(parts))


def lower_binary(to: FunctionLowering, node: ast.BinOp) -> None:
    to.expression(node.left)
    to.expression(node.right)
    to.builder.emit(Op.BINARY, binary_operator(node.op))


def lower_unary(to: FunctionLowering, node: ast.UnaryOp) -> None:
    """A negative number is a constant, as people see it."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            if not isinstance(value, bool):
                to.constant(encode(-value))
                return
        case _:
            pass
    to.expression(node.operand)
    to.builder.emit(Op.UNARY, _UNARY[type(node.op)])


def lower_boolean(to: FunctionLowering, node: ast.BoolOp) -> None:
    end = Label()
    op = Op.JUMP_FALSE_KEEP if isinstance(node.op, ast.And) else Op.JUMP_TRUE_KEEP
    for value in node.values[:-1]:
        to.expression(value)
        to.builder.jump(op, end)
    to.expression(node.values[-1])
    to.builder.place(end)


def lower_compare(to: FunctionLowering, node: ast.Compare) -> None:
    """A chain evaluates each middle operand once and stops at the first false comparison."""
    builder = to.builder
    to.expression(node.left)
    if len(node.ops) == 1:
        to.expression(node.comparators[0])
        builder.emit(Op.COMPARE, _COMPARE[type(node.ops[0])])
        return
    stop, end = Label(), Label()
    for operator, comparator in zip(node.ops[:-1], node.comparators[:-1], strict=True):
        to.expression(comparator)
        builder.emit(Op.SWAP, 2)
        builder.emit(Op.COPY, 2)
        builder.emit(Op.COMPARE, _COMPARE[type(operator)])
        builder.jump(Op.JUMP_FALSE_KEEP, stop)
    to.expression(node.comparators[-1])
    builder.emit(Op.COMPARE, _COMPARE[type(node.ops[-1])])
    builder.jump(Op.JUMP, end)
    builder.place(stop)
    builder.emit(Op.SWAP, 2)
    builder.emit(Op.POP)
    builder.place(end)


def lower_conditional(to: FunctionLowering, node: ast.IfExp) -> None:
    otherwise, end = Label(), Label()
    jump_if(to, node.test, otherwise, False)
    to.expression(node.body)
    to.builder.jump(Op.JUMP, end)
    to.builder.place(otherwise)
    to.expression(node.orelse)
    to.builder.place(end)


def jump_if(to: FunctionLowering, node: ast.expr, target: Label, wanted: bool) -> None:
    """Evaluate a condition and jump when its truth is `wanted`; nothing stays on the stack."""
    builder = to.builder
    with builder.at(node):
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                jump_if(to, operand, target, not wanted)
            case ast.BoolOp(op=operator, values=values):
                stops_on = isinstance(operator, ast.Or)
                if stops_on == wanted:
                    for value in values:
                        jump_if(to, value, target, wanted)
                else:
                    end = Label()
                    for value in values[:-1]:
                        jump_if(to, value, end, stops_on)
                    jump_if(to, values[-1], target, wanted)
                    builder.place(end)
            case _:
                to.expression(node)
                builder.jump(Op.JUMP_TRUE if wanted else Op.JUMP_FALSE, target)


def lower_walrus(to: FunctionLowering, node: ast.NamedExpr) -> None:
    to.expression(node.value)
    to.builder.emit(Op.COPY, 1)
    to.assign(node.target)


def lower_await(to: FunctionLowering, node: ast.Await) -> None:
    to.expression(node.value)
    to.builder.emit(Op.AWAIT)


def lower_text(to: FunctionLowering, node: ast.JoinedStr) -> None:
    """An f-string: its parts, joined. Some Pythons leave empty texts between them."""
    parts = [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
    for part in parts:
        to.expression(part)
    if not parts:
        to.constant(EMPTY_TEXT)
    elif len(parts) > 1:
        to.builder.emit(Op.BUILD_STRING, len(parts))


def lower_formatted(to: FunctionLowering, node: ast.FormattedValue) -> None:
    to.expression(node.value)
    if node.format_spec is None:
        to.constant(EMPTY_TEXT)
    else:
        to.expression(node.format_spec)
    to.builder.emit(Op.FORMAT, _CONVERSIONS[node.conversion])


def lower_list(to: FunctionLowering, node: ast.List) -> None:
    display(to, node.elts, Op.BUILD_LIST, Op.LIST_APPEND, Op.LIST_EXTEND)


def lower_set(to: FunctionLowering, node: ast.Set) -> None:
    display(to, node.elts, Op.BUILD_SET, Op.SET_ADD, Op.SET_UPDATE)


def lower_tuple(to: FunctionLowering, node: ast.Tuple) -> None:
    tuple_of(to, node.elts)


def tuple_of(to: FunctionLowering, elements: Sequence[ast.expr]) -> None:
    """Push a tuple of expressions, some perhaps starred."""
    if len(elements) <= LARGE and not any(isinstance(part, ast.Starred) for part in elements):
        for part in elements:
            to.expression(part)
        to.builder.emit(Op.BUILD_TUPLE, len(elements))
        return
    display(to, elements, Op.BUILD_LIST, Op.LIST_APPEND, Op.LIST_EXTEND)
    to.builder.emit(Op.LIST_TO_TUPLE)


def display(to: FunctionLowering, elements: Sequence[ast.expr], build: Op, add: Op, extend: Op) -> None:
    """Push a container of expressions; from the first starred one on, items are added one by one."""
    builder = to.builder
    stars = [index for index, part in enumerate(elements) if isinstance(part, ast.Starred)]
    first = stars[0] if stars else len(elements)
    at_once = first if first <= LARGE else 0
    for part in elements[:at_once]:
        to.expression(part)
    builder.emit(build, at_once)
    for part in elements[at_once:]:
        if isinstance(part, ast.Starred):
            to.expression(part.value)
            builder.emit(extend, 1)
        else:
            to.expression(part)
            builder.emit(add, 1)


def lower_dict(to: FunctionLowering, node: ast.Dict) -> None:
    """A dict display. Runs of plain items are built as CPython groups them, `**` parts are merged between."""
    builder = to.builder
    groups: list[list[tuple[ast.expr, ast.expr]] | ast.expr] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            groups.append(value)
        elif groups and isinstance(groups[-1], list) and len(groups[-1]) <= LARGE // 2 + 1:
            groups[-1].append((key, value))
        else:
            groups.append([(key, value)])
    if not groups or not isinstance(groups[0], list):
        builder.emit(Op.BUILD_DICT, 0)
    for index, group in enumerate(groups):
        if isinstance(group, list):
            _items(to, group)
        else:
            to.expression(group)
        if index or not isinstance(group, list):
            builder.emit(Op.DICT_UPDATE, 1)


def _items(to: FunctionLowering, items: list[tuple[ast.expr, ast.expr]]) -> None:
    builder = to.builder
    one_by_one = 2 * len(items) > LARGE
    if one_by_one:
        builder.emit(Op.BUILD_DICT, 0)
    for key, value in items:
        to.expression(key)
        to.expression(value)
        if one_by_one:
            builder.emit(Op.DICT_SET, 1)
    if not one_by_one:
        builder.emit(Op.BUILD_DICT, len(items))


EXPRESSIONS: Table = {
    ast.Constant: lower_constant,
    ast.Name: lower_name,
    ast.Attribute: lower_attribute,
    ast.Subscript: lower_subscript,
    ast.Slice: lower_slice,
    ast.BinOp: lower_binary,
    ast.UnaryOp: lower_unary,
    ast.BoolOp: lower_boolean,
    ast.Compare: lower_compare,
    ast.IfExp: lower_conditional,
    ast.NamedExpr: lower_walrus,
    ast.Await: lower_await,
    ast.JoinedStr: lower_text,
    ast.FormattedValue: lower_formatted,
    ast.List: lower_list,
    ast.Set: lower_set,
    ast.Tuple: lower_tuple,
    ast.Dict: lower_dict,
}
