"""Statements of the language."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

from waymark.sdk.actions import action
from waymark.sdk.workflow import Workflow


@action
async def charge(n, *, note=None):
    return n


class Assignments(Workflow):
    async def run(self, a):
        x = y = a
        x, (y, *z) = a
        self.x = a[0] = x
        a.b.c = y
        w: int = 3
        u: int
        a.attr: int
        a[x]: int
        return w


class Augmented(Workflow):
    async def run(self, a, b):
        a += b
        a.x -= b
        a[b] *= 2
        a[1:] /= b
        self.n = 0
        self.n **= 2


class Deletes(Workflow):
    async def run(self, a, b):
        del a[0], a.x
        del (a, [b])


class Ifs(Workflow):
    async def run(self, a, b):
        if a and not b or a > 1:
            x = 1
        elif a:
            x = 2
        else:
            x = 3
        if not (a or b):
            pass
        return x


class Fors(Workflow):
    async def run(self, xs):
        for i, x in enumerate(xs):
            if x:
                continue
            if i:
                break
        else:
            xs = None
        return xs


class Whiles(Workflow):
    async def run(self, n):
        while n > 0:
            n -= 1
            if n == 5:
                break
            continue
        else:
            n = 0
        while True:
            n += 1
        return "never"  # unreachable


class Returns(Workflow):
    def nothing(self):
        return

    def twice(self):
        return 1
        return 2  # unreachable

    async def run(self):
        self.nothing()
        return self.twice()


class TryExcept(Workflow):
    async def run(self, a):
        try:
            a()
        except ValueError as error:
            a = error
        except (KeyError, OSError):
            pass
        except:
            raise
        else:
            a = 1
        return a


class TryFinally(Workflow):
    async def run(self, xs):
        for x in xs:
            try:
                if x == 1:
                    break
                if x == 2:
                    continue
                return x()
            finally:
                xs = None


class FinallyThatLeaves(Workflow):
    async def run(self, xs):
        while xs:
            try:
                return xs[0]
            finally:
                if xs:
                    break
        try:
            xs()
        finally:
            return 1


class TryAll(Workflow):
    async def run(self, a):
        try:
            try:
                a()
            except KeyError as error:
                return error
            finally:
                a = 2
        finally:
            a = 3


class TryOfNothing(Workflow):
    async def run(self):
        try:
            pass
        except ValueError:
            never = 1
        finally:
            pass


class Raises(Workflow):
    async def run(self, a):
        if a == 1:
            raise ValueError
        if a == 2:
            raise ValueError("x") from a
        raise


class Asserts(Workflow):
    async def run(self, a):
        assert a
        assert a > 1 or a < 0, f"a is {a}"


class ExpressionStatements(Workflow):
    async def run(self, a):
        """Docstring."""
        "another"
        ...
        a.append(1)
        await charge(1)


class Matches(Workflow):
    async def run(self, value):
        match value:
            case 1 | "a" as x:
                return x
            case [first, *rest] if first:
                return rest
            case {"k": [None, _], **others}:
                return others
            case int(n) | float(real=n):
                return n
            case _:
                pass
