"""Structural descriptions of user classes: what a shard may know of them without ever importing user code."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

SET_NAMES = "__waymark_set_names__"
"""Where the stand-in of a pydantic instance keeps the names of fields that were given explicitly."""

MODEL_METHODS: frozenset[str] = frozenset(
    {"model_copy", "model_dump", "model_dump_json", "model_validate", "model_validate_json"}
)
"""Methods of every pydantic model that workflows have; all but the first run code of the class, on a worker."""


class ClassKind(StrEnum):
    """What kind of class a description stands for."""

    DATACLASS = "dataclass"
    PYDANTIC = "pydantic"
    ENUM = "enum"
    EXCEPTION = "exception"
    PLAIN = "plain"
    """A base class without fields of its own; only isinstance looks at it."""


class ClassKey(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Identity of a class: where it is defined."""

    module: str
    qualname: str

    def __str__(self) -> str:
        return f"{self.module}.{self.qualname}"


class FieldInfo(msgspec.Struct, frozen=True):
    """One field of a dataclass or pydantic model, in definition order."""

    name: str
    default: bytes | None = None
    """Encoded default value; None when there is none."""
    factory: str | None = None
    """Name of the builtin that makes the default: list, dict, set or tuple."""
    keyword_only: bool = False
    init: bool = True
    compare: bool = True
    repr: bool = True


class Traits(msgspec.Struct, frozen=True, array_like=True):
    """How instances of a class behave that nothing else describes; travels with each of its values."""

    flags: int = 0
    special: tuple[str, ...] = ()
    """Special methods the class defines itself, which the VM cannot run."""

    FROZEN: ClassVar[int] = 1
    ORDERED: ClassVar[int] = 2
    HASHED: ClassVar[int] = 4
    """Equal instances have equal hashes, though they can change."""
    BY_IDENTITY: ClassVar[int] = 8
    """Equality is identity."""


class ClassInfo(msgspec.Struct, frozen=True):
    """What is needed to build a class that behaves alike as long as no code of its own runs."""

    key: ClassKey
    kind: ClassKind
    bases: tuple[ClassKey, ...] = ()
    """Direct bases, user classes and builtins (module `builtins`); `object`, `BaseModel` and the enum roots are left out."""
    fields: tuple[FieldInfo, ...] = ()
    """All fields, inherited ones included."""
    members: tuple[tuple[str, bytes], ...] = ()
    """Enum: names and encoded values, aliases included, in definition order."""
    enum_type: str = ""
    """Enum: name of the stdlib root, as `Enum`, `IntEnum`, `StrEnum`, `Flag`, `IntFlag`."""
    has_code: bool = False
    """Construction runs code of the class (validators, __init__, __post_init__, factories): build it on a worker."""
    frozen: bool = False
    eq: bool = True
    order: bool = False
    unsafe_hash: bool = False
    unsupported: tuple[str, ...] = ()
    """Special methods the class defines itself (`__eq__`, `__str__`, ...), which the VM cannot run."""
    code_names: tuple[str, ...] = ()
    """Methods and properties of the class, which only user code can run."""
    match_args: tuple[str, ...] | None = None
    """Attributes that positional patterns of `case C(...)` look at; None where the class says nothing of them."""
    validates_assignment: bool = False
    """Pydantic: setting a field runs code of the class."""
