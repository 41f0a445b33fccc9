"""Every body of the differential tests: `ALL` is what the runner goes through, from every module of this folder."""

from __future__ import annotations

import importlib
import pkgutil

from tests.differential.bodies.body import Body, Run, bodies_of, counted_attempts

ALL: tuple[Body, ...] = tuple(
    body
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__))
    for body in bodies_of(importlib.import_module(f"{__name__}.{name}"))
)

__all__ = ["ALL", "Body", "Run", "counted_attempts"]
