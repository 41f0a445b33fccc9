"""`re`: Python's own engine, for patterns whose time is bounded beforehand, and paid for before it is spent.

A pattern and a match are data: the text of the pattern with its flags, and the places where the groups were found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from re import _parser  # type: ignore[attr-defined]
from typing import Any, ClassVar

from waymark.errors import UnsupportedPatternError
from waymark.program.patterns import PATTERN_CODE, PatternCost, UnboundedPattern, compiled, examine
from waymark.values.codec import InternalType
from waymark.vm.iteration import make_iterator
from waymark.vm.objects import MachineValue

_STEPS_SHIFT = 3
"""Steps of the engine in one of ours."""
_MATCH_BYTES = 200
_KEPT = 500
_END = 2**63 - 1
_EMPTY = re.compile("")


class Pattern(MachineValue):
    """`re.Pattern`; one value for each text and flags."""

    __slots__ = ("cost", "flags", "given", "host", "machine", "pattern")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("pattern", "given")
    __waymark_shown__ = ("pattern",)

    def __init__(self, machine: Any, pattern: Any, flags: Any) -> None:
        self.cost = _cost(pattern, flags)
        self.machine = machine
        self.host = compiled(pattern, flags)
        self.pattern = pattern
        self.given = flags
        self.flags = self.host.flags

    @property
    def groups(self) -> int:
        return int(self.host.groups)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self.host == other.host

    def __hash__(self) -> int:
        return len(self.pattern)

    def __repr__(self) -> str:
        return repr(self.host)

    # ---------------------------------------------------------------- one match

    def match(self, *args: Any, **kwargs: Any) -> Match | None:
        return self._one("match", args, kwargs)

    def search(self, *args: Any, **kwargs: Any) -> Match | None:
        return self._one("search", args, kwargs)

    def fullmatch(self, *args: Any, **kwargs: Any) -> Match | None:
        return self._one("fullmatch", args, kwargs)

    def _one(self, name: str, args: Any, kwargs: Any) -> Match | None:
        string, pos, endpos = _bound(name, args, kwargs)
        self.check(string)
        self._pay(string, is_full=name == "fullmatch", is_search=name == "search")
        found = getattr(self.host, name)(string, pos, endpos)
        return None if found is None else Match.of(self, found)

    def check(self, string: Any) -> None:
        """Refuse what this pattern cannot search, in Python's words."""
        if not isinstance(string, type(self.pattern)):
            self.host.match(string)

    def _pay(self, string: Any, *, is_full: bool = False, is_search: bool = True) -> None:
        meter = self.machine.meter
        meter.burn(4 + (len(string) >> 2))
        meter.burn(self.cost.steps(string, is_full=is_full, is_search=is_search) >> _STEPS_SHIFT)

    # ---------------------------------------------------------------- all matches

    def found(self, string: Any, pos: Any = 0, endpos: Any = _END) -> Iterator[Any]:
        """All matches of the engine, each paid for."""
        self.check(string)
        _EMPTY.match("", pos, endpos)  # the refusal of what is no place
        self._pay(string)
        machine = self.machine
        for count, match in enumerate(self.host.finditer(string, pos, endpos)):
            machine.meter.items((count + 1) * max(1, self.host.groups))
            machine.meter.burn(4 + self.host.groups)
            machine.heap.charge(_MATCH_BYTES + 60 * self.host.groups)
            yield match

    def findall(self, *args: Any, **kwargs: Any) -> list[Any]:
        matches = self.found(*_bound("findall", args, kwargs))
        nothing = self.pattern[:0]
        if self.host.groups == 0:
            return [match.group() for match in matches]
        if self.host.groups == 1:
            return [nothing if match.group(1) is None else match.group(1) for match in matches]
        return [match.groups(nothing) for match in matches]

    def finditer(self, *args: Any, **kwargs: Any) -> Any:
        matches = self.found(*_bound("finditer", args, kwargs))
        return make_iterator([Match.of(self, match) for match in matches])

    def split(self, *args: Any, **kwargs: Any) -> list[Any]:
        string, most = _bound("split", args, kwargs)
        self.check(string)
        _EMPTY.split("", most)
        pieces: list[Any] = []
        end = 0
        for match in self.found(string) if most >= 0 else ():
            pieces += (string[end : match.start()], *match.groups())
            end = match.end()
            most -= 1
            if most == 0:
                break
        pieces.append(string[end:])
        return pieces

    def sub(self, *args: Any, **kwargs: Any) -> Any:
        return self._replaced(*_bound("sub", args, kwargs))[0]

    def subn(self, *args: Any, **kwargs: Any) -> Any:
        return self._replaced(*_bound("subn", args, kwargs))

    def _replaced(self, repl: Any, string: Any, most: Any) -> tuple[Any, int]:
        machine = self.machine
        made = self._replacement(repl)
        self.check(string)
        _EMPTY.sub("", "", most)
        pieces: list[Any] = []
        end = count = length = 0
        for match in self.found(string) if most >= 0 else ():
            if end < match.start():
                pieces.append(string[end : match.start()])
            piece = made(match)
            if piece is not None:
                pieces.append(piece)
                length += len(piece) if isinstance(piece, type(string)) else 0
                machine.meter.text(length + len(string) if length > machine.meter.limits.text >> 1 else 0)
            end = match.end()
            count += 1
            if count == most:
                break
        if end < len(string):
            pieces.append(string[end:])
        machine.meter.text(sum(len(piece) for piece in pieces if isinstance(piece, type(string))))
        return string[:0].join(pieces), count

    def _replacement(self, repl: Any) -> Callable[[Any], Any]:
        machine = self.machine
        if machine.calls.library.value("callable").implementation(repl):
            return lambda match: machine.calls.invoke(repl, [Match.of(self, match)])
        if not isinstance(repl, type(self.pattern)):
            self.host.sub(repl, self.pattern[:0])
        machine.meter.burn(2 * len(repl))
        parts = _template(self.host, repl)
        cost = 1 + len(parts) + (len(repl) >> 6)
        nothing = repl[:0]

        def expanded(match: Any) -> Any:
            machine.meter.burn(cost)
            return nothing.join(
                (match.group(part) or nothing) if isinstance(part, int) else part for part in parts
            )

        return expanded


