"""What to say of a run that can never go on: no task is ready, no call is under way, and no timer will ever tell."""

from __future__ import annotations

from waymark.errors import WorkflowDeadlock
from waymark.vm.code import Code
from waymark.vm.coroutines import LibraryCoroutine
from waymark.vm.futures import Gather, Task
from waymark.vm.objects import Frame
from waymark.vm.tasks import Tasks

_SHOWN = 20


def deadlock(code: Code, tasks: Tasks) -> WorkflowDeadlock:
    """The error that ends such a run: each task, where it waits, and for what."""
    waiting = [_describe(code, task) for task in tasks.alive.values()]
    if len(waiting) > _SHOWN:
        waiting[_SHOWN:] = [f"and {len(waiting) - _SHOWN} more"]
    return WorkflowDeadlock(
        f"every task of the run waits for something that can never come: {'; '.join(waiting)}"
    )


def _describe(code: Code, task: Task) -> str:
    place = ""
    for frame in reversed(task.frames):
        if isinstance(frame, Frame):
            file, line, function = code.place(frame.function, frame.pc - 2)
            place = f" in {function} ({file}:{line})"
            break
    return f"{task.shown_name}{place} waits for {_awaited(task)}"


def _awaited(task: Task) -> str:
    for frame in reversed(task.frames):
        if isinstance(frame, Frame):
            break
        if isinstance(frame, LibraryCoroutine) and frame.waits_for:
            return frame.waits_for
    waiter = task.waiter
    if isinstance(waiter, Task):
        return f"{waiter.shown_name}"
    return "asyncio.gather()" if isinstance(waiter, Gather) else "a future"
