"""What `self.NAME` means: a helper, a primitive, or data."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from waymark.compiler.bindings import Constant, Helper, SelfData, Stored
from waymark.compiler.resolve.names import near
from waymark.compiler.resolve.statics import ACTION_ATTRIBUTE, Refusal, Static, Statics
from waymark.compiler.resolve.table import FunctionTable
from waymark.compiler.source import PRIMITIVE_ATTRIBUTE, FunctionSource, find_helper, method_of, value_after

if TYPE_CHECKING:
    from waymark.compiler.resolve.functions import FunctionResolver


@dataclass(frozen=True, slots=True)
class Primitive:
    """A method of `Workflow` with an instruction of its own."""

    name: str


@dataclass(slots=True)
class WorkflowClass:
    """The class whose run() is compiled."""

    cls: type
    functions: tuple[FunctionSource, ...]
    helpers: dict[str, Helper]
    assigned: frozenset[str]
    """Names that some function gives a value on self."""
    statics: Statics
    table: FunctionTable = field(default_factory=FunctionTable)
    """Every function of the program: run(), helpers, and what they hold and call."""
    mentions: list[tuple[FunctionResolver, ast.AST, int]] = field(default_factory=list)
    """Every place that names a function of the program, with its number."""
    attributes: dict[str, Stored] = field(default_factory=dict)
    """Class attributes that self.NAME may find, as they were used."""
    stored: list[Stored] = field(default_factory=list)
    """Values that parameters and class attributes refer to by index."""

    def index_of(self, value: Stored) -> int:
        """Index of a value in `stored`, which it joins when it is new."""
        if value not in self.stored:
            self.stored.append(value)
        return self.stored.index(value)

    def member(self, name: str) -> Static | Primitive:
        """What `self.name` is when it is read."""
        value = self._class_value(name)
        if name in self.helpers:
            if name in self.assigned:
                return Refusal(
                    "WM125",
                    f"`self.{name}` is a method and is also assigned",
                    "give the attribute another name",
                )
            return self.helpers[name]
        primitive = getattr(value, PRIMITIVE_ATTRIBUTE, None)
        if isinstance(primitive, str):
            return Primitive(primitive)
        if value is _ABSENT:
            if name in self.assigned:
                return SelfData(name)
            return self._unknown(name)
        return self._data(name, value)

    def super_member(self, source: FunctionSource, name: str) -> Static:
        """What `super().name` is in a method."""
        value = value_after(self.cls, source.defined_in, name)
        method = method_of(value)
        if method is not None:
            function, is_static = method
            index = next(
                (number for number, part in enumerate(self.functions) if part.function is function), None
            )
            if index is not None:
                return Helper(index, self.functions[index].is_async, is_static)
        if isinstance(getattr(value, PRIMITIVE_ATTRIBUTE, None), str):
            return Refusal(
                "WM124", f"`super().{name}` is a method of Workflow itself", f"write `self.{name}`"
            )
        if value is None:
            return Refusal(
                "WM122",
                f"no base class has an attribute `{name}`",
                "check the spelling and the order of the bases",
            )
        if hasattr(value, "__get__"):
            return Refusal(
                "WM124",
                f"`super().{name}` is a {type(value).__name__}, which is not supported",
                "make it an ordinary method and call it",
            )
        return self.statics.bind(
            value, f"super().{name}", f"{self.cls.__module__}.{self.cls.__qualname__}.{name}"
        )

    def _data(self, name: str, value: object) -> Static:
        shown = f"self.{name}"
        label = f"{self.cls.__module__}.{self.cls.__qualname__}.{name}"
        if isinstance(value, staticmethod) and hasattr(value.__func__, ACTION_ATTRIBUTE):
            return self.statics.bind(value.__func__, shown, label)
        if hasattr(value, ACTION_ATTRIBUTE):
            return Refusal(
                "WM124",
                f"`{shown}` is an action, and Python would pass it self",
                "define the action at the top of the module, or wrap it in staticmethod()",
            )
        if name == "run":
            return Refusal(
                "WM139",
                "`self.run` starts a workflow inside a workflow, which is not supported yet",
                "put the steps into a helper method and call that",
            )
        if isinstance(value, types.FunctionType | classmethod | property | staticmethod) or hasattr(
            value, "__get__"
        ):
            if hasattr(value, "__wrapped__") and not isinstance(value, classmethod | staticmethod):
                return Refusal(
                    "WM116",
                    f"`{shown}` is decorated, so what runs is not its own code",
                    "call what the decorator does inside the function",
                )
            kind = {classmethod: "a class method", property: "a property"}.get(
                type(value), f"a {type(value).__name__}"
            )
            if isinstance(value, types.FunctionType):
                if find_helper(self.cls, name) is not None:
                    return SelfData(name)  # its source cannot be used, which is a finding of its own
                return Refusal(
                    "WM124",
                    f"`{shown}` cannot be used in a workflow",
                    "use run_action, helper methods and attributes only",
                )
            return Refusal(
                "WM124",
                f"`{shown}` is {kind}, which is not supported",
                "make it an ordinary method and call it",
            )
        bound = self.statics.bind(value, shown, label)
        if isinstance(bound, Refusal):
            return bound
        if name not in self.assigned and not _is_data(bound):
            return bound
        if not _is_data(bound):
            return Refusal(
                "WM125", f"`{shown}` is a class of the workflow and is also assigned", "give it another name"
            )
        stored = self.statics.store(value, shown, label)
        if isinstance(stored, Refusal):
            return stored
        self.attributes[name] = stored
        return SelfData(name)

    def _class_value(self, name: str) -> object:
        for base in self.cls.__mro__:
            if base is not object and name in vars(base):
                return vars(base)[name]
        return _ABSENT

    def _unknown(self, name: str) -> Refusal:
        names = {*self.assigned, *self.helpers}
        for base in self.cls.__mro__:
            names.update(key for key in vars(base) if not key.startswith("_"))
        return Refusal(
            "WM122",
            f"the workflow has no attribute `{name}`",
            near(name, names) or f"assign `self.{name}` in run(), or define it in the class",
        )


_ABSENT = object()


def _is_data(bound: object) -> bool:
    return isinstance(bound, Constant | Stored)


def assigned_names(functions: Iterable[FunctionSource]) -> frozenset[str]:
    """Every NAME that some function gives a value as `self.NAME`; `+=` and `del` need one that is there already."""
    found: set[str] = set()
    for source in functions:
        nodes = list(ast.walk(source.node))
        changed = {node.target for node in nodes if isinstance(node, ast.AugAssign)}
        found.update(
            source.mangled(node.attr)
            for node in nodes
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and node not in changed
            and isinstance(node.value, ast.Name)
            and node.value.id == source.self_name
        )
    return frozenset(found)


def helpers_of(cls: type, functions: Iterable[FunctionSource]) -> dict[str, Helper]:
    """The helpers among the functions, by name; an index counts functions, run() being 0."""
    found: dict[str, Helper] = {}
    for index, source in enumerate(functions):
        helper = find_helper(cls, source.name)
        if helper is not None and helper[0] is source.function:
            found[source.name] = Helper(index, source.is_async, source.is_static)
    return found
