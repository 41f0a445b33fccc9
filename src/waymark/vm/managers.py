"""Objects that a run shares with nobody but the machine: those that wake tasks, and what `with` and `async with` can enter.

Entering and leaving is one coroutine each for `async with`. What needs the machine's tasks gets them when it is made and when it is
restored, for they are no part of its state.
"""

from __future__ import annotations

from typing import Any, ClassVar

from waymark.values.special import refuse_special
from waymark.vm.coroutines import LibraryCoroutine
from waymark.vm.objects import MachineValue
from waymark.vm.unwinding import reraise


class LoopBound(MachineValue):
    """Root of objects that work with the tasks of their machine."""

    __slots__ = ("tasks",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ()

    def bind(self, tasks: Any) -> None:
        """Give it, and what it is made of, the machine's tasks."""
        self.tasks = tasks


class AsyncManager(LoopBound):
    """What `async with` can enter."""

    __slots__ = ()

    def aenter(self) -> LibraryCoroutine:
        """The coroutine that enters it."""
        return EnterCall(self)

    def aexit(self, error: BaseException | None) -> LibraryCoroutine:
        """The coroutine that leaves it; true when the exception goes no further."""
        return ExitCall(self, error)

    def entered(self) -> Any:
        """Enter without waiting; gives what `as` names."""
        raise NotImplementedError

    def left(self, error: BaseException | None) -> Any:
        """Leave without waiting."""
        raise NotImplementedError


class EnterCall(LibraryCoroutine):
    """Enters a manager that need not wait for it."""

    __slots__ = ("manager",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*LibraryCoroutine.__waymark_state__, "manager")

    def __init__(self, manager: Any) -> None:
        super().__init__()
        self.manager = manager

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        return self.manager.entered()


class ExitCall(LibraryCoroutine):
    """Leaves a manager that need not wait for it."""

    __slots__ = ("error", "manager")
    __waymark_state__: ClassVar[tuple[str, ...]] = (*LibraryCoroutine.__waymark_state__, "manager", "error")

    def __init__(self, manager: Any, error: BaseException | None) -> None:
        super().__init__()
        self.manager = manager
        self.error = error

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        return self.manager.left(self.error)


class Suppress(MachineValue):
    """`contextlib.suppress(...)`."""

    __slots__ = ("exceptions",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ("exceptions",)

    def __init__(self, *exceptions: Any) -> None:
        self.exceptions = exceptions

    def entered(self) -> Any:
        """Nothing to do."""
        return None

    def left(self, error: BaseException | None) -> Any:
        """Whether the exception ends here; of a group, what is left of it goes on."""
        if error is None:
            return None
        if issubclass(type(error), self.exceptions):
            return True
        if isinstance(error, BaseExceptionGroup):
            _, rest = error.split(self.exceptions)
            if rest is None:
                return True
            reraise(rest)
        return False


class NullContext(AsyncManager):
    """`contextlib.nullcontext(...)`, for `with` and `async with`."""

    __slots__ = ("enter_result",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ("enter_result",)

    def __init__(self, enter_result: Any = None) -> None:
        self.enter_result = enter_result

    def entered(self) -> Any:
        return self.enter_result

    def left(self, error: BaseException | None) -> Any:
        return None


def enter(manager: Any, is_async: bool) -> Any:
    """What entering gives: the value, or the coroutine to await for it.

    Raises:
        TypeError: It cannot be entered in this way.
    """
    if is_async:
        if isinstance(manager, AsyncManager):
            return manager.aenter()
        kind = "asynchronous context manager"
    else:
        if isinstance(manager, Suppress | NullContext):
            return manager.entered()
        kind = "context manager"
    refuse_special(manager, "__aenter__" if is_async else "__enter__")
    raise TypeError(f"'{type(manager).__name__}' object does not support the {kind} protocol")


def leave(manager: Any, error: BaseException | None, is_async: bool) -> Any:
    """What leaving gives, or the coroutine to await for it."""
    return manager.aexit(error) if is_async else manager.left(error)


Suppress.__name__ = Suppress.__qualname__ = "suppress"
NullContext.__name__ = NullContext.__qualname__ = "nullcontext"
