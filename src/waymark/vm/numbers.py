"""Functions of `math`, `cmath` and `statistics`, with the cost of big numbers and many items paid before.

Each takes the machine first. Those that are not here are Python's own and cost the same for every argument.
"""

from __future__ import annotations

import decimal
import fractions
import math
import statistics
from collections.abc import Callable
from typing import Any

from waymark.vm.operations import check_decimal, guard_multiply, guard_power
from waymark.vm.wording import type_name

_STEPS_PER_DATUM = 24
"""Python's statistics compute with exact fractions, item by item."""


def _plain(function: Any) -> Callable[..., Any]:
    """A function of numbers that is cheap unless a Decimal has to be written out."""

    def call(machine: Any, /, *args: Any, **kwargs: Any) -> Any:
        for argument in args:
            if isinstance(argument, decimal.Decimal):
                check_decimal(argument)
        return function(*args, **kwargs)

    return call


def _of_items(function: Any, steps: int) -> Callable[..., Any]:
    """A function that takes all items of its arguments."""

    def call(machine: Any, /, *args: Any, **kwargs: Any) -> Any:
        taken = [_taken(machine, argument, steps) for argument in args]
        return function(*taken, **{name: _taken(machine, value, steps) for name, value in kwargs.items()})

    return call


def _taken(machine: Any, argument: Any, steps: int) -> Any:
    if not hasattr(type(argument), "__iter__"):
        return argument
    items = machine.calls.library.taken(argument)
    machine.meter.burn(steps * len(items))
    for item in items:
        if isinstance(item, decimal.Decimal):
            check_decimal(item)
        elif isinstance(item, int | fractions.Fraction):
            machine.meter.integer(_bits(item))
    return items


def _bits(value: Any) -> int:
    if isinstance(value, fractions.Fraction):
        return value.numerator.bit_length() + value.denominator.bit_length()
    return value.bit_length() if isinstance(value, int) else 0


def _prod(machine: Any, iterable: Any, /, *, start: Any = 1) -> Any:
    items = machine.calls.library.taken(iterable)
    if not hasattr(type(iterable), "__iter__"):
        return math.prod(items, start=start)
    if sum(map(_bits, (start, *items))) <= 1024:
        return math.prod(items, start=start)
    product = start
    for item in items:
        guard_multiply(machine.meter, product, item)
        product = product * item
    return product


def _pow(machine: Any, base: Any, exp: Any, mod: Any = None) -> Any:
    if mod is None:
        guard_power(machine.meter, base, exp)
    elif isinstance(exp, int) and isinstance(mod, int):
        machine.meter.burn(exp.bit_length() * mod.bit_length() ** 2 >> 15)
    elif (
        isinstance(mod, decimal.Decimal)
        and not any(isinstance(part, float | complex) for part in (base, exp))
        and not all(isinstance(part, int | decimal.Decimal) for part in (base, exp))
    ):
        # CPython 3.13.0 crashes in pow((), None, Decimal(1)).
        names = ", ".join(repr(type_name(type(part))) for part in (base, exp, mod))
        raise TypeError(f"unsupported operand type(s) for ** or pow(): {names}")
    return pow(base, exp, mod)


def _factorial(machine: Any, number: Any, /) -> int:
    if isinstance(number, int) and number > 0:
        machine.meter.integer(number * max(1, number.bit_length() - 1))
    return math.factorial(number)


def _chosen(function: Any) -> Callable[..., int]:
    """comb and perm: as many factors as are taken."""

    def call(machine: Any, n: Any, k: Any = None, /) -> int:
        if isinstance(n, int) and n > 0 and isinstance(k, int | None):
            count = n if k is None else max(0, min(k, n))
            if function is math.comb:
                count = min(count, n - count)
            bits = count * n.bit_length()
            machine.meter.integer(bits)
            machine.meter.burn(bits * count >> 14)
        return int(function(n) if k is None and function is math.perm else function(n, k))

    return call


def _gcd(machine: Any, *numbers: Any) -> int:
    for number in numbers:
        machine.meter.burn(_bits(number) ** 2 >> 17)
    return math.gcd(*numbers)


def _lcm(machine: Any, *numbers: Any) -> int:
    bits = sum(map(_bits, numbers))
    machine.meter.integer(bits)
    machine.meter.burn(len(numbers) * bits**2 >> 17)
    return math.lcm(*numbers)


def _isqrt(machine: Any, number: Any, /) -> int:
    machine.meter.burn(_bits(number) ** 2 >> 17)
    return math.isqrt(number)


_ITEMS = ("math.fsum", "math.dist")
_DATA = (
    "fmean", "geometric_mean", "harmonic_mean", "mean", "median", "median_grouped", "median_high", "median_low", "mode", "multimode",
    "pstdev", "pvariance", "quantiles", "stdev", "variance",
)  # fmt: skip

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "pow": _pow,
    **{f"math.{name}": _plain(getattr(math, name)) for name in ("ceil", "floor", "trunc")},
    **{name: _of_items(getattr(math, name.removeprefix("math.")), 1) for name in _ITEMS},
    **{f"statistics.{name}": _of_items(getattr(statistics, name), _STEPS_PER_DATUM) for name in _DATA},
    "math.comb": _chosen(math.comb),
    "math.factorial": _factorial,
    "math.gcd": _gcd,
    "math.isqrt": _isqrt,
    "math.lcm": _lcm,
    "math.perm": _chosen(math.perm),
    "math.prod": _prod,
}
"""By the name of the library table."""
