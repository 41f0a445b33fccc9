"""Members of enum classes, found again by what was stored of them."""

from __future__ import annotations

import enum
from typing import Any


def member_of(cls: type, name: str | None, value: Any) -> Any:
    """The member of that name, or what a flag makes of several, which the class has no name for; None when there is none."""
    if not issubclass(cls, enum.Enum):
        return None
    if name is not None and name in cls.__members__:
        return cls.__members__[name]
    if issubclass(cls, enum.Flag) and type(value) is int:
        try:
            return cls(value)
        except ValueError:
            return None  # bits that this deployment does not know
    return None
