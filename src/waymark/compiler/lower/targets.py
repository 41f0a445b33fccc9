"""Assignment targets: each takes the top of the stack."""

from __future__ import annotations

import ast

from waymark.compiler.bindings import Local
from waymark.compiler.lower.function import FunctionLowering
from waymark.compiler.lower.tables import Table
from waymark.program.instructions import Op


def local_of(to: FunctionLowering, node: ast.Name) -> int:
    """Index of the local that a name is bound to."""
    binding = to.resolved.bindings[node]
    assert isinstance(binding, Local), node.id
    return binding.index


def assign_name(to: FunctionLowering, node: ast.Name) -> None:
    to.store(local_of(to, node))


def assign_attribute(to: FunctionLowering, node: ast.Attribute) -> None:
    to.expression(node.value)
    to.builder.emit(Op.STORE_ATTR, to.resolved.source.mangled(node.attr))


def assign_item(to: FunctionLowering, node: ast.Subscript) -> None:
    to.expression(node.value)
    to.expression(node.slice)
    to.builder.emit(Op.STORE_ITEM)


def assign_parts(to: FunctionLowering, node: ast.Tuple | ast.List) -> None:
    """Unpack, then assign from left to right."""
    stars = [index for index, part in enumerate(node.elts) if isinstance(part, ast.Starred)]
    count = len(node.elts)
    if stars:
        before, after = stars[0], count - stars[0] - 1
        to.builder.emit(Op.UNPACK_REST, before | after << 8)
    else:
        to.builder.emit(Op.UNPACK, count)
    for part in node.elts:
        to.assign(part.value if isinstance(part, ast.Starred) else part)


TARGETS: Table = {
    ast.Name: assign_name,
    ast.Attribute: assign_attribute,
    ast.Subscript: assign_item,
    ast.Tuple: assign_parts,
    ast.List: assign_parts,
}
