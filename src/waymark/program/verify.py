"""Proves a program safe to run: operands in range, jumps that land, one stack depth per place, handlers that nest.

The VM relies on it and checks none of this again. What holds afterwards, for every function:
code can be reached from its start; the depth at a place is the same on every way to it; only JUMP_BACK goes back, so every loop
uses fuel; RETURN finds exactly its value on the stack.
"""

from __future__ import annotations

from waymark.errors import ProgramError
from waymark.program import library
from waymark.program.instructions import (
    BINARY_OPERATORS,
    COMPARE_OPERATORS,
    INSTRUCTIONS,
    PROGRAM_FORMAT,
    UNARY_OPERATORS,
    Instruction,
    Op,
    Operand,
)
from waymark.program.program import HELD, Function, Handler, MemberKind, ParameterKind, Program
from waymark.values.known import KNOWN_CLASSES

_STACK_REACH = {
    Op.LIST_APPEND: 1,
    Op.LIST_EXTEND: 1,
    Op.SET_ADD: 1,
    Op.SET_UPDATE: 1,
    Op.DICT_SET: 2,
    Op.DICT_UPDATE: 1,
    Op.KWARGS_MERGE: 1,
}
"""Operations that reach below what they pop: the operand counts from the top after popping this many."""

_KNOWN = frozenset(int(op) for op in Op)
MAX_STACK = 10_000
"""Depth that no real function needs; a guard against operands that ask for more."""


def verify(program: Program) -> None:
    """Check a whole program.

    Raises:
        ProgramError: It could not run safely; the message says where.
    """
    if program.format != PROGRAM_FORMAT:
        raise ProgramError(f"program format {program.format} is not one this release runs ({PROGRAM_FORMAT})")
    if not program.functions:
        raise ProgramError("a program needs a function: run()")
    run = program.functions[0]
    if not run.is_async or not run.parameters:
        raise ProgramError("functions[0] must be run(): async, with self as its first parameter")
    for attribute in program.class_attributes:
        _in_range(attribute.value, len(program.globals), f"class attribute {attribute.name}")
    _members(program)
    keys = [info.key for info in program.classes]
    if len(set(keys)) != len(keys):
        raise ProgramError("a class is described twice")
    known = set(keys)
    for info in program.classes:
        for base in info.bases:
            if base not in known and base not in KNOWN_CLASSES and base.module != "builtins":
                raise ProgramError(f"class {info.key} has a base that is not described: {base}")
    if _needs_making(run):
        raise ProgramError("run() cannot have free variables")
    for function in program.functions:
        _FunctionVerifier(program, function).verify()


def _in_range(index: int, size: int, what: str) -> None:
    if not 0 <= index < size:
        raise ProgramError(f"{what}: index {index} is outside of a table of {size}")


def _members(program: Program) -> None:
    for member in program.members:
        _in_range(member.owner, len(program.classes), f"owner of {member.name}")
        is_data = member.kind is MemberKind.DATA
        if member.kind is not MemberKind.UNFIT:
            table = program.globals if is_data else program.functions
            _in_range(member.value, len(table), f"member {member.name}")
            if not is_data and _needs_making(program.functions[member.value]):
                raise ProgramError(f"member {member.name}: this function needs MAKE_FUNCTION")


def _needs_making(function: Function) -> bool:
    return (
        function.is_generator
        or bool(function.free)
        or any(parameter.default == HELD for parameter in function.parameters)
    )


