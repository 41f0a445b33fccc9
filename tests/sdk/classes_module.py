"""A module with actions and classes, as users have them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel

from waymark.sdk.actions import ActionRegistry, RegisteredAction

if TYPE_CHECKING:
    from tests.sdk.nowhere import Missing  # type: ignore[import-not-found]


class Kind(enum.Enum):
    A = 1


@dataclass
class Inner:
    kind: Kind = Kind.A


@dataclass
class Outer:
    inner: list[Inner] = field(default_factory=list)


class Model(BaseModel):
    outer: Outer | None = None
    limit: int = 3


class Oops(Exception):
    pass


class Plain:
    @dataclass
    class Nested:
        x: int = 1


class Holder(BaseModel):
    class Part(BaseModel):
        y: int = 2


async def act(model: Annotated[Model, "note"], other: Missing = None) -> dict[str, Kind]:
    return {}


registry = ActionRegistry()
registry.register(RegisteredAction(__name__, "act", act))
