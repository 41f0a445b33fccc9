"""`asyncio.TaskGroup`."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any, ClassVar

from waymark.vm.coroutines import Awaits, LibraryCoroutine
from waymark.vm.futures import CANCELLED, PENDING, Future, Task
from waymark.vm.managers import AsyncManager
from waymark.vm.unwinding import reraise


class TaskGroup(AsyncManager):
    """Tasks that end before the block does; the first that fails has the others cancelled."""

    __slots__ = ("errors", "has_cancelled_parent", "is_aborting", "is_exiting", "members", "parent", "waiter")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        "parent",
        "members",
        "errors",
        "is_exiting",
        "is_aborting",
        "has_cancelled_parent",
        "waiter",
    )

    def __init__(self) -> None:
        self.parent: Task | None = None
        """The task that entered it."""
        self.members: dict[int, Task] = {}
        """Tasks that have not ended, by number."""
        self.errors: list[BaseException] = []
        self.is_exiting = False
        self.is_aborting = False
        self.has_cancelled_parent = False
        self.waiter: Future | None = None
        """What the end of the block waits for."""

    def entered(self) -> TaskGroup:
        if self.parent is not None:
            raise RuntimeError(f"TaskGroup {self._shown()} has already been entered")
        self.parent = self.tasks.running
        return self

    def aexit(self, error: BaseException | None) -> LibraryCoroutine:
        return GroupExit(self, error)

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> Task:
        problem = (
            "has not been entered"
            if self.parent is None
            else "is finished"
            if self.is_exiting and not self.members
            else "is shutting down"
            if self.is_aborting
            else ""
        )
        if problem:
            raise RuntimeError(f"TaskGroup {self._shown()} {problem}")
        task: Task = self.tasks.functions.create_task(coro, name=name, context=context)
        self.members[task.number] = task
        task.watchers.append((self, 0))
        return task

    def _shown(self) -> str:
        parts = [""]
        if self.members:
            parts.append(f"tasks={len(self.members)}")
        if self.errors:
            parts.append(f"errors={len(self.errors)}")
        if self.is_aborting:
            parts.append("cancelling")
        elif self.parent is not None:
            parts.append("entered")
        return f"<TaskGroup{' '.join(parts)}>"

    def abort(self) -> None:
        """Cancel every task."""
        self.is_aborting = True
        for task in list(self.members.values()):
            task.cancel(self.tasks)

    def told(self, tasks: Any, index: int, future: Future | None) -> None:
        """A task has ended."""
        assert isinstance(future, Task)
        assert self.parent is not None
        self.members.pop(future.number, None)
        if self.waiter is not None and not self.members and self.waiter.status == PENDING:
            tasks.resolve(self.waiter, True)
        if future.status == CANCELLED or future.exception is None:
            return
        self.errors.append(future.exception)
        if self.parent.status == PENDING and not self.is_aborting and not self.has_cancelled_parent:
            self.abort()
            self.has_cancelled_parent = True
            self.parent.cancel(tasks)


class GroupExit(LibraryCoroutine):
    """The end of the block: waits for every task, then raises what has to be raised."""

    __slots__ = ("cancellation", "error", "group")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        *LibraryCoroutine.__waymark_state__,
        "group",
        "error",
        "cancellation",
    )
    waits_for = "the tasks of a TaskGroup"

    def __init__(self, group: TaskGroup, error: BaseException | None) -> None:
        super().__init__()
        self.group = group
        self.error = error
        self.cancellation = error if isinstance(error, CancelledError) else None
        """The cancellation of the block, which goes on when there is nothing worse."""

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        group = self.group
        if self.stage == 0:
            self.stage = 1
            group.is_exiting = True
            if self.error is not None and not group.is_aborting:
                group.abort()
        else:
            group.waiter = None
            if isinstance(error, CancelledError):
                if not group.is_aborting:
                    self.cancellation = error
                    group.abort()
            elif error is not None:
                reraise(error)
        if group.members:
            group.waiter = Future()
            return Awaits(group.waiter)
        self._finish(tasks)
        return None

    def _finish(self, tasks: Any) -> None:
        group, error = self.group, self.error
        parent = group.parent
        assert parent is not None
        if group.has_cancelled_parent and parent.uncancel() == 0:
            self.cancellation = None
        if self.cancellation is not None and not group.errors:
            reraise(self.cancellation)
        if error is not None and not isinstance(error, CancelledError):
            group.errors.append(error)
        if not group.errors:
            return
        if parent.cancels:
            parent.uncancel()
            parent.cancel(tasks)
        errors, group.errors = group.errors, []
        raised = tasks.with_context(BaseExceptionGroup("unhandled errors in a TaskGroup", errors))
        raised.__suppress_context__ = True
        reraise(raised)
