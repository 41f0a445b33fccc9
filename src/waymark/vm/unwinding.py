"""What happens to an exception of the run on its way to a handler: its place, its context, its class."""

from __future__ import annotations

from typing import Any, NoReturn

from waymark.errors import UnsupportedPatternError, WorkflowLimitExceeded
from waymark.values.exceptions import TRACE
from waymark.vm.code import Code
from waymark.vm.limits import Meter
from waymark.vm.objects import Frame

UNCATCHABLE = (WorkflowLimitExceeded, UnsupportedPatternError, MemoryError)
"""What ends the run past every `except` of the program."""

_TRACE_LIMIT = 100


class Reraise(Exception):
    """Carries an exception of the run through the handlers of instructions, already with its context."""

    def __init__(self, exception: BaseException, *, is_new: bool = True) -> None:
        self.exception = exception
        self.is_new = is_new
        """It is raised here, and does not only go on."""


def reraise(error: BaseException) -> NoReturn:
    """Raise an exception of the run as it is, without a new context."""
    raise Reraise(error)


def note_place(code: Code, error: BaseException, frame: Any) -> None:
    """Remember where an exception passed, innermost first: the one place that knows positions."""
    if not isinstance(frame, Frame):
        return  # a coroutine of asyncio
    places = vars(error).setdefault(TRACE, [])
    if len(places) < _TRACE_LIMIT:
        places.append(code.place(frame.function, frame.pc - 2))


def as_fresh(error: BaseException) -> BaseException:
    """An exception that Python has just raised in our code, without what our code has to do with it."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    error.__suppress_context__ = False
    return error


def add_context(meter: Meter, error: BaseException, handled: BaseException | None) -> BaseException:
    """Chain an exception to the one that is being handled, as CPython does: a cycle is broken before it is made."""
    if handled is None or handled is error:
        return error
    link = slow = handled
    is_even = False
    while (context := link.__context__) is not None:
        meter.burn()
        if context is error:
            link.__context__ = None
            break
        link = context
        if link is slow:
            break  # the program made a chain that bites its own tail
        if is_even and slow.__context__ is not None:
            slow = slow.__context__
        is_even = not is_even
    error.__context__ = handled
    return error


def to_exception(value: Any, problem: str) -> BaseException:
    """The exception that `raise value` raises.

    Raises:
        TypeError: It is neither an exception nor a class of one.
        UnsupportedPatternError: Building it needs code of the user's class.
    """
    if isinstance(value, type) and issubclass(value, BaseException):
        info = getattr(value, "__waymark_info__", None)
        if info is not None and info.has_code:
            raise UnsupportedPatternError(
                f"raise {value.__name__} needs code of the class; write raise {value.__name__}(...)"
            )
        return value()
    if isinstance(value, BaseException):
        return value
    raise TypeError(problem)