class _FunctionVerifier:
    """Checks one function."""

    def __init__(self, program: Program, function: Function) -> None:
        self._program = program
        self._function = function
        self._size = len(function.code)
        self._cell_locals = {*function.cells, *function.free}
        self._limits = {
            Operand.CONSTANT: len(program.constants),
            Operand.GLOBAL: len(program.globals),
            Operand.LOCAL: len(function.locals),
            Operand.CELL: len(function.locals),
            Operand.NAME: len(program.names),
            Operand.FUNCTION: len(program.functions),
            Operand.CLASS: len(program.classes),
            Operand.ACTION: len(program.actions),
            Operand.UNARY: len(UNARY_OPERATORS),
            Operand.BINARY: len(BINARY_OPERATORS),
            Operand.COMPARE: len(COMPARE_OPERATORS),
        }

    def verify(self) -> None:
        if self._size == 0 or self._size % 2:
            raise self._error(0, "code must be operation and operand in turn")
        self._parameters()
        self._cells()
        for pc in range(0, self._size, 2):
            self._instruction(pc)
        self._lines()
        self._handlers()
        self._depths()

    def _error(self, pc: int, problem: str) -> ProgramError:
        return ProgramError(f"{self._function.qualname} at {pc}: {problem}")

    def _parameters(self) -> None:
        function = self._function
        names = [parameter.name for parameter in function.parameters]
        if tuple(names) != function.locals[: len(names)]:
            raise self._error(0, "parameters must be the first locals")
        kinds = [parameter.kind for parameter in function.parameters]
        if kinds != sorted(kinds):
            raise self._error(0, "parameters must be in the order of their kinds")
        for kind in (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD):
            if kinds.count(kind) > 1:
                raise self._error(0, "a function has at most one *args and one **kwargs")
        for parameter in function.parameters:
            if parameter.default is not None and parameter.default != HELD:
                _in_range(parameter.default, len(self._program.globals), f"default of {parameter.name}")

    def _cells(self) -> None:
        function = self._function
        if function.is_generator and (
            function.is_async or function.parameters or not function.locals or 0 in self._cell_locals
        ):
            raise self._error(0, "a generator has no parameters, and its first local is its iterator")
        cells = [*function.cells, *function.free]
        if len(set(cells)) != len(cells):
            raise self._error(0, "a local is a cell twice")
        for index in cells:
            _in_range(index, len(function.locals), "cell")

    def _instruction(self, pc: int) -> None:
        number, operand = self._function.code[pc : pc + 2]
        if number not in _KNOWN:
            raise self._error(pc, f"no operation has number {number}")
        op = Op(number)
        kind = INSTRUCTIONS[op].operand
        if operand < 0:
            raise self._error(pc, f"{op.name} has a negative operand")
        if kind is Operand.NONE and operand:
            raise self._error(pc, f"{op.name} takes no operand")
        if kind is Operand.TARGET:
            self._jump(pc, op, operand)
        elif kind is Operand.COUNT:
            self._count(pc, op, operand)
        elif kind is not Operand.NONE and operand >= self._limits[kind]:
            raise self._error(
                pc, f"{op.name} {operand} is outside of a table of {self._limits[kind]} ({kind.name.lower()})"
            )
        if kind in (Operand.LOCAL, Operand.CELL) and (operand in self._cell_locals) != (kind is Operand.CELL):
            raise self._error(pc, f"{op.name} {operand}: a cell is used as a local, or a local as a cell")
        is_generator = kind is Operand.FUNCTION and self._program.functions[operand].is_generator
        if kind is Operand.FUNCTION and is_generator != (op is Op.MAKE_GENERATOR):
            raise self._error(
                pc, f"{op.name} {operand}: a generator needs MAKE_GENERATOR, and nothing else does"
            )
        if op is Op.YIELD and not self._function.is_generator:
            raise self._error(pc, "YIELD stands in a function that is no generator")
        if op in (Op.FUNCTION, Op.BOUND) and _needs_making(self._program.functions[operand]):
            raise self._error(pc, f"{op.name} {operand}: this function needs MAKE_FUNCTION")
        if op is Op.BUILTIN:
            name = self._program.names[operand]
            if name not in library.NAMES:
                raise self._error(pc, f"the library has no {name!r}")

    def _jump(self, pc: int, op: Op, target: int) -> None:
        if target % 2 or target >= self._size:
            raise self._error(pc, f"{op.name} jumps to {target}, where no instruction starts")
        if (target <= pc) != (op is Op.JUMP_BACK):
            raise self._error(pc, f"{op.name} must not jump from {pc} to {target}: only JUMP_BACK goes back")

    def _count(self, pc: int, op: Op, operand: int) -> None:
        low, high = _COUNTS.get(op, (0, MAX_STACK))
        if not low <= operand <= high:
            raise self._error(pc, f"{op.name} takes {low} to {high}, not {operand}")

    def _lines(self) -> None:
        starts = [line.start for line in self._function.lines]
        if starts != sorted(set(starts)) or any(start % 2 or start >= self._size for start in starts):
            raise self._error(0, "the line table must rise with the code")

    def _handlers(self) -> None:
        earlier: list[Handler] = []
        for handler in self._function.handlers:
            bounds = (handler.start, handler.end, handler.target)
            if any(bound % 2 or not 0 <= bound <= self._size for bound in bounds):
                raise self._error(handler.start, "a handler's bounds must be instructions")
            if handler.start >= handler.end or handler.target >= self._size or handler.depth < 0:
                raise self._error(handler.start, "a handler must cover code and have a target")
            if handler.start <= handler.target < handler.end:
                raise self._error(handler.start, "a handler must not cover itself")
            for inner in earlier:
                apart = inner.end <= handler.start or handler.end <= inner.start
                within = handler.start <= inner.start and inner.end <= handler.end
                if not apart and not within:
                    raise self._error(handler.start, "handlers must nest, inner ones first")
                if within and inner.depth < handler.depth:
                    raise self._error(handler.start, "an inner handler must not keep less of the stack")
            earlier.append(handler)

    def _depths(self) -> None:
        """Follow every way through the code; the depth at each place must be one number."""
        code = self._function.code
        depths: dict[int, int] = {}
        waiting = [(0, 0)]
        first_handler = self._first_handlers()
        while waiting:
            pc, depth = waiting.pop()
            if pc in depths:
                if depths[pc] != depth:
                    raise self._error(pc, f"the stack holds {depths[pc]} or {depth} values here")
                continue
            if pc >= self._size:
                raise self._error(self._size, "the code runs over its end")
            if depth > MAX_STACK:
                raise self._error(pc, f"the stack is deeper than {MAX_STACK}")
            depths[pc] = depth
            op, operand = Op(code[pc]), code[pc + 1]
            row = INSTRUCTIONS[op]
            self._stack(pc, op, row, operand, depth)
            handler = first_handler.get(pc)
            if handler is not None:
                if depth < handler.depth:
                    raise self._error(
                        pc, f"the handler keeps {handler.depth} values, but the stack holds {depth}"
                    )
                waiting.append((handler.target, handler.depth + 1))
            if row.jump_pops is not None:
                waiting.append((operand, depth - row.jump_pops))
            if not row.ends:
                waiting.append((pc + 2, depth - row.pops(operand) + row.pushes(operand)))
        if len(depths) != self._size // 2:
            dead = next(pc for pc in range(0, self._size, 2) if pc not in depths)
            raise self._error(dead, "this code can never be reached")

    def _stack(self, pc: int, op: Op, row: Instruction, operand: int, depth: int) -> None:
        pops = row.pops(operand)
        if op in _STACK_REACH:
            if operand < 1 or depth < _STACK_REACH[op] + operand:
                raise self._error(pc, f"{op.name} reaches below the stack")
            if op is Op.KWARGS_MERGE and depth < 3 + operand:
                raise self._error(pc, "KWARGS_MERGE needs the callable below its dict")
        if pops > depth or (row.jump_pops or 0) > depth:
            raise self._error(pc, f"{op.name} takes {pops} values from a stack of {depth}")
        if op is Op.RETURN and depth != 1:
            raise self._error(pc, f"RETURN must find its value alone on the stack, not {depth} values")

    def _first_handlers(self) -> dict[int, Handler]:
        found: dict[int, Handler] = {}
        for handler in self._function.handlers:
            for pc in range(handler.start, handler.end, 2):
                found.setdefault(pc, handler)
        return found


_COUNTS: dict[Op, tuple[int, int]] = {
    Op.COPY: (1, MAX_STACK),
    Op.SWAP: (2, MAX_STACK),
    Op.SLICE: (2, 3),
    Op.FORMAT: (0, 3),
    Op.CALL_EX: (0, 1),
    Op.RUN_ACTION: (0, 3),
    Op.RAISE: (0, 2),
    Op.ENTER: (0, 1),
    Op.LEAVE: (0, 1),
    Op.UNPACK_REST: (0, 0xFFFFFF),
}
"""Smallest and largest operand of operations that count something other than values."""
