"""The verifier: programs of the compiler pass, damaged ones do not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.compiler.test_golden import CLASSES
from waymark.compiler import compile_workflow
from waymark.errors import ProgramError
from waymark.program.instructions import INSTRUCTIONS, PROGRAM_FORMAT, Op, Operand
from waymark.program.program import (
    ActionReference,
    ClassAttribute,
    ClassMember,
    Function,
    Handler,
    Line,
    MemberKind,
    Parameter,
    ParameterKind,
    Program,
    decode_program,
    encode_program,
)
from waymark.program.verify import verify
from waymark.values.classes import ClassInfo, ClassKey, ClassKind
from waymark.values.codec import encode

SELF = Parameter("self", ParameterKind.POSITIONAL_OR_KEYWORD)


def program(*code: int, **changes: Any) -> Program:
    """A program whose run() has this code."""
    function = Function(
        name="run",
        qualname="Flow.run",
        parameters=changes.pop("parameters", (SELF,)),
        locals=changes.pop("locals", ("self", "x")),
        is_async=changes.pop("is_async", True),
        code=code,
        handlers=changes.pop("handlers", ()),
        lines=changes.pop("lines", (Line(0, 1, 1),)),
        file="flow.py",
    )
    whole = Program(
        format=PROGRAM_FORMAT,
        workflow="flow",
        module="flow",
        class_name="Flow",
        functions=(function,),
        constants=(encode(None),),
        globals=(),
        names=("len", "nothing"),
        actions=(ActionReference("flow", "charge"),),
        classes=(),
    )
    return msgspec.structs.replace(whole, **changes)


CONST, RETURN = (Op.CONST, 0), (Op.RETURN, 0)


def test_a_smallest_program_passes() -> None:
    """`return None`."""
    verify(program(*CONST, *RETURN))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_stored_programs_of_the_compiler_pass(cls: type) -> None:
    """After a round trip through their stored form as well."""
    compiled = compile_workflow(cls)
    stored = decode_program(compiled.encoded)
    assert stored == compiled.program
    assert encode_program(stored) == compiled.encoded
    verify(stored)


DAMAGED: dict[str, tuple[Program, str]] = {
    "empty code": (program(), "operation and operand in turn"),
    "odd code": (program(Op.CONST), "operation and operand in turn"),
    "unknown operation": (program(250, 0, *RETURN), "no operation has number 250"),
    "negative operand": (program(Op.CONST, -1, *RETURN), "negative operand"),
    "operand where none belongs": (program(*CONST, Op.RETURN, 1), "takes no operand"),
    "constant out of range": (program(Op.CONST, 1, *RETURN), "outside of a table of 1 (constant)"),
    "local out of range": (program(Op.LOCAL, 2, *RETURN), "outside of a table of 2 (local)"),
    "global out of range": (program(Op.GLOBAL, 0, *RETURN), "outside of a table of 0 (global)"),
    "name out of range": (program(*CONST, Op.ATTR, 2, *RETURN), "outside of a table of 2 (name)"),
    "function out of range": (program(Op.FUNCTION, 1, *RETURN), "outside of a table of 1 (function)"),
    "class out of range": (program(Op.CLASS, 0, *RETURN), "outside of a table of 0 (class)"),
    "action out of range": (program(Op.ACTION, 1, *RETURN), "outside of a table of 1 (action)"),
    "operator out of range": (program(*CONST, *CONST, Op.BINARY, 13, *RETURN), "outside of a table of 13"),
    "unknown library name": (program(Op.BUILTIN, 1, *RETURN), "the library has no 'nothing'"),
    "count out of range": (
        program(*CONST, *CONST, *CONST, *CONST, Op.SLICE, 4, *RETURN),
        "SLICE takes 2 to 3",
    ),
    "huge count": (program(Op.BUILD_LIST, 10**6, *RETURN), "BUILD_LIST takes 0 to"),
    "jump out of range": (program(Op.JUMP, 4, *RETURN), "where no instruction starts"),
    "jump into an instruction": (program(*CONST, Op.JUMP, 3, *RETURN), "where no instruction starts"),
    "jump back without fuel": (program(*CONST, Op.JUMP, 0), "only JUMP_BACK goes back"),
    "jump back that goes on": (program(*CONST, Op.JUMP_BACK, 4, *RETURN), "only JUMP_BACK goes back"),
    "stack underflow": (program(Op.POP, 0, *CONST, *RETURN), "POP takes 1 values from a stack of 0"),
    "return with more on the stack": (program(*CONST, *CONST, *RETURN), "alone on the stack"),
    "two depths at one place": (
        program(*CONST, Op.JUMP_FALSE, 6, *CONST, Op.NOP, 0, *CONST, Op.RAISE, 1),
        "the stack holds",
    ),
    "a loop that grows the stack": (program(*CONST, Op.JUMP_BACK, 0), "the stack holds"),
    "code that runs over its end": (program(*CONST, Op.POP, 0), "runs over its end"),
    "dead code": (program(*CONST, *RETURN, Op.NOP, 0), "never be reached"),
    "append below the stack": (
        program(*CONST, Op.LIST_APPEND, 1, *CONST, *RETURN),
        "reaches below the stack",
    ),
    "append to the item itself": (
        program(*CONST, *CONST, Op.LIST_APPEND, 0, *RETURN),
        "reaches below the stack",
    ),
    "merge without a callable": (
        program(*CONST, *CONST, Op.KWARGS_MERGE, 1, *RETURN),
        "KWARGS_MERGE needs the callable",
    ),
    "deep copy of the stack": (program(*CONST, Op.COPY, 2, *RETURN), "COPY takes 2 values from a stack of 1"),
    "handler out of code": (
        program(*CONST, *RETURN, handlers=(Handler(0, 2, 8, 0),)),
        "bounds must be instructions",
    ),
    "handler between instructions": (
        program(*CONST, *RETURN, handlers=(Handler(1, 2, 2, 0),)),
        "bounds must be instructions",
    ),
    "empty handler": (program(*CONST, *RETURN, handlers=(Handler(2, 2, 2, 0),)), "must cover code"),
    "handler of itself": (program(*CONST, *RETURN, handlers=(Handler(0, 4, 2, 0),)), "not cover itself"),
    "handler that keeps too much": (
        program(*CONST, *RETURN, Op.RERAISE, 0, handlers=(Handler(0, 2, 4, 2),)),
        "keeps 2 values",
    ),
    "handlers that cross": (
        program(
            *CONST,
            Op.POP,
            0,
            *CONST,
            *RETURN,
            Op.RERAISE,
            0,
            handlers=(Handler(0, 4, 8, 0), Handler(2, 6, 8, 0)),
        ),
        "handlers must nest",
    ),
    "outer handler first": (
        program(
            *CONST,
            Op.POP,
            0,
            *CONST,
            *RETURN,
            Op.RERAISE,
            0,
            handlers=(Handler(0, 6, 8, 0), Handler(2, 4, 8, 0)),
        ),
        "handlers must nest",
    ),
    "run that is not async": (program(*CONST, *RETURN, is_async=False), "functions[0] must be run()"),
    "run without self": (program(*CONST, *RETURN, parameters=()), "functions[0] must be run()"),
    "parameters apart from locals": (program(*CONST, *RETURN, locals=("x",)), "first locals"),
    "default out of range": (
        program(*CONST, *RETURN, parameters=(Parameter("self", ParameterKind.POSITIONAL_OR_KEYWORD, 0),)),
        "default of self",
    ),
    "parameters out of order": (
        program(
            *CONST,
            *RETURN,
            parameters=(
                Parameter("self", ParameterKind.VAR_KEYWORD),
                Parameter("x", ParameterKind.KEYWORD_ONLY),
            ),
        ),
        "order of their kinds",
    ),
    "lines out of order": (program(*CONST, *RETURN, lines=(Line(2, 1, 1), Line(0, 1, 1))), "line table"),
    "no functions": (program(*CONST, *RETURN, functions=()), "needs a function"),
    "another format": (program(*CONST, *RETURN, format=99), "format 99"),
    "class attribute out of range": (
        program(*CONST, *RETURN, class_attributes=(ClassAttribute("a", 0),)),
        "class attribute a",
    ),
    "base that is not described": (
        program(
            *CONST,
            *RETURN,
            classes=(ClassInfo(ClassKey("m", "A"), ClassKind.PLAIN, bases=(ClassKey("m", "B"),)),),
        ),
        "has a base that is not described: m.B",
    ),
    "class described twice": (
        program(*CONST, *RETURN, classes=(ClassInfo(ClassKey("m", "A"), ClassKind.PLAIN),) * 2),
        "described twice",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_program_is_refused(name: str) -> None:
    """With a message that says where and what."""
    damaged, message = DAMAGED[name]
    with pytest.raises(ProgramError) as caught:
        verify(damaged)
    assert message in str(caught.value)


def test_flipping_any_operand_never_passes_as_an_index_out_of_range() -> None:
    """Every operand of a real program, set far too high, is refused."""
    compiled = compile_workflow(next(cls for cls in CLASSES if cls.__name__ == "Actions")).program
    run = compiled.functions[0]
    for pc in range(0, len(run.code), 2):
        if INSTRUCTIONS[Op(run.code[pc])].operand is Operand.NONE:
            continue
        code = (*run.code[: pc + 1], 10**9, *run.code[pc + 2 :])
        damaged = msgspec.structs.replace(
            compiled, functions=(msgspec.structs.replace(run, code=code), *compiled.functions[1:])
        )
        with pytest.raises(ProgramError):
            verify(damaged)


def test_every_instruction_has_a_row_and_numbers_are_dense() -> None:
    """The table is whole, so that the VM can index by number."""
    assert set(INSTRUCTIONS) == set(Op)
    assert sorted(Op) == list(range(len(Op)))


def test_the_compiler_emits_every_instruction() -> None:
    """An operation that nothing emits would be dead weight; NOP is for tools."""
    emitted: set[int] = set()
    for cls in CLASSES:
        for function in compile_workflow(cls).program.functions:
            emitted.update(function.code[::2])
    assert {op.name for op in Op if op not in emitted} == {"NOP"}


def with_function(whole: Program, **changes: Any) -> Program:
    """The program with its run() changed."""
    return msgspec.structs.replace(whole, functions=(msgspec.structs.replace(whole.functions[0], **changes),))


@pytest.mark.parametrize(
    ("code", "changes", "problem"),
    [
        ((Op.LOCAL, 1, Op.RETURN, 0), {"cells": (1,)}, "a cell is used as a local"),
        ((Op.CELL, 1, Op.RETURN, 0), {}, "or a local as a cell"),
        ((Op.CELL, 1, Op.RETURN, 0), {"cells": (1, 1)}, "a local is a cell twice"),
        ((Op.CELL, 1, Op.RETURN, 0), {"cells": (1, 9)}, "cell: index 9 is outside"),
        ((Op.CELL, 1, Op.RETURN, 0), {"free": (1,)}, "cannot have free variables"),
    ],
)
def test_a_cell_is_used_as_a_cell_only(code: tuple[int, ...], changes: dict[str, Any], problem: str) -> None:
    """What a local holds and what a cell holds never meet on the stack."""
    with pytest.raises(ProgramError, match=problem):
        verify(with_function(program(*code), **changes))


@pytest.mark.parametrize(
    ("member", "problem"),
    [
        (ClassMember(0, "total", MemberKind.FUNCTION, 0), "owner of total: index 0 is outside"),
        (ClassMember(0, "total", MemberKind.DATA, 0), "owner of total"),
    ],
)
def test_a_member_belongs_to_a_class_and_leads_somewhere(member: ClassMember, problem: str) -> None:
    """Its owner and its value are in the tables."""
    whole = program(Op.LOCAL, 0, Op.RETURN, 0)
    with pytest.raises(ProgramError, match=problem):
        verify(msgspec.structs.replace(whole, members=(member,)))
    described = ClassInfo(ClassKey("flow", "Order"), ClassKind.DATACLASS)
    far = msgspec.structs.replace(member, value=7)
    with pytest.raises(ProgramError, match="member total: index 7 is outside"):
        verify(msgspec.structs.replace(whole, members=(far,), classes=(described,)))
