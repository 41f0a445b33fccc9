"""Functions inside functions: lambda, def, cells, defaults."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import LIMITS, Color, add, echo, fail, square
from waymark.sdk.workflow import Workflow


@body()
class LambdaAsKey(Workflow):
    async def run(self):
        words = ["pear", "fig", "apple"]
        return [
            sorted(words, key=lambda w: len(w)),
            sorted(words, key=lambda w: (-len(w), w), reverse=True),
            max(words, key=lambda w: w[-1]),
            min(words, key=lambda w: w[-1]),
            list(map(lambda a, b: a + str(b), words, range(9))),
            list(filter(lambda w: "p" in w, words)),
        ]


@body(3)
class LambdaShapes(Workflow):
    async def run(self, n):
        nothing = lambda: None
        star = lambda *args, **kwargs: [args, kwargs]
        keyword = lambda a, /, b=2, *, c, d=n: [a, b, c, d]
        nested = lambda x: lambda y: lambda z: x * 100 + y * 10 + z
        chosen = (lambda: "a") if n > 2 else (lambda: "b")
        return [
            nothing(),
            star(1, 2, k=3),
            keyword(1, c=4),
            keyword(1, 5, c=6, d=7),
            nested(1)(2)(3),
            chosen(),
            (lambda: 9)(),
        ]


@body()
class LateBinding(Workflow):
    async def run(self):
        functions = []
        for i in range(3):
            functions.append(lambda: i)
        bound = [lambda i=i: i for i in range(3)]
        inner = [lambda: j for j in range(3)]
        return [[f() for f in functions], [f() for f in bound], [f() for f in inner]]


@body()
class LateBindingAcrossWaits(Workflow):
    async def run(self):
        x = 1
        read = lambda: x
        found = [read()]
        x = await echo(2)
        found.append(read())
        await echo(0)
        x += 1
        found.append(read())
        return found


@body()
class ComprehensionCellsAreFresh(Workflow):
    async def run(self):
        made = []
        for n in range(2):
            made += [lambda: (n, k) for k in range(2)]
            await echo(n)
        return [f() for f in made]


@body()
class NestedComprehensionCells(Workflow):
    async def run(self):
        table = [[lambda: (a, b) for b in range(2)] for a in range(2)]
        flat = [lambda: (a, b) for a in range(2) for b in range(a + 1)]
        return [[f() for row in table for f in row], [f() for f in flat]]


@body()
class Counter(Workflow):
    async def run(self):
        count = 0

        def increase(by=1):
            nonlocal count
            count += by
            return count

        found = [increase(), increase(5)]
        await echo(1)
        found.append(increase())
        count *= 10
        found.append(increase())
        return [found, count]


@body()
class TwoCounters(Workflow):
    async def run(self):
        def make(start):
            def step():
                nonlocal start
                start += 1
                return start

            def peek():
                return start

            return step, peek

        a, peek_a = make(0)
        b, peek_b = make(10)
        found = [a(), a(), b()]
        await echo(1)
        return [found, a(), b(), peek_a(), peek_b()]


@body()
class NonlocalThroughTwoLevels(Workflow):
    async def run(self):
        total = 0

        def outer():
            def inner():
                nonlocal total
                total += 1
                return lambda: total

            return inner()

        first = outer()
        second = outer()
        return [first(), second(), total, first is second]


@body(5)
class NestedRecursion(Workflow):
    async def run(self, n):
        def factorial(k):
            return 1 if k <= 1 else k * factorial(k - 1)

        def even(k):
            return True if k == 0 else odd(k - 1)

        def odd(k):
            return False if k == 0 else even(k - 1)

        return [factorial(n), even(n), odd(n)]


@body()
class NestedAsync(Workflow):
    async def run(self):
        seen = []

        async def fetch(n):
            value = await square(n)
            seen.append(value)
            return value

        async def both(n):
            return await asyncio.gather(fetch(n), fetch(n + 1))

        return [await fetch(3), await both(4), sorted(seen)]


@body()
class NestedAsyncShares(Workflow):
    async def run(self):
        total = 0

        async def work(n):
            nonlocal total
            got = await echo(n)
            total += got
            return total

        results = await asyncio.gather(*[work(n) for n in range(4)])
        return [sorted(results), total]


@body()
class DefaultsOnce(Workflow):
    async def run(self):
        log = []

        def note(value):
            log.append(value)
            return value

        def function(a=note("a"), *, b=note("b"), c=note([])):
            c.append(a)
            return [a, b, list(c)]

        found = [function(), function("x")]
        await echo(1)
        return [found, function(b="y"), log]


@body()
class DefaultsPerDefinition(Workflow):
    async def run(self):
        made = []
        for n in range(3):

            def show(value=n, box=[]):
                box.append(value)
                return list(box)

            made.append(show)
        return [f() for f in made] + [f(9) for f in made]


@body()
class DefaultsSeeOuterNames(Workflow):
    async def run(self):
        x = 1

        def f(x=x, y=(z := 5)):
            return x + y

        x = 100
        return [f(), z]


@body()
class FreeVariableUnbound(Workflow):
    async def run(self):
        def read():
            return later

        try:
            read()
        except NameError as error:
            found = [type(error).__name__, str(error), error.name]
        later = 1
        return [found, read()]


@body()
class FreeVariableUnboundUncaught(Workflow):
    async def run(self):
        read = lambda: later
        read()
        later = 1


@body()
class CellDeleted(Workflow):
    async def run(self):
        x = 1
        read = lambda: x
        first = read()
        del x
        found = []
        try:
            read()
        except NameError as error:
            found.append(str(error))
        try:
            x
        except UnboundLocalError as error:
            found.append(str(error))
        try:
            del x
        except UnboundLocalError as error:
            found.append(str(error))
        x = 2
        return [first, found, read()]


@body()
class FreeVariableDeleted(Workflow):
    async def run(self):
        x = 1

        def drop():
            nonlocal x
            del x

        drop()
        try:
            drop()
        except NameError as error:
            return [type(error).__name__, str(error)]


@body()
class ParameterAsCell(Workflow):
    def make(self, n, *rest, key=3, **more):
        def change():
            nonlocal n
            n += 1
            return [n, rest, key, more]

        return change

    async def run(self):
        change = self.make(1, 2, z=4)
        change()
        await echo(1)
        return change()


@body()
class SelfInsideNested(Workflow):
    rate = 3

    def scale(self, n):
        return n * self.rate

    async def fetch(self, n):
        return await square(n)

    async def run(self):
        self.count = 0

        def step(n):
            self.count += 1
            return self.scale(n) + self.rate

        async def twice(n):
            return [await self.fetch(n), await self.fetch(n + 1)]

        found = [step(2), list(map(lambda n: self.scale(n), [1, 2])), await twice(2)]
        self.rate = 10
        return [found, step(1), self.count]


@body()
class ShadowedNames(Workflow):
    async def run(self):
        x = "outer"

        def inner(x):
            return [x, (lambda x: x)("lambda"), [x for x in "ab"]]

        return [inner("inner"), x]


@body()
class ShadowedSelf(Workflow):
    async def run(self):
        f = lambda self: self + 1

        def g(self):
            self.append(2)
            return self

        return [f(1), g([1])]


@body()
class FunctionsAsValues(Workflow):
    async def run(self):
        def a(x):
            return x + 1

        b = lambda x: x * 2
        table = {"a": a, "b": b, "len": len}
        pipeline = [a, b, a]
        value = 3
        for step in pipeline:
            value = step(value)
        await echo(1)
        return [
            value,
            table["a"](1),
            table["b"](1),
            table["len"]("xyz"),
            pipeline[0] is pipeline[2],
            a == a,
            a == b,
            a in pipeline,
            a in {a: 1},
        ]


@body()
class FunctionIdentity(Workflow):
    @staticmethod
    def fixed():
        return 1

    def method(self):
        return 2

    async def run(self):
        make = lambda: lambda: 0
        kept = [self.fixed, self.method, echo, make, len]
        await echo(1)
        return [
            self.fixed is self.fixed,
            kept[0] is self.fixed,
            self.method is self.method,
            self.method == self.method,
            kept[1] == self.method,
            echo is echo,
            kept[2] is echo,
            make() is make(),
            make() == make(),
            kept[4] is len,
            callable(make),
        ]


@body()
class ReturnedFunctions(Workflow):
    def adder(self, n):
        return lambda x: x + n

    def compose(self, *functions):
        def run(value):
            for function in functions:
                value = function(value)
            return value

        return run

    async def run(self):
        return self.compose(self.adder(1), self.adder(10), lambda x: x * 2)(5)


@body()
class FunctionNames(Workflow):
    def helper(self):
        pass

    async def run(self):
        def inner():
            return lambda: 0

        async def other():
            pass

        return [
            inner.__name__,
            inner.__qualname__,
            inner().__name__,
            inner().__qualname__,
            other.__qualname__,
            self.helper.__name__,
            self.helper.__qualname__,
            inner.__module__ == self.helper.__module__,
        ]


@body(0, 1, 2, 3, 4, 5)
class ArgumentErrors(Workflow):
    async def run(self, case):
        def two(a, b, *, c=1):
            return [a, b, c]

        def only(*, key):
            return key

        def positional(a, /):
            return a

        calls = [
            lambda: two(1),
            lambda: two(1, 2, 3),
            lambda: two(1, 2, d=4),
            lambda: only(),
            lambda: positional(a=1),
            lambda: (lambda x: x)(),
        ]
        try:
            return calls[case]()
        except TypeError as error:
            return str(error)


@body(0, 1, 2)
class SpreadErrors(Workflow):
    async def run(self, case):
        def take(*args, **kwargs):
            return [args, kwargs]

        try:
            if case == 0:
                return take(*5)
            if case == 1:
                return take(**[1])
            return take(a=1, **{"a": 2})
        except TypeError as error:
            return str(error)


@body()
class AsyncArgumentError(Workflow):
    async def run(self):
        async def one(a):
            return a

        return await one()


@body()
class RaisesInside(Workflow):
    async def run(self):
        def bad(n):
            try:
                return 10 // n
            finally:
                log.append(n)

        log = []
        try:
            sorted([2, 1, 0], key=bad)
        except ZeroDivisionError as error:
            return [str(error), log, [bad(n) for n in (1, 2)]]


@body()
class StopIterationInMap(Workflow):
    async def run(self):
        def stop(n):
            if n == 2:
                raise StopIteration
            return n

        return list(map(stop, range(5)))


@body()
class ExceptNameAsCell(Workflow):
    async def run(self):
        try:
            raise ValueError("x")
        except ValueError as error:
            show = lambda: str(error)
            inside = show()
        try:
            show()
        except NameError as problem:
            return [inside, str(problem)]


@body()
class LoopVariableAsCell(Workflow):
    async def run(self):
        found = []
        for i, (a, *rest) in enumerate([(1, 2), (3, 4, 5)]):
            get = lambda: (i, a, rest)
            found.append(get())
            await echo(i)
        return [found, get()]


@body()
class WalrusInLambda(Workflow):
    async def run(self):
        f = lambda x: (y := x + 1) * y
        total = 0
        g = lambda: [total := 5, total]
        return [f(2), g(), total]


@body()
class WalrusInComprehensionAsCell(Workflow):
    async def run(self):
        last = None
        read = lambda: last
        squares = [last := n * n for n in range(4)]
        return [squares, last, read()]


@body()
class NestedConditionalComprehension(Workflow):
    async def run(self):
        limit = 2
        return [
            [(a, b) for a in range(4) if a > limit - 1 for b in range(a) if (lambda: b < limit)()],
            {a: [b for b in range(a) if b % 2] for a in range(4) if a},
            {len(w) for w in ["a", "bb", "cc"] if (n := len(w)) > 1 or n},
        ]


@body()
class GatherOfClosures(Workflow):
    async def run(self):
        async def load(n, *, scale=2):
            return await square(n) * scale

        loaders = [lambda n=n: load(n, scale=n) for n in range(3)]
        return await asyncio.gather(*[make() for make in loaders], load(5))


@body()
class ClosuresKeepAliasing(Workflow):
    async def run(self):
        box = []
        push = lambda value: box.append(value)
        both = [push, push]
        self.push = push
        await echo(1)
        both[0](1)
        self.push(2)
        await echo(2)
        push(3)
        return [box, both[0] is both[1], self.push is push]


@body()
class ClosureAcrossHelpers(Workflow):
    def apply(self, function, items):
        return [function(item) for item in items]

    async def apply_later(self, function, item):
        return function(await echo(item))

    async def run(self):
        factor = 3
        return [self.apply(lambda x: x * factor, [1, 2]), await self.apply_later(lambda x: x + factor, 4)]


@body()
class FunctionRebound(Workflow):
    async def run(self):
        def f():
            return 1

        g = f

        def f():
            return 2

        return [g(), f()]


@body(True, False)
class ConditionalDefinition(Workflow):
    async def run(self, flag):
        if flag:

            def pick():
                return "yes"

        try:
            return pick()
        except UnboundLocalError as error:
            return str(error)


@body()
class DocstringAndPass(Workflow):
    async def run(self):
        def documented(a: int, b: str = "x") -> list[int]:
            """Does nothing."""

        def typed(*args: "Unknown", **kwargs: int) -> None:
            return None

        return [documented(1), typed(1, 2, k=3)]


@body()
class SortInPlaceWithClosure(Workflow):
    async def run(self):
        order = {"b": 0, "a": 1, "c": 2}
        letters = list("abc")
        letters.sort(key=lambda letter: order[letter])
        calls = 0

        def count(x):
            nonlocal calls
            calls += 1
            return -x

        return [letters, sorted([1, 2, 3], key=count), calls]


@body()
class DeepClosureChain(Workflow):
    async def run(self):
        f = lambda x: x
        for n in range(20):
            f = (lambda g, n: lambda x: g(x) + n)(f, n)
        await echo(1)
        return f(0)


@body(3)
class ClosureOverRunParameter(Workflow):
    async def run(self, n, *rest, scale=2, **options):
        def show():
            return [n * scale, rest, sorted(options)]

        n = await echo(n + 1)
        return show()


@body()
class PrivateNamesInside(Workflow):
    def __hidden(self, n):
        return n + 1

    async def run(self):
        def __inner(__x):
            return self.__hidden(__x)

        return [__inner(1), __inner.__name__, (lambda __y=2: __y)()]


@body()
class RecursionLimitInLambda(Workflow):
    async def run(self):
        f = lambda n: f(n + 1)
        try:
            f(0)
        except RecursionError:
            return "too deep"


@body()
class TypeOfUnpack(Workflow):
    async def run(self):
        def pair():
            return 1, 2

        a, b = pair()
        first, *others = (lambda: [3, 4, 5])()
        return [a, b, first, others]


@body([1, 2, 3], {"k": 1, "z": 2}, 7, "no")
class CapturesAsCells(Workflow):
    async def run(self, value):
        match value:
            case [first, *rest]:
                show = lambda: (first, rest)
            case {"k": found, **more}:
                show = lambda: (found, more)
            case int() as number if (lambda: number)():
                show = lambda: number
            case other:
                show = lambda: other
        await echo(1)
        return show()