class Match(MachineValue):
    """`re.Match`."""

    __slots__ = ("endpos", "lastindex", "pos", "re", "regs", "string")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("re", "string", "pos", "endpos", "regs", "lastindex")
    __waymark_shown__ = ("string",)

    re: Pattern
    string: Any
    pos: int
    endpos: int
    regs: tuple[tuple[int, int], ...]
    lastindex: int | None

    @classmethod
    def of(cls, pattern: Pattern, found: Any) -> Match:
        """What the engine found, as data."""
        match = cls()
        match.re = pattern
        match.string, match.pos, match.endpos = found.string, found.pos, found.endpos
        match.regs, match.lastindex = found.regs, found.lastindex
        return match

    @property
    def lastgroup(self) -> str | None:
        names = {number: name for name, number in self.re.host.groupindex.items()}
        return names.get(self.lastindex)

    def _number(self, group: Any) -> int:
        number = self.re.host.groupindex.get(group, -1) if isinstance(group, str | bytes) else group
        if not isinstance(number, int) or not 0 <= number < len(self.regs):
            raise IndexError("no such group")
        return number

    def _group(self, group: Any, default: Any = None) -> Any:
        first, last = self.regs[self._number(group)]
        return default if first < 0 else self.string[first:last]

    def __getitem__(self, group: Any) -> Any:
        return self._group(group)

    def group(self, *groups: Any) -> Any:
        found = tuple(map(self._group, groups or (0,)))
        return found if len(found) > 1 else found[0]

    def groups(self, default: Any = None) -> Any:
        self.re.machine.meter.burn(len(self.regs))
        return tuple(self._group(number, default) for number in range(1, len(self.regs)))

    def groupdict(self, default: Any = None) -> Any:
        return {name: self._group(number, default) for name, number in self.re.host.groupindex.items()}

    def start(self, group: Any = 0, /) -> int:
        return int(self.regs[self._number(group)][0])

    def end(self, group: Any = 0, /) -> int:
        return int(self.regs[self._number(group)][1])

    def span(self, group: Any = 0, /) -> Any:
        return self.regs[self._number(group)]

    def expand(self, template: Any) -> Any:
        meter = self.re.machine.meter
        if isinstance(template, str | bytes):
            meter.burn(2 * len(template))
        parts = _template(self.re.host, template)
        longest = max(last - first for first, last in self.regs)
        meter.text(sum(longest if isinstance(part, int) else len(part) for part in parts))
        nothing = self.string[:0]
        return nothing.join(
            (self._group(part) or nothing) if isinstance(part, int) else part for part in parts
        )

    def __repr__(self) -> str:
        return f"<re.Match object; span={self.regs[0]!r}, match={self.group()!r}>"


def _template(host: Any, template: Any) -> list[Any]:
    """Texts and numbers of groups that a replacement is made of."""
    parsed = _parser.parse_template(template, host)
    if isinstance(parsed, list):  # from 3.12 on
        return parsed
    groups, texts = parsed
    found: list[Any] = list(texts)
    for place, number in groups:
        found[place] = number
    return found


