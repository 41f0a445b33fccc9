"""Describe a live class: the one place that looks at user classes. Imports no library that defines them."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from typing import Any

from waymark.errors import ValueEncodingError
from waymark.values.classes import ClassInfo, ClassKey, ClassKind, FieldInfo
from waymark.values.codec import encode, enum_root, key_of
from waymark.values.special import is_generated, is_user_class, own_special_methods, user_mro

_FACTORY_NAMES: dict[Any, str] = {list: "list", dict: "dict", set: "set", tuple: "tuple"}


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
            config: Any = getattr(cls, "model_config", {}) if kind is ClassKind.PYDANTIC else {}
            return ClassInfo(
                key=key_of(cls),
                kind=kind,
                bases=_bases(cls),
                fields=tuple(FieldInfo(name=name) for name in getattr(cls, "__pydantic_fields__", ()) or ()),
                has_code=kind is not ClassKind.EXCEPTION or _defines(cls, "__init__", "__new__", "__str__"),
                frozen=bool(config.get("frozen")),
                validates_assignment=bool(config.get("validate_assignment")),
                unsupported=() if kind is ClassKind.EXCEPTION else own_special_methods(cls),
                code_names=_code_names(cls),
                match_args=_match_args(cls),
            )


def described_bases(cls: type) -> tuple[type, ...]:
    """The user classes that a description of `cls` refers to."""
    return tuple(base for base in cls.__bases__ if is_user_class(base))


def _match_args(cls: type) -> tuple[str, ...] | None:
    names = getattr(cls, "__match_args__", None)
    if isinstance(names, tuple) and all(isinstance(name, str) for name in names):
        return names
    return None


def _bases(cls: type) -> tuple[ClassKey, ...]:
    return tuple(
        key_of(base)
        for base in cls.__bases__
        if is_user_class(base) or (base is not object and base.__module__ == "builtins")
    )


def _defines(cls: type, *names: str) -> bool:
    return any(name in vars(base) for base in user_mro(cls) for name in names)


def _code_names(cls: type) -> tuple[str, ...]:
    """Methods, properties and data written in a class body, besides its fields: what instances find through their class."""
    fields = {*getattr(cls, "__dataclass_fields__", ()), *(getattr(cls, "__pydantic_fields__", None) or ())}
    return tuple(
        sorted(
            {
                name
                for base in user_mro(cls)
                for name, value in vars(base).items()
                if not (name.startswith("_") and name.endswith("_"))
                and (name not in fields or callable(value) or hasattr(value, "__get__"))
                and not isinstance(value, enum.Enum | type)
                and type(value).__name__ != "member_descriptor"
            }
        )
    )


def _describe_dataclass(cls: type) -> ClassInfo:
    described: list[FieldInfo] = []
    has_code = _defines(cls, "__post_init__", "__new__") or not is_generated(
        cls, vars(cls).get("__init__", object.__init__)
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
        unsupported=own_special_methods(cls),
        code_names=_code_names(cls),
        match_args=_match_args(cls),
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
        unsupported=own_special_methods(cls),
        code_names=tuple(sorted({*_code_names(cls), *_set_by_code(members.values())})),
        match_args=_match_args(cls),
    )


def _set_by_code(members: Iterable[Any]) -> set[str]:
    """Attributes that an enum's own `__init__` or `__new__` gave its members."""
    return {name for member in members for name in vars(member) if not name.startswith("_")}
