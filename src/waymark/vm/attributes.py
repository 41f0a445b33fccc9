"""`o.name`: which attributes exist, by the type of the object. Anything not listed here or in `program.library` does not.

An attribute that the user's class has and the machine cannot run (a method, a property) ends the run with the way out,
because an AttributeError would be a silent difference from Python.
"""

from __future__ import annotations

import enum
import pathlib
from dataclasses import MISSING, is_dataclass
from typing import Any, NoReturn

from waymark.errors import UnsupportedPatternError
from waymark.program.library import ATTRIBUTES, CLASS_METHODS, METHODS, VALUE_MODULES, VALUES
from waymark.program.program import ClassMember, MemberKind
from waymark.values.exceptions import HIDDEN
from waymark.values.sets import _Ordered
from waymark.values.special import refuse_special
from waymark.values.synthetic import PydanticRecord
from waymark.vm.code import Code
from waymark.vm.futures import Future
from waymark.vm.iteration import DictView
from waymark.vm.managers import LoopBound
from waymark.vm.objects import (
    CALLABLE,
    BoundFunction,
    BoundMethod,
    BuiltinFunction,
    Closure,
    FunctionValue,
    MachineValue,
    SelfObject,
)

_EXCEPTION_ATTRIBUTES = frozenset(
    {
        "errno",
        "strerror",
        "filename",
        "filename2",
        "path",
        "value",
        "name",
        "obj",
        "encoding",
        "object",
        "reason",
        "start",
        "end",
        "exceptions",
        "message",
        "code",
        "msg",
    }
)
_DICT_VIEW_METHODS = frozenset({"isdisjoint"})


def _some_function() -> None:
    """Has the attributes that every function has."""


_SAMPLES: dict[type, Any] = {BuiltinFunction: len, BoundMethod: "".upper}


class Property:
    """A property that is read: its getter is still to be called."""

    __slots__ = ("getter",)

    def __init__(self, getter: BoundFunction) -> None:
        self.getter = getter


