"""Every body of the differential tests: `ALL` is what the runner goes through."""

from __future__ import annotations

from tests.differential.bodies import (
    arithmetic,
    classes,
    concurrency,
    containers,
    exceptions,
    functions,
    loops,
    matching,
    text,
)
from tests.differential.bodies.body import Body, Run, bodies_of, counted_attempts

ALL: tuple[Body, ...] = tuple(
    body
    for module in (arithmetic, text, containers, loops, exceptions, concurrency, functions, classes, matching)
    for body in bodies_of(module)
)

__all__ = ["ALL", "Body", "Run", "counted_attempts"]
