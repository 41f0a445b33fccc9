"""Corners of the grammar: deletion, unpacking, signatures, chains, ways of leaving, exceptions in exceptions."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Item, Point, echo
from waymark.sdk.workflow import Workflow


@body()
class DeleteEverything(Workflow):
    async def run(self):
        a = [1, 2, 3, 4, 5]
        d = {"k": 1, "z": 2}
        item = Item("s", 1, ["t"])
        x = y = 1
        del a[0], a[-1:], d["k"], item.tags[0], (x, [y])
        del [1, 2][0]
        self.note = 1
        del self.note
        found = []
        for check in (lambda: x, lambda: a[9], lambda: d["k"], lambda: self.note):
            try:
                check()
            except Exception as error:
                found.append(f"{type(error).__name__}: {error}")
        return [a, d, item, found]


@body()
class DeletedFields(Workflow):
    async def run(self):
        item, point = Item("s", 1), Point(1)
        del item.price
        try:
            item.price
        except AttributeError as error:
            found = [str(error)]
        try:
            del point.x
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
        try:
            del item.price
        except AttributeError as error:
            found.append(str(error))
        return [*found, hasattr(item, "price"), hasattr(item, "tags")]


@body(0, 1, 2, 3, 4, 5, 6)
class RefusedDeletions(Workflow):
    async def run(self, case):
        targets = [(1, 2), "abc", {"a": 1}, [1], {1}, 5, None]
        try:
            del targets[case]["b" if case == 2 else 7]
        except Exception as error:
            return f"{type(error).__name__}: {error}"


@body()
class StarredTargets(Workflow):
    async def run(self):
        first, *mid, last = "abcd"
        (x, *y), z = [1, 2, 3], 4
        [*everything] = (1, 2)
        *a, b = [1]
        (c, (d, *e)), *f = (1, (2, 3)), 4, 5
        for i, *rest in [(1, 2, 3), (4,)]:
            pass
        return [first, mid, last, x, y, z, everything, a, b, c, d, e, f, i, rest]


@body([], [1], [1, 2, 3], 5, {"a": 1, "b": 2}, "xy")
class UnpackErrors(Workflow):
    async def run(self, value):
        found = []
        try:
            a, b = value
            found.append([a, b])
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
        try:
            a, *b, c = value
            found.append([a, b, c])
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
        return found


@body()
class AssignmentOrderOfGrammar(Workflow):
    async def run(self):
        log = []

        def at(value):
            log.append(value)
            return value

        d = {}
        d[at("a")] = d[at("b")] = at("c")
        i, box = 0, [0, 0]
        i = box[i] = 1
        d[at("d")], d[at("e")] = at("f"), at("g")
        x = 1
        x += (x := 5)
        box[at(0)] += at(3)
        return [log, d, i, box, x]


@body()
class TargetsOfLoops(Workflow):
    async def run(self):
        box, item = [0], Item("s", 0)
        for box[0] in "ab":
            pass
        for item.price in range(3):
            await echo(item.price)
        for (a, b), c in [((1, 2), 3)]:
            pass
        else:
            a += 10
        return [box, item, a, b, c]


@body(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
class SignatureErrors(Workflow):
    async def run(self, case):
        def f(a, b=2, /, c=3, *, d, e=5):
            return [a, b, c, d, e]

        calls = [
            lambda: f(1),
            lambda: f(d=1),
            lambda: f(1, 2, 3, 4, d=5),
            lambda: f(1, d=2, a=3),
            lambda: f(1, d=2, zz=3),
            lambda: f(1, 2, 3, c=4, d=5),
            lambda: f(*[1, 2], **{"c": 9, "d": 8}),
            lambda: (lambda a, b, c: 0)(),
            lambda: (lambda *, a, b: 0)(),
            lambda: (lambda a, *, b: 0)(1, 2),
        ]
        try:
            return calls[case]()
        except TypeError as error:
            return str(error)


@body()
class SpreadCalls(Workflow):
    async def run(self):
        def f(*a, **k):
            return [a, k]

        return [
            f(*[1], *(2, 3), x=1, **{"y": 2}, **{"z": 3}),
            f(x=1, *[2]),
            f(*"ab", *{1: 2}, **{}),
            f(**{"a-b": 1}),
            max(key=len, *["a", "bbb"]),
            [*range(2), *"c", *{3}],
            {**{"a": 1}, "b": 2, **{"a": 3}},
        ]


@body()
class ChainedComparisons(Workflow):
    async def run(self):
        log = []

        def at(value):
            log.append(value)
            return value

        return [
            1 < at(2) < at(3) != at(4) in [4] is not None,
            at(5) > at(6) < at(7),
            at(1) == at(1) == at(2) == at(9),
            not 1 < 2 < 3,
            1 < 2 in [2] == True,
            log,
        ]


@body()
class WalrusEverywhere(Workflow):
    async def run(self):
        if (n := len([1, 2])) > 1 and (m := n + 1):
            pass
        total = [(n := n + k) for k in range(3)]
        while (m := m - 1) > 0:
            await echo(m)
        text = f"{(w := 'in text')}!"
        d = {(k := "key"): (v := k + "s")}
        items = [1, 2, 3][(s := 1) :]
        ok = (p := 1) if (q := 0) else (r := 3)
        assert (z := 1), "never"
        return [n, m, total, text, w, d, v, items, s, ok, q, r, z, (lambda x=(u := 4): x + u)()]


@body()
class LeavingLoops(Workflow):
    def first(self):
        for i in range(3):
            try:
                if i == 1:
                    return "returned"
            finally:
                if i == 1:
                    break
        return "after"

    def second(self):
        try:
            return 1
        finally:
            return 2

    def third(self, log):
        while True:
            try:
                raise ValueError("x")
            except ValueError:
                break
            else:
                return "else"
            finally:
                log.append("finally")
        return log

    def fourth(self, log):
        for x in [1, 2, 3]:
            try:
                if x == 2:
                    continue
                log.append(x)
            except KeyError:
                log.append("never")
            else:
                log.append("else")
            finally:
                log.append(-x)
        else:
            log.append("done")
        return log

    def fifth(self):
        for _ in [1]:
            try:
                raise KeyError("lost")
            finally:
                continue
        return "swallowed"

    def sixth(self):
        try:
            try:
                raise KeyError("a")
            finally:
                raise ValueError("b")
        except ValueError as error:
            return repr(error.__context__)

    async def run(self):
        return [self.first(), self.second(), self.third([]), self.fourth([]), self.fifth(), self.sixth()]


@body()
class LeavingWithWaits(Workflow):
    async def leave(self, how, log):
        for n in range(3):
            try:
                try:
                    await echo(n)
                    if how == "return":
                        return "returned"
                    if how == "break":
                        break
                    if how == "raise":
                        raise KeyError(n)
                    if how == "continue":
                        continue
                finally:
                    log.append(await echo(("inner", n)))
            except KeyError as error:
                log.append(repr(error))
            finally:
                log.append(await echo(("outer", n)))
        else:
            log.append("else")
        return "end"

    async def run(self):
        found = []
        for how in ["return", "break", "raise", "continue", "fall"]:
            log = []
            found.append([await self.leave(how, log), log])
        return found


@body()
class RaiseFromOfGrammar(Workflow):
    async def run(self):
        found = []
        for cause in (None, KeyError, ValueError("v"), 5):
            try:
                try:
                    raise LookupError("first")
                except LookupError:
                    raise RuntimeError("second") from cause
            except (RuntimeError, TypeError) as error:
                found.append([repr(error), repr(error.__cause__), repr(error.__context__)])
        return found


@body()
class ContextChains(Workflow):
    async def run(self):
        try:
            try:
                [][0]
            except IndexError:
                try:
                    {}[1]
                except KeyError as error:
                    await echo(1)
                    found = [repr(error.__context__)]
                    raise
        except KeyError as again:
            found.append(repr(again.__context__))
            try:
                raise again
            except KeyError as third:
                found += [third is again, repr(third.__context__)]
        try:
            raise RuntimeError("alone")
        except RuntimeError as error:
            found.append(error.__context__)
        return found


@body(0, 1, 2, 3)
class BareRaise(Workflow):
    def again(self):
        raise

    async def run(self, case):
        try:
            if case == 0:
                raise
            if case == 1:
                self.again()
            try:
                1 / 0
            except ZeroDivisionError:
                if case == 2:
                    self.again()
                try:
                    {}["k"]
                except KeyError:
                    pass
                raise
        except Exception as error:
            return f"{type(error).__name__}: {error}"


@body(0, 1, 2, 3)
class OddExcepts(Workflow):
    async def run(self, case):
        try:
            try:
                raise ValueError("x")
            except (
                5
                if case == 0
                else (KeyError, 7)
                if case == 1
                else (KeyError, (ValueError,))
                if case == 2
                else ()
            ):
                return "caught"
        except Exception as error:
            return f"{type(error).__name__}: {error}"


@body()
class ExceptNames(Workflow):
    async def run(self):
        e = 1
        try:
            raise ValueError("v")
        except ValueError as e:
            kept = e
        try:
            e
        except UnboundLocalError as error:
            found = str(error)
        for _ in range(2):
            try:
                raise kept
            except ValueError as e:
                e = "rebound"
        return [found, str(kept), "e" in "e"]


@body()
class SlicesOfGrammar(Workflow):
    async def run(self):
        a = list(range(6))
        a[1:3] = "xyz"
        a[::2] = [0] * len(a[::2])
        b = list(range(5))
        b[5:] = [5]
        b[2:2] = [9]
        c = slice(1, None, 2)
        d = [1, 2, 3]
        d[1:] += [4]
        try:
            a[::2] = [1]
        except ValueError as error:
            message = str(error)
        return [
            a,
            b,
            "abcdef"[c],
            c.start,
            (1, 2, 3)[::-1],
            b"abc"[1],
            b"abc"[1:],
            d,
            message,
            list(range(10)[2:8:3]),
        ]


@body()
class FunctionOperators(Workflow):
    async def run(self):
        f = lambda: 0
        found = []
        for attempt in (
            lambda: f < f,
            lambda: f + 1,
            lambda: f[0],
            lambda: -f,
            lambda: [x for x in f],
            lambda: f.nope,
            lambda: len(f),
            lambda: self.run_nothing(),
        ):
            try:
                attempt()
            except (TypeError, AttributeError) as error:
                found.append(str(error))
        return [found, f == f, bool(f), {f: 1}[f]]

    def run_nothing(self):
        nothing = None
        return nothing()


@body()
class AnnotationsOfLocals(Workflow):
    async def run(self):
        x: int = 3
        y: "anything at all" = 4
        z: int
        if y == 0:
            z = 1
        (w): int = 5
        try:
            z
        except UnboundLocalError as error:
            return [x, y, w, str(error)]


@body(0, 1, 2)
class Asserts(Workflow):
    async def run(self, case):
        try:
            assert case != 0
            assert case != 1, f"case {case}"
            assert case != 2, ["list", case]
        except AssertionError as error:
            return [str(error), error.args]
