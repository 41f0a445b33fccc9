"""itertools, functools, operator and collections: laziness, order of calls, errors, and iterators that are held across waits."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import collections
import functools
import itertools
import operator
from collections import Counter, OrderedDict, defaultdict, deque
from itertools import chain, islice

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Item, Point, echo
from waymark.sdk.workflow import Workflow


@body(call([1, 2], "ab", (3,)), call(), call([], []))
class Chains(Workflow):
    async def run(self, *parts):
        it = chain(*parts)
        found = [next(it, "end")]
        await echo(1)
        found += it
        found.append(next(it, "end"))
        return [found, list(chain.from_iterable(parts)), list(chain.from_iterable([parts, parts]))]


@body(call(5), call([1], 2), call(None))
class ChainErrors(Workflow):
    async def run(self, *parts):
        found = []
        it = chain(*parts)
        for _ in range(4):
            try:
                found.append(next(it, "end"))
            except TypeError as error:
                found.append(str(error))
        return found


@body(call(5), call(2, 8), call(0, 10, 3), call(3, None), call(None), call(1, None, 2), call(0), call(5, 2))
class Slices(Workflow):
    async def run(self, *bounds):
        source = iter(range(12))
        it = islice(source, *bounds)
        first = next(it, "end")
        await echo(1)
        return [first, list(it), list(source), next(it, "end")]


@body(call(-1), call("x"), call(1, 2, 0), call(1.5), call(1, -2), call())
class LazySliceErrors(Workflow):
    async def run(self, *bounds):
        return list(islice([1, 2], *bounds))


@body(call(), call(5), call(5, -2), call(0.5, 0.25), call(step=3))
class Counts(Workflow):
    async def run(self, *args, **kwargs):
        it = itertools.count(*args, **kwargs)
        first = next(it)
        await echo(1)
        return [
            first,
            [next(it), next(it)],
            list(islice(it, 3)),
            repr(it),
            list(zip(it, "ab")),
            [a for a, _ in zip(range(2), it)],
        ]


@body("x", None)
class CountErrors(Workflow):
    async def run(self, x):
        return itertools.count(x)


@body(call("ab", 5), call([], 3), call((1,), 3))
class Cycles(Workflow):
    async def run(self, xs, n):
        it = itertools.cycle(xs)
        found = list(islice(it, 1))
        await echo(1)
        found += islice(it, n)
        await echo(2)
        return found + list(islice(it, n))


@body(call("a", 3), call("a", 0), call("a", -1), call(object=1, times=2))
class Repeats(Workflow):
    async def run(self, *args, **kwargs):
        it = itertools.repeat(*args, **kwargs)
        shown = repr(it)
        await echo(1)
        return [shown, list(it), list(map(operator.mul, itertools.repeat(2), range(3)))]


@body(call("a", "b"), call(), call(1, 2, 3))
class RepeatErrors(Workflow):
    async def run(self, *args):
        return itertools.repeat(*args)


@body(call([[1, 2, 3], "a"], None), call([[], [1]], 0), call([], 1))
class ZipLongests(Workflow):
    async def run(self, parts, fill):
        it = itertools.zip_longest(*parts, fillvalue=fill)
        found = [next(it, "end")]
        await echo(1)
        return found + list(it) + [next(it, "end")]


@body(call(1), call([1], wrong=2))
class ZipLongestErrors(Workflow):
    async def run(self, *args, **kwargs):
        return itertools.zip_longest(*args, **kwargs)


@body(call(["ab", [1, 2]], 1), call(["ab"], 2), call([], 1), call([[], "a"], 1), call(["abc"], 0))
class Products(Workflow):
    async def run(self, parts, repeat):
        it = itertools.product(*parts, repeat=repeat)
        found = [next(it, "end")]
        await echo(1)
        return found + list(it) + [next(it, "end")]


@body(call("abcd", 2), call("abc", None), call("ab", 3), call("", 0), call("abc", 0), call("aab", 3))
class Permutations(Workflow):
    async def run(self, xs, r):
        it = itertools.permutations(xs, r)
        found = [next(it, "end")]
        await echo(1)
        return [
            found + list(it),
            list(itertools.combinations(xs, 2)),
            list(itertools.combinations_with_replacement(xs, 2)),
            list(itertools.combinations(xs, r or 0)),
            list(itertools.combinations_with_replacement(xs, r or 0)),
        ]


@body(call("abc", -1), call("abc", "x"), call(5, 1), call("abc", 1.5))
class PermutationErrors(Workflow):
    async def run(self, xs, r):
        found = []
        for function in (
            itertools.permutations,
            itertools.combinations,
            itertools.combinations_with_replacement,
        ):
            try:
                found.append(list(function(xs, r)))
            except (TypeError, ValueError) as error:
                found.append(repr(error))
        return found


@body([1, 1, 2, 3, 3, 1], [], ["a", "A", "b"])
class Groups(Workflow):
    def low(self, x):
        return str(x).lower()

    async def run(self, xs):
        plain = [(key, list(group)) for key, group in itertools.groupby(xs)]
        found = []
        for key, group in itertools.groupby(xs, self.low):
            found.append(key)
            await echo(key)
            found.append(next(group))
            await echo(key)
            found.append(list(group))
        return [plain, found]


@body()
class GroupsThatAreLeft(Workflow):
    async def run(self):
        it = itertools.groupby("aabbc")
        a, first = next(it)
        b, second = next(it)
        await echo(1)
        c, third = next(it)
        return [a, list(first), b, list(second), c, list(third), next(it, "end")]


@body([1, 2, 3], [], ["a", "b"], [1.5, 2])
class Accumulations(Workflow):
    def keep(self, a, b):
        return a if a > b else b

    async def run(self, xs):
        it = itertools.accumulate(xs)
        found = [next(it, "end")]
        await echo(1)
        return [
            found + list(it),
            list(itertools.accumulate(xs, self.keep)),
            list(itertools.accumulate(xs, operator.mul, initial=2)) if xs and xs[0] == 1 else None,
            list(itertools.accumulate(xs, func=max)),
            list(itertools.accumulate([], initial=5)),
            list(itertools.accumulate(xs, lambda a, b: [a, b])),
        ]


@body([1, "a"])
class AccumulateErrors(Workflow):
    async def run(self, xs):
        it = itertools.accumulate(xs)
        found = [next(it)]
        try:
            next(it)
        except TypeError as error:
            found.append(str(error))
        return found + [next(it, "end")]


@body()
class OrderOfCalls(Workflow):
    async def run(self):
        seen = []

        def odd(x):
            seen.append(x)
            return x % 2

        it = itertools.takewhile(odd, [1, 3, 4, 5])
        seen.append("made")
        found = [next(it)]
        await echo(1)
        found += it
        found += [
            next(it, "end"),
            list(itertools.dropwhile(odd, [1, 2, 3])),
            list(itertools.filterfalse(odd, range(4))),
            list(itertools.filterfalse(None, [0, 1, ""])),
        ]
        skipping = itertools.dropwhile(odd, iter([1, 3, 4, 5]))
        found.append(next(skipping))
        await echo(1)
        found += skipping
        return [seen, found]


@body()
class EndlessSources(Workflow):
    async def run(self):
        found = [list(itertools.takewhile(lambda n: n < 5, itertools.count()))]
        found.append(list(islice(filter(lambda n: n % 3 == 0, itertools.count(1)), 3)))
        found.append(list(islice(map(lambda n: n * n, itertools.count()), 4)))
        found.append([i for i, _ in enumerate(islice(itertools.cycle("ab"), 3))])
        found.append(list(zip(itertools.count(), "ab", itertools.repeat(0))))
        found.append(7 in itertools.count(3))
        found.append(dict(zip("ab", itertools.count())))
        found.append(sum(islice(itertools.count(), 10)))
        found.append(sorted(islice(itertools.cycle([3, 1]), 4)))
        found.append(any(n > 5 for n in itertools.count()))
        a, b = islice(itertools.count(), 2)
        return found + [
            a,
            b,
            max(islice(itertools.count(), 5)),
            ",".join(islice(itertools.cycle("xy"), 3)),
            set(islice(itertools.count(), 2)),
        ]


@body([(2, 5), (3, 2)], [[1, 1]], [])
class StarMaps(Workflow):
    async def run(self, pairs):
        it = itertools.starmap(pow, pairs)
        found = [next(it, "end")]
        await echo(1)
        return found + list(it) + list(itertools.starmap(lambda *a: a, ["ab", (), [1]]))


@body([5])
class StarMapErrors(Workflow):
    async def run(self, pairs):
        return list(itertools.starmap(pow, pairs))


@body(call("abcd", [1, 0, 1]), call([], [1]))
class Compressions(Workflow):
    async def run(self, data, selectors):
        return [
            list(itertools.compress(data, selectors)),
            list(itertools.compress(data=data, selectors=iter(selectors))),
        ]


@body([1, 2, 3], [1], [])
class Pairs(Workflow):
    async def run(self, xs):
        it = itertools.pairwise(xs)
        found = [next(it, "end")]
        await echo(1)
        return found + list(it) + [next(it, "end")]


@body([1, 2, 3], "ab")
class Tees(Workflow):
    async def run(self, xs):
        a, b = itertools.tee(xs)
        found = [next(a)]
        await echo(1)
        found.append(list(b))
        c, d, e = itertools.tee(a, 3)
        found += [next(c), list(d), list(c), list(e)]
        await echo(1)
        return found + [list(a), list(b), itertools.tee(xs, 0)]


@body(call("a", -1), call(5, 2), call("a", "x"))
class TeeErrors(Workflow):
    async def run(self, xs, n):
        return len(itertools.tee(xs, n))


@body()
class LongTees(Workflow):
    async def run(self):
        a, b = itertools.tee(range(500))
        found = [sum(islice(a, 200)), sum(islice(b, 150))]
        await echo(1)
        return found + [sum(a), sum(b)]


@body()
class SentinelIterators(Workflow):
    async def run(self):
        stack = [3, 2, 1, 0, 5]
        it = iter(stack.pop, 0)
        found = [next(it)]
        await echo(1)
        found += it
        state = [0]

        def tick():
            state[0] += 1
            return state[0]

        found += iter(tick, 4)
        try:
            iter(5, 1)
        except TypeError as error:  # only 3.12 names them so; 3.11 and 3.13 say v and w
            found.append(str(error).replace("object, sentinel): object", "v, w): v"))
        return found


@body()
class IteratorsOfIterators(Workflow):
    async def run(self):
        it = enumerate(zip(itertools.cycle("ab"), islice(itertools.count(10), 4)), 1)
        found = [next(it)]
        await echo(1)
        found += it
        it = map(lambda a, b: a + b, itertools.count(), [1, 2, 3])
        found.append(next(it))
        await echo(1)
        found += it
        it = filter(None, chain([0, 1], islice(itertools.repeat(2), 2)))
        found.append(next(it))
        await echo(1)
        return found + list(it) + list(reversed(list(islice(itertools.count(), 3))))


@body([3, 1, 2], [], ["b", "a"])
class Reductions(Workflow):
    def add(self, a, b):
        return f"({a}+{b})"

    async def run(self, xs):
        found = [functools.reduce(self.add, xs, "s"), functools.reduce(max, xs, xs[0] if xs else 0)]
        try:
            found.append(functools.reduce(self.add, xs))
        except TypeError as error:
            found.append(str(error))
        try:
            functools.reduce(self.add, 5)
        except TypeError as error:
            found.append(str(error))
        return found + [functools.reduce(operator.add, iter([1, 2, 3]))]


@body()
class Partials(Workflow):
    def greet(self, greeting, name, *, mark="!"):
        return f"{greeting} {name}{mark}"

    async def later(self, a, b):
        return await echo([a, b])

    async def run(self):
        hello = functools.partial(self.greet, "hello", mark="?")
        await echo(1)
        loud = functools.partial(hello, mark="!!")
        found = [
            hello("bob"),
            loud("eve"),
            loud(name="x"),
            loud.args,
            loud.keywords,
            list(map(hello, ["a", "b"])),
            sorted([3, 1], key=functools.partial(operator.mul, -1)),
        ]
        slow = functools.partial(self.later, 1)
        found.append(await slow(2))
        act = functools.partial(echo, [5])
        found.append(await act())
        found += [callable(hello), functools.partial(int, base=2)("101"), functools.partial(Point, 1)(y=3)]
        for wrong in ([], [5]):
            try:
                functools.partial(*wrong)
            except TypeError as error:
                found.append(str(error))
        try:
            hello()
        except TypeError as error:
            found.append(str(error))
        return found


@body(["b", "A", "c"], [])
class Comparisons(Workflow):
    def by_low(self, a, b):
        a, b = a.lower(), b.lower()
        return (a > b) - (a < b)

    async def run(self, xs):
        key = functools.cmp_to_key(self.by_low)
        await echo(1)
        keys = [key(x) for x in xs]
        await echo(1)
        return [
            sorted(xs, key=key),
            sorted(xs, key=functools.cmp_to_key(lambda a, b: -self.by_low(a, b))),
            [k.obj for k in sorted(keys)],
            max(xs, key=key, default=None),
        ]


@body()
class Getters(Workflow):
    async def run(self):
        rows = [{"n": 2, "s": "b"}, {"n": 1, "s": "c"}]
        by_n = operator.itemgetter("n")
        both = operator.itemgetter("s", "n")
        points = [Point(2, 1), Point(1, 5)]
        x = operator.attrgetter("x")
        await echo(1)
        return [
            sorted(rows, key=by_n),
            [both(r) for r in rows],
            operator.itemgetter(1)("abc"),
            operator.itemgetter(slice(1, 3))([1, 2, 3, 4]),
            sorted(points, key=x),
            operator.attrgetter("x", "y")(points[0]),
            operator.attrgetter("real")(5),
            operator.methodcaller("upper")("a"),
            operator.methodcaller("split", ",", maxsplit=1)("a,b,c"),
            repr(by_n),
            repr(x),
            repr(operator.methodcaller("f", 1, a=2)),
            list(map(x, points)),
            max(rows, key=both),
        ]


@body(call("k", {}), call(0, []), call("x", "abc"), call(5, 5))
class GetterErrors(Workflow):
    async def run(self, key, target):
        return operator.itemgetter(key)(target)


@body()
class MoreGetterErrors(Workflow):
    async def run(self):
        found = []
        for make in (
            lambda: operator.itemgetter(),
            lambda: operator.attrgetter(5),
            lambda: operator.methodcaller(),
            lambda: operator.methodcaller(5),
            lambda: operator.attrgetter("nothing")(5),
            lambda: operator.itemgetter(1)(),
            lambda: operator.itemgetter(1)([1, 2], 3),
        ):
            try:
                make()
            except (TypeError, AttributeError) as error:
                found.append([type(error).__name__, str(error)])
        return found


@body(call(7, 3), call(-7, 2), call(2.5, 2))
class LazyOperators(Workflow):
    async def run(self, a, b):
        names = [
            operator.add,
            operator.sub,
            operator.mul,
            operator.truediv,
            operator.floordiv,
            operator.mod,
            operator.pow,
            operator.eq,
            operator.ne,
            operator.lt,
            operator.le,
            operator.gt,
            operator.ge,
            operator.is_,
            operator.is_not,
        ]
        await echo(1)
        found = [f(a, b) for f in names]
        return found + [
            operator.neg(a),
            operator.pos(a),
            operator.abs(a),
            operator.not_(a),
            operator.truth(b),
            operator.contains([a], a),
            operator.index(5),
            operator.getitem([1, 2], 1),
            operator.concat([1], [2]),
            operator.countOf([a, b, a], a),
            operator.indexOf([b, a], a),
            operator.xor(5, 1),
            operator.and_(6, 3),
            operator.or_(6, 3),
            operator.lshift(1, 4),
            operator.rshift(16, 2),
            operator.inv(5),
            operator.invert(5),
            operator.call(max, a, b),
        ]


@body()
class OperatorsInPlace(Workflow):
    async def run(self):
        xs = [1]
        same = operator.iadd(xs, (2, 3))
        d = {}
        operator.setitem(d, "a", 1)
        operator.setitem(xs, 0, 9)
        operator.delitem(xs, 1)
        found = [same is xs, xs, d, operator.imul([1], 2), operator.isub(5, 2), operator.ior({1: 1}, {2: 2})]
        for function, args in (
            (operator.add, (1, "a")),
            (operator.concat, (1, 2)),
            (operator.indexOf, ([1], 2)),
            (operator.getitem, ({}, 1)),
            (operator.truediv, (1, 0)),
            (operator.lt, (1, "a")),
        ):
            try:
                function(*args)
            except (TypeError, ValueError, KeyError, ZeroDivisionError) as error:
                found.append(repr(error))
        return found


@body("hello world", "", [1, 1, 2], {"a": 3, "b": -1})
class Counters(Workflow):
    async def run(self, source):
        c = Counter(source)
        await echo(1)
        found = [
            c,
            c.most_common(),
            c.most_common(2),
            c.total(),
            list(c.elements()),
            c["missing"],
            len(c),
            "missing" in c,
            repr(c),
            dict(c),
            sorted(c, key=str),
        ]
        c.update(["l", "l"])
        c.subtract({"l": 1, "z": 5})
        d = Counter(l=1, z=-2)
        found += [
            c,
            c + d,
            c - d,
            c & d,
            c | d,
            +c,
            -c,
            c == d,
            c <= d,
            c > d,
            c.copy(),
            c.items(),
            c.get("zz"),
            c.pop("z"),
            isinstance(c, dict),
        ]
        c["n"] += 2
        del c["n"]
        del c["never"]
        it = c.elements()
        found.append(next(it, "end"))
        await echo(c)
        return [list(f) if repr(f).startswith("dict_") else f for f in found] + [list(it), c]


@body(5, [[1]])
class CounterErrors(Workflow):
    async def run(self, source):
        return Counter(source)


@body()
class CounterFromKeys(Workflow):
    async def run(self):
        return Counter.fromkeys("ab")


@body()
class DefaultDicts(Workflow):
    def fresh(self):
        return ["fresh"]

    async def run(self):
        groups = defaultdict(list)
        for word in ["apple", "bob", "avocado"]:
            groups[word[0]].append(word)
        await echo(groups)
        counts = defaultdict(int)
        for letter in "hello":
            counts[letter] += 1
        sets = defaultdict(set)
        sets["a"].add(1)
        own = defaultdict(self.fresh)
        own["a"].append(1)
        deep = defaultdict(lambda: defaultdict(int))
        deep["x"]["y"] += 1
        await echo(1)
        deep["x"]["z"] += 2
        own["b"]
        found = [
            groups,
            counts,
            repr(counts),
            sets,
            dict(own),
            {k: dict(v) for k, v in deep.items()},
            "no" in groups,
            groups.get("no"),
            len(groups),
            groups == {"a": 1},
            counts.default_factory is int,
            sorted(groups),
            groups.copy(),
            own.copy()["c"],
            isinstance(groups, dict),
            type(groups) is defaultdict,
            type(own) is defaultdict,
        ]
        plain = defaultdict(None, a=1)
        try:
            plain["b"]
        except KeyError as error:
            found.append(repr(error))
        try:
            defaultdict(5)
        except TypeError as error:
            found.append(str(error))
        return found + [
            plain,
            defaultdict(list, {"k": [1]}),
            defaultdict(list, [("k", [2])], z=3),
            "%(new)s {c[h]}" % counts,
        ]


@body()
class OrderedDicts(Workflow):
    async def run(self):
        d = OrderedDict(a=1, b=2)
        d["c"] = 3
        d.move_to_end("a")
        await echo(d)
        d.move_to_end("c", last=False)
        found = [
            d,
            list(d),
            d.popitem(),
            d.popitem(last=False),
            list(reversed(OrderedDict(x=1, y=2))),
            d == {"b": 2},
            OrderedDict(a=1, b=2) == OrderedDict(b=2, a=1),
            OrderedDict([("q", 1)]),
            list(d.items()),
            d | {"z": 1},
            repr(d.keys()),
            isinstance(d, dict),
        ]
        try:
            d.move_to_end("zz")
        except KeyError as error:
            found.append(repr(error))
        try:
            for key in d:
                d["new"] = 1
        except RuntimeError as error:
            found.append(str(error))
        return found


@body(call([1, 2, 3], None), call("abcd", 3), call([], 0))
class Deques(Workflow):
    async def run(self, xs, size):
        d = deque(xs, size) if size is not None else deque(xs)
        await echo(1)
        d.append("r")
        d.appendleft("l")
        found = [list(d), d.maxlen, len(d), repr(d), bool(d)]
        d.extend([8, 9])
        d.extendleft([6, 7])
        d.rotate(1)
        found += [
            list(d),
            d.count(9),
            9 in d,
            d.copy(),
            d == deque(d),
            list(reversed(d)),
            d + deque([1]),
            d * 2,
        ]
        await echo(d)
        d.reverse()
        found.append(list(d))
        if d:
            found += [d.pop(), d.popleft() if d else None]
        d.clear()
        return found + [d, isinstance(d, deque), type(d) is deque]


@body()
class DequeItems(Workflow):
    async def run(self):
        d = deque([1, 2, 3, 2])
        d[1] = "x"
        d.insert(1, "i")
        d.remove(2)
        del d[0]
        d += [7]
        found = [d[0], d[-1], d.index(3), list(d), [x for x in d if x != 3]]
        for bad in (
            lambda: d[9],
            lambda: d.index("no"),
            lambda: d.remove("no"),
            lambda: deque().pop(),
            lambda: deque().popleft(),
            lambda: deque([1], -1),
            lambda: deque(5),
            lambda: d[0:1],
            lambda: deque([1], maxlen=1).insert(0, 5),
        ):
            try:
                bad()
            except (IndexError, ValueError, TypeError) as error:
                found.append(repr(error))
        return found


@body("append", "reverse", "set", "rotate", "pop", "nothing")
class DequesThatChange(Workflow):
    async def run(self, what):
        d = deque([1, 2, 3])
        found = []
        try:
            for x in d:
                found.append(x)
                await echo(1)
                if len(found) == 1:
                    if what == "append":
                        d.append(4)
                    elif what == "reverse":
                        d.reverse()
                    elif what == "set":
                        d[2] = "new"
                    elif what == "rotate":
                        d.rotate(1)
                    elif what == "pop":
                        d.pop()
        except RuntimeError as error:
            found.append(str(error))
        return found


@body()
class DequesThatHoldThemselves(Workflow):
    async def run(self):
        d = deque([1])
        d.append(d)
        c = defaultdict(list)
        c["self"].append(c)
        o = OrderedDict()
        o["o"] = [o]
        await echo(1)
        d.append(2)
        c["x"]
        return [len(d[1]), d[1] is d, c["self"][0] is c, len(c), o["o"][0] is o, repr(d), repr(o)]


@body()
class CollectionsAsArguments(Workflow):
    async def run(self):
        found = []
        for value in (
            Counter("aab"),
            OrderedDict(b=1, a=2),
            defaultdict(set, {"k": {1}}),
            deque([1, 2], 5),
            deque(),
            [Counter(), deque([deque()])],
        ):
            found.append(await echo(value))
        return found


@body()
class QueueOfWork(Workflow):
    async def run(self):
        graph = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}
        waiting, seen = deque(["a"]), []
        degree = Counter(itertools.chain.from_iterable(graph.values()))
        while waiting:
            node = waiting.popleft()
            seen.append(await echo(node))
            for after in graph[node]:
                degree[after] -= 1
                if not degree[after]:
                    waiting.append(after)
        return [seen, degree]
