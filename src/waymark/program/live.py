"""The Python objects behind the names of the library table."""

from __future__ import annotations

import builtins
import importlib

from waymark import errors
from waymark.model.policy import RetryPolicy

MISSING = object()


def live_object(name: str) -> object:
    """The object of a dotted name; MISSING where this Python has none of that name."""
    if name.startswith("waymark."):
        attribute = name.removeprefix("waymark.")
        return RetryPolicy if attribute == "RetryPolicy" else getattr(errors, attribute)
    parts = name.split(".")
    found: object = builtins
    for count in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        parts = parts[count:]
        break
    for part in parts:
        found = getattr(found, part, MISSING)
    return found
