"""The one table of instructions: operands, stack effect, possible errors, format number.

A function's code is a flat tuple of ints, operation and operand in turn, so a program counter is always even
and counts ints. `->` in a meaning shows the stack, top on the right. Jump operands are program counters.
The compiler emits these, the VM runs them, the verifier checks them; nothing else knows their numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, unique

PROGRAM_FORMAT = 1
"""Raised when the meaning of a stored program changes; the VM runs every format ever released."""


@unique
class Op(IntEnum):
    """Operation numbers. A number is never reused for another meaning."""

    NOP = 0
    CONST = 1
    GLOBAL = 2
    LOCAL = 3
    STORE = 4
    DELETE = 5
    POP = 6
    COPY = 7
    SWAP = 8
    ATTR = 9
    STORE_ATTR = 10
    DELETE_ATTR = 11
    ITEM = 12
    STORE_ITEM = 13
    DELETE_ITEM = 14
    SLICE = 15
    UNARY = 16
    BINARY = 17
    INPLACE = 18
    COMPARE = 19
    JUMP = 20
    JUMP_BACK = 21
    JUMP_FALSE = 22
    JUMP_TRUE = 23
    JUMP_FALSE_KEEP = 24
    JUMP_TRUE_KEEP = 25
    ITER = 26
    NEXT = 27
    BUILD_LIST = 28
    BUILD_TUPLE = 29
    BUILD_SET = 30
    BUILD_DICT = 31
    LIST_APPEND = 32
    LIST_EXTEND = 33
    SET_ADD = 34
    SET_UPDATE = 35
    DICT_SET = 36
    DICT_UPDATE = 37
    KWARGS_MERGE = 38
    LIST_TO_TUPLE = 39
    UNPACK = 40
    UNPACK_REST = 41
    FORMAT = 42
    BUILD_STRING = 43
    BUILTIN = 44
    FUNCTION = 45
    BOUND = 46
    CLASS = 47
    ACTION = 48
    CALL = 49
    CALL_KW = 50
    CALL_EX = 51
    RUN_ACTION = 52
    AWAIT = 53
    RETURN = 54
    RAISE = 55
    PUSH_EXC = 56
    POP_EXC = 57
    EXC_MATCH = 58
    RERAISE = 59
    MATCH_SEQUENCE = 60
    MATCH_MAPPING = 61
    MATCH_KEYS = 62
    MATCH_REST = 63
    MATCH_CLASS = 64
    CELL = 65
    STORE_CELL = 66
    DELETE_CELL = 67
    NEW_CELL = 68
    PUSH_CELL = 69
    MAKE_FUNCTION = 70
    ENTER = 71
    LEAVE = 72
    MAKE_GENERATOR = 73
    YIELD = 74
    STAR_MATCH = 75
    STAR_RAISE = 76


class Operand(IntEnum):
    """What an operand counts or points to."""

    NONE = 0
    """Unused; must be 0."""
    COUNT = 1
    """A number whose meaning the operation gives."""
    CONSTANT = 2
    GLOBAL = 3
    LOCAL = 4
    NAME = 5
    TARGET = 6
    """A program counter of the same function."""
    FUNCTION = 7
    CLASS = 8
    ACTION = 9
    UNARY = 10
    """Index into UNARY_OPERATORS."""
    BINARY = 11
    """Index into BINARY_OPERATORS."""
    COMPARE = 12
    """Index into COMPARE_OPERATORS."""
    CELL = 65
    """A local that is a cell: a variable that functions inside of each other share."""


UNARY_OPERATORS = ("-", "+", "~", "not")
BINARY_OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@")
COMPARE_OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "is", "is not", "in", "not in")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One row of the table."""

    operand: Operand
    pops: Callable[[int], int]
    """Values taken from the stack, by operand."""
    pushes: Callable[[int], int]
    """Values put on the stack when the next instruction follows."""
    meaning: str
    errors: str = ""
    """Exceptions it can raise by itself, besides limits."""
    jump_pops: int | None = None
    """Values fewer than before when it jumps instead; None: it never jumps."""
    ends: bool = False
    """The next instruction never follows."""


