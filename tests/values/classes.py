"""User classes for the tests of values."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import pydantic


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"
    CRIMSON = "r"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mode(enum.StrEnum):
    FAST = "fast"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Order:
    number: int
    lines: list[str] = field(default_factory=list)
    color: Color = Color.RED


@dataclass(frozen=True, order=True)
class Price:
    amount: int
    currency: str = "EUR"


@dataclass(slots=True)
class Slotted:
    left: int
    right: int = 0


@dataclass
class WithCode:
    number: int

    def __post_init__(self) -> None:
        self.number *= 2

    def double(self) -> int:
        return self.number * 2


class Customer(pydantic.BaseModel):
    name: str
    tags: list[str] = []
    age: int | None = None


class ShopError(Exception):
    pass


class OutOfStock(ShopError, LookupError):
    def __init__(self, sku: str, left: int) -> None:
        super().__init__(f"{sku} is out of stock")
        self.sku = sku
        self.left = left


class Formatted(ShopError):
    def __str__(self) -> str:
        return f"formatted {self.args[0]}"
