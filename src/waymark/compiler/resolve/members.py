"""Members of user classes that instances in a run may be asked for: methods and properties, compiled along, and data of the class.

Which class an attribute is read from is known in the run only. So every described class that has a member of a name that some code reads
gives a row to the program, and the machine looks along the real class's bases.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from waymark.compiler.bindings import Helper, MemberRow, Stored
from waymark.compiler.resolve.statics import ACTION_ATTRIBUTE, Statics
from waymark.program.program import MemberKind
from waymark.values.classes import ClassInfo

if TYPE_CHECKING:
    from waymark.compiler.resolve.plain import PlainFunctions
    from waymark.compiler.resolve.workflow_class import WorkflowClass


_DECORATORS = {
    MemberKind.PROPERTY: "property",
    MemberKind.CLASS: "classmethod",
    MemberKind.STATIC: "staticmethod",
}


class Members:
    """The rows of one program."""

    def __init__(self, workflow: WorkflowClass, statics: Statics, plain: PlainFunctions) -> None:
        self._workflow = workflow
        self._statics = statics
        self._plain = plain
        self._rows: dict[tuple[type, str], MemberRow] = {}

    def include(self, names: Iterable[str]) -> bool:
        """Give a row to every member of these names; False when all had one."""
        before = len(self._rows)
        wanted = set(names)
        for cls, info in self._statics.described():
            fields = {field.name for field in info.fields}
            for name, value in vars(cls).items():
                if name in wanted and (cls, name) not in self._rows and _is_member(value, name, fields):
                    self._rows[cls, name] = self._row(info, cls, name, value)
        return len(self._rows) > before

    def rows(self) -> tuple[MemberRow, ...]:
        """Every row, those of functions that turned out unfit marked so."""
        return tuple(
            MemberRow(row.owner, row.name, MemberKind.UNFIT, 0) if self._problem(row) else row
            for row in self._rows.values()
        )

    def has_fit(self, name: str) -> bool:
        """Whether some class has a member of that name that can be used."""
        return any(row.name == name and not self._problem(row) for row in self._rows.values())

    def problem(self, name: str) -> str:
        """Why members of a name cannot be used; empty when there is no such reason."""
        return next(
            (found for row in self._rows.values() if row.name == name and (found := self._problem(row))), ""
        )

    def _problem(self, row: MemberRow) -> str:
        if row.kind is MemberKind.UNFIT:
            return row.problem
        return "" if row.kind is MemberKind.DATA else self._plain.reason(row.index)

    def _row(self, info: ClassInfo, cls: type, name: str, value: Any) -> MemberRow:
        kind, function = _function_of(value)
        if isinstance(function, types.FunctionType) and not hasattr(function, ACTION_ATTRIBUTE):
            bound = self._plain.bind(function, f"{cls.__qualname__}.{name}", _DECORATORS.get(kind, ""))
            if isinstance(bound, Helper):
                return MemberRow(info, name, kind, bound.index)
            return MemberRow(info, name, MemberKind.UNFIT, 0, getattr(bound, "message", ""))
        if callable(value) or hasattr(value, "__get__"):
            problem = f"`{cls.__qualname__}.{name}` is code of a class, which cannot run in a workflow"
            return MemberRow(info, name, MemberKind.UNFIT, 0, problem)
        shown = f"{cls.__qualname__}.{name}"
        stored = self._statics.store(value, shown, f"{cls.__module__}.{shown}")
        if isinstance(stored, Stored):
            return MemberRow(info, name, MemberKind.DATA, self._workflow.index_of(stored))
        return MemberRow(info, name, MemberKind.UNFIT, 0, stored.message)


def _is_member(value: Any, name: str, fields: set[str]) -> bool:
    """Whether an entry of a class body is found on instances through the class; a field's default is not, for each has its own."""
    if name.startswith("__") and name.endswith("__"):
        return False
    return not isinstance(value, enum.Enum | types.MemberDescriptorType) and (
        name not in fields or isinstance(value, types.FunctionType | property)
    )


def _function_of(value: Any) -> tuple[MemberKind, object]:
    match value:
        case property():
            return MemberKind.PROPERTY, value.fget
        case classmethod():
            return MemberKind.CLASS, value.__func__
        case staticmethod():
            return MemberKind.STATIC, value.__func__
        case _:
            return MemberKind.FUNCTION, value
