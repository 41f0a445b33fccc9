"""Makes a failing program small: leaves decisions out, or takes simpler ones, as long as it still fails."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_S = 40.0


def shrink(made: list[int], fails: Callable[[list[int]], bool]) -> list[int]:
    """The simplest decisions found that still fail.

    Args:
        made: Decisions of a program that fails.
        fails: Whether the program of some decisions fails in the same way.
    """
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        smaller = _shorter(made, fails, deadline)
        smaller = _simpler(smaller, fails, deadline)
        if smaller == made:
            break
        made = smaller
    return made


def _shorter(made: list[int], fails: Callable[[list[int]], bool], deadline: float) -> list[int]:
    size = max(1, len(made) // 2)
    while size:
        at = 0
        while at < len(made) and time.monotonic() < deadline:
            tried = made[:at] + made[at + size :]
            if fails(tried):
                made = tried
            else:
                at += size
        size //= 2
    return made


def _simpler(made: list[int], fails: Callable[[list[int]], bool], deadline: float) -> list[int]:
    for at in range(len(made)):
        for value in (0, made[at] // 2, made[at] - 1):
            if 0 <= value < made[at] and time.monotonic() < deadline:
                tried = [*made[:at], value, *made[at + 1 :]]
                if fails(tried):
                    made = tried
                    break
    return made
