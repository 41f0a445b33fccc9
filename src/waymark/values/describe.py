"""Describe a live class: the one place that looks at user classes. Imports no library that defines them."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from waymark.errors import ValueEncodingError
from waymark.values.classes import ClassInfo, ClassKey, ClassKind, FieldInfo
from waymark.values.codec import encode, enum_root, key_of

_FACTORY_NAMES: dict[Any, str] = {list: "list", dict: "dict", set: "set", tuple: "tuple"}
_SPECIAL_METHODS = (
    "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__repr__", "__str__", "__format__", "__bool__", "__len__", "__iter__",
    "__contains__", "__getitem__", "__setitem__", "__delitem__", "__getattr__", "__getattribute__", "__setattr__", "__delattr__", "__add__",
    "__radd__", "__sub__", "__mul__", "__truediv__", "__neg__", "__call__", "__enter__", "__aenter__", "__await__",
)  # fmt: skip


def kind_of(cls: type) -> ClassKind:
    """What kind of class it is to Waymark."""
    if issubclass(cls, enum.Enum):
        return ClassKind.ENUM
    if issubclass(cls, BaseException):
        return ClassKind.EXCEPTION
    if hasattr(cls, "__pydantic_fields__"):
        return ClassKind.PYDANTIC
    if dataclasses.is_dataclass(cls):
        return ClassKind.DATACLASS
    return ClassKind.PLAIN


def describe_class(cls: type) -> ClassInfo:
    """Describe a dataclass, pydantic model, enum, exception class, or a base class without fields.

    Raises:
        ValueEncodingError: A field default or enum value is outside the value domain.
    """
    kind = kind_of(cls)
    match kind:
        case ClassKind.DATACLASS:
            return _describe_dataclass(cls)
        case ClassKind.ENUM:
            return _describe_enum(cls)
        case _:
            return ClassInfo(
                key=key_of(cls),
                kind=kind,
                bases=_bases(cls),
                fields=tuple(FieldInfo(name=name) for name in getattr(cls, "__pydantic_fields__", ()) or ()),
                has_code=kind is not ClassKind.EXCEPTION or _defines(cls, "__init__", "__new__", "__str__"),
                unsupported=() if kind is ClassKind.EXCEPTION else _own_special_methods(cls),
                code_names=_code_names(cls),
            )


def described_bases(cls: type) -> tuple[type, ...]:
    """The user classes that a description of `cls` refers to."""
    return tuple(base for base in cls.__bases__ if _is_user_class(base))


def _bases(cls: type) -> tuple[ClassKey, ...]:
    return tuple(
        key_of(base)
        for base in cls.__bases__
        if _is_user_class(base) or (base is not object and base.__module__ == "builtins")
    )


def _is_user_class(cls: type) -> bool:
    top = cls.__module__.partition(".")[0]
    return cls is not object and top not in (
        "builtins",
        "pydantic",
        "enum",
        "abc",
        "typing",
        "typing_extensions",
        "dataclasses",
    )


def _user_mro(cls: type) -> list[type]:
    return [base for base in cls.__mro__ if _is_user_class(base)]


def _defines(cls: type, *names: str) -> bool:
    return any(name in vars(base) for base in _user_mro(cls) for name in names)


def _own_special_methods(cls: type) -> tuple[str, ...]:
    """Special methods written in a class body; those that the dataclass decorator generates do not count."""
    found = []
    for base in _user_mro(cls):
        for name in _SPECIAL_METHODS:
            method = vars(base).get(name)
            if method is None or _is_generated(base, name, method) or _is_from_enum(base, method):
                continue
            found.append(name)
    return tuple(sorted(set(found)))


def _is_from_enum(cls: type, method: Any) -> bool:
    """The enum machinery copies methods of its roots into each class it makes."""
    return issubclass(cls, enum.Enum) and not getattr(method, "__qualname__", "").startswith(
        cls.__qualname__ + "."
    )


def _code_names(cls: type) -> tuple[str, ...]:
    """Methods, properties and other descriptors written in a class body."""
    return tuple(
        sorted(
            {
                name
                for base in _user_mro(cls)
                for name, value in vars(base).items()
                if not (name.startswith("_") and name.endswith("_"))
                and (callable(value) or hasattr(value, "__get__"))
                and not isinstance(value, enum.Enum | type)
                and type(value).__name__ != "member_descriptor"
            }
        )
    )


def _is_generated(cls: type, name: str, method: Any) -> bool:
    if not dataclasses.is_dataclass(cls):
        return False
    code = getattr(method, "__code__", None) or getattr(
        getattr(method, "__wrapped__", None), "__code__", None
    )
    filename = getattr(code, "co_filename", "<string>")
    return bool(filename == "<string>" or "dataclasses" in filename or "reprlib" in filename)


def _describe_dataclass(cls: type) -> ClassInfo:
    described: list[FieldInfo] = []
    has_code = _defines(cls, "__post_init__", "__new__") or not _is_generated(
        cls, "__init__", vars(cls).get("__init__", object.__init__)
    )
    parameters: Any = cls.__dataclass_params__  # type: ignore[attr-defined]
    for field in dataclasses.fields(cls):
        default: bytes | None = None
        factory: str | None = None
        if field.default is not dataclasses.MISSING:
            default = encode(field.default, root=f"default of {cls.__qualname__}.{field.name}")
        elif field.default_factory is not dataclasses.MISSING:
            factory = _FACTORY_NAMES.get(field.default_factory)
            has_code = has_code or factory is None
        described.append(
            FieldInfo(
                name=field.name,
                default=default,
                factory=factory,
                keyword_only=bool(field.kw_only),
                init=field.init,
                compare=field.compare,
                repr=field.repr,
            )
        )
    return ClassInfo(
        key=key_of(cls),
        kind=ClassKind.DATACLASS,
        bases=_bases(cls),
        fields=tuple(described),
        has_code=has_code,
        frozen=parameters.frozen,
        eq=parameters.eq,
        order=parameters.order,
        unsafe_hash=parameters.unsafe_hash,
        unsupported=_own_special_methods(cls),
        code_names=_code_names(cls),
    )


def _describe_enum(cls: type) -> ClassInfo:
    members: Any = getattr(cls, "__members__", {})
    try:
        encoded = tuple((name, encode(member.value)) for name, member in members.items())
    except ValueEncodingError as error:
        raise ValueEncodingError(
            f"{cls.__qualname__}", f"has a member whose value cannot be stored: {error.problem}"
        ) from None
    return ClassInfo(
        key=key_of(cls),
        kind=ClassKind.ENUM,
        members=encoded,
        enum_type=enum_root(cls),
        unsupported=_own_special_methods(cls),
        code_names=_code_names(cls),
    )
