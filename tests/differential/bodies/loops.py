"""for, while, else, break, continue, comprehensions."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import LIMITS, add, echo, square
from waymark.sdk.workflow import Workflow


@body(0, 1, 5)
class ForSum(Workflow):
    async def run(self, n):
        total = 0
        for i in range(n):
            total += await square(i)
        return total


@body(3, 7, 99)
class ForElse(Workflow):
    async def run(self, wanted):
        log = []
        for i in range(10):
            if i == wanted:
                log.append("found")
                break
        else:
            log.append("not found")
        return [log, i]


@body(0, 3, 10)
class WhileElse(Workflow):
    async def run(self, n):
        count = 0
        while count < n:
            count += 1
            if count == 5:
                break
        else:
            return ["else", count]
        return ["break", count]


@body(10)
class ContinueInBoth(Workflow):
    async def run(self, n):
        found = []
        for i in range(n):
            if i % 2:
                continue
            j = 0
            while j < i:
                j += 1
                if j % 3:
                    continue
                found.append((i, j))
        return found


@body(call([[1, 2], [3, 0, 4], [5]]))
class NestedBreaks(Workflow):
    async def run(self, rows):
        seen = []
        for row in rows:
            for cell in row:
                if not cell:
                    break
                seen.append(cell)
            else:
                seen.append("row done")
                continue
            seen.append("cut")
        else:
            seen.append("all done")
        return seen


@body(5)
class WhileTrue(Workflow):
    async def run(self, n):
        while True:
            n -= 1
            if n == 2:
                return n
            if n < 0:
                break


@body(call([]), call([1]))
class LoopVariableAfter(Workflow):
    async def run(self, xs):
        for x in xs:
            pass
        return x


@body()
class LoopTargets(Workflow):
    async def run(self):
        d = {}
        xs = [0]
        for d["k"] in range(3):
            pass
        for xs[0] in "ab":
            pass
        for a, *b in [(1, 2, 3), (4,)]:
            pass
        for self.last in (7, 8):
            pass
        return [d, xs, a, b, self.last]


@body()
class RangeVariants(Workflow):
    async def run(self):
        r = range(10, 0, -3)
        return [
            list(r),
            len(r),
            r[1],
            r[-1],
            4 in r,
            5 in r,
            r == range(10, 1, -3),
            list(range(3)),
            r.start,
            r.stop,
            r.step,
            list(reversed(range(3))),
        ]


@body(0)
class RangeStepZero(Workflow):
    async def run(self, step):
        return range(1, 5, step)


@body()
class ZipAndEnumerate(Workflow):
    async def run(self):
        a, b = [1, 2, 3], "xy"
        return [
            list(zip(a, b)),
            list(enumerate(b)),
            list(zip()),
            dict(zip(b, a)),
            [x + y for x, y in zip(a, a[1:])],
            list(map(str, a)),
            list(filter(None, [0, 1, "", 2])),
        ]


@body()
class StrictZip(Workflow):
    async def run(self):
        return list(zip([1, 2], [3], strict=True))


@body(call([4, 0, 3]))
class Comprehensions(Workflow):
    async def run(self, xs):
        return [
            [x * 2 for x in xs],
            [x for x in xs if x if x > 3],
            {x: x * x for x in xs},
            sorted({x % 2 for x in xs}),
            [(x, y) for x in xs for y in range(x) if y % 2],
        ]


@body(call([[1, 2], [3]]))
class NestedComprehensions(Workflow):
    async def run(self, rows):
        return [
            [cell for row in rows for cell in row],
            [[c * 2 for c in row] for row in rows],
            {len(r): [c for c in r] for r in rows},
            [sum([c for c in r]) for r in rows],
        ]


@body(5)
class ComprehensionScope(Workflow):
    async def run(self, n):
        x = "outer"
        xs = [x for x in range(n)]
        ys = [[x for x in range(x)] for x in range(3)]
        return [x, xs, ys, [n for n in [n, n + 1]], n]


@body()
class ComprehensionUnboundOuter(Workflow):
    async def run(self):
        xs = [i for i in range(3)]
        for i in xs:
            pass
        return [i, [j for j in xs if j != i]]


@body(3)
class AwaitInComprehension(Workflow):
    async def run(self, n):
        squares = [await square(i) for i in range(n)]
        odd = {i: await add(i, 1) for i in range(n) if await echo(i % 2)}
        return [squares, odd]


@body(call([1, 2, 3]), call([]), call([0, 5]))
class AnyAll(Workflow):
    def see(self, log, x):
        log.append(x)
        return x

    async def run(self, xs):
        log = []
        return [
            any(self.see(log, x) > 1 for x in xs),
            all(self.see(log, x) for x in xs),
            any(xs),
            all(xs),
            any(x > y for x in xs for y in xs if x),
            log,
        ]


@body(4)
class GeneratorArguments(Workflow):
    async def run(self, n):
        return [
            sum(i * i for i in range(n)),
            list(i for i in range(n)),
            tuple(i for i in "ab"),
            sorted(-i for i in range(n)),
            max(i % 3 for i in range(n)),
            ",".join(str(i) for i in range(n)),
            dict((i, -i) for i in range(2)),
            len(set(i % 2 for i in range(n))),
            min((i for i in ()), default="none"),
        ]


@body()
class IteratorByHand(Workflow):
    async def run(self):
        it = iter([1, 2])
        a = next(it)
        await echo(0)
        b = next(it)
        return [a, b, next(it, "end")]


@body()
class StopIterationEscapes(Workflow):
    def step(self):
        return next(iter([]))

    async def run(self):
        try:
            self.step()
        except StopIteration as error:
            return [type(error).__name__, error.args]


@body(5, None)
class IterateNonIterable(Workflow):
    async def run(self, value):
        for x in value:
            pass


@body(3)
class SharedIterator(Workflow):
    async def run(self, n):
        it = iter(range(10))
        out = []
        for x in it:
            out.append(x)
            await echo(x)
            if x == n:
                break
        for x in it:
            out.append(-x)
        return out


@body(6)
class LoopOverReversedAndSorted(Workflow):
    async def run(self, n):
        out = []
        for x in reversed(range(n)):
            out.append(x)
        for x in sorted([3, 1, 2]):
            out.append(x)
        for x in LIMITS:
            out.append(x)
        for c in "héy":
            out.append(c)
        return out


@body(4)
class WhileWithAwait(Workflow):
    async def run(self, n):
        while await echo(n):
            n -= await add(0, 1)
            if n == 1:
                continue
        return n


@body()
class ElifChain(Workflow):
    def grade(self, n):
        if n >= 90:
            return "A"
        elif n >= 80:
            return "B"
        elif n >= 70:
            return "C"
        else:
            return "F"

    async def run(self):
        return [self.grade(n) for n in (95, 85, 75, 5)]


@body(0, 2, 9)
class BreakInsideTry(Workflow):
    async def run(self, n):
        seen = []
        for i in range(6):
            try:
                if i == n:
                    break
                if i % 2:
                    continue
                seen.append(1 // (i - 2))
            except ZeroDivisionError as error:
                seen.append(str(error))
                for j in range(3):
                    try:
                        if j:
                            break
                        raise KeyError(j)
                    except KeyError:
                        continue
        else:
            seen.append("else")
        return seen
