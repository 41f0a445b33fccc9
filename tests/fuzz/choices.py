"""Where a generated program takes its decisions from. The first of several options is the simplest: shrinking moves towards it.

Hypothesis draws them in the tests. A campaign takes them from a seeded generator, which is thirteen times as fast and repeats no program (in a
thousand programs of Hypothesis five hundred were copies), and shrinks what fails by itself (`shrinking`).
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

_UP_TO: dict[int, st.SearchStrategy[int]] = {}


class Choices(ABC):
    """Decisions of one program."""

    @abstractmethod
    def up_to(self, most: int) -> int:
        """A number from 0 to `most`."""

    def pick(self, options: Sequence[T]) -> T:
        """One of some."""
        return options[self.up_to(len(options) - 1)]

    def chance(self, percent: int) -> bool:
        """True in so many of 100 programs; False is simpler."""
        return self.up_to(99) >= 100 - percent

    def some(self, options: Sequence[T], percent: int) -> list[T]:
        """Each of some with this chance."""
        return [option for option in options if self.chance(percent)]


class Drawn(Choices):
    """Decisions of Hypothesis.

    Args:
        draw: Its draw function.
    """

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def up_to(self, most: int) -> int:
        if most <= 0:
            return 0
        strategy = _UP_TO.get(most)
        if strategy is None:
            strategy = _UP_TO[most] = st.integers(0, most)
        found: int = self._draw(strategy)
        return found


class Seeded(Choices):
    """Decisions of a seeded generator; `made` lists them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.made: list[int] = []

    def up_to(self, most: int) -> int:
        found = self._random.randint(0, most) if most > 0 else 0
        self.made.append(found)
        return found


class Replayed(Choices):
    """Decisions that were made before, and the simplest ones after the last of them."""

    def __init__(self, made: Sequence[int]) -> None:
        self._left = iter(made)

    def up_to(self, most: int) -> int:
        return max(0, min(next(self._left, 0), most))
