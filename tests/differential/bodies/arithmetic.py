"""Numbers, comparisons, boolean logic."""

# Deliberately odd code: its oddness is what is compared.
# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import math
from decimal import Decimal

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import BIG, RATE, add, echo, square
from waymark.sdk.workflow import Workflow


@body(call(7, 3), call(-7, 3), call(7, -3), call(7.5, 2), call(1, 0))
class Operators(Workflow):
    async def run(self, a, b):
        return [a + b, a - b, a * b, a / b, a // b, a % b, a**2, -a, +a, not a]


@body(call(6, 3), call(-5, 2), call(1, -1))
class BitOperators(Workflow):
    async def run(self, a, b):
        return [a & b, a | b, a ^ b, ~a, a << b, a >> b]


@body(5, 0)
class BigIntegers(Workflow):
    async def run(self, n):
        value = 1
        for i in range(1, 60 + n):
            value *= i
        return [value, value % 97, value // BIG, -value, value.bit_length(), BIG**3, hex(value)[:12]]


@body(0.1, 1e308, -0.0)
class Floats(Workflow):
    async def run(self, x):
        return [x + 0.2, x * 10, str(x), repr(x), round(x, 1), x == -x, f"{x:.3f}", f"{x:e}", RATE * x]


@body()
class FloatSpecials(Workflow):
    async def run(self):
        inf, nan = math.inf, math.nan
        return [
            inf,
            -inf,
            str(nan),
            nan == nan,
            inf > 10**400,
            math.isnan(nan),
            float("1e3"),
            1e-7,
            1e16,
            123456789.123,
        ]


@body(1, 5, 10, -3)
class ChainedCompare(Workflow):
    async def run(self, n):
        return [1 < n < 10, 1 <= n <= 10, 0 < n > 2, n == n == 5, 1 < 2 < n < 7 < 9, not 1 < n < 3]


@body(3, 30)
class ChainedCompareOrder(Workflow):
    """Each operand is evaluated once, and none after the first false comparison."""

    def note(self, log, value):
        log.append(value)
        return value

    async def run(self, n):
        log = []
        result = self.note(log, 1) < self.note(log, n) < self.note(log, 10) != self.note(log, 7)
        return [result, log]


@body(call(0, 1), call(1, 0), call("", []), call([], "x"))
class BooleanValues(Workflow):
    async def run(self, a, b):
        return [a and b, a or b, not a, a and b or "end", (a or b) and "both", bool(a), a or b or None]


@body(0, 1, 2, 3)
class BooleanShortCircuit(Workflow):
    def hit(self, log, name, value):
        log.append(name)
        return value

    async def run(self, n):
        log = []
        first = self.hit(log, "a", n > 0) and self.hit(log, "b", n > 1) and self.hit(log, "c", n > 2)
        second = self.hit(log, "d", n > 2) or self.hit(log, "e", n > 1) or self.hit(log, "f", 0)
        if not (self.hit(log, "g", n) and not self.hit(log, "h", n == 2)):
            log.append("if")
        return [first, second, log]


@body(0, 4, 9)
class ConditionalExpressions(Workflow):
    async def run(self, n):
        word = "zero" if n == 0 else "small" if n < 5 else "big"
        return [word, (1 if n else 2) + (3 if not n else 4), await (square(n) if n > 4 else echo("no"))]


@body("x", 3, None, 2.5)
class MixedTypeErrors(Workflow):
    async def run(self, value):
        return value + 1


@body(call(1, "a"), call("a", 1), call(None, 1), call([], 3))
class CompareTypeErrors(Workflow):
    async def run(self, a, b):
        return a < b


@body(0)
class DivisionByZero(Workflow):
    async def run(self, n):
        return 10 // n


@body(0)
class FloatDivisionByZero(Workflow):
    async def run(self, n):
        return 1.5 / n


@body(0)
class ModuloByZero(Workflow):
    async def run(self, n):
        return 5 % n


@body("abc", "12", " 7 ", "0x1f", "")
class IntParsing(Workflow):
    async def run(self, text):
        return int(text)


@body("ff", "zz", "1010")
class IntBases(Workflow):
    async def run(self, text):
        return int(text, 16)


@body("1.5", "nan?", "1e5", "-inf")
class FloatParsing(Workflow):
    async def run(self, text):
        return float(text)


@body()
class Rounding(Workflow):
    async def run(self):
        return [
            round(2.5),
            round(3.5),
            round(-2.5),
            round(1234.567, -2),
            round(2.675, 2),
            int(-3.9),
            math.floor(-3.5),
            math.ceil(-3.5),
        ]


@body(call([3, 1, 2]), call([]), call([1.5, 2]))
class NumberBuiltins(Workflow):
    async def run(self, xs):
        return [
            sum(xs),
            sum(xs, 10),
            max(xs, default=None),
            min(xs, default=0),
            sorted(xs, reverse=True),
            len(xs),
            divmod(17, 5),
            pow(3, 4, 5),
            abs(-3),
        ]


@body()
class IdentityAndMembership(Workflow):
    async def run(self):
        a = [1]
        b = a
        c = [1]
        return [
            a is b,
            a is c,
            a == c,
            a is not c,
            1 in a,
            2 not in a,
            "b" in "abc",
            "k" in {"k": 1},
            None is None,
        ]


@body(3)
class AugmentedOperators(Workflow):
    async def run(self, n):
        a = n
        a += 2
        a -= 1
        a *= 3
        a //= 2
        a **= 2
        a %= 17
        a <<= 3
        a >>= 1
        a |= 5
        a &= 0xFF
        a ^= 3
        b = n
        b /= 2
        return [a, b]


@body(4)
class AwaitsInExpressions(Workflow):
    async def run(self, n):
        return (await square(n)) + (await add(n, 2)) * (await echo(2)) - (await add(1, b=2, c=3))


@body(5)
class Walrus(Workflow):
    async def run(self, n):
        found = []
        while (n := n - 1) > 0:
            found.append(n)
        if (last := found[-1]) and (double := last * 2):
            found.append(double)
        return [found, last, n, [y := x + 1 for x in range(3)], y]


@body(True, False)
class BooleansAreInts(Workflow):
    async def run(self, flag):
        return [
            flag + 1,
            flag * "x",
            [10, 20][flag],
            str(flag),
            flag is True,
            isinstance(flag, int),
            {1: "one"}.get(flag),
        ]


@body(10**20, -(10**20))
class IntMethods(Workflow):
    async def run(self, n):
        return [
            n.bit_length(),
            n.bit_count(),
            bin(n)[:8],
            oct(n)[-4:],
            str(n),
            f"{n:,}",
            f"{n:_}",
            chr(97),
            ord("a"),
        ]


@body()
class PowerWithAModulusThatIsNoNumber(Workflow):
    async def run(self):
        from_decimal = []
        for base, exp in (((), None), ("a", 2), (2.5, 2), (None, None)):
            try:
                from_decimal.append(pow(base, exp, Decimal(1)))
            except TypeError as error:
                from_decimal.append(str(error))
        return [from_decimal, pow(Decimal(5), 3, Decimal(7)), pow(5, 3, Decimal(7))]
