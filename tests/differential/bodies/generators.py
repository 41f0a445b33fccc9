"""Generator expressions: lazy, exhausted once, held across waits."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Item, echo, square
from tests.differential.user_classes import Person
from waymark.sdk.workflow import Workflow


@body()
class GeneratorIsLazy(Workflow):
    async def run(self):
        log = []

        def note(n):
            log.append(n)
            return n

        gen = (note(n) for n in [1, 2, 3])
        found = [list(log), next(gen), list(log), list(gen), list(log), list(gen), next(gen, "end")]
        return found


@body()
class FirstIterableIsEager(Workflow):
    async def run(self):
        log = []

        def source(name):
            log.append(name)
            return [1, 2]

        gen = ((a, b) for a in source("outer") for b in source("inner"))
        before = list(log)
        return [before, list(gen), log]


@body()
class FirstIterableErrorIsEager(Workflow):
    async def run(self):
        try:
            gen = (x for x in 5)
        except TypeError as error:
            first = str(error)
        later = (x for a in [1] for x in a)
        try:
            next(later)
        except TypeError as error:
            return [first, str(error), next(later, "over")]


@body()
class HeldAcrossWaits(Workflow):
    async def run(self):
        factor = 2
        gen = (n * factor for n in range(6) if n != 1)
        found = [next(gen)]
        await echo(1)
        found.append(next(gen))
        factor = 10
        await echo(2)
        found += [next(gen), await echo(3), *gen]
        return found


@body()
class ForOverGenerator(Workflow):
    async def run(self):
        found = []
        for n in (k * k for k in range(5) if k % 2 == 0):
            found.append(await square(n))
            if n > 3:
                break
        else:
            found.append("never")
        for n in (k for k in []):
            found.append(n)
        else:
            found.append("else")
        return found


@body()
class SharedGenerator(Workflow):
    async def run(self):
        gen = (n for n in range(10))
        other = gen
        pairs = list(zip(gen, gen))[:2]
        for n in gen:
            break
        await echo(1)
        return [pairs, n, gen is other, list(other), iter(gen) is gen]


@body()
class NestedGenerators(Workflow):
    async def run(self):
        outer = (sum(b for b in range(a)) for a in range(5))
        chain = (x + 1 for x in (y * 2 for y in (z for z in range(4)) if y))
        lazy = ((a, b) for a in range(3) for b in range(a) if b != 1)
        held = [next(outer), next(chain), next(lazy)]
        await echo(held)
        return [held, list(outer), list(chain), list(lazy)]


@body()
class ManyStacked(Workflow):
    async def run(self):
        gen = iter(range(3))
        for n in range(80):
            gen = (x + 1 for x in gen)
        return list(gen)


@body()
class LibraryConsumers(Workflow):
    async def run(self):
        def g():
            return (n for n in [3, 1, 2])

        a, b, c = g()
        first, *rest = g()
        d = dict((k, v) for k, v in [("a", 1)])
        items = [0]
        items.extend(n for n in [1, 2])
        items += (n for n in [3])
        d.update((str(n), n) for n in [1])
        return [
            sum(g()),
            sorted(g()),
            max(g()),
            min(g(), default=0),
            list(g()),
            tuple(g()),
            set(g()),
            any(g()),
            all(n > 1 for n in g()),
            ",".join(str(n) for n in g()),
            list(enumerate(g())),
            list(zip(g(), "abc")),
            list(map(str, g())),
            list(filter(None, g())),
            2 in g(),
            9 in g(),
            [*g(), *(x for x in "z")],
            {*g()},
            [a, b, c, first, rest],
            d,
            items,
            len([*g()]),
            bytes(n for n in [65, 66]),
            print_none(n for n in [1]),
        ]


def print_none(values):
    return [list(values), list(values)]


@body()
class ConsumersThatStopEarly(Workflow):
    async def run(self):
        log = []

        def note(n):
            log.append(n)
            return n

        gen = (note(n) for n in range(10))
        found = [any(n == 2 for n in gen), all(n < 5 for n in gen), 7 in gen, next(gen), list(gen)]
        return [found, log]


@body(0, 1, 2, 3, 4, 5, 6)
class GeneratorErrors(Workflow):
    async def run(self, case):
        gen = (10 // n for n in [1, 0, 2])
        try:
            if case == 0:
                return list(gen)
            if case == 1:
                return sum(10 // n for n in [0])
            if case == 2:
                next(gen)
                next(gen)
            if case == 3:
                return len(gen)
            if case == 4:
                return gen[0]
            if case == 5:
                return reversed(gen)
            next(n for n in [])
        except Exception as error:
            return [type(error).__name__, str(error), next(gen, "over"), next(gen, "over")]


@body(0, 1, 2, 3)
class StopIterationInside(Workflow):
    async def run(self, case):
        it = iter([1])
        gen = (next(it) for _ in range(3))
        try:
            if case == 0:
                return list(gen)
            if case == 1:
                return any(next(it) == 5 for _ in range(3))
            if case == 2:
                for _ in gen:
                    pass
            return [next(gen), next(gen)]
        except RuntimeError as error:
            return [str(error), type(error.__cause__).__name__]


@body()
class AlreadyExecuting(Workflow):
    async def run(self):
        found = []
        gen = (next(gen, None) for _ in range(2))
        try:
            next(gen)
        except ValueError as error:
            found.append(str(error))
        again = ([x for x in again] for _ in range(2))
        try:
            for _ in again:
                pass
        except ValueError as error:
            found.append(str(error))
        return found


@body()
class FreeVariablesOfGenerators(Workflow):
    async def run(self):
        try:
            any(later for _ in [1])
        except NameError as error:
            found = [type(error).__name__, str(error)]
        try:
            list(y for _ in [1] for __ in [1] if y for y in [1])
        except NameError as error:
            found += [type(error).__name__, str(error)]
        later = 1
        return [found, any(later for _ in [1])]


@body()
class ClosuresOverGenerators(Workflow):
    async def run(self):
        functions = list(lambda: n for n in range(3))
        held = ((lambda: n) for n in range(3))
        one = next(held)
        first = one()
        two = next(held)
        return [[f() for f in functions], first, one(), two()]


@body()
class WalrusInGenerator(Workflow):
    async def run(self):
        last = "none"
        found = any((last := n) > 2 for n in range(9))
        gen = (total := n for n in [5, 6])
        next(gen)
        return [found, last, total]


@body()
class ScopeOfGenerators(Workflow):
    async def run(self):
        n = "outer"
        gen = (n for n in [1, 2])
        inner = [(n, list(n for n in [3])) for n in gen]
        return [n, inner, [[m for m in k] for k in ((j for j in range(i)) for i in range(3))]]


@body()
class GeneratorsWithSelf(Workflow):
    rate = 3

    def scaled(self, items):
        return (item * self.rate for item in items if self.keep(item))

    def keep(self, item):
        return item != 2

    async def run(self):
        gen = self.scaled(range(4))
        found = [next(gen)]
        self.rate = 100
        await echo(1)
        return [found, list(gen)]


@body()
class GeneratorsThatBuildModels(Workflow):
    async def run(self):
        people = list(Person(first=name) for name in "ab")
        names = [person.full() for person in (Person(first=name) for name in "cd")]
        return [
            people,
            names,
            any(Person(first=n).age > 2 for n in "ef"),
            sorted(Person(first=n).full() for n in "hg"),
        ]


@body()
class GeneratorsInGather(Workflow):
    async def run(self):
        coroutines = (square(n) for n in range(4))
        found = await asyncio.gather(*coroutines)
        return [found, await asyncio.gather(*(echo(n) for n in "ab")), sum(n for n in await echo([1, 2]))]


@body()
class GeneratorsOfGenerators(Workflow):
    async def run(self):
        rows = [(c for c in word) for word in ["ab", "cd"]]
        heads = [next(row) for row in rows]
        await echo(heads)
        table = {"tail": rows}
        return [heads, [list(row) for row in table["tail"]]]


@body()
class GeneratorAndTryFinally(Workflow):
    async def run(self):
        log = []
        gen = (n for n in range(3))
        try:
            for n in gen:
                try:
                    if n == 1:
                        continue
                    log.append(n)
                finally:
                    log.append(("left", n))
                    await echo(n)
        finally:
            log.append(next(gen, "over"))
        return log


@body()
class ExceptionContextInGenerator(Workflow):
    async def run(self):
        gen = (1 // n for n in [0])
        try:
            raise KeyError("first")
        except KeyError:
            try:
                next(gen)
            except ZeroDivisionError as error:
                return [repr(error.__context__), str(error)]


@body()
class MutatedWhileIterated(Workflow):
    async def run(self):
        items = [1, 2]
        gen = (items.append(n + 10) or n for n in items if len(items) < 6)
        return [list(gen), items]


@body()
class PartialExtend(Workflow):
    async def run(self):
        items = []
        try:
            items.extend(6 // n for n in [1, 2, 0, 3])
        except ZeroDivisionError:
            return items


@body()
class AsyncListComprehensions(Workflow):
    async def run(self):
        a = [await square(n) for n in range(3) if await echo(n)]
        b = {await echo(n): [await square(m) for m in range(n)] for n in range(3)}
        c = {await echo(n % 2) for n in range(4)}
        d = [x for n in range(3) for x in await echo([n] * n)]
        e = [[await echo((a_, b_)) for b_ in range(2)] for a_ in range(2)]
        return [a, b, c, d, e]
