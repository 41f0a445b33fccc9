"""Methods, properties and class data of user classes."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import echo
from tests.differential.user_classes import Cart, Child, Line, Person, Refused, Refused2, Size, Special
from waymark.sdk.workflow import Workflow


@body()
class MethodsOfDataclasses(Workflow):
    async def run(self):
        line = Line(" Ab ", 3)
        return [
            line.total(),
            line.named("x-"),
            line.named(upper=True),
            line.grow(2).total(),
            line,
            line.tell(),
            line.with_lambda(),
        ]


@body()
class PropertiesAndClassData(Workflow):
    async def run(self):
        small, big = Line("a", 1), Line("b", 9)
        return [
            small.is_big,
            big.is_big,
            small.RATE,
            Line.RATE,
            big.limits,
            f"{big.is_big} {small.is_big!r:>8}",
            "{0.is_big}".format(big),
        ]


@body()
class ClassAndStaticMethods(Workflow):
    async def run(self):
        return [
            Line.free("x"),
            Line.start(),
            Line("y", 1).start(),
            Special.free("z"),
            Line("q", 2).free("r"),
            Special.start(),
        ]


@body()
class MethodsAlongTheBases(Workflow):
    async def run(self):
        lines = [Line("a", 2), Special("b", 2, note="n")]
        await echo(1)
        return [[line.total(), line.is_big, line.RATE, line.named()] for line in lines]


@body()
class MethodsAsValues(Workflow):
    async def run(self):
        lines = [Line("b", 2), Line("a", 1)]
        take = lines[0].total
        await echo(1)
        found = [
            take(),
            sorted(lines, key=Line.total),
            list(map(Line.total, lines)),
            take == lines[0].total,
            take == lines[1].total,
        ]
        lines[0].price = 50
        return [
            *found,
            take(),
            Line.total is Line.total,
            take.__name__,
            take.__qualname__,
            Line.free.__name__,
        ]


@body()
class AsyncMethods(Workflow):
    async def run(self):
        cart = Cart([Line("a", 2), Line("b", 3, 4)])
        return [await cart.checked(), await cart.lines[0].looked_up(), cart.total()]


@body(Line("in", 5), Special("sp", 1, note="k"), Cart([Line("a", 1)]))
class MethodsOfArguments(Workflow):
    async def run(self, value: Line | Special | Cart):
        return value.total()


@body()
class MethodsOfActionResults(Workflow):
    async def run(self):
        line = await echo(Line("a", 4))
        return [
            line.total(),
            line.is_big,
            getattr(line, "total")(),
            getattr(line, "is_big"),
            hasattr(line, "nothing"),
        ]


@body(0, 1, 2, 3)
class MethodErrors(Workflow):
    async def run(self, case):
        line = Line("a", 1)
        try:
            if case == 0:
                return line.total(1)
            if case == 1:
                return line.grow()
            if case == 2:
                return Line.total()
            return line.named(wrong=1)
        except TypeError as error:
            return str(error)


@body()
class LibraryNameAsMethod(Workflow):
    async def run(self):
        d = {"a": 1}
        d.update({"b": 2})
        return [d, Line("s", 1).update(3)]


@body()
class EnumMethods(Workflow):
    async def run(self):
        return [
            Size.SMALL.scaled(3),
            Size.LARGE.label,
            Size.biggest(),
            Size.named("SMALL"),
            [size.label for size in Size],
            Size.LARGE.biggest(),
        ]


@body(0, 1)
class ExceptionMembers(Workflow):
    async def run(self, case):
        try:
            raise Refused("no") if case == 0 else Refused2("never")
        except Refused as error:
            return [error.code, error.described(), Refused2.code, type(error).__name__]


@body()
class PydanticMethods(Workflow):
    async def run(self):
        people = [Person(first="A"), Child(first="B", age=30)]
        return [[person.full(), person.is_child, person.default_name()] for person in people]


@body()
class PropertyThatWaitsNot(Workflow):
    async def run(self):
        lines = [Line(str(n), n) for n in range(5)]
        big = [line.sku for line in lines if line.is_big]
        await echo(big)
        return [big, any([line.is_big for line in lines]), {line.sku: line.is_big for line in lines}]
