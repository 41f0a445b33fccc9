"""The `@action` decorator and the registry it fills: the one global of the package, for it holds the user's functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, Any]])

ACTION_ATTRIBUTE = "__waymark_action__"
"""Where `@action` leaves its `RegisteredAction` on the function."""


@dataclass(frozen=True, slots=True)
class RegisteredAction:
    """A user's function that workers may run."""

    module: str
    """Module that defines it, as importable."""
    name: str
    """Name it is called by; the function's name unless `@action(name=...)` gave another."""
    function: Callable[..., Any]
    """The undecorated function."""

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


class ActionRegistry:
    """Actions by module and name."""

    def __init__(self) -> None:
        self._actions: dict[tuple[str, str], RegisteredAction] = {}

    def register(self, action: RegisteredAction) -> None:
        """Add an action.

        Raises:
            ValueError: The module already has another action of this name.
        """
        known = self._actions.get((action.module, action.name))
        if known is not None and known.function.__qualname__ != action.function.__qualname__:
            raise ValueError(
                f"action {action} is registered twice: {known.function.__qualname__} and {action.function.__qualname__}; "
                f"give one of them another name with @action(name=...)"
            )
        self._actions[action.module, action.name] = action

    def find(self, module: str, name: str) -> RegisteredAction | None:
        """The action, or None."""
        return self._actions.get((module, name))

    def __iter__(self) -> Iterator[RegisteredAction]:
        return iter(tuple(self._actions.values()))

    def __len__(self) -> int:
        return len(self._actions)


registry = ActionRegistry()
"""Every action of this process."""


@overload
def action(function: F, /) -> F: ...
@overload
def action(*, name: str | None = None) -> Callable[[F], F]: ...
def action(function: F | None = None, /, *, name: str | None = None) -> F | Callable[[F], F]:
    """Make an `async def` function callable from workflows; outside of them it stays the function it is.

    Args:
        name: Name to register under, when the function's own name is not wanted.

    Raises:
        TypeError: It is not an `async def` function.
        ValueError: The module has another action of this name.
    """

    def register(target: F) -> F:
        if not inspect.iscoroutinefunction(target):
            raise TypeError(
                f"@action needs an async def function, got {getattr(target, '__qualname__', target)!r}; write 'async def'"
            )
        entry = RegisteredAction(target.__module__, name or target.__name__, target)
        registry.register(entry)
        setattr(target, ACTION_ATTRIBUTE, entry)
        return target

    return register if function is None else register(function)


def find_action(candidate: object) -> RegisteredAction | None:
    """The action behind a function object, or None when it is not decorated."""
    entry = getattr(candidate, ACTION_ATTRIBUTE, None)
    return entry if isinstance(entry, RegisteredAction) else None
