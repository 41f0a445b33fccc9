"""Control objects: what has to happen when a block is left by break, continue or return.

They stand in a stack. Leaving runs them from the inside out; each is then off the stack, and the handler region is the one outside of
it, so that the code it runs is not guarded by the block it leaves.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from waymark.compiler.lower.builder import Label, Region


@dataclass(eq=False, slots=True)
class Loop:
    """A loop body. A `for` keeps its iterator on the stack."""

    start: Label
    end: Label
    """Where `break` goes, after `else`."""
    has_iterator: bool
    outer_region: Region | None


@dataclass(eq=False, slots=True)
class FinallyBody:
    """The body, handlers and else of a try with `finally`: leaving runs a copy of the finally body."""

    statements: list[ast.stmt]
    outer_region: Region | None


@dataclass(eq=False, slots=True)
class FinallyHandler:
    """The finally body while an exception passes through: previous exception and exception on the stack."""

    outer_region: Region | None


@dataclass(eq=False, slots=True)
class Handler:
    """The body of an `except`: the previous exception on the stack, perhaps a name to unbind."""

    local: int | None
    outer_region: Region | None


@dataclass(eq=False, slots=True)
class Managed:
    """The body of a `with`: the manager on the stack, to be left."""

    is_async: bool
    outer_region: Region | None
    node: ast.expr


@dataclass(eq=False, slots=True)
class KeptValue:
    """A return value on the stack, while a finally body runs above it."""


Block = Loop | FinallyBody | FinallyHandler | Handler | Managed | KeptValue