class Attributes:
    """Attribute access of one machine.

    Args:
        code: The program, with what is known of each type.
        machine: Gives module constants and functions, and runs properties.
    """

    def __init__(self, code: Code, machine: Any) -> None:
        self._program = code.program
        self._class_attributes = code.class_attributes
        self._members = code.members
        self._tables = code.attribute_tables
        self._machine = machine

    def get(self, target: Any, name: str) -> Any:
        """`target.name`, for library functions: a property is run at once."""
        found = self.find(target, name)
        return found if type(found) is not Property else self._machine.calls.invoke(found.getter, [])

    def find(self, target: Any, name: str) -> Any:
        """`target.name`; a method comes as a BoundMethod, a property as a Property."""
        kind = type(target)
        table = self._tables.get(kind)
        if table is None:
            table = _table_of(kind)
            if not hasattr(kind, "__waymark_stand_in__"):  # those come and go with payloads
                self._tables[kind] = table
        is_method = table.get(name)
        if is_method is not None:
            return BoundMethod(target, name) if is_method else getattr(target, name)
        if kind is SelfObject:
            return self._of_self(target, name)
        if isinstance(target, type):
            return self._of_class(target, name)
        if isinstance(target, BaseException):
            return self._of_exception(target, name)
        if isinstance(target, enum.Enum):
            return self._of_enum_member(target, name)
        if isinstance(target, PydanticRecord) or is_dataclass(kind):
            return self._of_record(target, name)
        if isinstance(target, CALLABLE):
            return self._of_function(target, name)
        return _missing(target, name)

    def _of_self(self, target: SelfObject, name: str) -> Any:
        if name in target.attributes:
            return target.attributes[name]
        if name in self._class_attributes:
            return self._machine.load_global(self._class_attributes[name])
        raise AttributeError(f"'{target.class_name}' object has no attribute '{name}'", name=name)

    def _of_function(self, target: Any, name: str) -> Any:
        if isinstance(target, FunctionValue | Closure | BoundFunction):
            function = self._program.functions[target.index]
            if name == "__name__":
                return function.qualname.rpartition(".")[2]
            if name == "__qualname__":
                return function.qualname
            if name == "__module__":
                return function.module
        if not name.endswith(" =") and not hasattr(_SAMPLES.get(type(target), _some_function), name):
            kind = "function" if isinstance(target, BoundFunction) else type(target).__name__
            raise AttributeError(f"'{kind}' object has no attribute '{name}'", name=name)
        raise UnsupportedPatternError(
            f"the attribute {name!r} of a function cannot be used in a workflow; keep the value in a variable"
        )

    def _of_class(self, target: Any, name: str) -> Any:
        if issubclass(target, enum.Enum) and name in target.__members__:
            return target.__members__[name]
        if target.__module__ in VALUE_MODULES or issubclass(target, pathlib.PurePath):
            if any(name in METHODS.get(base.__name__, ()) for base in target.__mro__):
                return BoundMethod(target, name)
            if f"{target.__module__}.{target.__qualname__}.{name}" in VALUES:
                return getattr(target, name)
        member = self._member(target, name)
        if member is not None:
            return self._of_type(member, target)
        if issubclass(target, PydanticRecord) and f"BaseModel.{name}" in CLASS_METHODS:
            return BoundMethod(target, name)
        if name.startswith("__") or not hasattr(target, name):
            raise AttributeError(f"type object '{target.__name__}' has no attribute '{name}'", name=name)
        raise UnsupportedPatternError(
            f"{target.__name__}.{name} cannot be used in a workflow; do this in an @action"
        )

    def _of_exception(self, target: BaseException, name: str) -> Any:
        values = vars(target)
        if name in values and name not in HIDDEN:
            return values[name]
        member = self._member(type(target), name)
        if member is not None:
            return self._bound(member, target)
        if name in _EXCEPTION_ATTRIBUTES and hasattr(target, name):
            return getattr(target, name)
        _refuse_code_of_class(target, name)
        raise AttributeError(_no_attribute(target, name), name=name)

    def _of_record(self, target: Any, name: str) -> Any:
        refuse_special(target, "__getattribute__")
        values = vars(target)
        if name in values and name not in HIDDEN and not name.startswith("__"):
            return values[name]
        member = self._member(type(target), name)
        if member is not None:
            return self._bound(member, target)
        field = getattr(type(target), "__dataclass_fields__", {}).get(name)
        if field is not None and field.default is not MISSING:
            return field.default  # the instance's own was deleted, so the class's shows through
        if isinstance(target, PydanticRecord) and name in METHODS["BaseModel"]:
            return BoundMethod(type(target) if f"BaseModel.{name}" in CLASS_METHODS else target, name)
        refuse_special(target, "__getattr__")
        _refuse_code_of_class(target, name)
        if isinstance(target, PydanticRecord):
            raise AttributeError(f"'{type(target).__name__}' object has no attribute '{name}'", name=name)
        raise AttributeError(_no_attribute(target, name), name=name)

    def _of_enum_member(self, target: enum.Enum, name: str) -> Any:
        member = self._member(type(target), name)
        if member is not None:
            return self._bound(member, target)
        _refuse_code_of_class(target, name)
        return _missing(target, name)

    def _member(self, cls: type, name: str) -> ClassMember | None:
        """The member of a user class, or of its bases, that the program knows by a name."""
        for base in cls.__mro__:
            members = self._members.get(base)
            if members is not None and name in members:
                return members[name]
        return None

    def _bound(self, member: ClassMember, target: Any) -> Any:
        """A member as an instance finds it."""
        if member.kind is MemberKind.FUNCTION:
            return BoundFunction(member.value, target)
        if member.kind is MemberKind.PROPERTY:
            return Property(BoundFunction(member.value, target))
        return self._of_type(member, type(target))

    def _of_type(self, member: ClassMember, cls: type) -> Any:
        """A member as the class finds it."""
        match member.kind:
            case MemberKind.FUNCTION | MemberKind.STATIC:
                return self._machine.calls.function(member.value)
            case MemberKind.CLASS:
                return BoundFunction(member.value, cls)
            case MemberKind.DATA:
                return self._machine.load_global(member.value)
            case _:
                raise UnsupportedPatternError(
                    f"{cls.__name__}.{member.name} is code of a class that cannot run in a workflow; call it in an @action"
                )

    def set(self, target: Any, name: str, value: Any) -> None:
        """`target.name = value`."""
        if type(target) is SelfObject:
            target.attributes[name] = value
        elif isinstance(target, CALLABLE):
            self._of_function(target, f"{name} =")
        elif isinstance(target, type | enum.Enum):
            _refuse_shared(target, name)
        elif isinstance(target, BaseException):
            if name in ("args", "__cause__", "__context__", "__suppress_context__"):
                setattr(target, name, value)
            elif name.startswith("__"):
                _missing(target, name)
            else:
                vars(target)[name] = value
        elif isinstance(target, PydanticRecord) or is_dataclass(target):
            if name not in vars(target):
                _refuse_code_of_class(target, name)  # a property may have a setter
            setattr(target, name, value)
        else:
            raise AttributeError(_no_attribute(target, name), name=name)

    def delete(self, target: Any, name: str) -> None:
        """`del target.name`."""
        if isinstance(target, type | enum.Enum):
            _refuse_shared(target, name)
        values = target.attributes if type(target) is SelfObject else getattr(target, "__dict__", None)
        if values is None or name not in values or name in HIDDEN:
            owner = target.class_name if type(target) is SelfObject else type(target).__name__
            raise AttributeError(f"'{owner}' object has no attribute '{name}'", name=name)
        if type(target) is SelfObject:
            del values[name]
        else:
            delattr(target, name)


