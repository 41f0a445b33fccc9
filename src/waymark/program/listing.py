"""A program as text for people: one line per instruction, operands by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from waymark.program.instructions import (
    BINARY_OPERATORS,
    COMPARE_OPERATORS,
    INSTRUCTIONS,
    UNARY_OPERATORS,
    Op,
    Operand,
)
from waymark.program.program import HELD, Function, MemberKind, Parameter, ParameterKind, Program

Show = Callable[[bytes], str]


def list_program(program: Program, show_value: Show | None = None) -> str:
    """The listing of a program.

    Args:
        show_value: Writes an encoded value; without it, plain values are written and others shown as their bytes.
    """
    show = show_value or show_encoded
    lines = [f"workflow {program.workflow} ({program.module}.{program.class_name}), format {program.format}"]
    lines += [
        f"attribute self.{attribute.name} = {show(program.globals[attribute.value].value)}"
        for attribute in program.class_attributes
    ]
    for info in program.classes:
        fields = ", ".join(field.name for field in info.fields)
        lines.append(f"class {info.key} ({info.kind})" + (f": {fields}" if fields else ""))
    for member in program.members:
        shown = {MemberKind.DATA: "globals", MemberKind.UNFIT: ""}.get(member.kind, "functions")
        owner = program.classes[member.owner].key.qualname
        lines.append(
            f"member {owner}.{member.name}: {member.kind.name.lower()}"
            + (f" {shown}[{member.value}]" if shown else "")
        )
    for function in program.functions:
        lines.append("")
        lines.extend(list_function(program, function, show))
    return "\n".join(lines) + "\n"


def list_function(program: Program, function: Function, show: Show) -> Iterator[str]:
    """Lines of one function: source lines at the left, jump targets marked, handlers at the end."""
    parameters = ", ".join(_parameter(program, parameter, show) for parameter in function.parameters)
    kind = "generator " if function.is_generator else "async " if function.is_async else ""
    yield f"{kind}def {function.qualname}({parameters})"
    for word, indexes in (("cells", function.cells), ("free", function.free)):
        if indexes:
            yield f"      {word} {', '.join(function.locals[index] for index in indexes)}"
    starts = {line.start: line.line for line in function.lines}
    targets = _targets(function)
    line_shown = 0
    line = 0
    for pc in range(0, len(function.code), 2):
        line = starts.get(pc, line)
        op, operand = Op(function.code[pc]), function.code[pc + 1]
        shown = str(line) if line != line_shown else ""
        line_shown = line
        mark = ">" if pc in targets else " "
        text = describe_operand(program, function, op, operand, show)
        yield f"{shown:>5} {mark}{pc:>4}  {op.name:<16} {text}".rstrip()
    for handler in function.handlers:
        yield f"      handler {handler.start}-{handler.end} -> {handler.target} depth {handler.depth}"


def describe_operand(program: Program, function: Function, op: Op, operand: int, show: Show) -> str:
    """An operand as text."""
    match INSTRUCTIONS[op].operand:
        case Operand.NONE:
            return ""
        case Operand.CONSTANT:
            return show(program.constants[operand])
        case Operand.GLOBAL:
            return program.globals[operand].label
        case Operand.LOCAL | Operand.CELL:
            name = function.locals[operand]
            return f"{name} (#{operand})" if function.locals.count(name) > 1 else name
        case Operand.NAME:
            return program.names[operand]
        case Operand.TARGET:
            return f"to {operand}"
        case Operand.FUNCTION:
            return program.functions[operand].qualname
        case Operand.CLASS:
            return str(program.classes[operand].key)
        case Operand.ACTION:
            return str(program.actions[operand])
        case Operand.UNARY:
            return UNARY_OPERATORS[operand]
        case Operand.BINARY:
            return BINARY_OPERATORS[operand]
        case Operand.COMPARE:
            return COMPARE_OPERATORS[operand]
        case _:
            return str(operand)


def show_encoded(value: bytes) -> str:
    """An encoded value: plain ones as Python writes them."""
    try:
        return repr(msgspec.msgpack.decode(value[1:], ext_hook=_extension))
    except msgspec.DecodeError:
        return value.hex()


def _extension(code: int, data: memoryview) -> Any:
    content = msgspec.msgpack.decode(data, ext_hook=_extension) if data else None
    return tuple(content) if code == _TUPLE and isinstance(content, list) else f"<{code}: {content!r}>"


_TUPLE = 1


def _parameter(program: Program, parameter: Parameter, show: Show) -> str:
    stars = {ParameterKind.VAR_POSITIONAL: "*", ParameterKind.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    default = ""
    if parameter.default == HELD:
        default = "=..."
    elif parameter.default is not None:
        default = f"={show(program.globals[parameter.default].value)}"
    return f"{stars}{parameter.name}{default}"


def _targets(function: Function) -> set[int]:
    found = {handler.target for handler in function.handlers}
    for pc in range(0, len(function.code), 2):
        if INSTRUCTIONS[Op(function.code[pc])].operand is Operand.TARGET:
            found.add(function.code[pc + 1])
    return found
