"""Classes made from descriptions: same name, fields and bases as the user's, and none of the user's code.

The VM computes with instances of these, so equality, repr, ordering, isinstance and `except` are CPython's own. A class that a payload brings
and no description explains gets a stand-in from what the payload tells (field names, class hierarchy).
"""

from __future__ import annotations

import builtins
import dataclasses
import enum
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakValueDictionary

from waymark.errors import ValueDecodingError
from waymark.values import exceptions
from waymark.values.classes import SET_NAMES, ClassInfo, ClassKey, ClassKind, Traits
from waymark.values.collections import Deque
from waymark.values.enums import member_of
from waymark.values.known import KNOWN_CLASSES
from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.values.special import TRAITS, install

_ENUM_ROOTS: dict[str, tuple[type, ...]] = {
    "Enum": (enum.Enum,),
    "IntEnum": (enum.IntEnum,),
    "StrEnum": (enum.StrEnum,),
    "Flag": (enum.Flag,),
    "IntFlag": (enum.IntFlag,),
    "int": (int, enum.Enum),
    "str": (str, enum.Enum),
}

_MAX_MRO = 64
_NO_TRAITS = Traits()


class PydanticRecord:
    """Stands for an instance of a pydantic model: fields, equality and repr as the model has them by default."""

    __waymark_info__: ClassInfo | None = None
    __hash__ = None  # type: ignore[assignment]
    __pydantic_fields__: dict[str, Any] = {}  # noqa: RUF012  (marks the kind, as on the real class)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _visible(self) == _visible(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._arguments(', ')})"

    def __str__(self) -> str:
        return self._arguments(" ")

    def __iter__(self) -> Any:
        return iter(_visible(self).items())

    @property
    def __pydantic_fields_set__(self) -> set[str] | None:
        names = vars(self).get(SET_NAMES)
        return None if names is None else set(names)

    def _arguments(self, separator: str) -> str:
        return separator.join(f"{name}={value!r}" for name, value in _visible(self).items())

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self.__dict__:
            raise ValueError(f'"{type(self).__name__}" object has no field "{name}"')
        self.__dict__[name] = value
        set_names = self.__dict__.get(SET_NAMES)
        if set_names is not None and name not in set_names:
            self.__dict__[SET_NAMES] = tuple(sorted((*set_names, name)))


def _visible(record: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name != SET_NAMES}


