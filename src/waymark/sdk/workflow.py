"""`Workflow` and `@workflow`: how users write workflows, and what running one natively under plain asyncio means.

`await Cls().run(...)` of a decorated class starts a durable run; `native_run(Cls(), ...)` executes the user's own run() in this process.
Compiling waits until the first start, for helpers and actions may be defined further down in the module.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import timedelta
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from waymark.compiler import CompiledWorkflow, compile_workflow
from waymark.compiler.source import NATIVE_RUN_ATTRIBUTE, PRIMITIVE_ATTRIBUTE, own_run, workflow_name
from waymark.errors import ActionTimeout
from waymark.model.policy import RetryPolicy, timeout_message, timeout_us
from waymark.sdk.actions import registry

R = TypeVar("R")
W = TypeVar("W", bound="Workflow")


class Workflow:
    """Base class of workflows. A run has no workflow object to start from: only run() and its arguments count."""

    name: ClassVar[str | None] = None
    """Name it is started by; None means the class name in lower case."""
    version: ClassVar[str | None] = None
    """A pinned version; None lets the program decide."""

    if TYPE_CHECKING:  # for type checkers, which take any parameters for it; a class without a run() has none

        async def run(self, *args: Any, **kwargs: Any) -> Any:
            """What the workflow does."""

    @classmethod
    def short_name(cls) -> str:
        """The name it is started by."""
        return workflow_name(cls)

    def run_action(
        self,
        call: Awaitable[R],
        /,
        *,
        retry: RetryPolicy | None = None,
        timeout: float | timedelta | None = None,
    ) -> Coroutine[object, object, R]:  # with Any in it, mypy takes a gather of it for Any
        """An action with a retry policy or a timeout, to be awaited: `await self.run_action(charge(order), timeout=30)`.

        Args:
            call: The action, called.
            retry: When a failed attempt is followed by another; None means one attempt.
            timeout: Limit of each attempt, in seconds or as a timedelta; None means no limit.

        Raises:
            ActionTimeout: When awaited: the last attempt took longer than `timeout`.
            TypeError: An argument is of another type.
            ValueError: The timeout is not above 0.
        """
        try:
            return _attempts(call, retry, _checked(call, retry, timeout))
        except (TypeError, ValueError):
            if inspect.iscoroutine(call):
                call.close()  # it will not be awaited, and need not warn about it
            raise

    setattr(run_action, PRIMITIVE_ATTRIBUTE, "run_action")


class WorkflowRegistry:
    """Workflow classes of this process by name, compiled at first use."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Workflow]] = {}
        self._compiled: dict[type, CompiledWorkflow] = {}

    def register(self, cls: type[Workflow]) -> None:
        """Add a workflow class.

        Raises:
            ValueError: Another class has this name.
        """
        name = cls.short_name()
        known = self._classes.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(
                f"workflow name {name!r} is taken by {known.__module__}.{known.__qualname__}; "
                f"give {cls.__module__}.{cls.__qualname__} another one with `name = ...`"
            )
        self._classes[name] = cls

    def find(self, name: str) -> type[Workflow] | None:
        """The class of this name, or None."""
        return self._classes.get(name)

    def compiled(self, cls: type) -> CompiledWorkflow:
        """The program of a workflow class.

        Raises:
            UnsupportedPatternError: Its code holds something that is refused.
        """
        if cls not in self._compiled:
            self._compiled[cls] = compile_workflow(cls)
        return self._compiled[cls]

    def __iter__(self) -> Iterator[type[Workflow]]:
        return iter(tuple(self._classes.values()))

    def __len__(self) -> int:
        return len(self._classes)


workflow_registry = WorkflowRegistry()
"""Every workflow of this process."""


def workflow(cls: type[W]) -> type[W]:
    """Make run() of a `Workflow` class start durable runs.

    `await MyWorkflow().run(...)` starts a run and gives its result. Two keyword arguments are taken off: `_blocking=False` gives the
    instance id at once, `_priority=` orders the queue, higher first. Type checkers know the parameters of the user's run() only; `start` is
    the form that they follow.

    Raises:
        TypeError: The class is no Workflow, or its run() is not an `async def` method.
        ValueError: Another class has the name.
    """
    given: object = cls
    if not (inspect.isclass(given) and issubclass(given, Workflow)):
        shown = getattr(cls, "__qualname__", cls)
        raise TypeError(
            f"@workflow needs a class derived from Workflow, got {shown!r}; write `class {shown}(Workflow)`"
        )
    run = own_run(cls)
    if run is None or not inspect.iscoroutinefunction(run) or not run.__code__.co_argcount:
        raise TypeError(f"{cls.__qualname__} needs a method `async def run(self, ...)`")
    if "run" in vars(cls):
        cls.run = _starting(run)  # type: ignore[method-assign]
    workflow_registry.register(cls)
    return cls


