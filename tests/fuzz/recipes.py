"""Uses of each row of the library table, with `<type>` where an expression of that type goes.

They are found by trial: a row is called natively with samples of every type, and what succeeded is kept, one of each kind of result, with one
that failed. So a new row is in the campaigns as soon as it is in the table.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.fuzz.header import HEADER
from tests.fuzz.samples import ARGUMENTS, BY_HAND, SAMPLES
from waymark.errors import ValueEncodingError
from waymark.program.library import ATTRIBUTES, CLASSES, FUNCTIONS, METHODS, VALUES
from waymark.program.live import MISSING, live_object
from waymark.values.codec import encode

_TRIALS = {0: 1, 1: 10**9, 2: 400, 3: 300}
"""Calls that are tried with so many arguments."""
_KEPT = 5
WRITTEN = ("asyncio.", "contextlib.")
WRITTEN_TYPES = frozenset(
    (
        "Barrier",
        "Condition",
        "Event",
        "Future",
        "Lock",
        "Queue",
        "Runner",
        "Semaphore",
        "Task",
        "TaskGroup",
        "Timeout",
    )
)
"""What `concurrency` and `statements` write, for none of it means anything in one expression."""
_CHANCE = ("random.", "secrets.", "time.", "uuid.uuid1", "uuid.uuid4", "uuid.uuid7")
_HAND_ONLY = (
    *("datetime.datetime.", "datetime.astimezone", "datetime.timestamp", "datetime.timezone"),
    *("setattr", "delattr", "object", "pow", "print", "BaseModel.model_copy", "BaseModel.model_validate"),
    *("itertools.groupby", "itertools.repeat", "itertools.tee"),
)
"""Rows whose other uses are refused, for they ask for the time zone of the host or change what runs share, print, or crash some
CPython."""
_CLOCK = frozenset({"now", "utcnow", "today"})
_SHOWN_TYPES = {int, float, str, bytes, list, tuple, bool}
_MUTABLE = frozenset({"list", "dict", "set", "deque", "Counter", "defaultdict", "OrderedDict"})
"""Types whose values are shown after a call as well."""
_HOLES = {"int": "(<int> % 20)", "str": "<str>", "list": "<list>"}


@dataclass(frozen=True)
class Recipe:
    """A use of a row.

    Attributes:
        name: The row, as `sorted` or `str.upper`.
        template: An expression whose value can be stored.
    """

    name: str
    template: str


@dataclass(frozen=True)
class _Row:
    name: str
    receivers: tuple[str, ...]
    """Expressions to take it from; empty for what is reached by name."""
    is_called: bool = True

    def text(self, receiver: str, arguments: tuple[str, ...]) -> str:
        """The expression."""
        place = f"{receiver}.{self.name.rpartition('.')[2]}" if self.receivers else self.name
        if not self.is_called:
            return place
        if self.name.partition(".")[0] in _MUTABLE and self.receivers:
            return f"[(v0 := {receiver}).{self.name.rpartition('.')[2]}({', '.join(arguments)}), v0]"
        return f"{place}({', '.join(arguments)})"


def _rows() -> Iterator[_Row]:
    for name in sorted(FUNCTIONS | CLASSES):
        if live_object(name) is MISSING:  # a newer Python has it
            continue
        if not name.startswith(WRITTEN):
            yield _Row(name, ())
    for name in sorted(VALUES):
        yield _Row(name, (), is_called=False)
    for table, is_called in ((METHODS, True), (ATTRIBUTES, False)):
        for owner in sorted(set(table) - WRITTEN_TYPES):
            for name in sorted(table[owner]):
                yield _Row(f"{owner}.{name}", SAMPLES.get(owner, ()), is_called)


class _Trials:
    """Finds uses by calling."""

    def __init__(self) -> None:
        namespace: dict[str, Any] = {}
        exec(HEADER, namespace)
        self._makers: dict[str, Callable[[], Any]] = {
            text: eval(f"lambda: {text}", namespace)
            for texts in SAMPLES.values()
            for text in texts
            if _works(text, namespace)
        }
        self._namespace = namespace

    def uses(self, row: _Row) -> Iterator[Recipe]:
        """Uses of one row."""
        for template in BY_HAND.get(row.name, ()):
            yield Recipe(row.name, template)
        if row.name in BY_HAND and row.name.startswith(_HAND_ONLY):
            return
        seen: set[tuple[int, str]] = set()
        failed = False
        for receiver, arguments in self._calls(row):
            try:
                value = self._call(row, receiver, arguments)
            except Exception:
                if not failed and len(arguments) <= 1 and not _is_chance(row.name):
                    failed = True
                    yield Recipe(row.name, row.text(receiver, arguments))
                continue
            kind = (len(arguments), type(value).__name__)
            if kind in seen or len(seen) >= _KEPT:
                continue
            seen.add(kind)
            text = row.text(receiver, arguments)
            if text.startswith("[") and not all(_can_be_stored(self._makers[one]()) for one in arguments):
                continue  # the receiver is shown, and may hold it now
            yield Recipe(row.name, _shown(row.name, text, value))
            holes = tuple(_hole(argument) for argument in arguments)
            if holes != arguments and not _is_chance(row.name):
                yield Recipe(row.name, _shown(row.name, row.text(receiver, holes), value))

    def _calls(self, row: _Row) -> Iterator[tuple[str, tuple[str, ...]]]:
        chance = random.Random(row.name)
        pool = [text for text in ARGUMENTS if text in self._makers]
        member = row.name.rpartition(".")[2]
        if (
            member[:1].isupper()
            or member.endswith("Iteration")
            or row.name.startswith(("base64.", "urllib.", "random.", "Random."))
        ):
            pool = [text for text in pool if _can_be_stored(self._makers[text]())]
        receivers = [text for text in row.receivers if text in self._makers] if row.receivers else [""]
        if not receivers:
            return
        if not row.is_called:
            for receiver in receivers:
                yield receiver, ()
            return
        for count, trials in _TRIALS.items():
            if count == 1:
                for receiver in receivers:
                    for argument in pool:
                        yield receiver, (argument,)
            else:
                for _ in range(trials):
                    yield chance.choice(receivers), tuple(chance.choice(pool) for _ in range(count))

    def _call(self, row: _Row, receiver: str, arguments: tuple[str, ...]) -> Any:
        if receiver:
            target = getattr(self._makers[receiver](), row.name.rpartition(".")[2])
        else:
            target = eval(row.name, self._namespace)
        return target(*[self._makers[argument]() for argument in arguments]) if row.is_called else target


def _can_be_stored(value: Any) -> bool:
    try:
        encode(value)
    except ValueEncodingError:
        return False
    return True


def _gives_plain_values(iterator: Any) -> bool:
    try:
        return _can_be_stored(list(itertools.islice(iterator, 6)))
    except Exception:
        return True  # the error is compared


def _works(text: str, namespace: dict[str, Any]) -> bool:
    try:
        eval(text, namespace)
    except Exception:
        return False
    return True


def _is_chance(name: str) -> bool:
    return name.startswith(_CHANCE) or name.rpartition(".")[2] in _CLOCK


def _hole(argument: str) -> str:
    for kind, hole in _HOLES.items():
        if argument in SAMPLES[kind] and argument not in ("'utf-8'", "'Europe/Berlin'"):
            return hole
    return argument


def _shown(name: str, text: str, value: Any) -> str:
    """An expression whose value can be stored and compared."""
    if _is_chance(name):
        return (
            f"isinstance({text}, {type(value).__name__})"
            if type(value) in _SHOWN_TYPES
            else f"({text}) is None"
        )
    if name.partition(".")[0] in ("re", "Pattern") and name.endswith(("match", "search", "finditer")):
        return f"str(list({text}))" if name.endswith("finditer") else f"str({text})"
    if hasattr(value, "__next__") and not text.startswith("["):
        shown = f"list(itertools.islice({text}, 6))"
        return shown if _gives_plain_values(value) else f"len({shown})"
    if _can_be_stored(value):
        return text
    return f"callable({text}[0])" if text.startswith("[") else f"callable({text})"


def _find() -> tuple[Recipe, ...]:
    trials = _Trials()
    return tuple(recipe for row in _rows() for recipe in trials.uses(row))


RECIPES = _find()
