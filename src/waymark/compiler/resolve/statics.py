"""Objects outside of the function: what a live Python object becomes in the program."""

from __future__ import annotations

import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from waymark.compiler.annotations import signature_classes
from waymark.compiler.bindings import Action, Binding, Constant, Library, Stored, UserClass
from waymark.compiler.resolve import library
from waymark.compiler.source import NATIVE_RUN_ATTRIBUTE
from waymark.errors import ValueEncodingError
from waymark.program.library import METHODS
from waymark.program.patterns import PATTERN_CODE, UnboundedPattern, examine
from waymark.program.program import ActionReference, Parameter, ParameterKind
from waymark.values.classes import ClassInfo, ClassKey, ClassKind
from waymark.values.codec import InternalType, encode
from waymark.values.describe import describe_class, described_bases
from waymark.values.known import KNOWN_CLASSES
from waymark.values.special import user_mro

ACTION_ATTRIBUTE = "__waymark_action__"
"""Where `@action` leaves module, name and function; `waymark.sdk.actions` sets it."""

_PLAIN = (type(None), bool, int, float, str, bytes)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an object cannot be used, and the way out."""

    code: str
    message: str
    help: str


@dataclass(frozen=True, slots=True)
class Module:
    """A module: only its attributes are of use."""

    module: types.ModuleType


@dataclass(frozen=True, slots=True)
class Typing:
    """A construct of typing, of use in annotations and cast only."""

    value: object


Static = Binding | Module | Typing | Refusal


class Statics:
    """Turns live objects into bindings, once each; keeps the classes that the program needs."""

    def __init__(self) -> None:
        self.bind_function: Callable[[types.FunctionType, str, str], Static] = _refuse_function
        """What a function of a module is, found under a builtin decorator or none; set by who compiles functions along."""
        self._library = library.by_identity()
        self._stored: dict[int, Stored | Refusal] = {}
        self._classes: dict[type, ClassInfo | Refusal] = {}
        self._actions: list[Callable[..., Any]] = []
        self._owners: dict[int, str] = {}
        """Label of the stored value that holds a mutable part, by the part's identity."""
        self._alive: list[object] = []
        """Keeps every stored value alive, so that no identity is used twice."""

    def bind(self, value: object, shown: str, label: str) -> Static:
        """What an object is to the program.

        Args:
            value: The object.
            shown: How the source names it, for messages.
            label: Where it comes from, for listings: `shop.flows.LIMITS`.
        """
        name = self._library.get(id(value))
        if name is not None:
            return Library(name)
        entry = getattr(value, ACTION_ATTRIBUTE, None)
        if entry is not None and not isinstance(value, type):
            self._actions.append(entry.function)
            return Action(action_reference(entry))
        if library.is_refused(value):
            return Refusal(*library.refusal(value, shown))
        if isinstance(value, types.ModuleType):
            return Module(value)
        if _is_plain(value) or isinstance(value, enum.Enum):
            return self._constant(value, shown)
        if inspect.isclass(value):
            return self._class(value, shown)
        if _is_typing(value):
            return Typing(value)
        if isinstance(value, types.FunctionType):
            return self.bind_function(value, shown, "")
        if inspect.isroutine(value) or hasattr(value, "__wrapped__"):
            return Refusal(*library.refusal(value, shown))
        return self.store(value, shown, label)

    def attribute(self, cls: type, name: str, shown: str) -> Static | None:
        """What `Class.name` is; None when it has to be looked up at run time."""
        found = inspect.getattr_static(cls, name, None)
        if isinstance(found, staticmethod):
            found = found.__func__
            if isinstance(found, types.FunctionType) and not hasattr(found, ACTION_ATTRIBUTE):
                return self.bind_function(found, shown, "staticmethod")
        if issubclass(cls, enum.Enum):
            member = cls.__members__.get(name)
            if member is not None:
                return self._constant(member, shown)
        if found is None:
            return None
        if isinstance(found, types.FunctionType):
            return self.bind(found, shown, shown)
        if isinstance(found, classmethod | property) or hasattr(found, "__get__"):
            is_users = any(name in vars(base) for base in user_mro(cls))
            is_models = hasattr(cls, "__pydantic_fields__") and name in METHODS["BaseModel"]
            return None if is_users or is_models else _class_code(cls, name)
        return self.bind(getattr(cls, name), shown, f"{cls.__module__}.{cls.__qualname__}.{name}")

    def store(self, value: object, shown: str, label: str) -> Stored | Refusal:
        """A value that every instance gets a copy of."""
        identity = id(value)
        if identity not in self._stored:
            self._alive.append(value)
            self._stored[identity] = self._store(value, shown, label)
        return self._stored[identity]

    def _store(self, value: object, shown: str, label: str) -> Stored | Refusal:
        try:
            encoded = _with_patterns(value, shown)
        except UnboundedPattern as reason:
            return Refusal("WM171", f"`{shown}`: {reason}", PATTERN_HELP)
        except ValueEncodingError as error:
            if library.is_outside(type(value)):
                return Refusal(*library.refusal(type(value), shown))
            return Refusal(
                "WM134",
                f"`{shown}` is of type {type(value).__qualname__}, which cannot be kept with the program"
                + ("" if error.path == shown else f", because of {error.path}"),
                "use it in an @action, or build the value inside the workflow",
            )
        for part in _parts(value):
            if _is_instance_of_user_class(part):
                described = self.use_class(type(part))
                if isinstance(described, Refusal):
                    return described
            if not isinstance(part, (*_PLAIN, tuple, frozenset, enum.Enum, re.Pattern)):
                owner = self._owners.setdefault(id(part), label)
                if owner != label:
                    return Refusal(
                        "WM134",
                        f"`{shown}` shares a part with `{owner}`, which would become two separate copies",
                        f"use only one of `{shown}` and `{owner}` in the workflow",
                    )
        return Stored(id(value), label, encoded)

    def _constant(self, value: object, shown: str) -> Static:
        try:
            encoded = encode(value, root=shown)
        except ValueEncodingError as error:
            return Refusal(
                "WM134", f"`{shown}` cannot be kept with the program ({error})", "use a value of a plain type"
            )
        for part in _parts(value):
            if isinstance(part, enum.Enum):
                described = self.use_class(type(part))
                if isinstance(described, Refusal):
                    return described
        return Constant(encoded)

    def _class(self, cls: type, shown: str) -> Static:
        if hasattr(getattr(cls, "run", None), NATIVE_RUN_ATTRIBUTE):
            return Refusal(
                "WM139",
                f"`{shown}` is a workflow, and starting one inside another is not supported yet",
                "start it in an @action, or call its steps from a helper method",
            )
        if cls.__module__ in library.TYPING_MODULES:
            return Typing(cls)
        if library.is_refused(cls) or (_is_standard(cls) and cls.__module__ != "builtins"):
            return Refusal(*library.refusal(cls, shown))
        described = self.use_class(cls)
        return described if isinstance(described, Refusal) else UserClass(described)

    def use_class(self, cls: type) -> ClassInfo | Refusal:
        """Describe a user class and its bases for the class table."""
        if cls not in self._classes:
            self._classes[cls] = self._describe(cls)
            for base in described_bases(cls):
                described = self.use_class(base)
                if isinstance(described, Refusal):
                    self._classes[cls] = described
        return self._classes[cls]

    def _describe(self, cls: type) -> ClassInfo | Refusal:
        shown = cls.__qualname__
        if _is_standard(cls):
            return Refusal(*library.refusal(cls, f"{cls.__module__}.{shown}".removeprefix("builtins.")))
        try:
            info = describe_class(cls)
        except ValueEncodingError as error:
            return Refusal(
                "WM135",
                f"class `{shown}` cannot be described ({error})",
                "use default values of plain types, or make the value in an @action",
            )
        if hasattr(cls, "_fields") and issubclass(cls, tuple):
            return Refusal(
                "WM135",
                f"class `{shown}` is a named tuple, whose methods are code that Python generates",
                "use a dataclass with frozen=True, or a plain tuple",
            )
        if info.unsupported:
            return Refusal(
                "WM135",
                f"class `{shown}` defines {', '.join(info.unsupported)}, whose code cannot run in a workflow",
                "do the work that needs it in an @action and return plain data",
            )
        builtin_bases = [
            base for base in cls.__mro__[1:] if base.__module__ == "builtins" and base is not object
        ]
        if info.kind is ClassKind.PLAIN and builtin_bases:
            return Refusal(
                "WM135",
                f"class `{shown}` is a kind of {builtin_bases[0].__name__}, which a workflow cannot keep as such",
                "use a dataclass",
            )
        return info

    def include_signatures(self, functions: Iterable[Callable[..., Any]]) -> None:
        """Describe the classes that values of the run can have: those in signatures of its functions and actions.

        The code need not name them, so what they cannot do is no finding here; the machine refuses it when it comes to it.
        """
        for function in (*functions, *self._actions):
            for cls in signature_classes(function):
                self._include(cls)

    def _include(self, cls: type) -> bool:
        if cls not in self._classes:
            try:
                info = describe_class(cls)
            except ValueEncodingError:
                return False
            if not all(self._include(base) for base in described_bases(cls)):
                return False
            self._classes[cls] = info
        return isinstance(self._classes[cls], ClassInfo)

    def classes(self) -> tuple[ClassInfo, ...]:
        """Every class used so far, ordered by identity; Waymark's own are known to both sides."""
        infos = {info.key: info for info in self._classes.values() if isinstance(info, ClassInfo)}
        return tuple(infos[key] for key in sorted(infos) if key not in KNOWN_CLASSES)

    def described(self) -> list[tuple[type, ClassInfo]]:
        """Every class used so far with its description."""
        return [
            (cls, info)
            for cls, info in self._classes.items()
            if isinstance(info, ClassInfo) and info.key not in KNOWN_CLASSES
        ]

    def live_class(self, key: ClassKey) -> type:
        """The class behind a description."""
        return next(
            cls for cls, info in self._classes.items() if isinstance(info, ClassInfo) and info.key == key
        )


