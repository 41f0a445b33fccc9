"""dataclasses, pydantic models, enums, dates."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import datetime
import uuid
from datetime import date, timedelta
from decimal import Decimal
from pathlib import PurePosixPath

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import (
    Color,
    Customer,
    Invoice,
    Item,
    Level,
    Mode,
    Order,
    Point,
    echo,
    make_customer,
    make_item,
    make_order,
    pick_color,
    price_of,
)
from waymark.sdk.workflow import Workflow


@body(call("a", 5))
class DataclassConstruction(Workflow):
    async def run(self, sku, price):
        a = Item(sku, price)
        b = Item(sku=sku, price=price, tags=["t"])
        a.tags.append("t")
        return [a, b, a == b, a is b, repr(a), a.tags is b.tags, Item("x", 1).tags]


@body()
class DataclassMissingField(Workflow):
    async def run(self):
        return Item("a")


@body()
class DataclassUnknownField(Workflow):
    async def run(self):
        return Item("a", 1, colour=2)


@body()
class FrozenAndOrdered(Workflow):
    async def run(self):
        points = [Point(2, 1), Point(1), Point(1, 5)]
        return [
            sorted(points),
            max(points),
            Point(1) < Point(2),
            {Point(1, 2): "x"}[Point(1, 2)],
            points[0] in points,
        ]


@body()
class FrozenAssignment(Workflow):
    async def run(self):
        p = Point(1)
        p.x = 5
        return p


@body()
class UnorderedCompare(Workflow):
    async def run(self):
        return Item("a", 1) < Item("b", 2)


@body(3)
class DataclassFromAction(Workflow):
    async def run(self, n):
        order = await make_order(7, n)
        order.paid = True
        order.items[0].price += 5
        order.items.append(await make_item("new", 1))
        return [
            order,
            sum([i.price for i in order.items]),
            order.note,
            [i.sku for i in order.items if i.price],
        ]


@body()
class DataclassToAction(Workflow):
    async def run(self):
        item = Item("a", 30)
        price = await price_of(item)
        item.price = price + 1
        return [await price_of(item), await echo(item) == item, (await echo(item)).tags]


@body()
class SharedDataclass(Workflow):
    async def run(self):
        item = Item("a", 1)
        order = Order(1, [item, item])
        item.price = 9
        await echo(0)
        order.items[1].tags.append("both")
        return [order, order.items[0] is order.items[1], item in order.items]


@body()
class MissingDataclassAttribute(Workflow):
    async def run(self):
        return (await make_item("a", 1)).colour


@body()
class NewDataclassAttribute(Workflow):
    async def run(self):
        order = Order(1)
        order.note = "n"
        return [order.note, order]


@body("ada")
class PydanticConstruction(Workflow):
    async def run(self, name):
        c = Customer(name=name)
        d = Customer(name=name, age="42", tags=("x",))
        return [c, d, d.age, d.tags, c == Customer(name=name), c.age, repr(d)]


@body(call("x"), call(None))
class PydanticInvalid(Workflow):
    async def run(self, age):
        try:
            return Customer(name="a", age=age)
        except ValueError as error:
            return [type(error).__name__, "age" in str(error)]


@body()
class PydanticNested(Workflow):
    async def run(self):
        c = await make_customer("bob")
        i = Invoice(number="7", customer=c, total=3)
        i.total += 0.5
        c.tags.append("seen")
        return [i.number, i.total, i.customer.name, c.tags, isinstance(i.customer, Customer)]


@body()
class PydanticAttributeError(Workflow):
    async def run(self):
        return (await make_customer("x")).surname


@body()
class EnumMembers(Workflow):
    async def run(self):
        c = Color.RED
        return [
            c,
            c.name,
            c.value,
            c is Color.RED,
            c == Color.GREEN,
            Color("green"),
            Color["BLUE"],
            [m.name for m in Color],
            len(Color),
            c in (Color.RED, Color.BLUE),
            repr(c),
            str(c),
        ]


@body("purple")
class EnumValueError(Workflow):
    async def run(self, value):
        return Color(value)


@body("PURPLE")
class EnumKeyError(Workflow):
    async def run(self, value):
        return Color[value]


@body()
class IntAndStrEnums(Workflow):
    async def run(self):
        return [
            Level.HIGH > Level.LOW,
            Level.MID + 1,
            sorted([Level.HIGH, Level.LOW]),
            Mode.FAST == "fast",
            Mode.SAFE.upper(),
            Level(5),
            f"{Mode.FAST}",
            max(Level),
            Level.MID,
        ]


@body("RED", "BLUE")
class EnumFromAction(Workflow):
    async def run(self, name):
        color = await pick_color(name)
        table = {Color.RED: "stop", Color.GREEN: "go"}
        return [table.get(color, "wait"), color is Color.RED, color.value]


@body()
class Isinstance(Workflow):
    async def run(self):
        item, customer = await make_item("a", 1), await make_customer("c")
        return [
            isinstance(item, Item),
            isinstance(item, Order),
            isinstance(customer, (Item, Customer)),
            isinstance(Color.RED, Color),
            type(item).__name__,
            type(item) is Item,
        ]


@body(call(datetime.datetime(2024, 2, 28, 23, 30)))
class Dates(Workflow):
    async def run(self, at):
        later = at + timedelta(hours=1)
        return [
            later,
            later.date(),
            later - at,
            (later - at).total_seconds(),
            at < later,
            at.isoformat(),
            later.day,
            at.weekday(),
            date(2024, 3, 1) - date(2024, 2, 1),
            timedelta(days=1, hours=2) * 3,
            f"{at:%Y-%m-%d}",
        ]


@body(31)
class DateErrors(Workflow):
    async def run(self, day):
        return date(2024, 2, day)


@body(call(Decimal("1.10"), uuid.UUID(int=5)))
class DecimalsAndIds(Workflow):
    async def run(self, amount, id):
        return [
            amount * 3,
            amount + Decimal("0.05"),
            str(amount),
            amount == Decimal("1.1"),
            Decimal(1) / Decimal(8),
            str(id),
            id == uuid.UUID(int=5),
            id.int,
            amount > 1,
        ]


@body(call(PurePosixPath("/a/b.txt")))
class Paths(Workflow):
    async def run(self, path):
        return [
            path.name,
            path.suffix,
            path.stem,
            str(path.parent),
            path / "c",
            path == PurePosixPath("/a/b.txt"),
            path.parts,
        ]


@body(call(Order(1, [Item("a", 2)]), Color.BLUE), call(Order(2), Color.RED))
class ClassesAsArguments(Workflow):
    async def run(self, order: Order, color: Color = Color.RED):
        order.items += [Item("z", 0)]
        return [order, color, order.items[-1].sku]


@body()
class ListOfDataclasses(Workflow):
    async def run(self):
        items = [Item(s, len(s)) for s in ("pear", "fig", "kiwi")]
        by_price = {}
        for item in items:
            by_price.setdefault(item.price, []).append(item)
        return [
            {k: [i.sku for i in v] for k, v in by_price.items()},
            by_price[4][0] is items[0],
            items.index(Item("fig", 3)),
        ]
