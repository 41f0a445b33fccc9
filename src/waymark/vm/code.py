"""A program made ready to run: everything that machines share and none of them changes."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from waymark.errors import ProgramError, ValueDecodingError
from waymark.program.program import ClassMember, Program
from waymark.values.codec import decode
from waymark.values.sets import OrderedSet
from waymark.values.synthetic import SyntheticClasses
from waymark.vm.binding import Binder, make_binder

_STEPS_PER_FUNCTION = 8
"""Steps that a call costs before the function does anything."""


class Code:
    """One program. Machines of one process share it, for their constants, tables and classes are the same.

    Args:
        program: Verified program.
        classes: Its classes; made here unless given.

    Raises:
        ProgramError: A constant or a class cannot be read.
    """

    def __init__(self, program: Program, classes: SyntheticClasses | None = None) -> None:
        self.program = program
        self.classes = classes or SyntheticClasses(program.classes)
        self.names = program.names
        try:
            self.constants = tuple(decode(constant, self.classes) for constant in program.constants)
            self._class_table = tuple(self.classes.class_for(info.key) for info in program.classes)
        except ValueDecodingError as error:
            raise ProgramError(f"stored program is damaged: {error}") from error
        for constant in self.constants:
            _check_immutable(constant)
        self.code = tuple(function.code for function in program.functions)
        self.call_costs = tuple(_STEPS_PER_FUNCTION + len(code) // 4 for code in self.code)
        self.class_attributes = {attribute.name: attribute.value for attribute in program.class_attributes}
        self.members: dict[type, dict[str, ClassMember]] = {}
        for member in program.members:
            self.members.setdefault(self._class_table[member.owner], {})[member.name] = member
        self.attribute_tables: dict[type, dict[str, bool]] = {}
        self._starts = tuple([line.start for line in function.lines] for function in program.functions)
        self._binders: dict[int, Binder] = {}
        self._action_binders: dict[int, Binder] = {}

    def binder(self, index: int) -> Binder:
        """Binds the arguments of a function."""
        binder = self._binders.get(index)
        if binder is None:
            function = self.program.functions[index]
            binder = self._binders[index] = make_binder(function.qualname, function.parameters)
        return binder

    def action_binder(self, index: int) -> Binder:
        """Binds the arguments of an action."""
        binder = self._action_binders.get(index)
        if binder is None:
            reference = self.program.actions[index]
            binder = self._action_binders[index] = make_binder(reference.name, reference.parameters)
        return binder

    def class_at(self, index: int) -> type:
        """The class of a row of the class table."""
        return self._class_table[index]

    def place(self, function: int, pc: int) -> tuple[str, int, str]:
        """File, line and name of an instruction."""
        found = self.program.functions[function]
        at = bisect_right(self._starts[function], pc) - 1
        return (found.file, found.lines[at].line if at >= 0 else 0, found.qualname)


def _check_immutable(value: Any) -> None:
    if isinstance(value, list | dict | OrderedSet):
        raise ProgramError(
            f"stored program is damaged: a constant is a {type(value).__name__}, which can change"
        )
    if isinstance(value, tuple):
        for item in value:
            _check_immutable(item)
