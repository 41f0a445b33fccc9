"""What is due when: timers of instances, and calls that are tried again."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from waymark.executor.active import ActiveInstance
from waymark.vm.events import StartCall

_SLACK = 1000
"""Entries that nobody waits for any more, at least, before they are swept out."""


@dataclass(slots=True, eq=False)
class Due:
    """Something to do for an instance."""

    due_us: int
    instance: ActiveInstance | None
    """None once it has left memory, so that an entry far ahead does not hold it there."""
    call: StartCall | None
    """To be tried again; None: a timer of the instance."""


class Timers:
    """A heap. Entries of instances that have left memory are passed over, and swept out when they are many.

    Args:
        is_wanted: Whether somebody still waits for an entry.
    """

    def __init__(self, is_wanted: Callable[[Due], bool]) -> None:
        self._is_wanted = is_wanted
        self._heap: list[tuple[int, int, Due]] = []
        self._number = 0
        self._sweep_at = _SLACK
        self.changed = asyncio.Event()
        """Set when the earliest entry may be another one."""

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: Due) -> None:
        """Watch for it."""
        self._number += 1
        heapq.heappush(self._heap, (due.due_us, self._number, due))
        if self._heap[0][2] is due:
            self.changed.set()
        if len(self._heap) > self._sweep_at:
            self._heap = [entry for entry in self._heap if self._is_wanted(entry[2])]
            heapq.heapify(self._heap)
            self._sweep_at = max(_SLACK, 2 * len(self._heap))

    def next_us(self) -> int | None:
        """When the earliest entry is due."""
        return self._heap[0][0] if self._heap else None

    def take(self, now_us: int, *, limit: int) -> Iterator[Due]:
        """Up to so many entries that are due and wanted, earliest first."""
        taken = 0
        while self._heap and self._heap[0][0] <= now_us and taken < limit:
            due = heapq.heappop(self._heap)[2]
            if self._is_wanted(due):
                taken += 1
                yield due
