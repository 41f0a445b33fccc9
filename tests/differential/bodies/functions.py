"""Helper methods, parameters, self."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio
from typing import Any, cast

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import LIMITS, Color, add, echo, square
from waymark.sdk.workflow import Workflow


@body(5, 0)
class Recursion(Workflow):
    def factorial(self, n):
        return 1 if n <= 1 else n * self.factorial(n - 1)

    async def fib(self, n):
        if n < 2:
            return await echo(n)
        return await self.fib(n - 1) + await self.fib(n - 2)

    async def run(self, n):
        return [self.factorial(n), await self.fib(n)]


@body()
class ParameterKinds(Workflow):
    def show(self, a, /, b, *args, c, d=4, **kwargs):
        return [a, b, list(args), c, d, kwargs]

    async def run(self):
        return [
            self.show(1, 2, c=3),
            self.show(1, 2, 3, 4, c=5, d=6, e=7),
            self.show(1, b=2, c=3, a=9),
            self.show(*[1, 2, 3], **{"c": 1, "z": 2}),
        ]


@body()
class Defaults(Workflow):
    def greet(self, name, greeting="hi", *, mark="!", times=len(LIMITS)):
        return f"{greeting} {name}{mark}" * times

    async def run(self):
        return [
            self.greet("a"),
            self.greet("b", "yo"),
            self.greet("c", mark="?", times=1),
            self.greet(greeting="g", name="n", times=0),
        ]


@body()
class MissingArgument(Workflow):
    def two(self, a, b):
        return a + b

    async def run(self):
        return self.two(1)


@body()
class ExtraArgument(Workflow):
    async def two(self, a, b=1):
        return a + b

    async def run(self):
        return await self.two(1, 2, 3)


@body()
class UnexpectedKeyword(Workflow):
    def two(self, a, *, b=1):
        return a + b

    async def run(self):
        return self.two(1, c=2)


@body()
class DuplicateKeyword(Workflow):
    def two(self, a, b=1):
        return a + b

    async def run(self):
        return self.two(1, **{"a": 2})


@body()
class MergedDuplicate(Workflow):
    def two(self, **kw):
        return kw

    async def run(self):
        return self.two(x=1, **{"x": 2})


@body(5, None)
class StarNonIterable(Workflow):
    def take(self, *args):
        return args

    async def run(self, value):
        return self.take(*value)


@body(5)
class DoubleStarNonMapping(Workflow):
    def take(self, **kw):
        return kw

    async def run(self, value):
        return self.take(**value)


@body(call(1, 2, 3, z=4), call())
class RunWithVarargs(Workflow):
    async def run(self, *args, **kwargs):
        return [list(args), kwargs]


@body(call(1), call(1, c=5), call(1, 2, c=3))
class RunWithDefaults(Workflow):
    async def run(self, a, b=[10], *, c=(1, 2)):
        b = [*b] if isinstance(b, list) else b
        return [a, b, c]


@body(3)
class SelfAttributes(Workflow):
    rate = 2
    names = ["x"]
    label: str = "base"

    def grow(self):
        self.total += self.rate
        self.seen.append(self.total)

    async def run(self, n):
        self.total = n
        self.seen = []
        for _ in range(3):
            self.grow()
            await echo(1)
        self.rate = 100
        self.grow()
        self.names.append("y")
        result = [self.total, self.seen, self.rate, list(self.names), self.label]
        self.names.pop()  # natively the class outlives the run
        return result


@body()
class SelfAttributeMissing(Workflow):
    def set(self):
        self.value = 1

    async def run(self):
        try:
            return self.value
        except AttributeError:
            self.set()
            return self.value


@body()
class SelfAttributeDeleted(Workflow):
    size = 5

    async def run(self):
        self.size = 6
        first = self.size
        del self.size
        return [first, self.size]


class Base(Workflow):
    factor = 3

    def scale(self, n):
        return n * self.factor

    async def step(self, n):
        return await add(self.scale(n), self.offset())

    def offset(self):
        return 1


@body(4)
class Inherited(Base):
    factor = 5

    def offset(self):
        return 100

    async def run(self, n):
        return [await self.step(n), self.scale(1)]


@body()
class StaticHelpers(Workflow):
    @staticmethod
    def double(n):
        return n * 2

    @staticmethod
    async def fetch(n):
        return await square(n)

    async def run(self):
        return [self.double(4), await self.fetch(3), [self.double(i) for i in range(3)]]


@body()
class PrivateNames(Workflow):
    __secret = 7

    def __hidden(self, __x):
        return __x + self.__secret

    async def run(self):
        self.__value = 2
        __local = self.__hidden(__x=1) if False else self.__hidden(1)
        return [__local, self.__value]


@body()
class HelperAsValue(Workflow):
    def double(self, n):
        return n * 2

    def is_odd(self, n):
        return n % 2 == 1

    async def run(self):
        f = self.double
        return [
            f(2),
            list(map(self.double, [1, 2])),
            list(filter(self.is_odd, range(5))),
            sorted([3, -1, 2], key=self.double),
            max([1, 5, 3], key=f),
        ]


@body()
class SyncAndAsyncHelpers(Workflow):
    def plain(self, n):
        return n + 1

    async def waits(self, n):
        return self.plain(await square(n))

    async def chain(self, n):
        return await self.waits(await self.waits(n))

    async def run(self):
        return [
            self.plain(1),
            await self.waits(2),
            await self.chain(1),
            await asyncio.gather(self.chain(1), self.waits(0)),
        ]


@body()
class AwaitableReturned(Workflow):
    def start(self, n):
        return square(n)

    async def run(self):
        return await self.start(6)


@body()
class NoReturn(Workflow):
    def nothing(self):
        pass

    def maybe(self, n):
        if n:
            return n

    async def run(self):
        return [self.nothing(), self.maybe(0), self.maybe(1)]


@body()
class NoReturnFromRun(Workflow):
    async def run(self):
        await echo(1)


@body(3)
class ShadowedBuiltins(Workflow):
    async def run(self, n):
        len = n
        list = [1, 2]
        sum = len + 1
        return [len, list, sum]


@body()
class ClosureConstants(Workflow):
    def tail(self, *, color=Color.RED, limits=LIMITS):
        return [color.name, limits["max"]]

    async def run(self):
        return [self.tail(), self.tail(color=Color.BLUE)]


@body(call("text"))
class TypingConstructs(Workflow):
    async def run(self, value):
        a: int = 3
        b: list[int]
        b = [a]
        c = cast(str, value)
        d = cast("list[Any]", b)
        e: dict[str, int] = {}
        e["x"]: int = 5
        return [a, b, c, d, e]


@body(1, "s", None, 2.5, True)
class IsinstanceChecks(Workflow):
    async def run(self, value):
        return [
            isinstance(value, int),
            isinstance(value, (str, float)),
            isinstance(value, int | str),
            isinstance(value, int | None),
            type(value).__name__,
            type(value) is int,
            callable(value),
        ]


@body()
class DynamicAttributes(Workflow):
    async def run(self):
        return [getattr("a", "missing", 5), hasattr("a", "upper"), hasattr([], "nope"), getattr(3, "real")]


@body(200)
class DeepRecursion(Workflow):
    def down(self, n):
        return 0 if n == 0 else 1 + self.down(n - 1)

    async def run(self, n):
        return self.down(n)
