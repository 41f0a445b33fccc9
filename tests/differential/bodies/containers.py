"""list, dict, set, tuple: methods, displays, unpacking, slices, aliasing."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import ALSO_SHARED, LIMITS, NAMES, SHARED, Point, add, echo, pack
from waymark.sdk.workflow import Workflow


@body(call([3, 1, 2]))
class ListMethods(Workflow):
    async def run(self, xs):
        xs.append(5)
        xs.extend((7, 8))
        xs.insert(0, 9)
        popped = xs.pop()
        first = xs.pop(0)
        xs.remove(1)
        copy = xs.copy()
        xs.sort()
        xs.reverse()
        return [xs, copy, popped, first, xs.index(3), xs.count(2), len(xs)]


@body(call([]), call([1]))
class PopErrors(Workflow):
    async def run(self, xs):
        return xs.pop()


@body(call([1, 2]), call([]))
class RemoveErrors(Workflow):
    async def run(self, xs):
        xs.remove(2)
        return xs


@body()
class SortVariants(Workflow):
    def last(self, word):
        return word[-1]

    async def run(self):
        words = ["pear", "fig", "apple"]
        words.sort(key=len)
        return [
            words,
            sorted(words, key=self.last),
            sorted([(2, "a"), (1, "b"), (1, "a")]),
            sorted("hello"),
            max(words, key=self.last),
        ]


@body()
class SortTypeError(Workflow):
    async def run(self):
        return sorted([1, "a", 2])


@body(call({"a": 1, "b": 2}))
class DictMethods(Workflow):
    async def run(self, d):
        d["c"] = 3
        got = d.get("x", 0), d.get("a"), d.setdefault("y", []), d.pop("b"), d.pop("zz", None)
        d.update({"a": 10}, k=5)
        d["y"].append(1)
        return [
            d,
            got,
            list(d),
            list(d.keys()),
            list(d.values()),
            list(d.items()),
            len(d),
            "a" in d,
            d == dict(d),
            d.popitem(),
        ]


@body("k", "missing", 5)
class KeyErrors(Workflow):
    async def run(self, key):
        return {"k": 1}[key]


@body()
class UnhashableKey(Workflow):
    async def run(self):
        return {[1]: 2}


@body()
class UnhashableInSet(Workflow):
    async def run(self):
        return {1, (2, [3])}


@body(call([1, 2], {"a": 1}))
class Displays(Workflow):
    async def run(self, xs, d):
        return [
            [*xs, 3, *xs],
            (0, *xs),
            {**d, "b": 2, **{"a": 9}},
            {"a": 0, **d},
            [*"ab", *range(2)],
            {**{}},
            [*d],
            (*(), 1),
        ]


@body(call([1, 2, 3, 4]), call([1, 2]), call([1]))
class StarredUnpacking(Workflow):
    async def run(self, xs):
        first, *middle, last = xs
        return [first, middle, last]


@body(call([1, 2]), call([1]), call([1, 2, 3]), call(5), call("ab"))
class UnpackingErrors(Workflow):
    async def run(self, value):
        a, b = value
        return [a, b]


@body(call([1, [2, 3], (4, (5,))]))
class NestedUnpacking(Workflow):
    async def run(self, value):
        a, (b, c), (d, (e,)) = value
        [f, *g], h = [1, 2, 3], 4
        i = j, k = 5, 6
        return [a, b, c, d, e, f, g, h, i, j, k]


@body()
class SwapAndOrder(Workflow):
    async def run(self):
        a, b, c = 1, 2, 3
        a, b, c = c, a, b
        xs = [0, 1, 2]
        i = 0
        i, xs[i] = 2, 9
        xs[0], xs[1] = xs[1], xs[0]
        return [a, b, c, i, xs]


@body()
class AssignmentOrder(Workflow):
    def note(self, log, value):
        log.append(value)
        return value

    async def run(self):
        log = []
        d = {}
        d[self.note(log, "k")] = self.note(log, "v")
        d[self.note(log, "a")] = d[self.note(log, "b")] = self.note(log, "w")
        x = {self.note(log, 1): self.note(log, 2), self.note(log, 3): self.note(log, 4)}
        y = [self.note(log, 5), self.note(log, 6)]
        d["k"] += self.note(log, "!")
        return [log, d, x, y]


@body()
class AugmentedTargetOnce(Workflow):
    def index(self, log):
        log.append("i")
        return 0

    async def run(self):
        log = []
        xs = [1, 2]
        xs[self.index(log)] += 10
        nested = {"a": {"b": [1]}}
        nested["a"]["b"][self.index(log)] *= 7
        return [xs, nested, log]


@body()
class Aliasing(Workflow):
    async def run(self):
        a = []
        b = a
        d = {"list": a, "again": a}
        a.append(1)
        await echo(0)
        b.append(2)
        d["list"].append(3)
        return [a, b is a, d, d["list"] is d["again"], d["list"] is a]


@body()
class AugmentedOnAlias(Workflow):
    async def run(self):
        a = [1]
        b = a
        a += [2]
        c = a
        c = c + [3]
        t = (1,)
        u = t
        t += (2,)
        s = "x"
        r = s
        s += "y"
        await echo(1)
        a += (4,)
        return [a, b, c, t, u, s, r]


@body()
class TupleAugmentedError(Workflow):
    async def run(self):
        t = ([1], 2)
        try:
            t[0] += [5]
        except TypeError as error:
            return [str(error), t]


@body()
class MutableDefault(Workflow):
    def collect(self, value, into=[]):
        into.append(value)
        return into

    async def run(self):
        a = self.collect(1)
        b = self.collect(2)
        c = self.collect(3, [])
        await echo(0)
        d = self.collect(4)
        result = [list(a), list(b), c, list(d), a is b, a is d]
        d.clear()  # natively the default outlives the run
        return result


@body()
class SharedModuleList(Workflow):
    async def run(self):
        local = [*SHARED]
        return [
            SHARED is ALSO_SHARED,
            local,
            LIMITS["steps"] is LIMITS["steps"],
            NAMES[1],
            LIMITS["max"] - LIMITS["min"],
        ]


@body(call([0, 1, 2, 3, 4, 5]))
class ListSlices(Workflow):
    async def run(self, xs):
        a = xs[1:4]
        xs[0:2] = [9]
        xs[-1:] = [7, 8]
        del xs[1]
        b = xs[::-2]
        del xs[::2]
        xs[len(xs) :] = [5]
        return [a, xs, b, xs[:], xs[5:], xs[-2]]


@body(call([1, 2, 3]))
class SliceAugmented(Workflow):
    async def run(self, xs):
        xs[1:] += [4]
        xs[:1] *= 2
        return xs


@body()
class SliceErrors(Workflow):
    async def run(self):
        xs = [1, 2, 3, 4]
        try:
            xs[::2] = [1]
        except ValueError as error:
            return str(error)


@body(5, -6)
class ListIndexErrors(Workflow):
    async def run(self, n):
        xs = [1, 2, 3]
        xs[n] = 0
        return xs


@body("0")
class ListIndexType(Workflow):
    async def run(self, n):
        return [1][n]


@body()
class DeleteThings(Workflow):
    async def run(self):
        xs = [1, 2, 3]
        d = {"a": 1, "b": 2}
        x = 5
        del xs[0], d["a"]
        del x
        y = z = 1
        del (y, z)
        return [xs, d]


@body()
class DeletedName(Workflow):
    async def run(self):
        x = 5
        del x
        return x


@body()
class Sets(Workflow):
    async def run(self):
        a = {1, 2, 3}
        b = set([3, 4])
        a.add(5)
        a.discard(99)
        c = frozenset([1])
        return [
            sorted(a | b),
            sorted(a & b),
            sorted(a - b),
            sorted(a ^ b),
            len(a),
            2 in a,
            {1} <= a,
            c <= a,
            a == {1, 2, 3, 5},
            sorted(a.union([9])),
            a.isdisjoint(b),
        ]


@body()
class SetMutation(Workflow):
    async def run(self):
        a = {1, 2}
        b = a
        a |= {3}
        a.update([4], (5,))
        a.remove(1)
        await echo(0)
        b.discard(2)
        return [sorted(a), a is b]


@body()
class SetRemoveError(Workflow):
    async def run(self):
        {1}.remove(2)


@body()
class TupleMethods(Workflow):
    async def run(self):
        t = (1, 2, 2)
        return [t.count(2), t.index(2), t + (3,), t * 2, t[1:], len(t), t < (1, 3), (1,) == (1.0,), ()]


@body(call({"b": 1, "a": 2}))
class DictIteration(Workflow):
    async def run(self, d):
        seen = []
        for key in d:
            seen.append(key)
        for key, value in d.items():
            seen.append((key, value))
        for index, (key, value) in enumerate(d.items(), 1):
            seen.append([index, key, value])
        return [seen, sorted(d), max(d, key=d.get), {v: k for k, v in d.items()}]


@body()
class DictChangedWhileIterating(Workflow):
    async def run(self):
        d = {"a": 1}
        for key in d:
            d[key + "x"] = 1
        return d


@body()
class ListGrowsWhileIterating(Workflow):
    async def run(self):
        xs = [1, 2, 3]
        for x in xs:
            if x < 3:
                xs.append(x + 1)
            await echo(x)
        return xs


@body()
class DictUnionAndViews(Workflow):
    async def run(self):
        a = {"x": 1}
        b = a
        b |= {"y": 2}
        return [
            a,
            a | {"x": 5},
            a.keys() == {"x", "y"},
            sorted(a.keys() & {"x"}),
            dict([("k", 1)]),
            dict(a, z=3),
            dict.fromkeys("ab", 0),
            list(reversed(a)),
        ]


@body()
class SelfReference(Workflow):
    async def run(self):
        a = [1]
        a.append(a)
        d = {"me": None}
        d["me"] = d
        return [len(a), a[1] is a, a[1][1][0], d["me"]["me"] is d, repr(a)]


@body()
class DictKeysOfManyTypes(Workflow):
    async def run(self):
        d = {
            1: "int",
            "1": "str",
            (1, 2): "tuple",
            None: "none",
            True: "true",
            2.5: "float",
            b"b": "bytes",
            Point(1): "point",
        }
        return [d[1], d["1"], d[1, 2], d[None], d[2.5], d[b"b"], d[Point(1)], len(d), [str(k) for k in d]]


@body(20)
class LargeDisplays(Workflow):
    async def run(self, n):
        xs = [
            n,
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
            11,
            12,
            13,
            14,
            15,
            16,
            17,
            18,
            19,
            20,
            21,
            22,
            23,
            24,
            25,
            26,
            27,
            28,
            29,
            30,
            31,
            n,
        ]
        d = {
            "a": n,
            "b": 1,
            "c": 2,
            "d": 3,
            "e": 4,
            "f": 5,
            "g": 6,
            "h": 7,
            "i": 8,
            "j": 9,
            "k": 10,
            "l": 11,
            "m": 12,
            "n": 13,
            "o": 14,
            "p": 15,
            "q": 16,
            "r": n,
            **{"s": 1},
            "t": 2,
        }
        return [xs, d, len(xs), len(d)]


@body()
class ArgumentPassing(Workflow):
    async def run(self):
        args, kwargs = [1, 2], {"b": 3, "a": 4}
        return [
            await pack(*args, 5, *"xy", **kwargs, z=1),
            await pack(**kwargs),
            await pack(*args),
            await pack(1, c=2),
            await pack(*[], **{}),
        ]


@body(call({"c": 1}), call({"b": 1}), call({"zzz": 1}))
class KeywordMerge(Workflow):
    async def run(self, more):
        return await add(1, b=2, **more)
