"""Calls of functions of modules."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio

from tests.differential import user_functions as uf
from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import echo
from tests.differential.user_functions import (
    area,
    clean,
    deeper,
    factorial,
    fails,
    fetch,
    fetch_all,
    greet,
    is_even,
    make_adder,
    rated,
    remembered,
    slow_total,
    start,
    two,
)
from waymark.sdk.workflow import Workflow

RATE = "of the bodies"


def local_double(n):
    return n * 2


async def local_wait(n):
    return local_double(await echo(n))


@body()
class PlainCalls(Workflow):
    async def run(self):
        return [
            clean("  A "),
            rated(2),
            rated(2, 3, places=0),
            area(2),
            factorial(10),
            is_even(7),
            local_double(4),
        ]


@body()
class PlainAsync(Workflow):
    async def run(self):
        return [
            await fetch(3),
            await fetch_all([1, 2]),
            await slow_total([1, 2, 3]),
            await local_wait(5),
            await asyncio.gather(fetch(1), local_wait(2)),
            await start(6),
        ]


@body()
class PlainAsValue(Workflow):
    async def run(self):
        steps = [clean, str.upper, lambda s: s + "!"]
        value = "  Ab "
        for step in steps:
            value = step(value)
            await echo(1)
        return [
            list(map(clean, [" A", "B "])),
            sorted([3, 1, 2], key=local_double),
            value,
            steps[0] is clean,
            clean == uf.clean,
        ]


@body()
class OwnModuleIsContext(Workflow):
    async def run(self):
        return [greet(" Bob "), deeper("x"), RATE, uf.RATE, uf.more_functions.shout("y")]


@body()
class PlainClosures(Workflow):
    async def run(self):
        add = make_adder(5)
        await echo(0)
        return [add(1), make_adder(1)(1)]


@body()
class PlainModels(Workflow):
    async def run(self):
        item = uf.build(3)
        item.tags.append("x")
        return [item, item.tags[0].x]


@body()
class PlainError(Workflow):
    async def run(self):
        try:
            fails(1)
        except ValueError as error:
            first = str(error)
        fails(first)


@body(0, 1, 2)
class PlainArgumentErrors(Workflow):
    async def run(self, case):
        try:
            if case == 0:
                return two(1)
            if case == 1:
                return two(1, 2, 3)
            return two(*1)
        except TypeError as error:
            return str(error)


@body()
class PlainNames(Workflow):
    async def run(self):
        return [clean.__name__, clean.__module__, make_adder(1).__qualname__, local_double.__qualname__]


@body()
class StaticOfOtherClass(Workflow):
    async def run(self):
        return [uf.Tools.triple(3), uf.use_tools(4), list(map(uf.Tools.triple, [1]))]


@body()
class PlainInEverything(Workflow):
    async def run(self):
        table = {name: clean(name) for name in ["A ", " B"] if is_even(len(name))}
        return [table, [x for x in range(4) if is_even(x)], f"{clean(' X ')}", max([" a", "c "], key=clean)]
