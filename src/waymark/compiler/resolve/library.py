"""Live objects of the library, so that a name is recognised by what it is and not by how it is spelled."""

from __future__ import annotations

import asyncio
import pathlib
import sys
import types
from collections.abc import Mapping
from functools import cache

from waymark.compiler.resolve.outside import purpose
from waymark.program import library
from waymark.program.live import MISSING, live_object
from waymark.program.refused import REFUSED, REFUSED_MEMBERS, Refused

METHOD_NAMES: frozenset[str] = frozenset().union(*library.METHODS.values())
"""Every method that some value of a workflow has."""

METHOD_HINTS: dict[str, str] = {
    **dict.fromkeys(
        ("add_done_callback", "remove_done_callback"),
        "await the task in a helper of its own, go on there, and run the helper with asyncio.create_task",
    ),
    "shutdown": REFUSED_MEMBERS["Queue.shutdown"],
    **dict.fromkeys(
        (name for name in dir(pathlib.Path) if not hasattr(pathlib.PurePath, name)),
        "a path is a name here: read and write files in an @action",
    ),
}
"""The way out for methods that have one of their own."""

ATTRIBUTE_NAMES: frozenset[str] = frozenset().union(*library.ATTRIBUTES.values())

AWAITABLE_FUNCTIONS = frozenset({"asyncio.gather", "asyncio.sleep", "asyncio.wait", "asyncio.wait_for"})
"""Library functions that give an awaitable."""


@cache
def by_identity() -> Mapping[int, str]:
    """Names of the library by the identity of their objects, which live as long as the process."""
    return {id(live_object(name)): name for name in sorted(library.NAMES) if _stays(name)}


def _stays(name: str) -> bool:
    """Whether a name stands for one object: `datetime.now` is made anew each time, and the identity of one that is gone is soon another's."""
    found = live_object(name)
    return found is not MISSING and found is live_object(name)


_REFUSED: dict[int, Refused] = {
    id(found): refused
    for name, refused in REFUSED.items()
    if callable(found := live_object(name)) and _stays(name)
}
"""By identity of the function or class."""
_SUPER = (
    "WM131",
    "`super` is of use as `super().name` only, directly in a method of the workflow",
    "write `super().name(...)` outside of functions and comprehensions in the method",
)


def qualified_name(value: object) -> str:
    """`module.qualname` of a function or class, as people would look it up."""
    module = getattr(value, "__module__", None)
    owner = getattr(value, "__self__", None)
    name = str(getattr(value, "__qualname__", None) or type(value).__name__)
    if not module and isinstance(owner, type):
        module = owner.__module__
    if not module and owner is not None and not isinstance(owner, types.ModuleType):
        module = type(owner).__module__
    return f"{module or 'builtins'}.{name}"


def is_outside(cls: type) -> bool:
    """Whether a class belongs to a module that is known for something no run has."""
    return purpose(cls.__module__) is not None


def is_refused(value: object) -> bool:
    """Whether the tables say why workflows do not have it."""
    return id(value) in _REFUSED


def refusal(value: object, shown: str) -> tuple[str, str, str]:
    """Code, message and help for a function or class that workflows cannot use.

    Args:
        value: The object.
        shown: How the source names it.
    """
    name = qualified_name(value)
    refused = _REFUSED.get(id(value)) or REFUSED.get(name)
    if refused is not None:
        return (refused.code, f"`{shown}` {refused.reason}", refused.help)
    if value is super:
        return _SUPER
    top = name.partition(".")[0]
    if _is_from(value, asyncio) or top == "asyncio" or top == "_asyncio":
        return (
            "WM144",
            f"`{shown}` is not supported in a workflow yet",
            "use tasks, `asyncio.gather`, `asyncio.wait`, locks and queues, or move it into an @action",
        )
    known = purpose(name)
    if known is not None:
        return (known.code, f"`{shown}` {known.reason}", known.help)
    if top in sys.stdlib_module_names:
        return (
            "WM131",
            f"`{shown}` is not among the library functions of workflows",
            "write it with builtins and methods of values, or move it into an @action and await it",
        )
    return ("WM130", f"`{shown}` {_why_not_compiled(value)}", INSTALLED_HELP)


INSTALLED_HELP = "call it in an @action and await that, or call it before the start and pass the value in"
"""The two ways out for a function of somebody else."""
PLAIN_HELP = "make it an @action and await it, or call it before the start and pass the value in"
"""The two ways out for a function of the user's that cannot be compiled along."""


def _why_not_compiled(value: object) -> str:
    inner = getattr(value, "__wrapped__", value)
    code = getattr(inner, "__code__", None)
    place = f" ({code.co_filename}:{code.co_firstlineno})" if isinstance(code, types.CodeType) else ""
    if inner is not value:
        return f"cannot be compiled along: it is decorated, so what runs is not its own code{place}"
    if not place:
        return "cannot be compiled along: it is not written in Python"
    return f"cannot be compiled along: it belongs to an installed package{place}"


def _is_from(value: object, module: types.ModuleType) -> bool:
    top = str(getattr(value, "__module__", "") or "").partition(".")[0]
    return top == module.__name__


def is_installed(path: str) -> bool:
    """Whether a file belongs to an installed package."""
    return "/site-packages/" in path or "/dist-packages/" in path


STANDARD_MODULES = frozenset(sys.stdlib_module_names) - {"__main__"}
"""Top-level modules whose classes are no user classes."""

TYPING_MODULES = frozenset({"typing", "typing_extensions"})