def native_run(instance: Workflow, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
    """Execute the user's own run() in this process, without durability: for tests, and as the oracle of ours."""
    run = own_run(type(instance))
    if run is None:
        raise TypeError(f"{type(instance).__qualname__} has no run() method")
    result: Coroutine[Any, Any, Any] = run(instance, *args, **kwargs)
    return result


def _starting(run: FunctionType) -> Callable[..., Coroutine[Any, Any, Any]]:
    """What stands in for run() on the class."""
    signature = inspect.signature(run)

    @functools.wraps(run)
    async def start(
        self: Workflow, *args: Any, _blocking: bool = True, _priority: int = 0, **kwargs: Any
    ) -> Any:
        client = importlib.import_module(
            "waymark.sdk.client"
        )  # pulls in gRPC, which importing a workflow must not

        signature.bind(self, *args, **kwargs)
        return await client.run_workflow(type(self), args, kwargs, blocking=_blocking, priority=_priority)

    setattr(start, NATIVE_RUN_ATTRIBUTE, run)
    return start


def arguments_of(call: object) -> tuple[type[Workflow], tuple[Any, ...], dict[str, Any]]:
    """Workflow and arguments of a run() that was called and not awaited; the call is used up.

    Raises:
        TypeError: It is something else, was awaited already, or says itself how it is to be started.
    """
    if not inspect.iscoroutine(call) or inspect.getcoroutinestate(call) != inspect.CORO_CREATED:
        raise TypeError(
            f"start() needs run() of a workflow, called and not awaited, got {type(call).__name__}"
        )
    values = inspect.getcoroutinelocals(call)
    call.close()
    owner = values.get("self")
    run = getattr(type(owner), "run", None)
    if (
        not isinstance(owner, Workflow)
        or getattr(run, "__code__", None) is not call.cr_code
        or own_run(type(owner)) is run
    ):
        raise TypeError(f"start() needs run() of an @workflow class, got a call of {call.__qualname__}")
    if not values["_blocking"] or values["_priority"]:
        raise TypeError("start() never waits and has priority= of its own; leave out _blocking and _priority")
    return type(owner), values["args"], values["kwargs"]


def _checked(call: object, retry: object, timeout: object) -> int:
    """The timeout in microseconds, once the arguments of run_action are known to be right."""
    if not inspect.isawaitable(call):
        raise TypeError(f"run_action() needs the call of an action, got {type(call).__name__}")
    if retry is not None and not isinstance(retry, RetryPolicy):
        raise TypeError(f"run_action() retry must be a RetryPolicy, got {type(retry).__name__}")
    return timeout_us(timeout)


async def _attempts(call: Awaitable[R], retry: RetryPolicy | None, limit_us: int) -> R:
    again = _caller(call)
    attempt = 1
    while True:
        try:
            return await _within(call, limit_us)
        except Exception as error:
            names = {cls.__name__ for cls in type(error).__mro__}
            if retry is None or again is None or not retry.allows(attempt, names):
                raise
        attempt += 1
        await asyncio.sleep(retry.backoff_seconds)
        call = again()


async def _within(call: Awaitable[R], limit_us: int) -> R:
    if limit_us == 0:
        return await call
    try:
        async with asyncio.timeout(limit_us / 1_000_000) as limit:
            return await call
    except TimeoutError:
        if limit.expired():
            raise ActionTimeout(timeout_message(_action_name(call), limit_us)) from None
        raise


def _action_name(call: object) -> str:
    code = getattr(call, "cr_code", None)
    for action in registry:
        if getattr(action.function, "__code__", None) is code:
            return str(action)
    return getattr(call, "__qualname__", "call")


def _caller(call: Awaitable[R]) -> Callable[[], Awaitable[R]] | None:
    """How to make the same call again; None when that cannot be known.

    A coroutine runs once. One that has not started still holds its code and its arguments, which is all that another like it needs.
    """
    if not inspect.iscoroutine(call) or inspect.getcoroutinestate(call) != inspect.CORO_CREATED:
        return None
    code, frame = call.cr_code, call.cr_frame
    assert frame is not None
    values = inspect.getcoroutinelocals(call)
    closure = tuple(CellType(values[name]) for name in code.co_freevars)
    function = FunctionType(code, frame.f_globals, call.__name__, None, closure)
    positional = [values[name] for name in code.co_varnames[: code.co_argcount]]
    last = code.co_argcount + code.co_kwonlyargcount
    keywords = {name: values[name] for name in code.co_varnames[code.co_argcount : last]}
    if code.co_flags & inspect.CO_VARARGS:
        positional += values[code.co_varnames[last]]
        last += 1
    if code.co_flags & inspect.CO_VARKEYWORDS:
        keywords |= values[code.co_varnames[last]]
    return lambda: function(*positional, **keywords)
