"""What a body is: a small workflow and the arguments it is run with, natively and on the VM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from waymark.sdk.context import current_call
from waymark.sdk.workflow import Workflow, workflow

RUNS_ATTRIBUTE = "__differential_runs__"
SINCE_ATTRIBUTE = "__differential_since__"


@dataclass(frozen=True)
class Run:
    """Arguments of one run."""

    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Body:
    """One workflow class with its runs."""

    cls: type[Workflow]
    runs: tuple[Run, ...]
    since: tuple[int, int]
    """First Python that does what the newest one does, which is what workflows do everywhere."""

    @property
    def name(self) -> str:
        return f"{self.cls.__module__.rpartition('.')[2]}.{self.cls.__name__}"


def call(*args: Any, **kwargs: Any) -> Run:
    """A run with keyword arguments."""
    return Run(args, tuple(kwargs.items()))


def body(*runs: Any, since: tuple[int, int] = (3, 11)) -> Callable[[type[Workflow]], type[Workflow]]:
    """Register a class as a body: each run is a `call(...)` or one plain argument; none given means one run without."""

    def register(cls: type[Workflow]) -> type[Workflow]:
        found = tuple(run if isinstance(run, Run) else Run((run,)) for run in runs)
        setattr(cls, RUNS_ATTRIBUTE, found or (Run(),))
        setattr(cls, SINCE_ATTRIBUTE, since)
        return workflow(cls)

    return register


def bodies_of(module: ModuleType) -> list[Body]:
    """Every body of a module, in order of definition."""
    return [
        Body(value, vars(value)[RUNS_ATTRIBUTE], vars(value)[SINCE_ATTRIBUTE])
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and RUNS_ATTRIBUTE in vars(value)
    ]


_attempts: ContextVar[dict[str, int]] = ContextVar("differential_attempts")


@contextmanager
def counted_attempts() -> Iterator[None]:
    """Count attempts of one native run; without a worker nobody else does."""
    token = _attempts.set({})
    try:
        yield
    finally:
        _attempts.reset(token)


def attempt_of(key: str) -> int:
    """Number of this attempt, from 1: told by the worker, or counted by key in a native run."""
    served = current_call()
    if served is not None:
        return served.attempt
    counts = _attempts.get()
    counts[key] = counts.get(key, 0) + 1
    return counts[key]
