"""Workflows over workflows: overriding, super, mixins, class attributes along the bases."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

from tests.differential.base_flows import Counted, Logged, Root
from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import echo
from waymark.sdk.workflow import Workflow

UNIT = "not this one"


@body(call(3), call())
class InheritedRun(Root):
    rate = 2

    def describe(self):
        return ["inherited", self.label]


@body(call(2))
class OverriddenRun(Root):
    label = "child"

    async def run(self, n=1):
        first = await super().run(n + 1)
        await echo(first)
        return [first, self.seen, await super().fetch(n), super().scale(n, by=2)]

    def scale(self, n, *, by=1):
        return ["child", super().scale(n, by=by)]


@body()
class SuperAsValue(Root):
    def scale(self, n, *, by=1):
        return -n

    async def run(self):
        above = super().scale
        fixed = super().fixed
        await echo(1)
        return [
            list(map(above, [1, 2])),
            fixed(3),
            super().fixed(4),
            super().rate,
            super().label,
            (lambda: above(5))(),
        ]


@body()
class Cooperative(Logged, Counted, Root):
    label = "both"

    async def run(self):
        return [self.describe(), await self.fetch(3), self.extra(), self.count]


@body()
class OtherOrder(Counted, Logged, Root):
    def describe(self):
        return ["top", *super().describe()]

    async def run(self):
        return [self.describe(), await super().fetch(2)]


class Middle(Root):
    def describe(self):
        return ["middle", *super().describe()]

    def fixed(self, n):
        return ["middle", super().fixed(n)]


@body()
class ThreeLevels(Middle):
    def describe(self):
        return ["leaf", *super().describe()]

    async def run(self):
        return [self.describe(), self.fixed(1), super().fixed(2)]


@body()
class SuperSeesSelf(Root):
    async def run(self):
        self.rate = 7
        found = [super().scale(1), super().rate, self.rate]
        del self.rate
        return [*found, super().scale(1)]


@body(0, 1)
class SuperErrors(Root):
    async def run(self, case):
        try:
            if case == 0:
                return super().scale()
            return await super().fetch(1, 2)
        except TypeError as error:
            return str(error)


@body()
class SuperRecursion(Root):
    def scale(self, n, *, by=1):
        return [n] if n > 2 else [n, *self.scale(n + 1), super().scale(n)]

    async def run(self):
        return self.scale(0)


@body()
class NamedLikeHelper(Root):
    def describe(self, *, deep=False):
        return super().describe() if deep else "shallow"

    async def run(self):
        return [self.describe(), self.describe(deep=True)]
