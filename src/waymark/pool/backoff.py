"""How long to wait before trying again."""

from __future__ import annotations

import random


class Backoff:
    """Waits that double from `first_s` to `most_s`, each shortened by up to a half at random.

    The randomness keeps many processes that lost the same database from coming back in step.
    """

    def __init__(
        self, *, first_s: float = 0.1, most_s: float = 5.0, rng: random.Random | None = None
    ) -> None:
        if not 0 < first_s <= most_s:
            raise ValueError(f"first_s must be above 0 and at most most_s, got {first_s} and {most_s}")
        self._first_s = first_s
        self._most_s = most_s
        self._rng = rng or random.Random()
        self._failures = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        wait_s = min(self._most_s, self._first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return wait_s * (1 - self._rng.random() / 2)

    def reset(self) -> None:
        """It worked; the next failure waits shortly again."""
        self._failures = 0
