"""Expressions of the language."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import asyncio as aio
import enum
from asyncio import gather as g
from dataclasses import dataclass
from typing import cast

from waymark.model.policy import RetryPolicy
from waymark.sdk.actions import action
from waymark.sdk.workflow import Workflow


class Color(enum.Enum):
    RED = 1


@dataclass
class Order:
    id: int
    note: str = ""


LIMITS = {"max": 3}
ALIAS = LIMITS
NUMBERS = (1, 2.5, None, "x", b"y", (True,))
POLICY = RetryPolicy(attempts=2)


@action
async def charge(n, *, note=None):
    return n


class Constants(Workflow):
    size = 4
    kinds = ["a"]

    async def run(self):
        return [LIMITS["max"], ALIAS, NUMBERS, Color.RED, POLICY, self.size, self.kinds, -1, -2.5, 1 << 70, 1, True, 1.0, "1"]


class Operators(Workflow):
    async def run(self, a, b):
        return [a + b, -a, ~a, not a, a @ b, a < b, a < b <= a != b, a is not b, a not in b, a and b or a, a if b else b, (c := a), c]


class Displays(Workflow):
    async def run(self, a, b):
        return [[], [a, *b, a], (a,), (*a, b), {a, *b}, {}, {a: b, **b, "k": a}, {**a}]


class Subscripts(Workflow):
    async def run(self, a):
        return [a[0], a[1:], a[:2], a[::3], a[1, 2], a.x.y]


class Text(Workflow):
    async def run(self, a, w):
        return [f"", f"x", f"{a}", f"{a!r:>{w}}-{a!s}{a!a:5}", f"{a=}"]


class Comprehensions(Workflow):
    async def run(self, xs):
        return [[x for x in xs if x if x > 1], {x: y for x in xs for y in x}, {x for x in xs}, [[y for y in x] for x in xs]]


class ReadBeforeBound(Workflow):
    async def run(self, xs):
        return [y for x in xs if y for y in x]


class Generators(Workflow):
    async def run(self, xs):
        return [sum(x for x in xs), any(x for x in xs if x), all(x > y for x in xs for y in x), list(x for x in xs), tuple(x for x in xs), set(x for x in xs), "".join(x for x in xs), max((x for x in xs), default=0)]


class Calls(Workflow):
    def helper(self, a, *, b=LIMITS):
        return a

    @staticmethod
    def static(a):
        return a

    async def run(self, xs, **kw):
        a = self.helper(1, b=2)
        b = self.helper(*xs, **kw)
        c = self.helper(1, *xs, b=1, **kw, c=2)
        d = Order(1, note="n")
        e = xs.append(1)
        f = [len(xs), self.static(2), max]
        return [a, b, c, d, e, f, isinstance(a, int | Order | None), isinstance(a, (int, str)), cast("int", a)]


class Actions(Workflow):
    async def run(self, xs):
        a = await charge(1, note="x")
        b = await asyncio.gather(charge(1), charge(2), return_exceptions=True)
        c = await g(*[charge(x) for x in xs])
        await aio.sleep(1)
        d = await self.run_action(charge(1))
        e = await self.run_action(charge(1), retry=POLICY, timeout=5)
        f = await self.run_action(charge(1), timeout=5, retry=RetryPolicy(attempts=a))
        return [b, c, d, e, f]


class Names(Workflow):
    __private = 1

    def __hidden(self, __x):
        return __x + self.__private

    async def run(self, len):
        sum = len
        self.__other = 2
        return [sum, self.__hidden(1), self.__other, min, Color, Color("x"), Color["RED"], Order]