# -------------------------------------------------------------------- arguments

_PARAMETERS: dict[str, Callable[..., tuple[Any, ...]]] = {
    **dict.fromkeys(
        ("match", "search", "fullmatch", "findall", "finditer"),
        lambda string, pos=0, endpos=_END: (string, pos, endpos),
    ),
    "split": lambda string, maxsplit=0: (string, maxsplit),
    **dict.fromkeys(("sub", "subn"), lambda repl, string, count=0: (repl, string, count)),
}
_PARAMETERS_OF_FUNCTIONS: dict[str, Callable[..., tuple[Any, ...]]] = {
    **dict.fromkeys(
        ("match", "search", "fullmatch", "findall", "finditer"),
        lambda pattern, string, flags=0: (pattern, flags, (string,)),
    ),
    "split": lambda pattern, string, maxsplit=0, flags=0: (pattern, flags, (string, maxsplit)),
    **dict.fromkeys(
        ("sub", "subn"),
        lambda pattern, repl, string, count=0, flags=0: (pattern, flags, (repl, string, count)),
    ),
}


def _bound(name: str, args: Any, kwargs: Any, of_module: bool = False) -> tuple[Any, ...]:
    """Arguments of a method of a pattern, or of a function of the module."""
    try:
        return (_PARAMETERS_OF_FUNCTIONS if of_module else _PARAMETERS)[name](*args, **kwargs)
    except TypeError:
        native = getattr(re if of_module else _EMPTY, name)
        native(*[None] * len(args), **dict.fromkeys(kwargs))  # refused in Python's words
        raise


def _cost(pattern: Any, flags: int) -> PatternCost:
    try:
        return examine(pattern, flags)
    except UnboundedPattern as reason:
        raise UnsupportedPatternError(
            f"the pattern {pattern!r:.200} cannot be used in a workflow: {reason}; match it in an @action"
        ) from None


class Patterns:
    """Patterns of one machine: each is made once, and found again by its text and flags."""

    def __init__(self, machine: Any) -> None:
        self._machine = machine
        self._made: dict[tuple[type, Any, int], Pattern] = {}
        self.readers = {PATTERN_CODE: InternalType(PATTERN_CODE, Pattern.__waymark_state__, self.again)}
        """Reads what is stored of a pattern; it was paid for when it was made."""

    def get(self, pattern: Any, flags: Any = 0) -> Pattern:
        """The pattern of a text."""
        if isinstance(flags, re.RegexFlag):
            flags = flags.value
        if isinstance(pattern, Pattern):
            if flags:
                raise ValueError("cannot process flags argument with a compiled pattern")
            return pattern
        if not isinstance(pattern, str | bytes) or not isinstance(flags, int):
            re.compile(pattern, flags)  # refused in Python's words
        if (type(pattern), pattern, int(flags)) not in self._made:
            self._machine.meter.burn(4 * len(pattern))
            self._machine.meter.burn(_cost(pattern, int(flags)).making)
            self._machine.heap.charge(50 * len(pattern))
        return self.again(pattern, int(flags))

    def again(self, pattern: Any, flags: int) -> Pattern:
        """A pattern that has been made before, in this process or another."""
        key = (type(pattern), pattern, flags)
        found = self._made.get(key)
        if found is None:
            if len(self._made) >= _KEPT:
                self._made.clear()
            found = self._made[key] = Pattern(self._machine, pattern, flags)
        return found


def _compile(machine: Any, /, pattern: Any, flags: Any = 0) -> Pattern:
    found: Pattern = machine.patterns.get(pattern, flags)
    return found


def _escape(machine: Any, /, pattern: Any) -> Any:
    if isinstance(pattern, str | bytes):
        machine.meter.text(2 * len(pattern))
        machine.meter.burn(len(pattern) >> 4)
    return re.escape(pattern)


def _of(name: str) -> Callable[..., Any]:
    def call(machine: Any, /, *args: Any, **kwargs: Any) -> Any:
        pattern, flags, rest = _bound(name, args, kwargs, of_module=True)
        return getattr(machine.patterns.get(pattern, flags), name)(*rest)

    return call


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "re.compile": _compile,
    "re.escape": _escape,
    **{f"re.{name}": _of(name) for name in _PARAMETERS},
}
"""By the name of the library table."""

TYPES: tuple[type, ...] = (Match,)
"""For snapshots; the order is part of their format: add at the end. A pattern is found again by its text."""

for _class in (Pattern, Match):
    _class.__module__ = "re"
