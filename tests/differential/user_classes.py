"""Classes of a user's module with methods, properties and data of the class."""

# ruff: noqa
# mypy: ignore-errors

import enum
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel

from tests.differential.bodies.shared import echo, square
from tests.differential.user_functions import clean

DISCOUNT = 5


@dataclass
class Line:
    sku: str
    price: int
    count: int = 1

    RATE: ClassVar[int] = 2
    limits = [1, 2]

    def total(self):
        return self.price * self.count * self.RATE

    def named(self, prefix="", *, upper=False):
        text = f"{prefix}{clean(self.sku)}"
        return text.upper() if upper else text

    def grow(self, by):
        self.count += by
        return self

    @property
    def is_big(self):
        return self.total() > 10

    @classmethod
    def free(cls, sku):
        return cls(sku, 0, count=cls.start())

    @staticmethod
    def start():
        return 3

    def update(self, other):
        return [self.sku, other]

    def __secret(self):
        return self.price

    def tell(self):
        return self.__secret()

    async def looked_up(self):
        return await square(self.price)

    def with_lambda(self):
        return sorted([3, 1, 2], key=lambda n: -n * self.price)


@dataclass
class Special(Line):
    RATE: ClassVar[int] = 10
    note: str = ""

    @property
    def is_big(self):
        return [self.note, self.RATE]

    @staticmethod
    def start():
        return 30


@dataclass
class Cart:
    lines: list[Line] = field(default_factory=list)

    def total(self):
        return sum([line.total() for line in self.lines])

    def __private(self):
        return 1

    async def checked(self):
        return [await echo(line.total()) for line in self.lines]


class Size(enum.Enum):
    SMALL = 1
    LARGE = 10

    def scaled(self, by):
        return self.value * by

    @property
    def label(self):
        return self.name.title()

    @classmethod
    def biggest(cls):
        return cls.LARGE

    @classmethod
    def named(cls, name):
        return cls[name]


class Refused(Exception):
    code = 402

    def described(self):
        return f"{self.code}: {self}"


class Refused2(Refused):
    code = 403


class Person(BaseModel):
    first: str
    last: str = "Doe"
    age: int = 3

    def full(self):
        return f"{self.first} {self.last}"

    @property
    def is_child(self):
        return self.age < 18

    @classmethod
    def default_name(cls):
        return cls.__name__


class Child(Person):
    def full(self):
        return "little " + self.first
