"""Plain functions of a user's module, which bodies import and the compiler compiles along."""

# ruff: noqa
# mypy: ignore-errors

import asyncio
import math

from tests.differential import more_functions
from tests.differential.bodies.shared import LIMITS, Item, Point, echo, square
from tests.differential.more_functions import shout as loud

RATE = 7
TABLE = {"a": 1}


def clean(text):
    return text.strip().lower()


def rated(n, rate=RATE, *, places=2):
    return round(n * rate / 3, places)


def area(radius):
    return math.floor(math.pi * radius**2)


def factorial(n):
    return 1 if n <= 1 else n * factorial(n - 1)


def is_even(n):
    return n == 0 or is_odd(n - 1)


def is_odd(n):
    return n != 0 and is_even(n - 1)


def make_adder(n):
    def add(x):
        return x + n

    return add


def remembered(value, seen=[]):
    seen.append(value)
    return list(seen)


def forget():
    remembered.__name__
    TABLE["a"] += 1
    return TABLE["a"]


def greet(name):
    return loud(f"hi {clean(name)}")


def deeper(name):
    return [more_functions.shout(name), more_functions.RATE, RATE]


def build(n):
    return Item(f"sku-{n}", n, [Point(n)])


def fails(n):
    raise ValueError(f"bad {n}")


def two(a, b):
    return [a, b]


async def fetch(n):
    return await square(n)


async def fetch_all(items):
    return await asyncio.gather(*[fetch(item) for item in items])


async def slow_total(items):
    total = 0
    for item in items:
        total += await echo(item)
    return total


def start(n):
    return fetch(n)


class Tools:
    @staticmethod
    def triple(n):
        return n * 3


def use_tools(n):
    return Tools.triple(n)
