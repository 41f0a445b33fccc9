"""Exception groups: taking them apart, and what `except*` makes of them.

CPython tells an exception that a handler lets pass from one that it raises anew by the traceback. Ours is the list of places that an exception
came by, of which every part of a group gets a copy; `raise` alone adds no place in the function that it stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.values.exceptions import TRACE
from waymark.vm.limits import Meter
from waymark.vm.objects import CALLABLE

_STEPS_PER_PART = 16

Group = BaseExceptionGroup[BaseException]


class GroupMethods:
    """Methods of exception groups for one machine."""

    def __init__(self, meter: Meter, invoke: Callable[..., Any]) -> None:
        self._meter = meter
        self._invoke = invoke

    def call(self, group: Group, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """`group.name(*args, **kwargs)`."""
        count = pay(self._meter, group)
        if name != "derive" and len(args) == 1 and not kwargs and isinstance(args[0], CALLABLE):
            condition = args[0]
            found = getattr(group, name)(lambda error: self._invoke(condition, [error]))
        else:
            found = getattr(group, name)(*args, **kwargs)
        for part in found if isinstance(found, tuple) else (found,):
            if isinstance(part, BaseExceptionGroup) and name != "derive" and count:
                copy_trace(group, part)
        return found


def pay(meter: Meter, error: BaseException) -> int:
    """Pay for walking through a group; returns how many parts it has.

    Raises:
        UnsupportedPatternError: A class of the user decides what parts of it become.
    """
    count = 0
    for part in walk(error):
        count += 1
        meter.burn(_STEPS_PER_PART)
        info = getattr(type(part), "__waymark_info__", None)
        if isinstance(part, BaseExceptionGroup) and info is not None and "derive" in info.code_names:
            raise UnsupportedPatternError(
                f"{type(part).__name__}.derive is code of the class, which cannot run in a workflow; use a plain ExceptionGroup"
            )
    return count


def walk(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything in it."""
    waiting = [error]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, BaseExceptionGroup):
            waiting.extend(part.exceptions)


def copy_trace(source: BaseException, target: BaseException) -> None:
    """Let a part of a group have come by the same places."""
    if target is not source and TRACE in vars(source):
        vars(target)[TRACE] = list(vars(source)[TRACE])


def match_star(meter: Meter, error: BaseException | None, classes: Any) -> tuple[Any, Any]:
    """What is left of an exception, and what of it `except* classes` catches.

    Raises:
        TypeError: One of them cannot be caught so.
    """
    for cls in classes if isinstance(classes, tuple) else (classes,):
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            raise TypeError("catching classes that do not inherit from BaseException is not allowed")
        if issubclass(cls, BaseExceptionGroup):
            raise TypeError("catching ExceptionGroup with except* is not allowed. Use except instead.")
    if error is None:
        return None, None
    if not isinstance(error, BaseExceptionGroup):
        return (None, BaseExceptionGroup("", [error])) if isinstance(error, classes) else (error, None)
    pay(meter, error)
    match, rest = error.split(classes)
    for part in (match, rest):
        if part is not None:
            copy_trace(error, part)
    return rest, match


def raised_by_star(meter: Meter, error: BaseException, ended: list[Any]) -> BaseException | None:
    """What goes on after the handlers: what they raised, and what they let pass, together.

    Args:
        error: What came to the first handler.
        ended: What left each handler that did not end well, then what none of them caught, or None.
    """
    left = [part for part in ended if part is not None]
    if not isinstance(error, BaseExceptionGroup):
        return left[0] if left else None
    passed = [part for part in left if _is_part(part, error)]
    raised = [part for part in left if not _is_part(part, error)]
    leaves = {id(leaf) for part in passed for leaf in walk(part) if not isinstance(leaf, BaseExceptionGroup)}
    meter.burn(_STEPS_PER_PART * len(leaves))
    pay(meter, error)
    together = error.subgroup(lambda leaf: id(leaf) in leaves) if leaves else None
    if together is not None:
        copy_trace(error, together)
        raised.append(together)
    if not raised:
        return None
    return raised[0] if len(raised) == 1 else BaseExceptionGroup("", raised)


def _is_part(part: BaseException, error: BaseException) -> bool:
    return (
        isinstance(part, BaseExceptionGroup)
        and getattr(part, "__notes__", None) is getattr(error, "__notes__", None)
        and part.__cause__ is error.__cause__
        and part.__context__ is error.__context__
        and (vars(part).get(TRACE) or []) == (vars(error).get(TRACE) or [])
    )
