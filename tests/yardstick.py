"""What time is compared with in tests: work that is always the same, measured in the same minute.

Seconds of a shared machine differ twofold and more from one minute to the next; a ratio to other work does not.
"""

from __future__ import annotations

import functools
import gc
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SECOND = 16
"""Yardsticks in a second of one core of the machine that the limits were chosen on, when nothing else ran there."""
TRIES = 3
"""Neighbours can only make work seem dearer, so one try within the bound shows that it keeps it."""


def yardstick_s() -> float:
    """CPU seconds of loops and allocations, as the machine makes them."""
    began = time.process_time()
    kept: dict[int, object] = {}
    for number in range(1_000_000):
        kept[number & 1023] = (number, kept)
    return time.process_time() - began


@functools.cache
def _usual_s() -> float:
    return min(yardstick_s() for _ in range(TRIES))


def python_start_s() -> float:
    """Seconds that a Python takes from its start to its end when it has nothing to do."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


def within(most: float, work: Callable[[], T]) -> T:
    """What some work gives, which may take that many yardsticks of CPU time."""
    gc.freeze()  # or collections would walk what thousands of earlier tests have left in this process
    try:
        for _ in range(TRIES):
            began = time.process_time()
            given = work()
            took_s = time.process_time() - began
            if took_s < most * _usual_s() / 3:
                return given  # far from the bound, in whatever minute
            yard_s = max(yardstick_s(), yardstick_s())
            if took_s < most * yard_s:
                return given
    finally:
        gc.unfreeze()
    raise AssertionError(f"it took {took_s:.2f} s, and the yardstick {yard_s:.3f} s, {TRIES} times over")
