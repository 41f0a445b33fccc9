"""What decides at the first run, not at import, where the bridge is: test mode must not cost those who do not use it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

_factory: list[str] = []
_made: list[Any] = []


def use_for_tests(factory: str) -> None:
    """Name a function that makes the endpoint source of this process.

    Args:
        factory: `module:function`, imported when the first run needs the bridge. What it makes has a method `stop`.
    """
    _factory[:] = [factory]


def end_tests() -> None:
    """Stop what was made for tests, if anything was, and find the bridge by the default way again."""
    _factory.clear()
    while _made:
        _made.pop().stop()


def make_source(default: Callable[[], Any]) -> Any:
    """The endpoint source: of the test mode when one is set, else `default()`."""
    if not _factory:
        return default()
    module, _, name = _factory[0].partition(":")
    _made.append(getattr(importlib.import_module(module), name)())
    return _made[-1]
