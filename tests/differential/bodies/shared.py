"""Actions, classes and constants that the bodies share."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from tests.differential.bodies.body import attempt_of
from tests.differential.virtual_time import takes
from waymark.sdk.actions import action


class ShopError(Exception):
    """Root of the custom exceptions."""


class Declined(ShopError):
    """A payment was declined."""


class OutOfStock(ShopError):
    """Has attributes of its own."""

    def __init__(self, sku: str, left: int = 0) -> None:
        super().__init__(f"{sku} is out of stock, {left} left")
        self.sku = sku
        self.left = left


@dataclass
class Item:
    sku: str
    price: int
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, order=True)
class Point:
    x: int
    y: int = 0


@dataclass
class Order:
    id: int
    items: list[Item] = field(default_factory=list)
    note: str | None = None
    paid: bool = False


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    MID = 5
    HIGH = 10


class Mode(enum.StrEnum):
    FAST = "fast"
    SAFE = "safe"


class Customer(BaseModel):
    name: str
    age: int = 18
    tags: list[str] = []


class Invoice(BaseModel):
    number: int
    customer: Customer
    total: float = 0.0


LIMITS = {"max": 10, "min": 1, "steps": [1, 2, 3]}
NAMES = ("ada", "bob", "eve")
RATE = 0.25
BIG = 10**30
SHARED: list[int] = []
ALSO_SHARED = SHARED


@action
async def echo(value: Any, after: float = 0.0) -> Any:
    """Give the value back, so many seconds of virtual time later."""
    await takes(after)
    return value


@action
async def add(a: Any, b: Any = 1, *, c: Any = 0) -> Any:
    """a + b + c"""
    await takes()
    return a + b + c


@action
async def pack(*args: Any, **kwargs: Any) -> list[Any]:
    """Show how arguments arrived."""
    await takes()
    return [list(args), sorted(kwargs.items())]


@action
async def square(n: int) -> int:
    await takes()
    return n * n


@action
async def later(value: Any, seconds: float) -> Any:
    """The value, after a while."""
    await takes(seconds)
    return value


@action
async def fail(kind: str, message: str = "bad", after: float = 0.0) -> Any:
    """Raise an exception by name, so many seconds of virtual time later."""
    await takes(after)
    match kind:
        case "value":
            raise ValueError(message)
        case "key":
            raise KeyError(message)
        case "declined":
            raise Declined(message)
        case "stock":
            raise OutOfStock(message, 3)
        case "zero":
            return 1 // 0
        case "empty":
            raise RuntimeError
        case "args":
            raise ValueError(message, 2, [3])
        case _:
            return "fine"


@action
async def flaky(key: str, failures: int, kind: str = "value") -> int:
    """Fail so many times, then give the number of the attempt."""
    await takes()
    attempt = attempt_of(key)
    if attempt <= failures:
        if kind == "declined":
            raise Declined(f"attempt {attempt}")
        raise ValueError(f"attempt {attempt}")
    return attempt


@action
async def make_item(sku: str, price: int) -> Item:
    await takes()
    return Item(sku, price, [sku[:1]])


@action
async def make_order(id: int, count: int) -> Order:
    await takes()
    return Order(id, [Item(f"s{n}", n * 10) for n in range(count)])


@action
async def make_customer(name: str) -> Customer:
    await takes()
    return Customer(name=name, tags=["new"])


@action
async def pick_color(name: str) -> Color:
    await takes()
    return Color[name]


@action
async def price_of(item: Item) -> int:
    await takes()
    return item.price