def _is_standard(cls: type) -> bool:
    """Whether a class is one of Python's own, which are in the tables or refused; its exceptions are described as a user's are."""
    top = cls.__module__.partition(".")[0]
    return top in library.STANDARD_MODULES and (top == "builtins" or not issubclass(cls, BaseException))


PATTERN_HELP = "write it so that each repeated part can end in one place only, or match it in an @action"
_PATTERNS: dict[type, InternalType] = {re.Pattern: InternalType(PATTERN_CODE, ("pattern", "flags"))}


def _with_patterns(value: object, shown: str) -> bytes:
    """A value encoded, with the compiled patterns in it."""
    patterns = [part for part in _parts(value) if isinstance(part, re.Pattern)]
    for pattern in patterns:
        examine(pattern.pattern, pattern.flags)
    return encode(value, root=shown, internals=_PATTERNS if patterns else None)


def _refuse_function(function: types.FunctionType, shown: str, decorator: str) -> Static:
    return Refusal(*library.refusal(function, shown))


def action_reference(entry: object) -> ActionReference:
    """The table row of an action."""
    function = getattr(entry, "function", None)
    parameters = tuple(
        Parameter(
            parameter.name,
            _KINDS[parameter.kind],
            None if parameter.default is inspect.Parameter.empty and not _is_provided(parameter) else 0,
        )
        for parameter in inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    )
    return ActionReference(str(getattr(entry, "module", "")), str(getattr(entry, "name", "")), parameters)


