"""What a name or a dotted name stands for, as found by `resolve` and read by `lower`."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from enum import Enum, auto

from waymark.compiler.source import FunctionSource
from waymark.program.program import ActionReference, MemberKind, Parameter
from waymark.values.classes import ClassInfo


@dataclass(frozen=True, slots=True)
class Local:
    """A local variable of the function."""

    index: int


@dataclass(frozen=True, slots=True)
class Constant:
    """An immutable value, encoded."""

    encoded: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A mutable or structured value from outside the function; the instance has one copy per `identity`."""

    identity: int
    label: str
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Library:
    """A function or class of `waymark.program.library`."""

    name: str


@dataclass(frozen=True, slots=True)
class UserClass:
    """A class of the user."""

    info: ClassInfo


@dataclass(frozen=True, slots=True)
class Action:
    """A function decorated by @action."""

    reference: ActionReference


@dataclass(frozen=True, slots=True)
class Helper:
    """A method of the workflow that is compiled along."""

    index: int
    is_async: bool
    is_static: bool


@dataclass(frozen=True, slots=True)
class SelfData:
    """Data on self: an attribute set by the run, or else one of the class."""

    name: str


Binding = Local | Constant | Stored | Library | UserClass | Action | Helper | SelfData


class Form(Enum):
    """Calls and generator expressions that are lowered in a way of their own."""

    RUN_ACTION = auto()
    """self.run_action(call, retry=..., timeout=...)"""
    SUPER = auto()
    """super() before `.name`: self, for which method it is has been found out."""
    CAST = auto()
    """typing.cast(type, value): the value."""
    ANY = auto()
    """any(generator expression): a loop that stops early. Loops may wait between two items; library functions may not."""
    ALL = auto()
    COLLECTED = auto()
    """A generator expression that its consumer takes whole, before anything else happens: a list."""
    LIST = auto()
    """list(generator expression): a loop."""
    SET = auto()
    TUPLE = auto()
    UNION = auto()
    """A | B as the second argument of isinstance: a tuple of classes."""


@dataclass(frozen=True, slots=True)
class ComprehensionScope:
    """Locals of one comprehension."""

    locals: tuple[int, ...]
    clear_first: bool
    """One of them may be read before it is bound, so what an earlier run of the comprehension left must go."""


@dataclass(slots=True)
class ResolvedFunction:
    """A function whose names are bound. Keys are the tree's own nodes, which compare by identity."""

    source: FunctionSource
    parameters: tuple[Parameter, ...] = ()
    locals: list[str] = field(default_factory=list)
    self_index: int | None = None
    cells: set[int] = field(default_factory=set)
    """Locals that functions inside this one use."""
    free: dict[int, int] = field(default_factory=dict)
    """Locals that belong to the function around this one, with their index there."""
    nested: dict[ast.AST, int] = field(default_factory=dict)
    """Number of each function written inside this one."""
    function_locals: dict[ast.AST, int] = field(default_factory=dict)
    """The local that a `def` inside this function binds."""
    bindings: dict[ast.AST, Binding] = field(default_factory=dict)
    """Of Name, Attribute and Constant nodes. An Attribute without a binding is looked up when it runs."""
    handler_locals: dict[ast.ExceptHandler, int] = field(default_factory=dict)
    captures: dict[str, int] = field(default_factory=dict)
    """Local of each name that a pattern of `match` binds."""
    temporaries: list[int] = field(default_factory=list)
    """Locals without a name, for what `match` looks at."""
    comprehensions: dict[ast.AST, ComprehensionScope] = field(default_factory=dict)
    forms: dict[ast.AST, Form] = field(default_factory=dict)

    def is_cell(self, index: int) -> bool:
        """Whether a local is shared with another function."""
        return index in self.cells or index in self.free


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member of a user class that code of the program may ask for."""

    owner: ClassInfo
    name: str
    kind: MemberKind
    index: int
    """Of the function, or of the stored value."""
    problem: str = ""
    """Why it is unfit."""


@dataclass(frozen=True, slots=True)
class ResolvedWorkflow:
    """Everything that lowering needs."""

    cls: type
    name: str
    functions: tuple[ResolvedFunction, ...]
    classes: tuple[ClassInfo, ...]
    stored: tuple[Stored, ...]
    """Values that parameters and class attributes refer to, in the order of the program's global table."""
    class_attributes: tuple[tuple[str, int], ...]
    """Name and index into `stored`."""
    members: tuple[MemberRow, ...]