def _row(
    operand: Operand,
    pops: int | Callable[[int], int],
    pushes: int | Callable[[int], int],
    meaning: str,
    errors: str = "",
    *,
    jump_pops: int | None = None,
    ends: bool = False,
) -> Instruction:
    def fixed(count: int | Callable[[int], int]) -> Callable[[int], int]:
        return count if callable(count) else lambda _operand: count

    return Instruction(operand, fixed(pops), fixed(pushes), meaning, errors, jump_pops, ends)


INSTRUCTIONS: dict[Op, Instruction] = {
    Op.NOP: _row(Operand.NONE, 0, 0, "nothing"),
    Op.CONST: _row(Operand.CONSTANT, 0, 1, "-> constant (immutable)"),
    Op.GLOBAL: _row(
        Operand.GLOBAL, 0, 1, "-> the instance's own copy of a module constant, made on first use"
    ),
    Op.LOCAL: _row(Operand.LOCAL, 0, 1, "-> value of a local", "UnboundLocalError"),
    Op.STORE: _row(Operand.LOCAL, 1, 0, "v ->; local = v"),
    Op.DELETE: _row(Operand.LOCAL, 0, 0, "unbind a local", "UnboundLocalError"),
    Op.POP: _row(Operand.NONE, 1, 0, "v ->"),
    Op.COPY: _row(
        Operand.COUNT, lambda n: n, lambda n: n + 1, "push the n-th value from the top (1 = top) again"
    ),
    Op.SWAP: _row(
        Operand.COUNT, lambda n: n, lambda n: n, "exchange the top with the n-th value from the top (n >= 2)"
    ),
    Op.ATTR: _row(Operand.NAME, 1, 1, "o -> o.name; a method becomes a bound method", "AttributeError"),
    Op.STORE_ATTR: _row(Operand.NAME, 2, 0, "v o ->; o.name = v", "AttributeError FrozenInstanceError"),
    Op.DELETE_ATTR: _row(Operand.NAME, 1, 0, "o ->; del o.name", "AttributeError"),
    Op.ITEM: _row(Operand.NONE, 2, 1, "o k -> o[k]", "KeyError IndexError TypeError"),
    Op.STORE_ITEM: _row(Operand.NONE, 3, 0, "v o k ->; o[k] = v", "KeyError IndexError TypeError"),
    Op.DELETE_ITEM: _row(Operand.NONE, 2, 0, "o k ->; del o[k]", "KeyError IndexError TypeError"),
    Op.SLICE: _row(Operand.COUNT, lambda n: n, 1, "start stop [step] -> slice; n is 2 or 3"),
    Op.UNARY: _row(Operand.UNARY, 1, 1, "v -> op v", "TypeError"),
    Op.BINARY: _row(Operand.BINARY, 2, 1, "l r -> l op r", "TypeError ZeroDivisionError OverflowError"),
    Op.INPLACE: _row(Operand.BINARY, 2, 1, "l r -> l op= r", "TypeError ZeroDivisionError OverflowError"),
    Op.COMPARE: _row(Operand.COMPARE, 2, 1, "l r -> l op r", "TypeError"),
    Op.JUMP: _row(Operand.TARGET, 0, 0, "go to a later target", jump_pops=0, ends=True),
    Op.JUMP_BACK: _row(Operand.TARGET, 0, 0, "go to an earlier target; costs fuel", jump_pops=0, ends=True),
    Op.JUMP_FALSE: _row(Operand.TARGET, 1, 0, "v ->; jump when v is false", jump_pops=1),
    Op.JUMP_TRUE: _row(Operand.TARGET, 1, 0, "v ->; jump when v is true", jump_pops=1),
    Op.JUMP_FALSE_KEEP: _row(Operand.TARGET, 1, 0, "v ->; when v is false keep it and jump", jump_pops=0),
    Op.JUMP_TRUE_KEEP: _row(Operand.TARGET, 1, 0, "v ->; when v is true keep it and jump", jump_pops=0),
    Op.ITER: _row(Operand.NONE, 1, 1, "v -> iterator over v", "TypeError"),
    Op.NEXT: _row(
        Operand.TARGET, 1, 2, "it -> it item; at the end drop it and jump", "RuntimeError", jump_pops=1
    ),
    Op.BUILD_LIST: _row(Operand.COUNT, lambda n: n, 1, "v1..vn -> [v1..vn]"),
    Op.BUILD_TUPLE: _row(Operand.COUNT, lambda n: n, 1, "v1..vn -> (v1..vn)"),
    Op.BUILD_SET: _row(Operand.COUNT, lambda n: n, 1, "v1..vn -> {v1..vn}", "TypeError"),
    Op.BUILD_DICT: _row(Operand.COUNT, lambda n: 2 * n, 1, "k1 v1..kn vn -> {k1: v1..}", "TypeError"),
    Op.LIST_APPEND: _row(
        Operand.COUNT, 1, 0, "v ->; append to the list that is then n-th from the top (1 = top)"
    ),
    Op.LIST_EXTEND: _row(
        Operand.COUNT, 1, 0, "v ->; extend the list that is then n-th from the top", "TypeError"
    ),
    Op.SET_ADD: _row(Operand.COUNT, 1, 0, "v ->; add to the set that is then n-th from the top", "TypeError"),
    Op.SET_UPDATE: _row(
        Operand.COUNT, 1, 0, "v ->; update the set that is then n-th from the top", "TypeError"
    ),
    Op.DICT_SET: _row(
        Operand.COUNT, 2, 0, "k v ->; set in the dict that is then n-th from the top", "TypeError"
    ),
    Op.DICT_UPDATE: _row(
        Operand.COUNT, 1, 0, "m ->; {**m} into the dict that is then n-th from the top", "TypeError"
    ),
    Op.KWARGS_MERGE: _row(
        Operand.COUNT,
        1,
        0,
        "m ->; f(**m) into the dict that is then n-th from the top (the callable stands 2 below it)",
        "TypeError",
    ),
    Op.LIST_TO_TUPLE: _row(Operand.NONE, 1, 1, "list -> tuple"),
    Op.UNPACK: _row(Operand.COUNT, 1, lambda n: n, "v -> vn..v1, first on top", "TypeError ValueError"),
    Op.UNPACK_REST: _row(
        Operand.COUNT,
        1,
        lambda n: (n & 0xFF) + (n >> 8) + 1,
        "v -> items, first on top; n & 255 before the starred one, n >> 8 after it",
        "TypeError ValueError",
    ),
    Op.FORMAT: _row(
        Operand.COUNT,
        2,
        1,
        "v spec -> str; n: 0 as is, 1 str(), 2 repr(), 3 ascii() first",
        "ValueError TypeError",
    ),
    Op.BUILD_STRING: _row(Operand.COUNT, lambda n: n, 1, "s1..sn -> joined"),
    Op.BUILTIN: _row(Operand.NAME, 0, 1, "-> function or class of `waymark.program.library` by its name"),
    Op.FUNCTION: _row(Operand.FUNCTION, 0, 1, "-> function of the program"),
    Op.BOUND: _row(Operand.FUNCTION, 1, 1, "self -> method bound to self"),
    Op.CLASS: _row(Operand.CLASS, 0, 1, "-> class of the program's class table"),
    Op.ACTION: _row(Operand.ACTION, 0, 1, "-> action of the program's action table"),
    Op.CALL: _row(
        Operand.COUNT, lambda n: n + 1, 1, "f a1..an -> f(a1..an); an async callee gives an awaitable", "any"
    ),
    Op.CALL_KW: _row(
        Operand.COUNT,
        lambda n: n + 2,
        1,
        "f a1..an names -> call; the last len(names) arguments are keywords",
        "any",
    ),
    Op.CALL_EX: _row(
        Operand.COUNT,
        lambda n: 2 + (n & 1),
        1,
        "f args [kwargs if n is 1] -> f(*args, **kwargs); args is any iterable, refused by f's name otherwise",
        "any",
    ),
    Op.RUN_ACTION: _row(
        Operand.COUNT,
        lambda n: 1 + (n & 1) + (n >> 1 & 1),
        1,
        "call [retry if n & 1] [timeout if n & 2] -> call with that policy",
        "TypeError ValueError",
    ),
    Op.AWAIT: _row(Operand.NONE, 1, 1, "awaitable -> its result; waits", "any"),
    Op.RETURN: _row(Operand.NONE, 1, 0, "v ->; leave the function", ends=True),
    Op.RAISE: _row(
        Operand.COUNT,
        lambda n: n,
        0,
        "[exc [cause]] ->; n: 0 raise the handled one again, 1 exc, 2 exc from cause",
        "any",
        ends=True,
    ),
    Op.PUSH_EXC: _row(
        Operand.NONE, 1, 2, "exc -> previous exc; exc becomes the handled exception of the frame"
    ),
    Op.POP_EXC: _row(Operand.NONE, 1, 0, "previous ->; it becomes the handled exception again"),
    Op.EXC_MATCH: _row(
        Operand.NONE, 2, 2, "exc classes -> exc bool; does `except classes` catch exc", "TypeError"
    ),
    Op.RERAISE: _row(Operand.NONE, 1, 0, "exc ->; raise it as it is, without a new context", ends=True),
    Op.MATCH_SEQUENCE: _row(
        Operand.COUNT, 1, 1, "v -> bool: a sequence of n >> 1 items (n & 1), or of as many and more"
    ),
    Op.MATCH_MAPPING: _row(Operand.COUNT, 1, 1, "v -> bool: a mapping of n entries or more"),
    Op.MATCH_KEYS: _row(
        Operand.NONE, 2, 1, "mapping keys -> tuple of their values, or None when one is missing", "ValueError"
    ),
    Op.MATCH_REST: _row(Operand.NONE, 2, 1, "mapping keys -> dict of all other entries"),
    Op.MATCH_CLASS: _row(
        Operand.COUNT,
        3,
        1,
        "v class names -> tuple of n attributes by position and of the named ones, or None when v is no match",
        "TypeError",
    ),
    Op.CELL: _row(Operand.CELL, 0, 1, "-> content of a cell", "UnboundLocalError NameError"),
    Op.STORE_CELL: _row(Operand.CELL, 1, 0, "v ->; content = v"),
    Op.DELETE_CELL: _row(Operand.CELL, 0, 0, "unbind the content", "UnboundLocalError NameError"),
    Op.NEW_CELL: _row(Operand.CELL, 0, 0, "the local becomes another cell, without content"),
    Op.PUSH_CELL: _row(Operand.CELL, 0, 1, "-> the cell itself, for MAKE_FUNCTION"),
    Op.MAKE_FUNCTION: _row(
        Operand.FUNCTION,
        2,
        1,
        "defaults cells -> function; tuples in the order of its held parameters and of its free variables",
    ),
    Op.ENTER: _row(
        Operand.COUNT,
        1,
        2,
        "m -> m v; what entering m gives; n is 1 for `async with`, whose v is to be awaited",
        "TypeError RuntimeError",
    ),
    Op.LEAVE: _row(
        Operand.COUNT,
        2,
        1,
        "m exc -> v; leaves m by an exception or None; v, awaited when n is 1, tells whether exc ends here",
        "any",
    ),
    Op.MAKE_GENERATOR: _row(
        Operand.FUNCTION, 2, 1, "iterator cells -> generator whose first local is the iterator"
    ),
    Op.YIELD: _row(
        Operand.NONE, 1, 0, "v ->; give v to who asked the generator, and go on here when asked again"
    ),
    Op.STAR_MATCH: _row(
        Operand.NONE,
        2,
        2,
        "exc classes -> rest match; what `except* classes` leaves and catches, each a group or None; match is handled from here on",
        "TypeError",
    ),
    Op.STAR_RAISE: _row(
        Operand.NONE, 2, 1, "exc ended -> exc or None; what goes on once every `except*` has had its part"
    ),
}
