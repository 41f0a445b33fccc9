"""The source text of one program while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Text:
    """Lines with their indentation.

    Attributes:
        recipes: Rows of the library that were written into it.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.recipes: set[str] = set()
        self._level = 0

    def line(self, text: str) -> None:
        """Add a line."""
        self.lines.append("    " * self._level + text)

    @contextmanager
    def indented(self) -> Iterator[None]:
        """Write inside of the last line."""
        self._level += 1
        yield
        self._level -= 1

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"
