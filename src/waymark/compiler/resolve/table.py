"""The functions of a program, numbered in the order in which they are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waymark.compiler.bindings import ResolvedFunction
from waymark.compiler.source import FunctionSource

if TYPE_CHECKING:
    from waymark.compiler.resolve.functions import FunctionResolver


class FunctionTable:
    """Every function that the program will hold; its index is its number there."""

    def __init__(self) -> None:
        self.resolvers: list[FunctionResolver] = []

    def add(self, resolver: FunctionResolver) -> int:
        """Give a function its number."""
        self.resolvers.append(resolver)
        return len(self.resolvers) - 1

    def source(self, index: int) -> FunctionSource:
        """Where a function is written."""
        return self.resolvers[index].source

    def functions(self) -> tuple[ResolvedFunction, ...]:
        """All of them, resolved."""
        return tuple(resolver.result for resolver in self.resolvers)
