"""Lowers one function: the state that all parts share, and the dispatch to them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from waymark.compiler.bindings import ResolvedFunction
from waymark.compiler.lower.blocks import Block
from waymark.compiler.lower.builder import CodeBuilder
from waymark.program.instructions import Op
from waymark.values.codec import encode

if TYPE_CHECKING:
    from waymark.compiler.lower.tables import Lowerings

NONE = encode(None)
TRUE = encode(True)
FALSE = encode(False)
EMPTY_TEXT = encode("")


class FunctionLowering:
    """One function while it is lowered.

    Attributes:
        builder: Where instructions go.
        blocks: Control objects, innermost last.
        resolved: What names stand for.
    """

    def __init__(
        self,
        resolved: ResolvedFunction,
        lowerings: Lowerings,
        functions: tuple[ResolvedFunction, ...],
    ) -> None:
        self.resolved = resolved
        self._functions = functions
        self.builder = CodeBuilder(resolved.source.node)
        self.blocks: list[Block] = []
        self._lowerings = lowerings

    def lower(self) -> None:
        """Lower the whole body; a function that comes to its end returns None."""
        self.statements(_without_docstring(self.resolved.source.statements))
        self.constant(NONE)
        self.builder.emit(Op.RETURN)

    def statements(self, statements: list[ast.stmt]) -> None:
        """Lower statements in order."""
        for statement in statements:
            self._dispatch(self._lowerings.statements, statement)

    def expression(self, node: ast.expr) -> None:
        """Lower an expression: its value is then on top of the stack."""
        self._dispatch(self._lowerings.expressions, node)

    def assign(self, target: ast.expr) -> None:
        """Store the top of the stack in a target."""
        self._dispatch(self._lowerings.targets, target)

    def free_of(self, index: int) -> tuple[int, ...]:
        """The locals of this function that a function inside it uses."""
        return tuple(self._functions[index].free.values())

    def load(self, index: int) -> None:
        """Push a local."""
        self.builder.emit(Op.CELL if self.resolved.is_cell(index) else Op.LOCAL, index)

    def store(self, index: int) -> None:
        """Give a local the top of the stack."""
        self.builder.emit(Op.STORE_CELL if self.resolved.is_cell(index) else Op.STORE, index)

    def delete(self, index: int) -> None:
        """Unbind a local."""
        self.builder.emit(Op.DELETE_CELL if self.resolved.is_cell(index) else Op.DELETE, index)

    def constant(self, encoded: bytes) -> None:
        """Push an encoded constant."""
        self.builder.emit(Op.CONST, encoded)

    def _dispatch(self, table: dict[type, Callable[..., None]], node: ast.AST) -> None:
        builder = self.builder
        outer, builder.node = builder.node, node
        table[type(node)](self, node)
        builder.node = outer


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body[0]:
        case ast.Expr(value=ast.Constant(value=str())):
            return body[1:]
        case _:
            return body