def _table_of(kind: type) -> dict[str, bool]:
    """Names of a builtin type: True for methods."""
    table: dict[str, bool] = {}
    if issubclass(kind, BaseException):
        names = ["BaseException", *["BaseExceptionGroup"] * issubclass(kind, BaseExceptionGroup)]
    elif issubclass(kind, enum.Enum):
        names = ["enum", *(base.__name__ for base in (str, int) if issubclass(kind, base))]
    elif issubclass(kind, type):
        names = ["type"]
    elif issubclass(kind, pathlib.PurePath):
        names = ["Path"]
    elif (
        issubclass(kind, _Ordered) or kind.__module__ in VALUE_MODULES or issubclass(kind, Future | LoopBound)
    ):
        names = [base.__name__ for base in kind.__mro__]
    else:
        names = []
    if issubclass(kind, DictView):
        table.update(dict.fromkeys(_DICT_VIEW_METHODS, True))
    for name in names:
        table.update(dict.fromkeys(METHODS.get(name, ()), True))
        table.update(dict.fromkeys(ATTRIBUTES.get(name, ()), False))
    return table


def _refuse_shared(target: Any, name: str) -> NoReturn:
    """A class and its members are shared by all runs of the process."""
    shown = target.__name__ if isinstance(target, type) else f"{type(target).__name__}.{target.name}"
    raise UnsupportedPatternError(
        f"{shown}.{name} cannot be changed in a workflow: other runs share it; keep the value in a variable"
    )


def _refuse_code_of_class(target: Any, name: str) -> None:
    """A method or property of the user's class; of a class that only a payload named, nothing is known, so anything may be one."""
    info = getattr(type(target), "__waymark_info__", None)
    is_foreign = info is None and type(target).__module__ not in (
        "builtins",
        "asyncio.exceptions",
        "asyncio.queues",
        "waymark.errors",
    )
    if is_foreign or (info is not None and name in info.code_names):
        raise UnsupportedPatternError(
            f"{type(target).__name__}.{name} is code of the class {type(target).__module__}.{type(target).__qualname__}, which cannot run "
            f"in a workflow; call it in an @action, or use the class's fields"
        )


def _missing(target: Any, name: str) -> Any:
    if isinstance(target, MachineValue | DictView) or not hasattr(target, name) or name.startswith("__"):
        raise AttributeError(_no_attribute(target, name), name=name)
    raise UnsupportedPatternError(
        f"{type(target).__name__}.{name} cannot be used in a workflow; do this in an @action"
    )


def _no_attribute(target: Any, name: str) -> str:
    return f"'{type(target).__name__}' object has no attribute '{name}'"
