"""Enums: flags and what is made of them, aliases, auto, lookups, iteration."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import enum

from tests.differential.bodies.body import body
from tests.differential.bodies.shared import echo
from waymark.sdk.workflow import Workflow


class Right(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()
    RUN = enum.auto()
    EDIT = READ | WRITE


class Bits(enum.IntFlag):
    ONE = 1
    TWO = 2
    FOUR = 4


class Shape(enum.Enum):
    SQUARE = enum.auto()
    BOX = SQUARE
    CIRCLE = enum.auto()
    PAIR = (1, "x")


class Weekday(enum.IntEnum):
    MON = 1
    TUE = 2


class Name(enum.StrEnum):
    A_B = enum.auto()
    C = "see"


@body()
class FlagsAcrossAWait(Workflow):
    async def run(self):
        rights = Right.READ | Right.RUN
        none = Right(0)
        bits = Bits.ONE | Bits.FOUR
        odd = Bits(8) | Bits.TWO
        held = [rights, none, bits, odd, ~Right.READ, Right.EDIT, rights]
        back = await echo(held)
        again = await echo(rights)
        return [
            held,
            back == held,
            [type(one).__name__ for one in back],
            again is rights,
            rights in back,
            back[0] is rights,
            [one.name for one in back],
            [one.value for one in back],
            repr(back),
            str(back[0]),
            Right.READ in back[0],
            Right.WRITE in again,
            back[5] is Right.EDIT,
            [*rights],
            bool(none),
            bits + 1,
            bits & Bits.ONE,
            isinstance(back[3], Bits),
            rights & Right.READ is Right.READ,
            rights ^ Right.RUN,
            again | Right.WRITE,
            len({rights, again}),
        ]


@body(0, 3, 5, 7)
class FlagsAsResults(Workflow):
    async def run(self, number):
        await echo(Right(number))
        return {"right": Right(number), Bits(number): [Bits(number)], "key": (Right(number) | Right.READ,)}


@body()
class FlagsOfResultsAreTheirOwn(Workflow):
    async def run(self):
        both = Right.READ | Right.RUN
        kept = {both: "both", Right.READ: "read"}
        await echo(1)
        return [
            kept[Right.READ | Right.RUN],
            kept[both],
            kept.get(Right.WRITE),
            (Right.READ | Right.RUN) is both,
        ]


@body("SQUARE", "BOX", "CIRCLE", "NOPE", "__len__")
class LookupByName(Workflow):
    async def run(self, name):
        try:
            found = Shape[name]
        except KeyError as error:
            return repr(error)
        found = await echo(found)
        return [found, found.name, found.value, found is Shape.SQUARE, found == Shape.BOX]


@body(1, 2, 9, "x", None, (1, "x"), [1, "x"])
class LookupByValue(Workflow):
    async def run(self, value):
        await echo(1)
        try:
            return Shape(value)
        except ValueError as error:
            return str(error)


@body()
class IterationAndAliases(Workflow):
    async def run(self):
        await echo(1)
        return [
            [*Shape],
            len(Shape),
            Shape.BOX is Shape.SQUARE,
            Shape.BOX.name,
            Shape.PAIR in Shape,
            Shape.PAIR.value,
            [*Right],
            len(Right),
            [day for day in Weekday if day > 1],
            Weekday.MON + 1,
            Name.A_B,
            f"{Name.C}",
            Name.A_B.upper(),
            Name("see"),
            [*reversed(Shape)],
            sorted(Weekday, reverse=True),
            {shape: shape.value for shape in Shape},
            isinstance(Weekday.TUE, int),
            Weekday(2),
            max(Weekday),
        ]


@body(8, "x", -1)
class WrongFlags(Workflow):
    async def run(self, value):
        try:
            return repr(Right(value))
        except (ValueError, TypeError) as error:
            return [type(error).__name__, str(error)]
