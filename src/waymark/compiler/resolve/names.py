"""Names outside of the function, and the near name when there is none."""

from __future__ import annotations

import builtins
import difflib
import types
from collections.abc import Iterable

MISSING = object()


def outer_value(function: types.FunctionType, name: str) -> object:
    """What Python finds for a name that is no local: closure, module, builtins; MISSING when there is nothing."""
    if name in function.__code__.co_freevars and function.__closure__ is not None:
        cell = function.__closure__[function.__code__.co_freevars.index(name)]
        try:
            return cell.cell_contents
        except ValueError:
            return MISSING
    if name in function.__globals__:
        return function.__globals__[name]
    return getattr(builtins, name, MISSING)


def near(name: str, candidates: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing."""
    found = difflib.get_close_matches(name, sorted(set(candidates)), n=1, cutoff=0.7)
    return f"did you mean `{found[0]}`?" if found else ""


def visible_names(function: types.FunctionType) -> set[str]:
    """Names of the closure, the module and builtins."""
    return {*function.__code__.co_freevars, *function.__globals__, *dir(builtins)}
