"""CPython's words for a call whose arguments do not fit, where the function is written in Python here and would speak of our own."""

from __future__ import annotations

import collections
import hashlib
import re
from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from waymark.program.live import live_object
from waymark.values.collections import Deque
from waymark.values.sets import OrderedFrozenSet, OrderedSet
from waymark.vm.concurrency import FutureMethods
from waymark.vm.futures import Future, Task
from waymark.vm.hashes import Hash
from waymark.vm.locks import Condition
from waymark.vm.objects import BoundMethod, BuiltinFunction
from waymark.vm.patterns import Match

_NATIVE_TYPES: tuple[tuple[type, Callable[[], Any]], ...] = (
    (OrderedSet, set),
    (OrderedFrozenSet, frozenset),
    (Deque, collections.deque),
    (Hash, hashlib.sha256),
    (Match, lambda: re.match("", "")),
    (Condition, lambda: _made("asyncio.Condition")),
)
"""Types of the machine and what they stand for."""


def _made(name: str) -> Any:
    """An object of the library."""
    cls: Any = live_object(name)
    return cls()


def of_wrong_arguments(error: TypeError, callee: Any, count: int, keywords: Iterable[str]) -> TypeError:
    """The error about a call whose arguments do not fit the signature; any other error as it is.

    The real function is called with as many Nones: it refuses them as well, before it looks at one.
    """
    native = (
        _native_function(error, callee) if type(callee) is BuiltinFunction else _native_method(error, callee)
    )
    if native is None:
        return error
    try:
        native(*[None] * count, **dict.fromkeys(keywords))
    except TypeError as said:
        return TypeError(*said.args)
    except Exception:
        return error
    return error


def _native_function(error: TypeError, callee: BuiltinFunction) -> Any:
    """The function that `error` should speak of, when it speaks of ours."""
    ours = callee.implementation
    while isinstance(ours, partial):
        ours = ours.func
    text = str(error)
    is_ours = isinstance(ours, FunctionType | MethodType) and text.startswith(f"{ours.__qualname__}()")
    if is_ours or ".__init__() " in text:  # of an iterator class of ours
        return live_object(callee.name)
    return None


def _native_method(error: TypeError, callee: BoundMethod) -> Any:
    """The same for a method. One of a base class is named by that class, as in CPython's calls of methods."""
    if isinstance(callee.receiver, Future) and str(error).startswith(f"{FutureMethods.__qualname__}."):
        cls: Any = live_object("asyncio.Task" if isinstance(callee.receiver, Task) else "asyncio.Future")
        return getattr(cls.__new__(cls), callee.name)  # arguments are looked at first, so it needs no loop
    kind = type(callee.receiver)
    owner = next((base for base in kind.__mro__ if callee.name in vars(base)), kind)
    ours = vars(owner).get(callee.name)
    for stand_in, native in _NATIVE_TYPES:
        if (
            isinstance(callee.receiver, stand_in)
            and isinstance(ours, FunctionType)
            and str(error).startswith(f"{ours.__qualname__}()")
        ):
            return getattr(native(), callee.name)
    if owner is not kind and str(error).startswith(f"{kind.__name__}.{callee.name}() takes "):
        return partial(vars(owner)[callee.name], callee.receiver)
    return None
