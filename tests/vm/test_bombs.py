"""Code that wants too much ends its own run, quickly, with the reason; nothing else notices."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from tests.vm.programs import compile_body, result, run_echo

LIMIT = "WorkflowLimitExceeded"
ENDS_WELL = "a value"

BOMBS: dict[str, tuple[str, ...]] = {
    # body → names of the exceptions it may end with
    "return 10 ** 10 ** 8": (LIMIT,),
    "return 7 ** 7 ** 7": (LIMIT,),
    "return pow(10, 10 ** 8)": (LIMIT,),
    "return 1 << 10 ** 10": (LIMIT,),
    "x = 3\nfor _ in range(100): x = x * x\nreturn x": (LIMIT,),
    "x = 3\nfor _ in range(100): x *= x\nreturn x": (LIMIT,),
    "x = 2\nfor _ in range(100): x **= 2\nreturn x": (LIMIT,),
    "return math.factorial(10 ** 7)": (LIMIT,),
    "return int('9' * 10 ** 6)": ("ValueError",),
    "return 'a' * 10 ** 10": (LIMIT,),
    "return 10 ** 10 * 'a'": (LIMIT,),
    "return b'a' * 10 ** 10": (LIMIT,),
    "return [0] * 10 ** 10": (LIMIT,),
    "return (0,) * 10 ** 10": (LIMIT,),
    "return bytes(10 ** 10)": (LIMIT,),
    "s = 'a'\nwhile True: s += s": (LIMIT,),
    "s = 'a'\nwhile True: s = s + s": (LIMIT,),
    "s = [1]\nwhile True: s += s": (LIMIT,),
    "s = [1]\nwhile True: s.extend(s)": (LIMIT,),
    "s = [1]\nwhile True: s = s + s": (LIMIT,),
    "s = [1]\nwhile True: s = [*s, *s]": (LIMIT,),
    "s = ()\nwhile True: s = (*s, *s, 1)": (LIMIT,),
    "while True: pass": (LIMIT,),
    "while True:\n    try:\n        while True: pass\n    except Exception: pass": (LIMIT,),
    "try:\n    while True: pass\nfinally:\n    return 1": (LIMIT,),
    "s = []\nwhile True: s.append(1)": (LIMIT,),
    "s = []\nwhile True: s.insert(0, 1)": (LIMIT,),
    "s = {}\ni = 0\nwhile True:\n    s[i] = i\n    i += 1": (LIMIT,),
    "s = set()\ni = 0\nwhile True:\n    s.add(i)\n    i += 1": (LIMIT,),
    "s = {}\ni = 0\nwhile True:\n    s.setdefault(i, i)\n    i += 1": (LIMIT,),
    "s = []\nwhile True: s.append('a' * 1000000)": (LIMIT,),
    "s = []\nwhile True: s.append([0] * 100000)": (LIMIT,),
    "s = {}\ni = 0\nwhile True:\n    s[i] = f'{i:>1000000}'\n    i += 1": (LIMIT,),
    "s = []\nwhile True: s.append(','.join(['abc'] * 100000))": (LIMIT,),
    "s = []\nwhile True: s.append(str([0] * 100000))": (LIMIT,),
    "s = []\nwhile True: s.append(list(range(100000)))": (LIMIT,),
    "s = []\nwhile True: s.append(dict.fromkeys(range(100000)))": (LIMIT,),
    "s = []\nwhile True: s.append({i: i for i in range(1000)})": (LIMIT,),
    "return list(range(10 ** 10))": (LIMIT,),
    "return sum(range(10 ** 12))": (LIMIT,),
    "return sorted(range(10 ** 12))": (LIMIT,),
    "return max(range(10 ** 12))": (LIMIT,),
    "return tuple(enumerate(range(10 ** 10)))": (LIMIT,),
    "return list(zip(range(10 ** 10), range(10 ** 10)))": (LIMIT,),
    "return list(map(str, range(10 ** 10)))": (LIMIT,),
    "return list(filter(None, range(10 ** 10)))": (LIMIT,),
    "return set(range(10 ** 10))": (LIMIT,),
    "return 'x' in map(str, range(10 ** 10))": (LIMIT,),
    "return 10 ** 11 in enumerate(range(10 ** 10))": (LIMIT,),
    "return 1.5 in range(10 ** 10)": (LIMIT,),
    "return next(filter(None, [0] * 10 + [*reversed(range(10 ** 9))]))": (LIMIT,),
    "return [i for i in range(10 ** 9)]": (LIMIT,),
    "return {i: j for i in range(10 ** 5) for j in range(10 ** 5)}": (LIMIT,),
    "return f'{1:>{10 ** 10}}'": (LIMIT, "ValueError"),
    "return f'{1:>10000000000}'": (LIMIT, "ValueError"),
    "return format(1, '>10000000000')": (LIMIT, "ValueError"),
    "return '%10000000000d' % 1": (LIMIT, "ValueError"),
    "return '%*d' % (10 ** 9, 1)": (LIMIT,),
    "return '{:>{}}'.format(1, 10 ** 9)": (LIMIT,),
    "return '{:>1000000000}'.format(1)": (LIMIT,),
    "return 'a'.center(10 ** 10)": (LIMIT,),
    "return 'a'.ljust(10 ** 10)": (LIMIT,),
    "return '1'.zfill(10 ** 10)": (LIMIT,),
    "return ('\\t' * 1000000).expandtabs(10 ** 6)": (LIMIT,),
    "return ('a' * 1000000).replace('a', 'b' * 1000)": (LIMIT,),
    "return ('a' * 1000).join(['b'] * 1000000)": (LIMIT,),
    "return ('a' * 1000000).join('b' * 1000000)": (LIMIT,),
    "return round(1.5, 10 ** 10)": ("ValueError", "OverflowError", LIMIT, ENDS_WELL),
    "return (1).to_bytes(10 ** 10)": (LIMIT,),
    "s = []\nfor _ in range(100000): s = [s]\nreturn s": ("ValueEncodingError",),
    "s = []\nfor _ in range(100000): s = [s]\nreturn repr(s)": ("RecursionError", LIMIT),
    "s = []\nt = []\nfor _ in range(100000):\n    s = [s]\n    t = [t]\nreturn s == t": (
        "RecursionError",
        LIMIT,
    ),
    "s = ()\nfor _ in range(100000): s = (s,)\nreturn {s}": ("RecursionError", "ValueEncodingError"),
    "s = {}\nfor _ in range(100000): s = {'a': s}\nawait echo(s)": ("ValueEncodingError",),
    "s = []\ns.append(s)\nreturn repr(s)": (ENDS_WELL,),
    "return [x for x in 'ab' * 4000000]": (LIMIT,),
    "return self.deep(1)": ("RecursionError",),
    "return await self.deep_async(1)": ("RecursionError",),
    "return sorted([1] * 1000, key=self.slow)": (LIMIT,),
    "return list(map(self.deep, [1]))": ("RecursionError",),
}

HELPERS = """
def deep(self, n):
    return self.deep(n + 1)