_KINDS: Mapping[object, ParameterKind] = {
    inspect.Parameter.POSITIONAL_ONLY: ParameterKind.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD: ParameterKind.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL: ParameterKind.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY: ParameterKind.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD: ParameterKind.VAR_KEYWORD,
}


def _is_provided(parameter: inspect.Parameter) -> bool:
    """Whether the worker fills a parameter from a dependency, so that callers leave it out."""
    metadata = getattr(parameter.annotation, "__metadata__", ())
    if any(type(part).__module__.partition(".")[0] == "waymark" for part in metadata):
        return True
    text = parameter.annotation if isinstance(parameter.annotation, str) else ""
    return text.startswith(("Annotated[", "typing.Annotated[")) and "Depend" in text


def _class_code(cls: type, name: str) -> Refusal:
    return Refusal(
        "WM136",
        f"`{cls.__qualname__}.{name}` is code of a class, which cannot run in a workflow",
        "call it in an @action, or write the code into a helper method",
    )


def _is_plain(value: object) -> bool:
    if type(value) is tuple:
        return all(_is_plain(part) or isinstance(part, enum.Enum) for part in value)
    return type(value) in _PLAIN


def _is_typing(value: object) -> bool:
    if inspect.isfunction(value):
        return value is typing.cast
    return (
        isinstance(value, types.GenericAlias | types.UnionType | typing.TypeVar)
        or type(value).__module__ in library.TYPING_MODULES
        or getattr(value, "__module__", None) in library.TYPING_MODULES
    )


def _is_instance_of_user_class(part: object) -> bool:
    is_record = is_dataclass(part) or hasattr(part, "__pydantic_fields__")
    return isinstance(part, enum.Enum | BaseException) or (is_record and not isinstance(part, type))


def _parts(value: object) -> Iterator[object]:
    """The value and everything in it, each part once."""
    seen: set[int] = set()
    waiting: list[object] = [value]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple | set | frozenset):
            waiting += part
        elif isinstance(part, BaseException):
            waiting += [part.args, vars(part)]
        elif is_dataclass(part) and not isinstance(part, type):
            waiting += [getattr(part, item.name, None) for item in fields(part)]
        elif hasattr(part, "__pydantic_fields__"):
            waiting += vars(part).values()
