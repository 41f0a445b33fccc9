"""Base workflows and mixins in a module of their own."""

# ruff: noqa
# mypy: ignore-errors

from tests.differential.bodies.shared import echo, square
from waymark.sdk.workflow import Workflow

UNIT = "base"


class Root(Workflow):
    rate = 1
    label = "root"

    def describe(self):
        return ["root", self.label, UNIT]

    def scale(self, n, *, by=10):
        return n * by * self.rate

    async def fetch(self, n):
        return await square(n)

    @staticmethod
    def fixed(n):
        return ("root", n)

    async def run(self, n=1):
        self.seen = [n]
        return [self.describe(), self.scale(n), await self.fetch(n)]


class Logged(Workflow):
    def describe(self):
        return ["logged", *super().describe()]

    def extra(self):
        return "extra of logged"


class Counted(Workflow):
    count = 5

    def describe(self):
        return ["counted", self.count, *super().describe()]

    async def fetch(self, n):
        return [await super().fetch(n), await echo("counted")]
