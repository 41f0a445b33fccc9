"""match: patterns from the outside in, each with the value it looks at on top of the stack.

A pattern takes that value from the stack whether it matches or not, so every test of a case jumps to the next case from one and the same depth.
What a pattern needs twice lies in temporaries, and so do captures: names are bound when the whole pattern has matched, before the guard,
as CPython does.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from waymark.compiler.lower.builder import Label
from waymark.compiler.lower.expressions import jump_if
from waymark.compiler.lower.function import FALSE, NONE, TRUE, FunctionLowering
from waymark.compiler.lower.tables import Table
from waymark.program.instructions import COMPARE_OPERATORS, Op
from waymark.values.codec import encode

_EQUAL, _IS, _IS_NOT = (COMPARE_OPERATORS.index(text) for text in ("==", "is", "is not"))
_SINGLETONS = {None: NONE, True: TRUE, False: FALSE}


def lower_match(to: FunctionLowering, node: ast.Match) -> None:
    """Try the cases in order."""
    subject = to.resolved.temporaries[0]
    end = Label()
    to.expression(node.subject)
    to.builder.emit(Op.STORE, subject)
    used = 1
    for case in node.cases:
        lowering = _Case(to)
        _lower_case(lowering, case, subject, end)
        used = max(used, lowering.used)
    _clear(to, used)
    to.builder.place(end)


def _lower_case(lowering: _Case, case: ast.match_case, subject: int, end: Label) -> None:
    to, builder = lowering.to, lowering.to.builder
    following = Label()
    builder.emit(Op.LOCAL, subject)
    lowering.pattern(case.pattern, following)
    for name, temporary in lowering.captures.items():
        builder.emit(Op.LOCAL, temporary)
        to.store(to.resolved.captures[name])
    if case.guard is not None:
        jump_if(to, case.guard, following, False)
    _clear(to, lowering.used)
    to.statements(case.body)
    builder.jump(Op.JUMP, end)
    builder.place(following)


def _clear(to: FunctionLowering, count: int) -> None:
    """Let go of what was matched: a body may run for months."""
    for temporary in to.resolved.temporaries[:count]:
        to.constant(NONE)
        to.builder.emit(Op.STORE, temporary)


class _Case:
    """The pattern of one case while it is lowered."""

    def __init__(self, to: FunctionLowering) -> None:
        self.to = to
        self.used = 1
        """Temporaries in use; the first one holds the subject."""
        self.captures: dict[str, int] = {}
        """Temporary of each name, in the order of the pattern; alternatives share them."""

    def pattern(self, node: ast.pattern, fail: Label) -> None:
        """Match the top of the stack."""
        builder = self.to.builder
        with builder.at(node):
            match node:
                case ast.MatchValue(value=value):
                    self.to.expression(value)
                    builder.emit(Op.COMPARE, _EQUAL)
                    builder.jump(Op.JUMP_FALSE, fail)
                case ast.MatchSingleton(value=singleton):
                    self.to.constant(_SINGLETONS[singleton])
                    builder.emit(Op.COMPARE, _IS)
                    builder.jump(Op.JUMP_FALSE, fail)
                case ast.MatchAs(pattern=None, name=None):
                    builder.emit(Op.POP)
                case ast.MatchAs(pattern=None, name=str(name)):
                    self.to.store(self._capture(name))
                case ast.MatchAs(pattern=ast.pattern() as inner, name=str(name)):
                    kept = self._keep()
                    builder.emit(Op.LOCAL, kept)
                    self.pattern(inner, fail)
                    builder.emit(Op.LOCAL, kept)
                    self.to.store(self._capture(name))
                case ast.MatchOr(patterns=alternatives):
                    self._alternatives(alternatives, fail)
                case ast.MatchSequence(patterns=parts):
                    self._sequence(parts, fail)
                case ast.MatchMapping():
                    self._mapping(node, fail)
                case ast.MatchClass():
                    self._class(node, fail)

    def _temporary(self) -> int:
        self.used += 1
        return self.to.resolved.temporaries[self.used - 1]

    def _capture(self, name: str) -> int:
        name = self.to.resolved.source.mangled(name)
        if name not in self.captures:
            self.captures[name] = self._temporary()
        return self.captures[name]

    def _keep(self) -> int:
        """Move the top of the stack to a temporary."""
        temporary = self._temporary()
        self.to.builder.emit(Op.STORE, temporary)
        return temporary

    def _test(self, value: int, op: Op, operand: int, fail: Label) -> None:
        builder = self.to.builder
        builder.emit(Op.LOCAL, value)
        builder.emit(op, operand)
        builder.jump(Op.JUMP_FALSE, fail)

    def _alternatives(self, alternatives: Sequence[ast.pattern], fail: Label) -> None:
        builder = self.to.builder
        value = self._keep()
        matched = Label()
        for alternative in alternatives[:-1]:
            following = Label()
            builder.emit(Op.LOCAL, value)
            self.pattern(alternative, following)
            builder.jump(Op.JUMP, matched)
            builder.place(following)
        builder.emit(Op.LOCAL, value)
        self.pattern(alternatives[-1], fail)
        builder.place(matched)

    def _sequence(self, parts: Sequence[ast.pattern], fail: Label) -> None:
        builder = self.to.builder
        value = self._keep()
        stars = [index for index, part in enumerate(parts) if isinstance(part, ast.MatchStar)]
        least = len(parts) - len(stars)
        self._test(value, Op.MATCH_SEQUENCE, least << 1 | (not stars), fail)
        if least == 0 and not _captures(parts):
            return
        builder.emit(Op.LOCAL, value)
        if stars:
            builder.emit(Op.UNPACK_REST, stars[0] | (least - stars[0]) << 8)
        else:
            builder.emit(Op.UNPACK, least)
        self._parts(parts, fail)

    def _parts(self, parts: Sequence[ast.pattern], fail: Label) -> None:
        """Match the values on the stack, the first one on top, each with its own pattern."""
        builder = self.to.builder
        waiting: list[tuple[int, ast.pattern]] = []
        for part in parts:
            match part:
                case ast.MatchAs(pattern=None, name=None) | ast.MatchStar(name=None):
                    builder.emit(Op.POP)
                case ast.MatchAs(pattern=None, name=str(name)) | ast.MatchStar(name=str(name)):
                    self.to.store(self._capture(name))
                case _:
                    waiting.append((self._keep(), part))
        for value, part in waiting:
            builder.emit(Op.LOCAL, value)
            self.pattern(part, fail)

    def _mapping(self, node: ast.MatchMapping, fail: Label) -> None:
        builder = self.to.builder
        value = self._keep()
        self._test(value, Op.MATCH_MAPPING, len(node.keys), fail)
        if not node.keys and node.rest is None:
            return
        for key in node.keys:
            self.to.expression(key)
        builder.emit(Op.BUILD_TUPLE, len(node.keys))
        keys = self._keep()
        builder.emit(Op.LOCAL, value)
        builder.emit(Op.LOCAL, keys)
        builder.emit(Op.MATCH_KEYS)
        self._found(node.patterns, fail)
        if node.rest is not None:
            builder.emit(Op.LOCAL, value)
            builder.emit(Op.LOCAL, keys)
            builder.emit(Op.MATCH_REST)
            self.to.store(self._capture(node.rest))

    def _class(self, node: ast.MatchClass, fail: Label) -> None:
        self.to.expression(node.cls)
        self.to.constant(encode(tuple(node.kwd_attrs)))
        self.to.builder.emit(Op.MATCH_CLASS, len(node.patterns))
        self._found([*node.patterns, *node.kwd_patterns], fail)

    def _found(self, parts: Sequence[ast.pattern], fail: Label) -> None:
        """Go on with the tuple on top of the stack, one value for each part; None: no match."""
        builder = self.to.builder
        found = self._keep()
        builder.emit(Op.LOCAL, found)
        self.to.constant(NONE)
        builder.emit(Op.COMPARE, _IS_NOT)
        builder.jump(Op.JUMP_FALSE, fail)
        builder.emit(Op.LOCAL, found)
        builder.emit(Op.UNPACK, len(parts))
        self._parts(parts, fail)


def _captures(parts: Sequence[ast.pattern]) -> bool:
    return any(isinstance(part, ast.MatchStar) and part.name is not None for part in parts)


MATCHING: Table = {ast.Match: lower_match}
