"""Refused syntax. The comment on a failing line gives code, column and a part of the help."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import contextlib
import decimal
from dataclasses import dataclass

from waymark.sdk.actions import action
from waymark.sdk.workflow import Workflow


@dataclass
class Ticket:
    n: int = 0


@action
async def charge(n):
    return n


class Yields(Workflow):
    def items(self):
        yield 1  # WM104 9 "append each value to a list"

    async def run(self):
        return self.items()


class YieldsFrom(Workflow):
    def items(self):
        yield from [1]  # WM104 9 "append each value to a list"

    async def run(self):
        return self.items()


class RefusedInsideFunctions(Workflow):
    async def run(self):
        def inner(x=unknown):  # WM120 21 "define or import it"
            import os  # WM108 13 "import at the top"

            return (yield x)  # WM104 21 "append each value"

        @traced  # WM116 10 "inside the function"
        async def other():
            global counter  # WM109 13 "keep state in locals"
            return self  # WM123 20 "pass on the values"

        return [inner(), lambda: missing, lambda: self]  # WM120 34 "define or import it" # WM123 51 "pass on the values"


class NestedClasses(Workflow):
    async def run(self):
        class Inner:  # WM107 9 "at the top of the module"
            pass

        return Inner


class Imports(Workflow):
    async def run(self):
        import math  # WM108 9 "import at the top"
        from json import dumps as d  # WM108 9 "import at the top"

        return [math.pi, d]


class Globals(Workflow):
    async def run(self):
        global counter  # WM109 9 "keep state in locals"
        counter = 1


class Withs(Workflow):
    async def run(self):
        with open("x") as handle:  # WM132 14 "@action"
            return [handle, await self.helper()]

    async def helper(self):
        with asyncio.Lock():  # WM110 14 "write `async with asyncio.Lock(...)`"
            pass
        with charge(1):  # WM110 14 "@action"
            pass
        with dict(a=1), Ticket():  # WM110 14 "try/finally" # WM110 25 "try/finally"
            pass
        with decimal.localcontext():  # WM131 14 "quantize"
            pass
        with contextlib.closing(3):  # WM131 14 "nested `with` blocks"
            pass


class AsyncFors(Workflow):
    async def run(self, source):
        async for x in source:  # WM111 9 "return the items as a list"
            pass


class AsyncComprehensions(Workflow):
    async def run(self, source):
        return [x async for x in source]  # WM111 29 "return the items as a list"


class AsyncWiths(Workflow):
    async def run(self, source):
        async with source as s:
            pass
        async with contextlib.suppress(ValueError):  # WM112 20 "write `with contextlib.suppress(...)`"
            pass
        async with charge(1), asyncio.gather(source):  # WM112 20 "@action" # WM112 31 "try/finally"
            pass


def traced(function):
    """Changes nothing, so the function is still the one in the file."""
    return function


class Decorated(Workflow):
    @traced  # WM116 6 "inside the function"
    def helper(self, n):
        return n

    @staticmethod
    @traced  # WM116 6 "inside the function"
    def other():
        return 1

    @staticmethod
    def fine():
        return 1

    async def run(self):
        return [self.fine(), self.helper(1), self.other()]


class DecoratedRun(Workflow):
    @traced  # WM116 6 "inside the function"
    async def run(self):
        return 1


class AwaitingGenerators(Workflow):
    async def run(self, xs):
        total = sum(await charge(x) for x in xs)  # WM118 21 "use a list comprehension"
        more = (y for x in xs for y in await charge(x))  # WM118 40 "use a list comprehension"
        other = ([await charge(y) for y in x] for x in xs if await charge(x))  # WM118 19 "use a list comprehension" # WM118 62 "use a list comprehension"
        return total + sum(x for x in await charge(xs)) + sum(more) + sum(other)


class SeveralAtOnce(Workflow):
    async def run(self):
        x = 1
        with dict(x):  # WM110 14 "try/finally"
            yield_ = 1
        return undefined_name  # WM120 16 "define or import it"
