"""Code that wants too much ends its own run, quickly, with the reason; nothing else notices."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.vm.programs import answer, begin, compile_body, result, run_echo, started
from tests.yardstick import SECOND, within
from waymark.vm.limits import DEFAULT_LIMITS, Limits
from waymark.vm.snapshots import restore, snapshot

LIMIT = "WorkflowLimitExceeded"

# Bodies that end with the limit, whatever they catch.
LIMITED = [
    "return 10 ** 10 ** 8",
    "return 7 ** 7 ** 7",
    "return pow(10, 10 ** 8)",
    "return 1 << 10 ** 10",
    "x = 3\nfor _ in range(100): x = x * x\nreturn x",
    "x = 3\nfor _ in range(100): x *= x\nreturn x",
    "x = 2\nfor _ in range(100): x **= 2\nreturn x",
    "return math.factorial(10 ** 7)",
    "return 'a' * 10 ** 10",
    "return 10 ** 10 * 'a'",
    "return b'a' * 10 ** 10",
    "return [0] * 10 ** 10",
    "return (0,) * 10 ** 10",
    "return bytes(10 ** 10)",
    "s = 'a'\nwhile True: s += s",
    "s = 'a'\nwhile True: s = s + s",
    "s = [1]\nwhile True: s += s",
    "s = [1]\nwhile True: s.extend(s)",
    "s = [1]\nwhile True: s = s + s",
    "s = [1]\nwhile True: s = [*s, *s]",
    "s = ()\nwhile True: s = (*s, *s, 1)",
    "d = {i: i for i in range(100000)}\nwhile True:\n    match d:\n        case {1: _, **rest}: pass",
    "d = list(range(100000))\nwhile True:\n    match d:\n        case [1, *_] | [*_, 2]: pass\n        case [_, *rest, _]: pass",
    "while True: pass",
    "while True: await asyncio.sleep(0)",
    "s = []\nwhile True: s.append(asyncio.create_task(asyncio.sleep(1)))",
    "async def f():\n    asyncio.create_task(f())\n    asyncio.create_task(f())\nasyncio.create_task(f())\nawait asyncio.sleep(1)",
    "q = asyncio.Queue()\nwhile True: q.put_nowait(1)",
    "q = asyncio.PriorityQueue()\nt = tuple(range(10000))\nwhile True: q.put_nowait((t, 1))",
    "e = asyncio.Event()\ns = [asyncio.create_task(e.wait()) for _ in range(10 ** 6)]",
    "g = asyncio.gather(asyncio.sleep(1))\nfor _ in range(20): g = asyncio.gather(*[g] * 1000)\ng.cancel()",
    "g = asyncio.gather(asyncio.sleep(1))\nfor _ in range(20000): g = asyncio.gather(g)\ng.cancel()",
    "async def f(t): await t\nt = asyncio.create_task(asyncio.sleep(9))\n"
    "for _ in range(20000): t = asyncio.create_task(f(t))\nawait asyncio.sleep(0)\nt.cancel()\nwhile True: await asyncio.sleep(0)",
    "e = asyncio.Lock()\nawait e.acquire()\nwhile True:\n    t = asyncio.create_task(e.acquire())\n"
    "    await asyncio.sleep(0)\n    t.cancel()\n    await asyncio.wait([t])",
    "g = ExceptionGroup('g', [ValueError()] * 100000)\nwhile True: g.split(KeyError)",
    "g = ValueError()\nwhile True: g = ExceptionGroup('g', [g] * 100)",
    "while True:\n    try: raise ExceptionGroup('g', [ValueError()] * 10000)\n    except* ValueError: pass",
    "while True:\n    async with asyncio.timeout(1): pass",
    "c = asyncio.Condition()\nwhile True:\n    async with c: c.notify_all()",
    "return list(n for n in range(10 ** 9))",
    "return sum(1 for _ in range(10 ** 12))",
    "return max(n for n in (k for k in range(10 ** 9)))",
    "g = (n for n in range(10 ** 9))\nreturn sorted(g)",
    "g = (str(n) for n in range(10 ** 9))\nreturn ''.join(g)",
    "s = 'a' * 4000000\nreturn s in ('a' * 3999999 + str(n) for n in range(10 ** 6))",
    "s = [0] * 100000\nreturn [*s, 1] in ([*s, n] for n in range(2, 10 ** 6))",
    "s = []\nwhile True: s.append(n for n in s)",
    "s = []\nwhile True: s.extend(n for n in [1, 2, 3])",
    "s = []\nwhile True: s.append(lambda: s)",
    "s = []\nwhile True: s.append([lambda n=n: n for n in range(1000)])",
    "f = lambda: [f() for _ in range(9)] if len(s) < 800 else s.append(1)\ns = []\nwhile True: sorted([1], key=lambda _: s.clear())",
    "while True:\n    try:\n        while True: pass\n    except Exception: pass",
    "try:\n    while True: pass\nfinally:\n    return 1",
    "s = []\nwhile True: s.append(1)",
    "s = []\nwhile True: s.insert(0, 1)",
    "s = {}\ni = 0\nwhile True:\n    s[i] = i\n    i += 1",
    "s = set()\ni = 0\nwhile True:\n    s.add(i)\n    i += 1",
    "s = {}\ni = 0\nwhile True:\n    s.setdefault(i, i)\n    i += 1",
    "s = []\nwhile True: s.append('a' * 1000000)",
    "s = []\nwhile True: s.append([0] * 100000)",
    "s = {}\ni = 0\nwhile True:\n    s[i] = f'{i:>1000000}'\n    i += 1",
    "s = []\nwhile True: s.append(','.join(['abc'] * 100000))",
    "s = []\nwhile True: s.append(str([0] * 100000))",
    "s = []\nwhile True: s.append(list(range(100000)))",
    "s = []\nwhile True: s.append(dict.fromkeys(range(100000)))",
    "s = []\nwhile True: s.append({i: i for i in range(1000)})",
    "return list(range(10 ** 10))",
    "return sum(range(10 ** 12))",
    "return sorted(range(10 ** 12))",
    "return max(range(10 ** 12))",
    "return tuple(enumerate(range(10 ** 10)))",
    "return list(zip(range(10 ** 10), range(10 ** 10)))",
    "return list(map(str, range(10 ** 10)))",
    "return list(filter(None, range(10 ** 10)))",
    "return set(range(10 ** 10))",
    "return 'x' in map(str, range(10 ** 10))",
    "return 10 ** 11 in enumerate(range(10 ** 10))",
    "return 1.5 in range(10 ** 10)",
    "return next(filter(None, [0] * 10 + [*reversed(range(10 ** 9))]))",
    "return [i for i in range(10 ** 9)]",
    "return {i: j for i in range(10 ** 5) for j in range(10 ** 5)}",
    "return '%*d' % (10 ** 9, 1)",
    "return '{:>{}}'.format(1, 10 ** 9)",
    "return '{:>1000000000}'.format(1)",
    "return 'a'.center(10 ** 10)",
    "return 'a'.ljust(10 ** 10)",
    "return '1'.zfill(10 ** 10)",
    "return ('\\t' * 1000000).expandtabs(10 ** 6)",
    "return ('a' * 1000000).replace('a', 'b' * 1000)",
    "return ('a' * 1000).join(['b'] * 1000000)",
    "return ('a' * 1000000).join('b' * 1000000)",
    "return (1).to_bytes(10 ** 10)",
    "return [x for x in 'ab' * 4000000]",
    "return sorted([1] * 1000, key=self.slow)",
    "return pow(3, 2 ** 60000, 10 ** 5000)",
    "return (2 ** 60000) * (2 ** 60000)",
    "return math.prod([2 ** 60000] * 1000)",
    "return int('f' * 8000000, 16)",
    "return round(5, -10 ** 9)",
    "return divmod(1 << 10 ** 9, 3)",
    "x = 3 ** 40000\ny = 5 ** 1000\nwhile True: y = (x // 7) % (x - 1)",
    "x = 3 ** 41000\nwhile True: math.gcd(x, x - 1)",
    "x = 3 ** 20000\nwhile True: y = x * x",
    "while True: sum([2 ** 60000] * 1000)",
    "return int(Decimal('1e1000000000'))",
    "return f\"{Decimal('1e1000000000'):f}\"",
    "return '%d' % Decimal('1e1000000000')",
    "return math.floor(Decimal('1e1000000000'))",
    "return round(Decimal('1e1000000000'))",
    "return Decimal('9' * 8000000)",
    "s = 'ab'\nwhile True: s = s.replace('a', 'aa')",
    "return '%s' % ('a' * 8000000) * 2",
    "return '%s%s' % ('a' * 8000000, 'b' * 8000000)",
    "return '{0}{0}'.format('a' * 8000000)",
    "return '%(x)s%(x)s' % {'x': 'a' * 8000000}",
    "return [*map('{:>1000000000}'.format, [1])]",
    "return list(map('a'.center, [10 ** 10]))",
    "s = 'a' * 8000000\nwhile True: s.upper()",
    "s = 'a' * 8000000\nwhile True: s == 'a' * 7999999 + 'b'",
    "s = 'a' * 4000000\nreturn s.rfind('b' + 'a' * 2000000)",
    "s = 'a' * 4000000\nreturn s.strip('b' * 4000000 + 'a')",
    "return ('a ' * 4000000).split()",
    "return ('a' * 8000000).split('a')",
    "return ('\\\n' * 8000000).splitlines()",
    "return list('a' * 8000000)",
    "return [*('a' * 8000000)]",
    "p = Path('a')\nwhile True: p = p / p",
    "p = Path('a')\nwhile True: p = p.joinpath(p)",
    "return datetime(2026, 1, 1).strftime('%1000d' * 1000)",
    "return bytes(source=10 ** 10)",
    "return ''.join(['a' * 8000000] * 1000000)",
    "return repr(['a' * 8000000] * 100)",
    "s = ''\nwhile True: s += 'abcdefghij' * 100",
    "s = b'a'\nwhile True: s = s.join([s, s])",
    "s = []\nwhile True: s += range(1000000)",
    "s = []\ns += range(10 ** 12)",
    "s = [0] * 1000000\nwhile True: s[0:0] = s",
    "return sum([[0] * 1000] * 1000000, [])",
    "return [0] * 999999 + [1, 2, 3]",
    "s = [1] * 1000000\nreturn [*s, *s]",
    "d = dict.fromkeys(range(600000))\nreturn {**d, **{k + 600000: 1 for k in d}}",
    "d = dict.fromkeys(range(600000))\nreturn d | dict.fromkeys(range(600000, 1300000))",
    "d = dict.fromkeys(range(600000))\nreturn d.keys() | range(10 ** 12)",
    "d = {}\nreturn d.keys() & range(10 ** 12)",
    "d = {}\nd.update(zip(range(10 ** 9), range(10 ** 9)))",
    "s = set()\ns.update(range(10 ** 12))",
    "s = {1}\nreturn s.intersection(range(10 ** 12))",
    "return bytes(range(10 ** 12))",
    "a, *b = range(10 ** 12)\nreturn b",
    "return max(*range(10 ** 12))",
    "return self.many(*range(10 ** 9))",
    "return all(range(1, 10 ** 12))",
    "return any(map(bool, [0] * 1000000))\nwhile True: pass",
    "while True: sorted(range(100000))",
    "while True: list(range(1000000))",
    "s = list(range(100000))\nwhile True: -1 in s",
    "s = list(range(100000))\nwhile True: s.count(1)",
    "s = list(range(1000000))\nwhile True: s.insert(0, s.pop())",
    "s = list(range(1000000))\nwhile True: s[:]",
    "s = list(range(1000000))\nwhile True: s.copy()",
    "s = dict.fromkeys(range(100000))\nwhile True: next(iter(s))",
    "s = dict.fromkeys(range(100000))\nwhile True:\n    for k in s: break",
    "s = [0] * 1000000\nwhile True: next(filter(None, s), None)",
    "return sorted(range(100000), key=self.slow_a_little)",
    "z = iter([1])\nfor _ in range(60): z = zip(z, z)\nreturn next(z)",
    "z = iter([1] * 1000)\nfor _ in range(800): z = map(str, z)\nreturn list(z)",
    "x = []\nfor _ in range(60): x = [x, x]\nreturn repr(x)",
    "x = []\nfor _ in range(60): x = [x, x]\nreturn f'{x}'",
    "x = []\nfor _ in range(60): x = [x, x]\nreturn 'see %s' % (x,)",
    "x = []\nfor _ in range(60): x = [x, x]\nreturn '{!r}'.format(x)",
    "x = []\nfor _ in range(60): x = [x, x]\nreturn str(ValueError(x))",
    "x = []\ny = []\nfor _ in range(60):\n    x = [x, x]\n    y = [y, y]\nreturn x == y",
    "x = []\ny = []\nfor _ in range(60):\n    x = [x, x]\n    y = [y, y]\nreturn x in [y]",
    "x = []\ny = []\nfor _ in range(60):\n    x = [x, x]\n    y = [y, y]\nreturn [y].index(x)",
    "x = []\ny = []\nfor _ in range(60):\n    x = [x, x]\n    y = [y, y]\nreturn sorted([x, y])",
    "x = []\ny = []\nfor _ in range(60):\n    x = [x, x]\n    y = [y, y]\nreturn max([1, 2], key=self.shared)",
    "x = ()\nfor _ in range(60): x = (x, x)\nreturn {x: 1}",
    "x = ()\nfor _ in range(60): x = (x, x)\nd = {}\nd[x] = 1",
    "x = ()\nfor _ in range(60): x = (x, x)\nreturn {}.get(x)",
    "x = ()\nfor _ in range(60): x = (x, x)\nreturn {x}",
    "x = ()\nfor _ in range(60): x = (x, x)\nreturn set([x])",
    "x = ()\nfor _ in range(60): x = (x, x)\nreturn dict([(x, 1)])",
    "x = ()\nfor _ in range(60): x = (x, x)\nreturn x in {1}",
    "x = ()\nfor _ in range(60): x = (x, x)\nreturn {1}.union(map(self.same, [x]))",
    "x = ()\nfor _ in range(60): x = (x, x)\nreturn frozenset([frozenset([x])])",
    "x = int\nfor _ in range(60): x = (x, x)\nreturn isinstance('a', x)",
    "x = ()\nfor _ in range(60): x = (x, x)\nreturn Color(x)",
    "x = [] \nfor _ in range(60): x = {'a': x, 'b': x}\nreturn str(x)",
    "x = Item('a')\nfor _ in range(60): x = Item('a', [x, x])\nreturn repr(x)",
    "x = Item('a')\nfor _ in range(60): x = Item('a', [x, x])\ny = Item('a')\nfor _ in range(60): y = Item('a', [y, y])\nreturn x == y",
    "s = []\nwhile True: s.append([0] * 500)",
    "s = []\nwhile True: s.append('a' * 900 + str(len(s)))",
    "s = []\nwhile True: s.append((len(s), len(s), [], {}))",
    "s = []\nwhile True: s.append(Item('a'))",
    "s = {}\nwhile True: s[str(len(s))] = [0] * 500",
    "self.more = None\nwhile True: self.more = [self.more, 'a' * 1000]",
    "s = []\nwhile True: s.append(echo('a' * 10000 + str(len(s))))",
    "return await asyncio.gather(*[echo('a' * 100000 + str(i)) for i in range(100000)])",
    "return await asyncio.gather(*[asyncio.sleep(9) for i in range(10 ** 6)])",
    "try:\n    return 10 ** 10 ** 8\nexcept BaseException:\n    return 1",
    "try:\n    return 'a' * 10 ** 10\nexcept:\n    return 1",
    "try:\n    raise ValueError\nexcept ValueError:\n    try:\n        return [0] * 10 ** 10\n    finally:\n        return 2",
    "e = ValueError('a')\nf = ValueError('b')\ng = ValueError('c')\ne.__context__ = f\nf.__context__ = e\n"
    "while True:\n    try:\n        raise e\n    except ValueError:\n        try:\n            raise g\n"
    "        except ValueError: pass",
]

ENDED = {
    "return int('9' * 10 ** 6)": ("ValueError",),
    "return f'{1:>{10 ** 10}}'": ("WorkflowLimitExceeded", "ValueError"),
    "return f'{1:>10000000000}'": ("WorkflowLimitExceeded", "ValueError"),
    "return format(1, '>10000000000')": ("WorkflowLimitExceeded", "ValueError"),
    "return '%10000000000d' % 1": ("WorkflowLimitExceeded", "ValueError"),
    "return round(1.5, 10 ** 10)": ("ValueError", "OverflowError", "WorkflowLimitExceeded", None),
    "s = []\nfor _ in range(100000): s = [s]\nreturn s": ("ValueEncodingError",),
    "s = []\nfor _ in range(100000): s = [s]\nreturn repr(s)": ("WorkflowLimitExceeded",),
    "s = []\nt = []\nfor _ in range(100000):\n    s = [s]\n    t = [t]\nreturn s == t": (
        "WorkflowLimitExceeded",
    ),
    "s = ()\nfor _ in range(100000): s = (s,)\nreturn {s}": ("RecursionError", "ValueEncodingError"),
    "s = {}\nfor _ in range(100000): s = {'a': s}\nawait echo(s)": ("ValueEncodingError",),
    "s = []\ns.append(s)\nreturn repr(s)": (None,),
    "return self.deep(1)": ("RecursionError",),
    "return await self.deep_async(1)": ("RecursionError",),
    "return list(map(self.deep, [1]))": ("RecursionError",),
}
"""What may also end with an error of Python's own, or not at all."""

