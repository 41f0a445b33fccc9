"""How long a regular expression can take: a bound proven from its parsed form, or a refusal.

Python's engine tries the ways in which a pattern can match one after another. Here each part of a pattern gets two bounds: in how
many ways it can match from one place, and how many steps that takes. Both are polynomials in the length of the longest run of
characters that any of its repeats can walk over. A part that repeats another one is accepted when every repetition can end in one
place only; otherwise the ways multiply with each repetition, and no polynomial holds.

A repeat of single characters ends in one place when the character that must follow it is none of its own: `\\d+-`. For that, sets
of characters are bit masks: one bit for each of Latin-1, and four for the kinds of all others.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NoReturn

MAX_LENGTH = 2000
MAX_GROUPS = 40
"""Parentheses of a pattern; the parser and the compiler of Python go down one by one."""
_MAX_DEGREE = 2
_MAX_COEFFICIENT = 10**6
_SMALL = 32
"""Repeats up to so many times count as so many; more count as without end."""

PATTERN_CODE = 125
"""Of a compiled pattern among the internal types: in constants of a program, and in snapshots."""
UNUSED_FLAGS = re.DEBUG | re.LOCALE
"""Those that print, or ask the host for its language."""


class UnboundedPattern(Exception):
    """No bound can be proven; the text says why, to follow the name of the pattern."""


def _refuse(reason: str) -> NoReturn:
    raise UnboundedPattern(reason)


# -------------------------------------------------------------------- sets of characters

_LATIN = 256
_DIGIT, _WORD, _SPACE, _OTHER = (1 << _LATIN + kind for kind in range(4))
_NEW_LINE = 1 << 10
_ALL = (1 << _LATIN + 4) - 1
_NOT_LATIN = _DIGIT | _WORD | _SPACE | _OTHER


def _latin(is_member: Any) -> int:
    return sum(1 << code for code in range(_LATIN) if is_member(chr(code)))


_LETTERS = _latin(str.isalpha)
_KINDS: dict[bool, dict[Any, int]] = {
    False: {
        sre.CATEGORY_DIGIT: _latin(str.isdecimal) | _DIGIT,
        sre.CATEGORY_SPACE: _latin(str.isspace) | _SPACE,
        sre.CATEGORY_WORD: _latin(lambda one: one.isalnum() or one == "_") | _DIGIT | _WORD,
    },
    True: {
        sre.CATEGORY_DIGIT: _latin(lambda one: one in "0123456789"),
        sre.CATEGORY_SPACE: _latin(lambda one: one in " \t\n\r\f\v"),
        sre.CATEGORY_WORD: _latin(lambda one: one.isascii() and (one.isalnum() or one == "_")),
    },
}
_NEGATED = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
}


def kind_of(character: str) -> int:
    """Bit of a character past Latin-1."""
    if character.isdecimal():
        return _DIGIT
    if character.isalnum():
        return _WORD
    return _SPACE if character.isspace() else _OTHER


def _literal(code: int, flags: int) -> int:
    """Characters that match one of the pattern; too many rather than too few."""
    one = chr(code)
    if not flags & re.IGNORECASE or not (one.isalpha() or one.lower() != one or one.upper() != one):
        return 1 << code if code < _LATIN else kind_of(one)
    mask = _WORD | _OTHER  # U+0345 is no letter, and another case of some
    if code >= _LATIN:
        mask |= _LETTERS
    for same in (one, one.lower(), one.upper(), one.upper().lower(), one.lower().upper(), one.casefold()):
        for part in same:
            mask |= 1 << ord(part) if ord(part) < _LATIN else kind_of(part)
    return mask


def _category(category: Any, flags: int) -> int:
    kinds = _KINDS[bool(flags & re.ASCII)]
    return _ALL & ~kinds[_NEGATED[category]] if category in _NEGATED else kinds[category]


def _range(low: int, high: int, flags: int) -> int:
    mask = 0
    for code in range(low, min(high + 1, _LATIN)):
        mask |= _literal(code, flags)
    if high >= _LATIN:
        mask |= _NOT_LATIN | (_LETTERS if flags & re.IGNORECASE else 0)
    return mask


def _set(parts: Sequence[tuple[Any, Any]], flags: int) -> int:
    """Characters of `[...]`; of `[^...]` all but those that certainly are in it."""
    is_negated = parts[0][0] is sre.NEGATE
    mask = 0
    for operation, value in parts[is_negated:]:
        exact = flags & ~re.IGNORECASE if is_negated else flags
        if operation is sre.LITERAL:
            mask |= 0 if is_negated and value >= _LATIN else _literal(value, exact)
        elif operation is sre.RANGE:
            mask |= _range(value[0], min(value[1], _LATIN - 1) if is_negated else value[1], exact)
        else:
            mask |= _category(value, flags)
    return _ALL & ~mask if is_negated else mask


def _single(operation: Any, value: Any, flags: int) -> int | None:
    """Characters of a part that matches exactly one; None for other parts."""
    if operation is sre.LITERAL:
        return _literal(value, flags)
    if operation is sre.NOT_LITERAL:
        return _ALL & ~(1 << value if value < _LATIN else 0)
    if operation is sre.ANY:
        return _ALL if flags & re.DOTALL else _ALL & ~_NEW_LINE
    return _set(value, flags) if operation is sre.IN else None


# -------------------------------------------------------------------- bounds

Polynomial = tuple[int, ...]
"""Coefficients, the constant first."""

_ONE: Polynomial = (1,)
_RUN: Polynomial = (1, 1)
"""The longest run, and one more."""


def _checked(terms: Iterable[int]) -> Polynomial:
    found = list(terms)
    while len(found) > 1 and not found[-1]:
        found.pop()
    if len(found) > _MAX_DEGREE + 2 or max(found) > _MAX_COEFFICIENT:
        _refuse("parts of it can match one text in too many ways")
    return tuple(found)


def _sum(*terms: Polynomial) -> Polynomial:
    return _checked(
        sum(term[power] for term in terms if power < len(term)) for power in range(max(map(len, terms)))
    )


def _product(left: Polynomial, right: Polynomial) -> Polynomial:
    found = [0] * (len(left) + len(right) - 1)
    for power, factor in enumerate(left):
        for other, term in enumerate(right):
            found[power + other] += factor * term
    return _checked(found)


def _larger(left: Polynomial, right: Polynomial) -> Polynomial:
    size = max(len(left), len(right))
    return tuple(map(max, (*left, *[0] * (size - len(left))), (*right, *[0] * (size - len(right)))))


class _Accepts:
    """What follows a part at the end of a pattern: nothing that could fail."""


_ACCEPTS = _Accepts()
Follow = int | _Accepts | None
"""Characters of which one must follow, or the end of the text; None when nobody knows."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """Of one part, from one place."""

    ways: Polynomial
    """Ends from which the match can go on."""
    work: Polynomial
    is_local: bool
    """It ends in one place, and walks over no more than it takes, so that repeats of it walk over each character once."""


@dataclass(frozen=True, slots=True)
class _First:
    """How a part begins."""

    mask: int
    can_be_empty: bool
    """It always matches, at least nothing."""
    parts: int
    """Steps until it is clear that a character does not fit."""


def _is_separate(follow: Follow, mask: int) -> bool:
    """Whether what follows can begin only where no character of a set is."""
    return isinstance(follow, _Accepts) or (follow is not None and not follow & mask)


class _Examiner:
    """Examines one pattern."""

    def __init__(self) -> None:
        self.runs: set[int] = set()
        """Sets of characters that some repeat can walk over without end."""

    # ---------------------------------------------------------------- how parts begin

    def first(self, items: Iterable[tuple[Any, Any]], flags: int) -> _First:
        mask = parts = 0
        for operation, value in items:
            found = self._first(operation, value, flags)
            mask |= found.mask
            parts += found.parts
            if not found.can_be_empty:
                return _First(mask, False, parts)
        return _First(mask, True, parts + 1)

    def _first(self, operation: Any, value: Any, flags: int) -> _First:
        single = _single(operation, value, flags)
        if single is not None:
            return _First(single, False, 1)
        if operation is sre.AT and value is sre.AT_END:
            return _First(_NEW_LINE, False, 1)
        if operation is sre.AT and value is sre.AT_END_STRING:
            return _First(0, False, 1)
        if operation is sre.SUBPATTERN:
            return self.first(value[3], _flags_inside(flags, value))
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            body = self.first(value[2], flags)
            return _First(body.mask, body.can_be_empty or value[0] == 0, body.parts + 1)
        if operation is sre.BRANCH:
            found = [self.first(one, flags) for one in value[1]]
            mask = 0
            for one in found:
                mask |= one.mask
            return _First(mask, any(one.can_be_empty for one in found), sum(one.parts for one in found) + 1)
        return _First(_ALL, False, 1)

    def characters(self, items: Iterable[tuple[Any, Any]], flags: int) -> int:
        """All characters that a part can take."""
        mask = 0
        for operation, value in items:
            single = _single(operation, value, flags)
            if single is not None:
                mask |= single
            elif operation is sre.SUBPATTERN:
                mask |= self.characters(value[3], _flags_inside(flags, value))
            elif operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
                mask |= self.characters(value[2], flags)
            elif operation is sre.BRANCH:
                for one in value[1]:
                    mask |= self.characters(one, flags)
            else:
                mask |= 0 if operation is sre.AT else _ALL
        return mask

    # ---------------------------------------------------------------- parts

    def sequence(self, items: Sequence[tuple[Any, Any]], flags: int, follow: Follow) -> _Bound:
        """Parts one after the other, from the last to the first."""
        ways, work, is_local = _ONE, _ONE, True
        for index in reversed(range(len(items))):
            rest = self.first(items[index + 1 :], flags)
            after: Follow = rest.mask
            if rest.can_be_empty:
                after = rest.mask | follow if isinstance(follow, int) else follow
            bound = self._part(*items[index], flags, after, rest.parts)
            work = _sum(bound.work, _product(bound.ways, work))
            ways = _product(bound.ways, ways)
            is_local = is_local and bound.is_local
        return _Bound(ways, work, is_local and ways == _ONE)

    def _part(self, operation: Any, value: Any, flags: int, follow: Follow, lead: int) -> _Bound:
        if _single(operation, value, flags) is not None or operation in (sre.AT, sre.FAILURE):
            cost = 1 + (len(value) >> 1) if operation is sre.IN else 1
            return _Bound(_ONE, (cost,), True)
        if operation is sre.SUBPATTERN:
            return self.sequence(value[3], _flags_inside(flags, value), follow)
        if operation is sre.BRANCH:
            return self._branch(value[1], flags, follow)
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, body = value
            return self._repeat(int(least), int(most), body, flags, follow, lead)
        if operation in (sre.ASSERT, sre.ASSERT_NOT):
            inside = self.sequence(value[1], flags, _ACCEPTS)
            return _Bound(_ONE, _sum(inside.work, _ONE), False)
        if operation is sre.GROUPREF:
            self.runs.add(_ALL)
            return _Bound(_ONE, _RUN, False)
        _refuse(f"workflows do not have its part {str(operation).lower().replace('_', ' ')}")

    def _branch(self, branches: Sequence[Any], flags: int, follow: Follow) -> _Bound:
        begun = 0
        is_separate = True
        # Where matches are looked for one after the other, an empty one at the end of the last does not count: all ways to it are tried.
        is_accepted = follow is _ACCEPTS and sum(_is_empty(branch) for branch in branches) <= 1
        ways: Polynomial = (0,)
        work, is_local = _ONE, True
        for branch in branches:
            first = self.first(branch, flags)
            bound = self.sequence(branch, flags, follow)
            is_separate = is_separate and not first.can_be_empty and not begun & first.mask
            begun |= first.mask
            is_local = is_local and bound.is_local
            work = _sum(work, bound.work)
            ways = _larger(ways, bound.ways) if is_separate or is_accepted else _sum(ways, bound.ways)
        return _Bound(ways, work, is_local and is_separate)

    def _repeat(
        self, least: int, most: int, body: Sequence[tuple[Any, Any]], flags: int, follow: Follow, lead: int
    ) -> _Bound:
        single = _single(*body[0], flags) if len(body) == 1 else None
        if single is not None:
            return self._repeat_of_one(least, most, single, follow, lead)
        first = self.first(body, flags)
        if most <= 1:
            once = self.sequence(body, flags, follow)
            is_one = not _is_empty(body) and _is_separate(follow, first.mask)
            ways = once.ways if is_one or least == 1 else _sum(once.ways, _ONE)
            return _Bound(ways, _sum(once.work, _ONE), once.is_local and ways == _ONE)
        if _is_empty(body):
            _refuse("it repeats a part that can match nothing")
        again, last = self.sequence(body, flags, first.mask), self.sequence(body, flags, follow)
        if again.ways != _ONE:
            return self._repeat_of_many(most, again, last)
        times: Polynomial = (most + 1,) if most <= _SMALL else _RUN
        self.runs.add(self.characters(body, flags))
        is_one = least == most or _is_separate(follow, first.mask)
        ways = last.ways if is_one else _product(last.ways, times)
        if again.is_local and last.is_local:
            work = _product((2 * sum(_sum(again.work, last.work)),), _RUN)
        elif again.is_local:
            work = _sum(_product((2 * sum(again.work),), _RUN), _product(times, last.work))
        else:
            work = _product(times, _sum(again.work, last.work))
        return _Bound(ways, work, again.is_local and last.is_local and ways == _ONE)

    def _repeat_of_one(self, least: int, most: int, mask: int, follow: Follow, lead: int) -> _Bound:
        if most <= _SMALL:
            ends: Polynomial = (most - least + 1,)
            walked: Polynomial = (most,)
        else:
            self.runs.add(mask)
            ends, walked = _RUN, _RUN
        is_one = least == most or _is_separate(follow, mask)
        work = _sum(_ONE, walked, _product(ends, (lead,)))
        return _Bound(_ONE if is_one else ends, work, is_one)

    def _repeat_of_many(self, most: int, again: _Bound, last: _Bound) -> _Bound:
        """A part that can end in several places, a few times."""
        if most > _SMALL:
            _refuse("it repeats a part that can match one text in several ways")
        ways, work = _ONE, _ONE
        for _ in range(most):
            work = _sum(work, _product(ways, _sum(again.work, last.work)))
            ways = _product(ways, _sum(again.ways, _ONE))
        return _Bound(_product(ways, last.ways), work, False)


def _is_empty(part: Any) -> bool:
    """Whether a part can match nothing."""
    return bool(part.getwidth()[0] == 0)


def _flags_inside(flags: int, group: Any) -> int:
    _, added, removed, _ = group
    return int((flags | added) & ~removed)


# -------------------------------------------------------------------- patterns


@dataclass(frozen=True, slots=True)
class PatternCost:
    """What a pattern can cost at most."""

    search: Polynomial
    """Steps of a match from one place, by the longest run."""
    full: Polynomial
    """The same, when it must reach the end of the text."""
    runs: tuple[int, ...]
    begins: int
    """Characters that a match can begin with; those at which it is tried in earnest."""
    parts: int
    """Steps until it is clear that a character is none of them."""
    is_anchored: bool
    """It can match at the beginning only."""
    making: int
    """Steps to compile it."""

    def steps(self, text: str | bytes, *, is_full: bool, is_search: bool) -> int:
        """Steps on a text: of one match, or of looking for all of them."""
        longest = longest_run(self.runs, text)
        bound = self.full if is_full else self.search
        once = sum(factor * int(longest**power) for power, factor in enumerate(bound))
        if not is_search or self.is_anchored:
            return once + len(text)
        return once * (1 + _count(self.begins, text)) + self.parts * len(text)


def longest_run(runs: Iterable[int], text: str | bytes) -> int:
    """The longest piece of a text that is made of characters of one set; those past Latin-1 count for each set that has any."""
    found = 0
    for mask in runs:
        if mask == _ALL:
            return len(text)
        found = max(found, max(map(len, _marked(mask, text).split(b" "))))
    return found


def _count(mask: int, text: str | bytes) -> int:
    """Characters of a text that are in a set, at most."""
    return len(text) if mask == _ALL else _marked(mask, text).count(b"x")


def _marked(mask: int, text: str | bytes) -> bytes:
    """An x for each character in a set, a space for each other."""
    data = text if isinstance(text, bytes) else text.encode("latin-1", "replace")
    table = bytearray(120 if mask >> code & 1 else 32 for code in range(_LATIN))
    if isinstance(text, str) and not text.isascii() and mask & _NOT_LATIN:
        table[63] = 120  # what stands for all others
    return data.translate(table)


@lru_cache(maxsize=500)
def examine(pattern: str | bytes, flags: int = 0) -> PatternCost:
    """Bounds of a pattern.

    Raises:
        UnboundedPattern: None can be proven.
        re.error: It is no pattern.
    """
    if len(pattern) > MAX_LENGTH:
        _refuse(f"it is longer than {MAX_LENGTH:,} characters")
    if pattern.count("(" if isinstance(pattern, str) else b"(") > MAX_GROUPS:  # type: ignore[arg-type]
        _refuse(f"it has more than {MAX_GROUPS} groups")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = _parser.parse(pattern, flags)
    flags = tree.state.flags
    if flags & UNUSED_FLAGS:
        _refuse("workflows do not have its flags re.DEBUG and re.LOCALE")
    if isinstance(pattern, bytes):
        flags |= re.ASCII
    items = list(tree)
    examiner = _Examiner()
    search = examiner.sequence(items, flags, _ACCEPTS).work
    full = examiner.sequence(items, flags, 0).work
    if max(len(search), len(full)) > _MAX_DEGREE + 1:
        _refuse("its time grows faster than the square of the text")
    is_anchored = bool(items) and (
        items[0] == (sre.AT, sre.AT_BEGINNING_STRING)
        or (items[0] == (sre.AT, sre.AT_BEGINNING) and not flags & re.MULTILINE)
    )
    first = examiner.first(items, flags)
    return PatternCost(
        search,
        full,
        tuple(sorted(examiner.runs)),
        _ALL if first.can_be_empty else first.mask,
        first.parts,
        is_anchored,
        _making(pattern, items),
    )


def compiled(pattern: Any, flags: int) -> Any:
    """The pattern of Python's own engine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(pattern, flags)


def _making(pattern: str | bytes, items: Iterable[tuple[Any, Any]]) -> int:
    """Steps of compiling: with IGNORECASE each character of a range is looked at."""
    return 200 + 100 * len(pattern) + _characters_in_ranges(items)


def _characters_in_ranges(items: Any) -> int:
    total = 0
    for part in items if isinstance(items, list | tuple | _parser.SubPattern) else ():
        if isinstance(part, tuple) and len(part) == 2 and part[0] is sre.RANGE:
            total += 3 * (part[1][1] - part[1][0])
        else:
            total += _characters_in_ranges(part)
    return total
