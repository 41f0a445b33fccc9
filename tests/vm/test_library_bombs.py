"""What the library makes of a small program that wants too much: the same as of any other, its own end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vm.test_bombs import LIMIT, PART, SECOND, SHARE, SLACK, ended

NUMBERS = [
    "return math.comb(10 ** 6, 5 * 10 ** 5)",
    "return math.perm(10 ** 7)",
    "return math.perm(10 ** 9, 10 ** 6)",
    "return math.lcm(*range(1, 100000))",
    "return math.fsum(range(10 ** 12))",
    "return math.dist(range(10 ** 12), range(10 ** 12))",
    "return statistics.mean(range(10 ** 12))",
    "while True: statistics.stdev(range(1000))",
    "while True: statistics.mean([2 ** 60000] * 100)",
    "return statistics.mean([Decimal('1e1000000000')])",
    "return Decimal('1e1000000000').as_integer_ratio()",
    "x = 3 ** 40000\nwhile True: math.isqrt(x)",
    "return Fraction('1e1000000000')",
    "return Fraction('1e-1000000000')",
    "return Fraction(Decimal('1e1000000000'))",
    "return Fraction.from_decimal(Decimal('1e1000000000'))",
    "x = Fraction(1, 3)\nwhile True: x = x * x",
    "x = Fraction(1, 3)\nwhile True: x += Fraction(1, x.denominator + 1)",
    "return Fraction(3, 2) ** (10 ** 9)",
    "x = Fraction(3 ** 20000, 2 ** 30000)\nwhile True: y = x + 1",
    "return int.from_bytes(b'a' * 8000000, 'big')",
    "return ('a' * 8000000).translate({97: 'b' * 1000})",
    "t = str.maketrans('a', 'b')\ns = 'a' * 8000000\nwhile True: s.translate(t)",
    "return range(10 ** 12).count('x')",
    "return range(10 ** 12).index(1.5)",
    "return '{:{}}'.format(1, 10 ** 9)",
    "return '{x}{x}'.format_map({'x': 'a' * 8000000})",
    "return datetime.strptime('1', '%Y' * 1000)",
]

CHANCE = [
    "return random.choices([1], k=10 ** 10)",
    "return random.sample(range(10 ** 12), 10 ** 9)",
    "return random.randbytes(10 ** 10)",
    "return random.getrandbits(10 ** 9)",
    "return secrets.token_bytes(10 ** 10)",
    "return secrets.randbits(10 ** 10)",
    "return secrets.randbelow(10 ** (10 ** 6))",
    "while True: random.random()",
    "while True: uuid.uuid4()",
    "x = list(range(100000))\nwhile True: random.shuffle(x)",
    "x = list(range(100000))\nwhile True: random.sample(x, 1)",
    "while True: random.choices(range(1000), k=100)",
    "return random.vonmisesvariate(0, math.nan)",
    "return random.gammavariate(math.inf, 1)",
    "s = []\nwhile True: s.append(random.Random(1))",
    "x = 'a' * 8000000\nwhile True: random.seed(x)",
]


@pytest.mark.parametrize("body", NUMBERS + CHANCE)
def test_a_bomb_made_of_the_library_ends_its_run(body: str, tmp_path: Path) -> None:
    """In its share of a second, with a clear error."""
    assert ended(tmp_path, body, PART, SECOND / SHARE + SLACK) == LIMIT
