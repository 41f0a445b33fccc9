"""One thing for each event loop of the process; what belonged to a closed loop is let go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Made when an event loop first asks. Used from any thread.

    A weak dictionary would not do: what belongs to a loop usually refers to it, and so would keep it for ever.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[asyncio.AbstractEventLoop, T] = {}
        self._lock = threading.Lock()

    def get(self) -> T:
        """That of the running event loop."""
        loop = asyncio.get_running_loop()
        made = self._made.get(loop)
        if made is None:
            self.forget_closed()
            made = self._make()
            with self._lock:
                self._made[loop] = made
        return made

    def pop(self) -> T | None:
        """That of the running event loop, which forgets it; None when it has none."""
        with self._lock:
            return self._made.pop(asyncio.get_running_loop(), None)

    def forget_closed(self) -> None:
        """Let go of what belonged to closed loops."""
        with self._lock:
            for loop in [loop for loop in self._made if loop.is_closed()]:
                del self._made[loop]

    def take_all(self) -> list[T]:
        """Everything, which is forgotten; in a forked child, where the lock may be held by a thread that is not there."""
        self._lock = threading.Lock()
        made, self._made = list(self._made.values()), {}
        return made
