"""Emits instructions of one function with labels, source positions and handler regions.

The builder follows the depth of the stack as it emits. After an instruction that never falls through, nothing is emitted until a label
that something jumps to: code that cannot be reached never comes into being, and neither do handlers that guard nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from waymark.program.instructions import INSTRUCTIONS, Op

MAX_INSTRUCTIONS = 50_000
"""Of one function. `finally` bodies are copied to every way out, so a small text can become long code."""


class TooLong(Exception):
    """A function has more than MAX_INSTRUCTIONS."""


class Label:
    """A place in the code, to jump to."""

    __slots__ = ("depth", "position")

    def __init__(self) -> None:
        self.position: int | None = None
        """Index of the instruction it stands before, once placed."""
        self.depth: int | None = None
        """Stack depth there, known from the first jump to it."""


@dataclass(eq=False, slots=True)
class Region:
    """Code whose exceptions go to one handler."""

    handler: Label
    depth: int
    """What stays on the stack when the handler is entered, below the exception."""
    outer: Region | None
    is_used: bool = False
    """Something was emitted inside."""


@dataclass(eq=False, slots=True)
class Instruction:
    """One instruction before assembly. Operands that index a table are still the thing itself."""

    op: Op
    operand: object
    node: ast.AST
    region: Region | None


class CodeBuilder:
    """Instructions of one function, in order."""

    def __init__(self, node: ast.AST) -> None:
        self.instructions: list[Instruction] = []
        self.depth: int | None = 0
        """Values on the stack; None where nothing can get to."""
        self.region: Region | None = None
        self.node = node
        """Node that what is emitted stands for."""

    @property
    def is_reachable(self) -> bool:
        return self.depth is not None

    def emit(self, op: Op, operand: object = 0, count: int | None = None) -> None:
        """Emit an instruction that does not jump.

        Args:
            operand: A number, or the thing that assembly gives a number.
            count: What the stack effect depends on, when it is not the operand.
        """
        if self.depth is None:
            return
        if len(self.instructions) >= MAX_INSTRUCTIONS:
            raise TooLong
        row = INSTRUCTIONS[op]
        number = count if count is not None else operand if isinstance(operand, int) else 0
        self._add(op, operand)
        self.depth += row.pushes(number) - row.pops(number)
        if row.ends:
            self.depth = None

    def jump(self, op: Op, label: Label) -> None:
        """Emit an instruction that may jump to a label."""
        if self.depth is None:
            return
        row = INSTRUCTIONS[op]
        assert row.jump_pops is not None
        at_target = self.depth - row.jump_pops
        assert label.depth is None or label.depth == at_target, (op, label.depth, at_target)
        label.depth = at_target
        self._add(op, label)
        self.depth += row.pushes(0) - row.pops(0)
        if row.ends:
            self.depth = None

    def place(self, label: Label) -> None:
        """Let a label stand here."""
        if self.depth is None:
            self.depth = label.depth
        assert label.depth is None or label.depth == self.depth, (label.depth, self.depth)
        label.depth = self.depth
        label.position = len(self.instructions)

    def jump_back(self, label: Label) -> None:
        """Go to a label that is already placed."""
        self.jump(Op.JUMP_BACK, label)

    def open_region(self, above: int = 0) -> Region:
        """Send exceptions of what follows to a new handler, which does not keep so many values on top of the stack."""
        self.region = Region(Label(), (self.depth or above) - above, self.region)
        return self.region

    def enter_handler(self, region: Region) -> bool:
        """Begin the handler of a closed region, with the exception on the stack; False when nothing can raise."""
        assert self.depth is None
        if not region.is_used:
            return False
        region.handler.depth = region.depth + 1
        self.place(region.handler)
        return True

    @contextmanager
    def at(self, node: ast.AST) -> Iterator[None]:
        """Emit for another node."""
        outer, self.node = self.node, node
        yield
        self.node = outer

    def _add(self, op: Op, operand: object) -> None:
        region = self.region
        while region is not None and not region.is_used:
            region.is_used = True
            region = region.outer
        self.instructions.append(Instruction(op, operand, self.node, self.region))