class SyntheticClasses:
    """The classes of one program, and stand-ins for those that payloads bring. Implements `ClassSource`."""

    set_type: Callable[[Iterable[Any]], Any] = OrderedSet
    frozenset_type: Callable[[Iterable[Any]], Any] = OrderedFrozenSet
    deque_type: Callable[..., Any] = Deque

    def __init__(self, infos: Iterable[ClassInfo], *, refuses_special: bool = True) -> None:
        """
        Args:
            infos: Descriptions.
            refuses_special: Let special methods that the user's class defines refuse to run; else the stand-in
                behaves as if it had none.
        """
        self._infos = {info.key: info for info in infos}
        self._classes: dict[ClassKey, type] = dict(KNOWN_CLASSES)
        self._refuses_special = refuses_special
        # Payloads decide how many of these there are, so each lives as long as its instances do.
        self._stand_ins: WeakValueDictionary[tuple[Any, ...], type] = WeakValueDictionary()

    def class_for(self, key: ClassKey) -> type:
        """The class of a description.

        Raises:
            ValueDecodingError: Nothing describes it.
        """
        made = self._classes.get(key)
        if made is None:
            info = self._infos.get(key)
            if info is None:
                raise ValueDecodingError(f"class {key} is not described in the program")
            made = self._classes[key] = self._build(info)
        return made

    def knows(self, key: ClassKey) -> bool:
        """Whether a description exists."""
        return key in self._infos or key in self._classes

    def _build(self, info: ClassInfo) -> type:
        bases = tuple(self._base(key) for key in info.bases)
        match info.kind:
            case ClassKind.DATACLASS:
                made = _build_dataclass(info, bases, self)
            case ClassKind.PYDANTIC:
                made = type(
                    _short(info.key),
                    (*bases, PydanticRecord)
                    if not any(issubclass(b, PydanticRecord) for b in bases)
                    else bases,
                    {},
                )
            case ClassKind.ENUM:
                made = self._build_enum(info)
            case ClassKind.EXCEPTION:
                made = type(_short(info.key), bases or (Exception,), {"__str__": _exception_text})
            case _:
                made = type(_short(info.key), bases, {})
        _name(made, info.key)
        made.__waymark_info__ = info  # type: ignore[attr-defined]
        if info.match_args is not None:
            made.__match_args__ = info.match_args  # type: ignore[attr-defined,misc]
        flags = Traits.FROZEN * info.frozen | Traits.ORDERED * info.order
        flags |= Traits.HASHED * info.unsafe_hash | Traits.BY_IDENTITY * (not info.eq)
        self._give_traits(made, Traits(flags, info.unsupported), validates=info.validates_assignment)
        return made

    def _give_traits(self, cls: Any, traits: Traits, *, validates: bool = False) -> None:
        special = set(traits.special)
        if issubclass(cls, PydanticRecord):
            if traits.flags & Traits.FROZEN:
                cls.__hash__ = _hash_of_fields
            if traits.flags & Traits.FROZEN or validates:
                special |= {"__setattr__", "__delattr__"}
        setattr(cls, TRAITS, Traits(traits.flags, tuple(sorted(special))))
        if self._refuses_special:
            install(cls, tuple(sorted(special)))

    def _base(self, key: ClassKey) -> type:
        if key.module == "builtins":
            found = getattr(builtins, key.qualname, None)
            if isinstance(found, type):
                return found
        return self.class_for(key)

    def _build_enum(self, info: ClassInfo) -> type:
        from waymark.values.codec import decode

        roots = _ENUM_ROOTS[info.enum_type]
        metaclass = enum.EnumMeta
        namespace = metaclass.__prepare__(_short(info.key), roots)
        for name, value in info.members:
            namespace[name] = decode(value, self)
        return metaclass.__new__(metaclass, _short(info.key), roots, namespace)

    def new_record(
        self, kind: ClassKind, key: ClassKey, names: tuple[str, ...], traits: Traits | None = None
    ) -> Any:
        cls = self._record_class(kind, key, names, traits or _NO_TRAITS)
        return cls.__new__(cls)

    def _record_class(self, kind: ClassKind, key: ClassKey, names: tuple[str, ...], traits: Traits) -> Any:
        if self.knows(key):
            return self.class_for(key)
        made: Any = self._stand_ins.get((key, names, traits))
        if made is None:
            if kind is ClassKind.PYDANTIC:
                made = type(_short(key), (PydanticRecord,), {})
            else:
                made = dataclasses.make_dataclass(
                    _short(key),
                    [(name, Any) for name in names],
                    frozen=bool(traits.flags & Traits.FROZEN),
                    order=bool(traits.flags & Traits.ORDERED),
                    unsafe_hash=bool(traits.flags & Traits.HASHED),
                    eq=not traits.flags & Traits.BY_IDENTITY,
                )
            self._give_traits(made, traits)
            self._keep((key, names, traits), made, key)
        return made

    def _keep(self, place: tuple[Any, ...], made: type, key: ClassKey) -> None:
        _name(made, key)
        made.__waymark_stand_in__ = True  # type: ignore[attr-defined]
        self._stand_ins[place] = made

    def fill_record(self, record: Any, values: dict[str, Any], set_names: tuple[str, ...] | None) -> None:
        vars(record).update(values)
        if set_names is not None and isinstance(record, PydanticRecord):
            vars(record)[SET_NAMES] = set_names

    def enum_member(
        self, enum_type: str, key: ClassKey, name: str | None, value: Any, special: tuple[str, ...] = ()
    ) -> Any:
        if self.knows(key):
            found = member_of(self.class_for(key), name, value)
            if found is not None:
                return found  # else a member that a newer deployment added: it stands for itself
        made: Any = self._stand_ins.get((key, name, enum_type))
        if made is None:
            roots = _ENUM_ROOTS.get(enum_type, (enum.Enum,))
            namespace = enum.EnumMeta.__prepare__(_short(key), roots)
            if name is not None:
                namespace[name] = value
            made = enum.EnumMeta.__new__(enum.EnumMeta, _short(key), roots, namespace)
            self._give_traits(made, Traits(0, special))
            self._keep((key, name, enum_type), made, key)
        return made(value) if name is None else made[name]

    def new_exception(
        self, mro: tuple[ClassKey, ...], args: tuple[Any, ...], attributes: dict[str, Any]
    ) -> BaseException:
        return build_exception(self._exception_class(mro), args, attributes)

    def _exception_class(self, mro: tuple[ClassKey, ...]) -> type[BaseException]:
        if not mro or len(mro) > _MAX_MRO:
            raise ValueDecodingError(f"damaged value: exception with {len(mro)} classes")
        key = mro[0]
        if key.module == "builtins":
            found = getattr(builtins, key.qualname, None)
            if isinstance(found, type) and issubclass(found, BaseException):
                return found
            raise ValueDecodingError(f"damaged value: builtins.{key.qualname} is not an exception class")
        if self.knows(key):
            cls = self.class_for(key)
            if issubclass(cls, BaseException):
                return cls
            raise ValueDecodingError(f"damaged value: {key} is not an exception class")
        cached: Any = self._stand_ins.get((key, tuple(map(str, mro))))
        if cached is None:
            cached = type(_short(key), self._exception_bases(mro[1:]), {"__str__": _exception_text})
            self._keep((key, tuple(map(str, mro))), cached, key)
        return cached  # type: ignore[no-any-return]

    def _exception_bases(self, rest: tuple[ClassKey, ...]) -> tuple[type[BaseException], ...]:
        """A user class continues the chain with the next one; builtin bases stand side by side, the derived ones only."""
        if rest and rest[0].module != "builtins":
            return (self._exception_class(rest),)
        classes = [self._exception_class((key,)) for key in rest if key.module == "builtins"]
        derived = [
            cls
            for cls in classes
            if not any(other is not cls and issubclass(other, cls) for other in classes)
        ]
        return tuple(derived) or (Exception,)