HELPERS = """
def deep(self, n):
    return self.deep(n + 1)

async def deep_async(self, n):
    return await self.deep_async(n + 1)

def slow(self, n):
    while True:
        n += 1

def slow_a_little(self, n):
    total = 0
    for i in range(50):
        total += i
    return total

def many(self, *numbers):
    return numbers

def same(self, value):
    return value

def shared(self, n):
    x = []
    for _ in range(60): x = [x, x]
    return x
"""


WHOLE = [
    "while True: pass",
    "s = []\nwhile True: s.append('a' * 1000000)",
    "s = []\nwhile True: s.append(dict.fromkeys(range(100000)))",
    "s = []\nwhile True: s.append((len(s), len(s), [], {}))",
    "s = {}\ni = 0\nwhile True:\n    s.setdefault(i, i)\n    i += 1",
    "s = []\nwhile True: s.append(Item('a'))",
    "x = 3 ** 20000\nwhile True: y = x * x",
    "while True: list(range(1000000))",
    "p = Path('a')\nwhile True: p = p / p",
    "return sorted([1] * 1000, key=self.slow)",
    "try:\n    while True: pass\nfinally:\n    return 1",
]
"""Run with all that a run may use; the others with a sixth of it, and of the time."""

SHARE = 6
PART = Limits(fuel=DEFAULT_LIMITS.fuel // SHARE, heap=DEFAULT_LIMITS.heap // SHARE)
SLACK = 5
"""Yardsticks for work that is refused by its size, however much fuel there is."""
MEMORY_KB = 700_000


def ended(directory: Path, body: str, limits: Limits, most: float) -> str | None:
    """The class name of the error that a body ends with; watches what it costs, in yardsticks."""
    program = compile_body(directory, body, HELPERS)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = within(most, lambda: result(run_echo(program, limits=limits)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < MEMORY_KB
    return found[0] if isinstance(found, tuple) and len(found) == 2 else None


@pytest.mark.parametrize("body", LIMITED)
def test_a_bomb_ends_its_run(body: str, tmp_path: Path) -> None:
    """In its share of a second, with a clear error, whatever `except` or `finally` say, and without the memory it asked for."""
    assert ended(tmp_path, body, PART, SECOND / SHARE + SLACK) == LIMIT


@pytest.mark.parametrize("body", WHOLE)
def test_a_bomb_that_uses_all_it_may_ends_within_a_second(body: str, tmp_path: Path) -> None:
    """With the limits that every run has."""
    assert ended(tmp_path, body, DEFAULT_LIMITS, SECOND) == LIMIT


@pytest.mark.parametrize("body", ENDED)
def test_what_python_itself_refuses(body: str, tmp_path: Path) -> None:
    """Python's own error where it has one, as quickly."""
    assert ended(tmp_path, body, DEFAULT_LIMITS, SECOND) in ENDED[body]


def test_there_are_enough_bombs() -> None:
    """RELIABILITY section 4 asks for 100."""
    assert len(LIMITED) + len(ENDED) >= 100


def test_fuel_is_counted_the_same_every_time(tmp_path: Path) -> None:
    """The limit is deterministic: a replay ends where the first execution ended, in another process too."""
    body = "n = 0\nx = {}\nwhile True:\n    n += 1\n    x[str(n)] = sorted([n, -n, *x][:5], key=str)\n    self.n = n"
    program = compile_body(tmp_path, body)
    first, second = run_echo(program, limits=PART), run_echo(program, limits=PART)
    assert first.outcome == second.outcome
    assert first.meter.fuel == second.meter.fuel
    assert first.heap.allocated == second.heap.allocated
    assert "333,333 steps between two waits; do this in an @action" in result(first)[1]


def test_a_wait_gives_fresh_fuel(tmp_path: Path) -> None:
    """The limit is per slice: a long run that waits in between is fine."""
    body = """
    total = 0
    for _ in range(4):
        for _ in range(40_000):
            total += 1
        total = await echo(total)
    return total
    """
    limits = Limits(fuel=400_000)
    assert result(run_echo(compile_body(tmp_path, body), limits=limits)) == 160_000


def test_a_memory_limit_counts_what_is_held_and_not_what_was_made(tmp_path: Path) -> None:
    """A run that makes much and keeps little is fine."""
    body = "for _ in range(100): x = [0] * 100_000\nreturn len(x)"
    limits = Limits(heap=8_000_000)
    machine = run_echo(compile_body(tmp_path, body), limits=limits)
    assert result(machine) == 100_000
    assert machine.heap.allocated < 8_000_000


def test_a_text_that_is_referred_to_often_counts_once(tmp_path: Path) -> None:
    """As in memory, and as in a snapshot."""
    body = "s = 'a' * 1_000_000\nx = [s] * 1000\nfor _ in range(100): y = [s] * 50_000\nawait echo(1)\nreturn len(x)"
    program = compile_body(tmp_path, body)
    machine, effects = begin(program, limits=Limits(heap=16_000_000))
    state = snapshot(machine)
    assert len(state) < 1_200_000
    again = restore(program, state, limits=Limits(heap=16_000_000))
    answer(again, started(effects)[0], 1)
    assert result(again) == 1000
