"""match: every kind of pattern, with captures, guards and waits."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import collections
import datetime
from dataclasses import KW_ONLY, dataclass, field

from tests.differential.bodies import shared
from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import (
    LIMITS,
    Color,
    Customer,
    Declined,
    Invoice,
    Item,
    Level,
    Mode,
    OutOfStock,
    Point,
    ShopError,
    echo,
    fail,
    make_item,
    make_order,
)
from waymark.sdk.workflow import Workflow


@dataclass
class Box:
    width: int
    _: KW_ONLY
    height: int = 2
    depth: int = field(default=3, kw_only=False)


@dataclass(match_args=False)
class Plain:
    a: int


class Named:
    """Says by itself what positional patterns look at."""

    __match_args__ = ("second", "first")


@dataclass
class Pair(Named):
    first: int
    second: int
    __match_args__ = ("second", "first")


@dataclass
class Wide(Item):
    width: int = 1


@body(0, 1, 2, "one", 3.0, True, None, 2 + 3j, b"x", -4, "other")
class LiteralPatterns(Workflow):
    async def run(self, value):
        match value:
            case None:
                return "none"
            case True | False:
                return "bool"
            case 0:
                return "zero"
            case 1 | 2:
                return "small"
            case "one":
                return "text"
            case 3.0:
                return "float"
            case 2 + 3j:
                return "complex"
            case b"x":
                return "bytes"
            case -4:
                return "negative"
        return "no match"


@body([], [1], [1, 2], [1, 2, 3], [1, [2, 3]], "ab", b"ab", {1: 2}, 7, None)
class Sequences(Workflow):
    async def run(self, value):
        match value:
            case []:
                return "empty"
            case [x]:
                return ("one", x)
            case [x, [y, z]]:
                return ("nested", x, y, z)
            case (x, y):
                return ("two", x, y)
            case [x, *rest]:
                return ("more", x, rest)
            case _:
                return "none of these"


@body([1, 2, 3, 4], [1, 2], [1], [])
class Stars(Workflow):
    async def run(self, value):
        found = []
        match value:
            case [*_]:
                found.append("any")
        match value:
            case [first, *_, last]:
                found.append((first, last))
        match value:
            case [*init, last]:
                found.append((init, last))
        match value:
            case [_, *middle, _]:
                found.append(middle)
        match value:
            case (*all_of_them,):
                found.append(all_of_them)
        return found


@body()
class SequenceTypes(Workflow):
    async def run(self):
        found = []
        for value in ((1, 2), [1, 2], range(1, 3), "ab", b"ab", {1, 2}, {1: 1, 2: 2}, {1: 1}.keys()):
            match value:
                case [a, b]:
                    found.append((type(value) is tuple, a, b))
                case _:
                    found.append(None)
        return found


@body({}, {"a": 1}, {"a": 1, "b": 2}, {"kind": "x", "v": {"deep": [1, 2]}}, [("a", 1)], {"a": None})
class Mappings(Workflow):
    async def run(self, value):
        match value:
            case {"kind": "x", "v": {"deep": [first, *_]}}:
                return ("deep", first)
            case {"a": x, "b": y, **rest}:
                return ("both", x, y, rest)
            case {"a": None}:
                return "a is none"
            case {"a": x, **rest}:
                rest["a"] = x + 1
                return ("a", x, rest, value)
            case {}:
                return ("any mapping", len(value))
            case _:
                return "no mapping"


@body({"max": 10, "x": 1}, {1: "i", True: "b"}, {1.0: "f"}, {None: 1})
class MappingKeys(Workflow):
    async def run(self, value):
        match value:
            case {None: x}:
                return ("none", x)
            case {1: x}:
                return ("one", x)
            case {"max": 10, **rest}:
                return rest
        return "no match"


@body("a", "b")
class DuplicateKeys(Workflow):
    async def run(self, name):
        a = shared.RATE
        match {0.25: 1, "x": 2}:
            case {shared.RATE: x, 0.25: y}:
                return x + y
        return "no match"


@body(Color.RED, Color.BLUE, Level.MID, 5, Mode.SAFE, "safe", 0.25, 99)
class DottedNames(Workflow):
    async def run(self, value):
        match value:
            case Color.RED:
                return "red"
            case Color():
                return ("another color", value.name)
            case Level.MID:
                return "mid"
            case Mode.SAFE:
                return "safe"
            case shared.RATE:
                return "rate"
        return "no match"


@body(1, True, 1.5, "t", b"b", [1], (1,), {1: 1}, {1}, frozenset({2}), None, Level.LOW, Mode.FAST)
class BuiltinClasses(Workflow):
    async def run(self, value):
        match value:
            case bool(x):
                return ("bool", x)
            case Level(x):
                return ("level", x)
            case int(x):
                return ("int", x)
            case float(x):
                return ("float", x)
            case str(x):
                return ("str", x)
            case bytes(x):
                return ("bytes", x)
            case list(x):
                return ("list", x)
            case tuple((x,)):
                return ("tuple", x)
            case dict({1: x}):
                return ("dict", x)
            case set(x):
                return ("set", x)
            case frozenset(x):
                return ("frozenset", x)
        return "no match"


@body(
    Point(0, 0),
    Point(3, 0),
    Point(0, 4),
    Point(5, 6),
    Item("a", 1, ["x", "y"]),
    Box(1, height=5),
    Customer(name="ada", age=40),
    Invoice(number=1, customer=Customer(name="bob")),
    "none",
)
class ClassPatterns(Workflow):
    async def run(self, value):
        match value:
            case Point(0, 0):
                return "origin"
            case Point(x, y=0):
                return ("on x", x)
            case Point(x=0, y=y):
                return ("on y", y)
            case Point() as p if p.x < p.y:
                return ("point", p)
            case Item("a", price, [first, *_]):
                return (price, first)
            case Box(width, depth, height=5):
                return (width, depth)
            case Customer(name="ada", age=age):
                return age
            case Invoice(customer=Customer(name=name), total=0.0):
                return name
        return "no match"


@body()
class MatchArguments(Workflow):
    async def run(self):
        match Pair(1, 2):
            case Pair(a, b):
                found = [a, b]
        match Wide("w", 3):
            case Item(sku, price):
                found.append((sku, price))
        match Wide("w", 3, width=9):
            case Wide("w", _, _, width):
                found.append(width)
        return found


@body("plain", "too many", "int", "twice", "pydantic")
class WrongClassPatterns(Workflow):
    async def run(self, kind):
        try:
            if kind == "plain":
                match Plain(1):
                    case Plain(a):
                        return a
            elif kind == "too many":
                match Point(1, 2):
                    case Point(a, b, c):
                        return a
            elif kind == "int":
                match 3:
                    case int(a, b):
                        return a
            elif kind == "twice":
                match Point(1, 2):
                    case Point(a, x=b):
                        return a
            else:
                match Customer(name="x"):
                    case Customer(a):
                        return a
        except TypeError as error:
            return str(error)


@body()
class MissingMatchAttribute(Workflow):
    async def run(self):
        match Point(1, 2):
            case Point(z=_):
                return "z"
            case object(x=1, y=y):
                return y


@body("value", "key", "declined", "stock", "fine")
class ExceptionPatterns(Workflow):
    async def run(self, kind):
        try:
            await fail(kind, "m")
        except Exception as error:
            match error:
                case OutOfStock(sku=sku, left=left):
                    return (sku, left)
                case ShopError():
                    return "shop"
                case ValueError(args=[message]) | KeyError(args=(message,)):
                    return message
        return "none"


@body([1, 2], [2, 1], {"x": 3}, "s", [3, 3])
class Alternatives(Workflow):
    async def run(self, value):
        match value:
            case [1, x] | [x, 1] | {"x": x}:
                return x
            case (str() as x) | [x, _]:
                return ("other", x)


@body([1, 2], [5, 2], [0, 0])
class Guards(Workflow):
    async def run(self, pair):
        seen = []
        match pair:
            case [a, b] if seen.append("first") or a < b:
                return ("less", a, b, seen)
            case [a, b] if (total := a + b) > 3 and not seen.append("second"):
                return ("sum", total, a, seen)
            case [a, _] if await echo(a == 0):
                return ("waited", a, seen)
        return seen


@body([1, 2, 3])
class CapturesAreBoundBeforeTheGuard(Workflow):
    async def run(self, value):
        x = "before"
        match value:
            case [x, 99, _]:
                pass
            case [x, *rest] if x > 5:
                pass
            case _:
                return x
        return (x, rest)


@body()
class AFailedPatternBindsNothing(Workflow):
    async def run(self):
        match [1, 2]:
            case [a, 3]:
                pass
        try:
            return a
        except UnboundLocalError as error:
            return str(error)


@body(5, 0)
class MatchInLoops(Workflow):
    async def run(self, n):
        found = []
        for i in range(n):
            match i:
                case 0:
                    continue
                case 3:
                    break
                case odd if odd % 2:
                    found.append(("odd", odd))
                case even:
                    found.append(("even", even))
        else:
            found.append("else")
        return found


@body("push 3", "push x", "pop", "swap 1 2", "", "stop now please")
class Commands(Workflow):
    async def run(self, text):
        match text.split():
            case ["push", number] if number.isdigit():
                return ("push", int(number))
            case ["push", other]:
                raise ValueError(f"not a number: {other}")
            case ["pop"]:
                return "pop"
            case ["swap", ("1" | "2") as a, ("1" | "2") as b]:
                return (a, b)
            case []:
                return "nothing"
            case [command, *arguments]:
                return {command: arguments}


@body()
class WaitsInsideCases(Workflow):
    async def run(self):
        found = []
        for value in (await make_item("a", 1), await make_order(7, 2), 4):
            match value:
                case Item(sku=sku, tags=[tag]):
                    found.append(await echo((sku, tag)))
                case shared.Order(id=id, items=[Item(price=p1), Item(price=p2)]):
                    found.append(await echo([id, p1 + p2]))
                case int() | float() as number:
                    found.append(await echo(number * 2))
        return found


@body()
class TheSubjectIsEvaluatedOnce(Workflow):
    async def run(self):
        calls = []

        match calls.append("subject") or len(calls):
            case 0:
                calls.append("zero")
            case 2 | 3:
                calls.append("two")
            case 1 as n:
                calls.append(n)
        return calls


@body()
class NestedMatches(Workflow):
    async def run(self):
        found = []
        for outer in ([1, {"a": 2}], [3, {"b": 4}], []):
            match outer:
                case [n, inner]:
                    match inner:
                        case {"a": a}:
                            found.append((n, a))
                        case {"b": _}:
                            match n:
                                case 3:
                                    found.append("three")
                    found.append(n)
                case _:
                    found.append(None)
        return found


@body()
class MatchInTryFinally(Workflow):
    async def run(self):
        log = []
        for value in (1, "a", None):
            try:
                match value:
                    case int():
                        log.append("int")
                        continue
                    case str():
                        raise ValueError(value)
                    case None:
                        return log
            except ValueError as error:
                log.append(str(error))
            finally:
                log.append("finally")


@body()
class IdentityAndEquality(Workflow):
    async def run(self):
        found = []
        for value in (1, True, 1.0, 0, False, None, "", []):
            match value:
                case True:
                    found.append("true")
                case False:
                    found.append("false")
                case None:
                    found.append("none")
                case 1:
                    found.append("one")
                case "" | []:
                    found.append("empty")
                case _:
                    found.append("other")
        return found


@body()
class CapturesShareTheirObjects(Workflow):
    async def run(self):
        data = {"items": [1, 2], "rest": [3]}
        match data:
            case {"items": items, **others}:
                items.append(9)
                others["rest"].append(8)
                others["new"] = 1
        await echo(1)
        items.append(7)
        return [data, others, items is data["items"]]


@body(datetime.date(2024, 2, 3), datetime.datetime(2024, 2, 3, 4, 5), datetime.timedelta(days=2))
class DateAttributes(Workflow):
    async def run(self, value):
        match value:
            case datetime.datetime(hour=h, minute=m):
                return (h, m)
            case datetime.date(year=2024, month=m, day=d):
                return (m, d)
            case datetime.timedelta(days=d):
                return d


@body([[1, 2], [3, [4, 5, {"k": (6, 7)}]]])
class DeepPatterns(Workflow):
    async def run(self, value):
        match value:
            case [[a, b], [c, [d, *e, {"k": (f, g) as pair}]] as right] as whole:
                return [a, b, c, d, e, f, g, pair, right is whole[1], whole is value]


@body({"type": "a", "n": 1}, {"type": "b", "list": [1, 2, 3]}, {"type": "c"}, {"n": 1})
class MessagePatterns(Workflow):
    async def run(self, message):
        match message:
            case {"type": "a", "n": int(n)}:
                return await echo(n + 1)
            case {"type": "b", "list": [*items]} if len(items) > 2:
                return sum(items)
            case {"type": str(kind)}:
                raise Declined(kind)
            case _:
                return await self.unknown(**message)

    async def unknown(self, **fields):
        match fields:
            case {"n": n}:
                return n


@body()
class ManyElementPattern(Workflow):
    async def run(self):
        match list(range(12)):
            case [a, 1, b, 3, c, 5, *d, 9, e, f]:
                return [a, b, c, d, e, f]
