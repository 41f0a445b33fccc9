"""What a generated program may use at a place: variables by type, and what the code around allows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count


@dataclass
class Scope:
    """One function while its body is generated.

    Attributes:
        is_async: Whether the code may wait.
        variables: Names by type, those that certainly have a value.
        loops: Loops around this place, inside of this function.
        in_finally: Leaving is a warning of Python's there.
        no_return: Inside `except*`, where it is a SyntaxError.
    """

    is_async: bool
    features: frozenset[str]
    names: Iterator[int] = field(default_factory=lambda: count(1))
    variables: dict[str, list[str]] = field(default_factory=dict)
    read_only: set[str] = field(default_factory=set)
    loops: int = 0
    depth: int = 0
    in_finally: bool = False
    no_return: bool = False
    in_generator: bool = False
    helpers: list[str] = field(default_factory=list)
    coroutines: list[str] = field(default_factory=list)
    """Names of nested async functions of one int."""

    def of(self, kind: str) -> list[str]:
        """Variables of a type."""
        return self.variables.get(kind, [])

    def new(self, prefix: str) -> str:
        """A name that no one else has."""
        return f"{prefix}{next(self.names)}"

    def add(self, kind: str, name: str) -> str:
        """Let a variable be usable from here on."""
        self.variables.setdefault(kind, []).append(name)
        return name

    @contextmanager
    def block(self) -> Iterator[None]:
        """What is assigned inside may have no value after it."""
        before = {kind: list(names) for kind, names in self.variables.items()}
        coroutines = list(self.coroutines)
        self.depth += 1
        yield
        self.depth -= 1
        self.variables = before
        self.coroutines = coroutines

    @contextmanager
    def iterated(self) -> Iterator[None]:
        """Where Python allows no `:=`: in what a comprehension goes through."""
        before, self.features = self.features, self.features - {"walrus"}
        yield
        self.features = before

    def function(self, is_async: bool) -> Scope:
        """A function inside this one: it sees the variables, and changes none of them."""
        inner = Scope(is_async, self.features, self.names)
        inner.variables = {kind: list(names) for kind, names in self.variables.items()}
        inner.read_only = {name for names in self.variables.values() for name in names}
        inner.depth = self.depth + 1
        inner.helpers = self.helpers
        inner.coroutines = list(self.coroutines)
        return inner
