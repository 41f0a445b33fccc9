"""`print`: what a run writes to its log.

The text is made as Python makes it, so whatever the arguments raise is raised. It belongs to no state: it leaves with the effects
of the step that printed it, and an owner that replays the journal drops it with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.program.live import live_object
from waymark.vm.events import WriteLog
from waymark.vm.limits import Meter
from waymark.vm.weight import check_shown

MAX_CHARACTERS = 64 * 1024
MAX_LINES = 1000
"""Of what is printed in one step, for writing holds up the other runs of the shard; the rest is left out, and the log says so."""


class Printed:
    """What one machine has printed in the step it takes."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._parts: list[str] = []
        self._characters = MAX_CHARACTERS
        self._lines = MAX_LINES
        self._left_out = 0

    def add(self, text: str) -> None:
        """Keep a text as far as there is room."""
        kept = text[: self._characters] if self._lines > 0 else ""
        self._characters -= len(kept)
        self._lines -= kept.count("\n")
        self._left_out += len(text) - len(kept)
        if kept:
            self._parts.append(kept)

    def take(self) -> list[WriteLog]:
        """The effect that writes it all, if there is anything to write; the next step begins with nothing."""
        if not self._parts:
            return []
        text = "".join(self._parts)
        if self._left_out:
            text = f"{text.removesuffix(chr(10))}\n({self._left_out:,} characters more, printed before the next wait, are left out)"
        self._begin()
        return [WriteLog(text)]


def _print(
    machine: Any,
    /,
    *values: Any,
    sep: Any = None,
    end: Any = None,
    file: Any = None,
    flush: Any = False,
    **rest: Any,
) -> None:
    if file is not None:
        raise UnsupportedPatternError(
            "print(file=...) cannot be used in a workflow: what is printed goes to the run's log; write files in an @action"
        )
    if rest:
        native: Any = live_object("print")
        native(**rest)  # refused in Python's words, so nothing is printed
    for name, value in (("sep", sep), ("end", end)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} must be None or a string, not {type(value).__name__}")
    meter: Meter = machine.meter
    between = " " if sep is None else sep
    for number, value in enumerate(values):
        meter.burn()
        if number:
            machine.printed.add(between)
        check_shown(meter, value)
        machine.printed.add(str(value))
    machine.printed.add("\n" if end is None else end)


FUNCTIONS: dict[str, Callable[..., Any]] = {"print": _print}
"""By the name of the library table."""
