"""Variables of one function: its own, those of its comprehensions, and those of the functions around it.

A variable that another function uses becomes a cell where it lives and a free variable where it is used, as in CPython.
"""

from __future__ import annotations

from waymark.compiler.bindings import ResolvedFunction


class Scope:
    """Variables of one comprehension while it is resolved."""

    def __init__(self) -> None:
        self.locals: dict[str, int] = {}
        self.bound: set[str] = set()
        self.clear_first = False


class Variables:
    """Finds the local that a name stands for.

    Args:
        function: Where locals, cells and free variables are recorded.
        outer: Variables of the function that this one is written in.
    """

    def __init__(self, function: ResolvedFunction, outer: Variables | None) -> None:
        self._function = function
        self._outer = outer
        self.names: dict[str, int] = {}
        """The function's own, comprehensions apart."""
        self.given: set[str] = set()
        """Of those, the ones that get a value somewhere."""
        self.scopes: list[Scope] = []
        """Comprehensions around the place that is resolved now, innermost last."""
        self._captured: dict[str, int] = {}

    def declare(self, name: str) -> int:
        """Make a name a variable of the function, which it may be already."""
        if name not in self.names:
            self.names[name] = self.new_local(name)
        return self.names[name]

    def new_local(self, name: str) -> int:
        """A local of its own for a name."""
        self._function.locals.append(name)
        return len(self._function.locals) - 1

    def find(self, name: str) -> int | None:
        """The local that a name stands for here; None when it is no variable of this function or those around it."""
        for scope in reversed(self.scopes):
            if name in scope.locals:
                return scope.locals[name]
        if name in self.names:
            return self.names[name]
        return self._capture(name)

    def found(self, name: str) -> int:
        """The local of a name that is known to be a variable."""
        index = self.find(name)
        assert index is not None, name
        return index

    def is_own(self, name: str) -> bool:
        """Whether a name stands for a variable of the function itself, of no comprehension."""
        return name in self.names and not any(name in scope.locals for scope in self.scopes)

    def is_self(self, name: str) -> bool:
        """Whether a name stands for the workflow object."""
        if any(name in scope.locals for scope in self.scopes):
            return False
        if name in self.names:
            return self.names[name] == self._function.self_index
        return self._outer is not None and self._outer.is_self(name)

    def _capture(self, name: str) -> int | None:
        if name in self._captured:
            return self._captured[name]
        index = self._outer.find(name) if self._outer is not None else None
        if index is None or self._outer is None:
            return None
        self._outer.share(index)
        local = self._captured[name] = self.new_local(name)
        self._function.free[local] = index
        return local

    def share(self, index: int) -> None:
        """A function inside this one uses a local."""
        if index not in self._function.free:
            self._function.cells.add(index)