def build_exception(
    cls: type[BaseException], args: tuple[Any, ...], attributes: dict[str, Any]
) -> BaseException:
    """An exception as it was, without calling an `__init__` of the user's."""
    try:
        made = cls.__new__(cls, *args)
        if cls.__module__ == "builtins":
            cls.__init__(made, *args)
    except TypeError:
        made = cls.__new__(cls)
    made.args = args
    exceptions.set_attributes(made, attributes)
    return made


def _exception_text(self: BaseException) -> str:
    known = vars(self).get(exceptions.MESSAGE)
    if isinstance(known, str):
        return known
    for cls in type(self).__mro__:
        if cls.__module__ == "builtins" and issubclass(cls, BaseException):
            return cls.__str__(self)
    return BaseException.__str__(self)


setattr(_exception_text, exceptions.BUILTIN_TEXT, True)


def _hash_of_fields(self: PydanticRecord) -> int:
    return hash(tuple(_visible(self).values()))


def _short(key: ClassKey) -> str:
    return key.qualname.rpartition(".")[2]


def _name(cls: type, key: ClassKey) -> None:
    cls.__module__ = key.module
    cls.__qualname__ = key.qualname


def _build_dataclass(info: ClassInfo, bases: tuple[type, ...], classes: SyntheticClasses) -> type:
    from waymark.values.codec import decode

    definitions: list[tuple[str, Any, Any]] = []
    for field in info.fields:
        options: dict[str, Any] = {
            "kw_only": field.keyword_only,
            "init": field.init,
            "compare": field.compare,
            "repr": field.repr,
        }
        if field.factory is not None:
            options["default_factory"] = _FACTORIES[field.factory]
        elif field.default is not None:
            default = decode(field.default, classes)
            if type(default).__hash__ is None:
                options["default_factory"] = lambda default=default: default
            else:
                options["default"] = default
        definitions.append((field.name, Any, dataclasses.field(**options)))
    plain = tuple(
        base for base in bases if not dataclasses.is_dataclass(base) or _is_frozen(base) == info.frozen
    )
    return dataclasses.make_dataclass(
        _short(info.key),
        definitions,
        bases=plain,
        eq=info.eq,
        order=info.order,
        frozen=info.frozen,
        unsafe_hash=info.unsafe_hash,
        match_args=False,
    )


def _is_frozen(cls: Any) -> bool:
    return bool(cls.__dataclass_params__.frozen)


_FACTORIES: dict[str, Callable[[], Any]] = {"list": list, "dict": dict, "set": OrderedSet, "tuple": tuple}
