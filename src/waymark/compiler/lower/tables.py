"""The one dispatcher: which function lowers which node type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Table = dict[type, Callable[..., None]]


@dataclass(frozen=True, slots=True)
class Lowerings:
    """Functions of (FunctionLowering, node), by node type."""

    statements: Table
    expressions: Table
    targets: Table
