"""Fifth pass: numbers. Labels become program counters, things become table indexes, regions become handler ranges."""

from __future__ import annotations

import ast
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from waymark.compiler.bindings import ResolvedFunction, Stored
from waymark.compiler.lower import LoweredFunction, LoweredWorkflow
from waymark.compiler.lower.builder import Instruction, Label, Region
from waymark.program.instructions import INSTRUCTIONS, PROGRAM_FORMAT, Operand
from waymark.program.program import (
    ActionReference,
    ClassAttribute,
    ClassMember,
    Function,
    Handler,
    Line,
    ModuleConstant,
    Program,
)
from waymark.values.classes import ClassInfo, ClassKey

T = TypeVar("T", bound=Hashable)


class _Table(Generic[T]):
    """Gives equal things one index, in order of first use."""

    def __init__(self) -> None:
        self._indexes: dict[T, int] = {}

    def index(self, thing: T) -> int:
        return self._indexes.setdefault(thing, len(self._indexes))

    def rows(self) -> tuple[T, ...]:
        return tuple(self._indexes)


@dataclass(slots=True)
class _Tables:
    """The tables that all functions of a program share."""

    constants: _Table[bytes] = field(default_factory=_Table)
    names: _Table[str] = field(default_factory=_Table)
    actions: _Table[ActionReference] = field(default_factory=_Table)
    globals: _Table[Stored] = field(default_factory=_Table)
    classes: dict[ClassKey, int] = field(default_factory=dict)

    def number(self, kind: Operand, operand: object) -> int:
        """The operand as a number."""
        match kind, operand:
            case Operand.CONSTANT, bytes():
                return self.constants.index(operand)
            case Operand.NAME, str():
                return self.names.index(operand)
            case Operand.ACTION, ActionReference():
                return self.actions.index(operand)
            case Operand.GLOBAL, Stored():
                return self.globals.index(operand)
            case Operand.CLASS, ClassInfo():
                return self.classes[operand.key]
            case Operand.TARGET, Label() if operand.position is not None:
                return 2 * operand.position
            case _, int():
                return operand
            case _:
                raise AssertionError(f"{kind.name} cannot take {operand!r}")


def assemble(lowered: LoweredWorkflow) -> Program:
    """Build the program."""
    resolved = lowered.resolved
    tables = _Tables(classes={info.key: index for index, info in enumerate(resolved.classes)})
    for stored in resolved.stored:
        tables.globals.index(stored)
    functions = tuple(_assemble_function(function, tables) for function in lowered.functions)
    return Program(
        format=PROGRAM_FORMAT,
        workflow=resolved.name,
        module=resolved.cls.__module__,
        class_name=resolved.cls.__qualname__,
        functions=functions,
        constants=tables.constants.rows(),
        globals=tuple(ModuleConstant(row.label, row.encoded) for row in tables.globals.rows()),
        names=tables.names.rows(),
        actions=tables.actions.rows(),
        classes=resolved.classes,
        class_attributes=tuple(
            ClassAttribute(name, index) for name, index in sorted(resolved.class_attributes)
        ),
        members=tuple(
            ClassMember(tables.classes[row.owner.key], row.name, row.kind, row.index)
            for row in sorted(resolved.members, key=lambda row: (row.owner.key, row.name))
        ),
    )


def _assemble_function(lowered: LoweredFunction, tables: _Tables) -> Function:
    resolved = lowered.resolved
    source = resolved.source
    code: list[int] = []
    for instruction in lowered.instructions:
        code += (
            instruction.op,
            tables.number(INSTRUCTIONS[instruction.op].operand, instruction.operand),
        )
    return Function(
        name=source.name,
        qualname=source.qualname,
        parameters=resolved.parameters,
        locals=tuple(resolved.locals),
        is_async=source.is_async,
        code=tuple(code),
        handlers=_handlers(lowered.instructions),
        lines=_lines(lowered.instructions, resolved),
        file=source.program_file,
        is_generator=isinstance(source.node, ast.GeneratorExp),
        module=source.function.__module__,
        cells=tuple(sorted(resolved.cells)),
        free=tuple(resolved.free),
    )


def _handlers(instructions: tuple[Instruction, ...]) -> tuple[Handler, ...]:
    """Ranges of every region, inner regions before outer ones. An inner region's code belongs to the outer one too."""
    ranges: dict[Region, list[list[int]]] = {}
    for index, instruction in enumerate(instructions):
        region = instruction.region
        while region is not None:
            found = ranges.setdefault(region, [])
            if found and found[-1][1] == index:
                found[-1][1] = index + 1
            else:
                found.append([index, index + 1])
            region = region.outer
    rows = [
        (-_nesting(region), 2 * start, 2 * end, 2 * (region.handler.position or 0), region.depth)
        for region, found in ranges.items()
        for start, end in found
    ]
    return tuple(Handler(start, end, target, depth) for _, start, end, target, depth in sorted(rows))


def _nesting(region: Region) -> int:
    depth = 0
    outer = region.outer
    while outer is not None:
        depth += 1
        outer = outer.outer
    return depth


def _lines(instructions: tuple[Instruction, ...], resolved: ResolvedFunction) -> tuple[Line, ...]:
    found: list[Line] = []
    last = None
    for index, instruction in enumerate(instructions):
        if instruction.node is last:
            continue
        last = instruction.node
        line = getattr(last, "lineno", resolved.source.node.lineno)
        column = resolved.source.column(line, getattr(last, "col_offset", 0))
        if not found or (found[-1].line, found[-1].column) != (line, column):
            found.append(Line(2 * index, line, column))
    return tuple(found)
