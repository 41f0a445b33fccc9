"""Calls: arguments in order, run_action with its policies, and the forms that `resolve` has marked."""

from __future__ import annotations

import ast

from waymark.compiler.bindings import Form
from waymark.compiler.lower.comprehensions import (
    collect_list,
    collect_set,
    lower_any_all,
)
from waymark.compiler.lower.expressions import display, lower_binary
from waymark.compiler.lower.function import NONE, FunctionLowering
from waymark.compiler.lower.tables import Table
from waymark.compiler.resolve.calls import union_parts
from waymark.program.instructions import Op
from waymark.values.codec import encode

RETRY, TIMEOUT = 1, 2
"""Flags of RUN_ACTION."""


def lower_call(to: FunctionLowering, node: ast.Call) -> None:
    match to.resolved.forms.get(node), node.args:
        case Form.RUN_ACTION, _:
            _run_action(to, node)
        case Form.SUPER, _:
            assert to.resolved.self_index is not None
            to.load(to.resolved.self_index)
        case Form.CAST, [_, value]:
            to.expression(value)
        case (Form.ANY | Form.ALL) as form, [ast.GeneratorExp() as generator]:
            with to.builder.at(generator):
                lower_any_all(to, generator, form)
        case Form.LIST, [ast.GeneratorExp() as generator]:
            collect_list(to, generator)
        case Form.TUPLE, [ast.GeneratorExp() as generator]:
            collect_list(to, generator)
            to.builder.emit(Op.LIST_TO_TUPLE)
        case Form.SET, [ast.GeneratorExp() as generator]:
            collect_set(to, generator)
        case _:
            _plain_call(to, node)


def _plain_call(to: FunctionLowering, node: ast.Call) -> None:
    builder = to.builder
    to.expression(node.func)
    has_star = any(isinstance(part, ast.Starred) for part in node.args)
    if has_star or any(keyword.arg is None for keyword in node.keywords):
        _unpacking_call(to, node)
        return
    for part in node.args:
        to.expression(part)
    if not node.keywords:
        builder.emit(Op.CALL, len(node.args))
        return
    names = tuple(to.resolved.source.mangled(keyword.arg or "") for keyword in node.keywords)
    for keyword in node.keywords:
        with builder.at(keyword):
            to.expression(keyword.value)
    to.constant(encode(names))
    builder.emit(Op.CALL_KW, len(node.args) + len(names))


def _unpacking_call(to: FunctionLowering, node: ast.Call) -> None:
    """f(*args, **kwargs): one starred argument alone is handed over as it is, as CPython does."""
    builder = to.builder
    match node.args:
        case [ast.Starred(value=value)]:
            to.expression(value)
        case arguments:
            display(to, arguments, Op.BUILD_LIST, Op.LIST_APPEND, Op.LIST_EXTEND)
    if node.keywords:
        _keyword_dict(to, node.keywords)
    builder.emit(Op.CALL_EX, 1 if node.keywords else 0)


def _keyword_dict(to: FunctionLowering, keywords: list[ast.keyword]) -> None:
    """Named arguments in runs, `**` parts between; every merge refuses a name that is there already."""
    builder = to.builder
    builder.emit(Op.BUILD_DICT, 0)
    run: list[ast.keyword] = []

    def merge_run() -> None:
        if run:
            for keyword in run:
                to.constant(encode(to.resolved.source.mangled(keyword.arg or "")))
                to.expression(keyword.value)
            builder.emit(Op.BUILD_DICT, len(run))
            builder.emit(Op.KWARGS_MERGE, 1)
            run.clear()

    for keyword in keywords:
        if keyword.arg is None:
            merge_run()
            to.expression(keyword.value)
            builder.emit(Op.KWARGS_MERGE, 1)
        else:
            run.append(keyword)
    merge_run()


def _run_action(to: FunctionLowering, node: ast.Call) -> None:
    """The policies are ordinary values, evaluated in the order they are written in."""
    builder = to.builder
    to.expression(node.args[0])
    names = [keyword.arg for keyword in node.keywords]
    for keyword in node.keywords:
        to.expression(keyword.value)
    if names == ["timeout", "retry"]:
        builder.emit(Op.SWAP, 2)
    builder.emit(Op.RUN_ACTION, RETRY * ("retry" in names) | TIMEOUT * ("timeout" in names))


def lower_binary_or_union(to: FunctionLowering, node: ast.BinOp) -> None:
    """`A | B` in isinstance is a tuple of classes, which answers alike; elsewhere it is the operator."""
    if to.resolved.forms.get(node) is not Form.UNION:
        lower_binary(to, node)
        return
    parts = union_parts(node)
    for part in parts:
        if isinstance(part, ast.Constant):
            to.builder.emit(Op.BUILTIN, "type")
            to.constant(NONE)
            to.builder.emit(Op.CALL, 1)
        else:
            to.expression(part)
    to.builder.emit(Op.BUILD_TUPLE, len(parts))


CALLS: Table = {ast.Call: lower_call, ast.BinOp: lower_binary_or_union}
