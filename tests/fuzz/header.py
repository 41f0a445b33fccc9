"""The beginning of every generated module: all that a program may name."""

from __future__ import annotations

import sys

from waymark.program.library import NAMES


def imported_modules() -> list[str]:
    """Modules whose names the library table holds."""
    found = {"asyncio", "contextlib", "waymark"}
    for name in NAMES:
        parts = name.split(".")[:-1]
        if parts and parts[0] in sys.stdlib_module_names:
            found.add(
                ".".join(parts[:2])
                if ".".join(parts[:2]) in sys.modules and len(parts) > 1 and parts[0] != "datetime"
                else parts[0]
            )
    return sorted(found)


HEADER = (
    '"""A generated program."""\n\nfrom __future__ import annotations\n\n'
    + "".join(f"import {module}\n" for module in imported_modules())
    + """
from tests.differential.bodies.shared import (
    LIMITS, NAMES, RATE, Color, Customer, Declined, Item, Level, Mode, OutOfStock, Point, ShopError, add, echo, fail, flaky, later, square,
)
from waymark import RetryPolicy, Workflow

CUSTOMER = Customer(name="eve", age=30)
"""
)
