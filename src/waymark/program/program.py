"""A compiled workflow: the durable artefact that an instance keeps for life."""

from __future__ import annotations

import hashlib
from enum import IntEnum

import msgspec

from waymark.errors import ProgramError, UnknownFormat
from waymark.program.instructions import PROGRAM_FORMAT
from waymark.values.classes import ClassInfo


class ParameterKind(IntEnum):
    """How an argument reaches a parameter, as in Python's grammar."""

    POSITIONAL_ONLY = 0
    POSITIONAL_OR_KEYWORD = 1
    VAR_POSITIONAL = 2
    KEYWORD_ONLY = 3
    VAR_KEYWORD = 4


HELD = -1
"""Default of a parameter whose value was made together with the function, by MAKE_FUNCTION."""


class Parameter(msgspec.Struct, frozen=True, array_like=True):
    """One parameter; it is the local of the same index."""

    name: str
    kind: ParameterKind
    default: int | None = None
    """Index into `Program.globals`: a default is evaluated once, as in Python, so a mutable one is shared. HELD: the function value has it."""


class Handler(msgspec.Struct, frozen=True, array_like=True):
    """An exception raised at start <= pc < end cuts the stack to `depth`, pushes the exception and goes to `target`.

    The first handler of the table that covers a pc counts, so inner ones stand before outer ones.
    """

    start: int
    end: int
    target: int
    depth: int


class Line(msgspec.Struct, frozen=True, array_like=True):
    """Source position of the code from `start` on, until the next `Line`."""

    start: int
    line: int
    column: int
    """From 1, in characters."""


class Function(msgspec.Struct, frozen=True):
    """One compiled function: run(), a helper method, a function of a module, one written inside another."""

    name: str
    qualname: str
    parameters: tuple[Parameter, ...]
    locals: tuple[str, ...]
    """Names of all locals, parameters first; comprehension variables have locals of their own."""
    is_async: bool
    code: tuple[int, ...]
    handlers: tuple[Handler, ...]
    lines: tuple[Line, ...]
    file: str
    """Path as shown to people, relative where possible."""
    is_generator: bool = False
    """A generator expression: made by MAKE_GENERATOR, run by whoever asks for the next item."""
    module: str = ""
    """Module it is written in; empty: that of the workflow."""
    cells: tuple[int, ...] = ()
    """Locals that functions inside this one share; each becomes a cell when the function is entered."""
    free: tuple[int, ...] = ()
    """Locals that are cells of the function around this one, in the order that MAKE_FUNCTION gives them."""


class ActionReference(msgspec.Struct, frozen=True, array_like=True):
    """An action that the program calls."""

    module: str
    name: str
    parameters: tuple[Parameter, ...] = ()
    """For binding errors, which Python raises at the call; `default` is 0 where there is a default, else None."""

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


class ModuleConstant(msgspec.Struct, frozen=True, array_like=True):
    """A value of the module, the class or a default argument, copied into the instance on first use."""

    label: str
    """Where it comes from, for listings: `shop.flows.LIMITS`."""
    value: bytes
    """Encoded."""


class ClassAttribute(msgspec.Struct, frozen=True, array_like=True):
    """An attribute of the workflow class that `self.name` finds when the instance has none of that name."""

    name: str
    value: int
    """Index into `Program.globals`."""


class MemberKind(IntEnum):
    """What a member of a user class is, as its instances find it."""

    FUNCTION = 0
    """Bound to the instance."""
    PROPERTY = 1
    """Called with the instance."""
    CLASS = 2
    """Bound to the class."""
    STATIC = 3
    DATA = 4
    UNFIT = 5
    """It cannot be used in a workflow."""


class ClassMember(msgspec.Struct, frozen=True, array_like=True):
    """A member of a user class that code of the program may ask for."""

    owner: int
    """Index into `Program.classes`."""
    name: str
    kind: MemberKind
    value: int
    """Index into `Program.globals` for DATA, else into `Program.functions`; 0 when unfit."""


class Program(msgspec.Struct, frozen=True):
    """Everything that running a workflow needs, besides the actions themselves."""

    format: int
    workflow: str
    """Workflow name, as it is started by."""
    module: str
    class_name: str
    functions: tuple[Function, ...]
    """functions[0] is run(); its first parameter is self."""
    constants: tuple[bytes, ...]
    """Encoded immutable values."""
    globals: tuple[ModuleConstant, ...]
    names: tuple[str, ...]
    actions: tuple[ActionReference, ...]
    classes: tuple[ClassInfo, ...]
    """Every user class the program names, and the user classes among their bases."""
    class_attributes: tuple[ClassAttribute, ...] = ()
    members: tuple[ClassMember, ...] = ()


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Program)
_format_decoder = msgspec.msgpack.Decoder(msgspec.defstruct("ProgramHead", [("format", int)]))


def encode_program(program: Program) -> bytes:
    """The stored form. Equal programs give equal bytes."""
    return _encoder.encode(program)


def decode_program(data: bytes) -> Program:
    """Read a stored program.

    Raises:
        UnknownFormat: A newer release wrote it.
        ProgramError: The bytes are damaged.
    """
    try:
        head = _format_decoder.decode(data)
        found: int = getattr(head, "format", 0)
        if found > PROGRAM_FORMAT:
            raise UnknownFormat(
                f"program format {found} is not one this release runs ({PROGRAM_FORMAT}); run it with a newer release"
            )
        if found != PROGRAM_FORMAT:
            raise ProgramError(f"stored program is damaged: no release ever wrote format {found}")
        return _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise ProgramError(f"stored program is damaged: {error}") from error


def hash_program(data: bytes) -> bytes:
    """Identity of what an encoded program does, 32 bytes: SHA-256 of it without files and source positions.

    So a comment or a moved function makes no new version, and does not conflict with a pinned one.

    Raises:
        ProgramError: As `decode_program`.
    """
    program = decode_program(data)
    functions = tuple(msgspec.structs.replace(function, file="", lines=()) for function in program.functions)
    return hashlib.sha256(encode_program(msgspec.structs.replace(program, functions=functions))).digest()
