"""Special methods of user classes: which ones a class defines, and stand-ins that refuse to be used in their place."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from waymark.errors import UnsupportedPatternError
from waymark.values.classes import Traits

TRAITS = "__waymark_traits__"
"""Attribute of a stand-in class: what is known of the user's class."""

SPECIAL = "__waymark_special__"
"""Attribute of a stand-in class: names of the special methods that the user's class defines."""

SPECIAL_METHODS = frozenset(
    {
        "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__repr__", "__str__", "__format__", "__bool__", "__len__",
        "__length_hint__", "__iter__", "__next__", "__reversed__", "__contains__", "__getitem__", "__setitem__", "__delitem__", "__missing__",
        "__getattr__", "__getattribute__", "__setattr__", "__delattr__", "__call__", "__enter__", "__exit__", "__aenter__", "__aexit__",
        "__await__", "__aiter__", "__anext__",
        "__add__", "__radd__", "__iadd__", "__sub__", "__rsub__", "__isub__", "__mul__", "__rmul__", "__imul__", "__matmul__", "__rmatmul__",
        "__imatmul__", "__truediv__", "__rtruediv__", "__itruediv__", "__floordiv__", "__rfloordiv__", "__ifloordiv__", "__mod__", "__rmod__",
        "__imod__", "__divmod__", "__rdivmod__", "__pow__", "__rpow__", "__ipow__", "__lshift__", "__rlshift__", "__ilshift__", "__rshift__",
        "__rrshift__", "__irshift__", "__and__", "__rand__", "__iand__", "__or__", "__ror__", "__ior__", "__xor__", "__rxor__", "__ixor__",
        "__neg__", "__pos__", "__abs__", "__invert__", "__int__", "__float__", "__complex__", "__index__", "__round__", "__trunc__",
        "__floor__", "__ceil__", "__bytes__", "__fspath__",
        "_missing_",
    }
)  # fmt: skip
"""Methods that Python calls by itself, and that the machine cannot run when a user wrote them."""

_LOOKED_UP = frozenset({"__getattribute__", "__getattr__"})
"""The machine looks at fields itself, so these are refused there: our own code reads attributes too."""

_LIBRARIES = frozenset(
    {"builtins", "pydantic", "pydantic_core", "enum", "abc", "typing", "typing_extensions", "dataclasses"}
)


def is_user_class(cls: type) -> bool:
    """Whether a class is written by the user, or by a library of theirs."""
    return cls is not object and cls.__module__.partition(".")[0] not in _LIBRARIES


def user_mro(cls: type) -> list[type]:
    """The user classes of a class's method resolution order."""
    return [base for base in cls.__mro__ if is_user_class(base)]


def own_special_methods(cls: type) -> tuple[str, ...]:
    """Special methods written in a class body; those that the dataclass decorator generates do not count."""
    found = {
        name
        for base in user_mro(cls)
        for name, method in vars(base).items()
        if name in SPECIAL_METHODS
        and method is not None
        and not is_generated(base, method)
        and not _is_from_enum(base, method)
        and getattr(method, "__module__", "").partition(".")[0] != "pydantic"
    }
    return tuple(sorted(found))


def is_generated(cls: type, method: Any) -> bool:
    """Whether the dataclass decorator made a method."""
    if not dataclasses.is_dataclass(cls):
        return False
    wrapped = getattr(method, "__wrapped__", None)
    code = getattr(method, "__code__", None) or getattr(wrapped, "__code__", None)
    filename = getattr(code, "co_filename", "<string>")
    return bool(filename == "<string>" or "dataclasses" in filename or "reprlib" in filename)


def _is_from_enum(cls: type, method: Any) -> bool:
    """The enum machinery copies methods of its roots into each class it makes."""
    function = getattr(method, "__func__", method)
    return issubclass(cls, enum.Enum) and not getattr(function, "__qualname__", "").startswith(
        cls.__qualname__ + "."
    )


_traits: WeakKeyDictionary[type, Traits] = WeakKeyDictionary()


def traits_of(cls: Any) -> Traits:
    """What a value of this class must tell about it, for a process that knows nothing else of the class."""
    known: Traits | None = getattr(cls, TRAITS, None)
    if known is None:
        known = _traits.get(cls)
    if known is None:
        known = _traits[cls] = _find_traits(cls)
    return known


def _find_traits(cls: Any) -> Traits:
    flags = 0
    special = set(own_special_methods(cls))
    if hasattr(cls, "__pydantic_fields__"):
        config = getattr(cls, "model_config", {})
        flags |= Traits.FROZEN * bool(config.get("frozen"))
        if config.get("validate_assignment"):
            special.add("__setattr__")
    elif dataclasses.is_dataclass(cls):
        parameters = _parameters_of(cls)
        flags |= Traits.FROZEN * parameters.frozen | Traits.ORDERED * parameters.order
        flags |= Traits.HASHED * parameters.unsafe_hash | Traits.BY_IDENTITY * (not parameters.eq)
        fields = dataclasses.fields(cls)
        if not all(field.compare for field in fields):
            special |= {"__eq__", "__lt__", "__le__", "__gt__", "__ge__"}
        if not all(field.repr for field in fields):
            special.add("__repr__")
    return Traits(flags, tuple(sorted(special)))


def install(cls: Any, names: tuple[str, ...]) -> None:
    """Let a stand-in class refuse the use of special methods that the user's class defines."""
    setattr(cls, SPECIAL, names)
    for name in names:
        if name in SPECIAL_METHODS and name not in _LOOKED_UP:
            method = _refusal(name)
            setattr(cls, name, classmethod(method) if name == "_missing_" else method)
    if "__eq__" in names and "__ne__" not in names:
        cls.__ne__ = _refusal("__eq__")


def refuse_special(value: object, name: str) -> None:
    """Refuse what the user's class could do by a special method of its own.

    Raises:
        UnsupportedPatternError: It could.
    """
    if name in getattr(type(value), SPECIAL, ()):
        _refuse(value, name)


def _refusal(name: str) -> Any:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse(self, name)

    refuse.__name__ = name
    return refuse


def _refuse(value: Any, name: str) -> NoReturn:
    cls = value if isinstance(value, type) else type(value)
    raise UnsupportedPatternError(
        f"{cls.__module__}.{cls.__qualname__} defines {name}, which cannot run in a workflow; "
        "do what needs it in an @action and return plain data, or use the fields of the object"
    )


def _parameters_of(cls: Any) -> Any:
    return cls.__dataclass_params__