async def deep_async(self, n):
    return await self.deep_async(n + 1)

def slow(self, n):
    while True:
        n += 1
"""


@pytest.mark.parametrize("body", list(BOMBS))
def test_a_bomb_ends_its_run(body: str, tmp_path: Path) -> None:
    """In about a second, with a clear error, whatever `except` or `finally` say, and without the memory it asked for."""
    program = compile_body(tmp_path, body, HELPERS)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    ended = result(run_echo(program))
    took_s = time.perf_counter() - began
    name = ended[0] if isinstance(ended, tuple) and len(ended) == 2 else ENDS_WELL
    assert name in BOMBS[body], ended
    assert took_s < 3.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 700_000


def test_fuel_is_counted_the_same_every_time(tmp_path: Path) -> None:
    """The limit is deterministic: a replay ends where the first execution ended."""
    program = compile_body(
        tmp_path, "n = 0\nx = []\nwhile True:\n    n += 1\n    x.append(n)\n    self.n = n"
    )
    first, second = run_echo(program), run_echo(program)
    assert first.outcome == second.outcome
    assert "steps between two waits; do this in an @action" in result(first)[1]


def test_a_wait_gives_fresh_fuel(tmp_path: Path) -> None:
    """The limit is per slice: a long run that waits in between is fine."""
    body = """
    total = 0
    for _ in range(4):
        for _ in range(400_000):
            total += 1
        total = await echo(total)
    return total
    """
    assert result(run_echo(compile_body(tmp_path, body))) == 1_600_000
