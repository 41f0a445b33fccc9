"""print: what is written is compared with what Python writes."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

from decimal import Decimal

from tests.differential.bodies.body import body
from tests.differential.bodies.shared import Color, Item, Point, echo
from waymark.sdk.workflow import Workflow


@body()
class PrintsValues(Workflow):
    async def run(self):
        print()
        print("plain", 1, 2.5, None, True, b"x", sep=", ")
        print(Item("a"), Point(1, 2), Color.RED, Decimal("1.50"), [Item("b")], {"k": (1,)})
        print("no end", end="")
        print(" and on", end="!\n", flush=True)
        print("a\nb", sep=None, end=None, file=None)
        print(*range(3), **{"sep": "-"})
        print(ValueError("shown"), KeyError("k"))


@body()
class PrintsBetweenWaits(Workflow):
    async def run(self):
        for n in range(3):
            print("before", n)
            print("value", await echo(n), end=";")
        print("end")
        return [print("in an expression"), await echo(3)]


@body()
class PrintsAtTheEnd(Workflow):
    async def run(self):
        try:
            print("in try")
            raise ValueError("out")
        finally:
            print("in finally")


@body()
class PrintIsAValue(Workflow):
    async def run(self):
        write = print
        write("taken")
        list(map(print, ["a", "b"], [1, 2]))
        await echo(1)
        write("still", "there", sep="_")
        return [callable(print), write is print]


@body("sep", "end", "other", "both")
class WrongPrints(Workflow):
    async def run(self, what):
        print("before")
        if what == "sep":
            print("x", sep=1)
        elif what == "end":
            print("x", end=b"")
        elif what == "other":
            print("x", colour="red")
        else:
            print("x", sep=[], end=())
