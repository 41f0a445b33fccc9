"""asyncio's Lock, Event, Condition and semaphores, inside one run: who waits first is woken first."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any, ClassVar

from waymark.vm.coroutines import Awaits, LibraryCoroutine
from waymark.vm.futures import CANCELLED, PENDING, Future
from waymark.vm.managers import AsyncManager, LoopBound
from waymark.vm.unwinding import reraise


class _Call(LibraryCoroutine):
    """A coroutine that works on one object, with the future it waits for."""

    __slots__ = ("future", "owner")
    __waymark_state__: ClassVar[tuple[str, ...]] = (*LibraryCoroutine.__waymark_state__, "owner", "future")

    def __init__(self, owner: Any) -> None:
        super().__init__()
        self.owner = owner
        self.future: Future | None = None

    @property
    def waits_for(self) -> str:
        return f"{type(self.owner).__name__}.{self.name}()"

    name = "acquire"

    def wait(self) -> Awaits:
        """Stand in line."""
        self.stage = 1
        self.future = Future()
        self.owner.waiters.append(self.future)
        return Awaits(self.future)

    def stop_waiting(self) -> Future:
        """Leave the line."""
        future, self.future = self.future, None
        assert future is not None
        waiters = self.owner.waiters
        self.owner.tasks.machine.meter.burn(len(waiters) >> (8 if waiters[0] is future else 4))
        waiters.remove(future)
        return future


class _Lockable(AsyncManager):
    """What can be acquired, released, and entered."""

    __slots__ = ("waiters",)
    __waymark_state__: ClassVar[tuple[str, ...]] = ("waiters",)

    def __init__(self) -> None:
        self.waiters: list[Future] = []

    def acquire(self) -> LibraryCoroutine:
        raise NotImplementedError

    def release(self) -> None:
        raise NotImplementedError

    def aenter(self) -> LibraryCoroutine:
        return EnterLock(self)

    def left(self, error: BaseException | None) -> Any:
        self.release()

    def wake_first(self, value: Any) -> bool:
        """Wake who waits longest and is not awake yet."""
        self.tasks.machine.meter.burn(len(self.waiters) >> 4)
        for future in self.waiters:
            if future.status == PENDING:
                self.tasks.resolve(future, value)
                return True
        return False


class EnterLock(LibraryCoroutine):
    """`async with lock`: acquires it, and names nothing."""

    __slots__ = ("lock",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*LibraryCoroutine.__waymark_state__, "lock")

    def __init__(self, lock: Any) -> None:
        super().__init__()
        self.lock = lock

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        if error is not None:
            reraise(error)
        if self.stage == 1:
            return None
        self.stage = 1
        return Awaits(self.lock.acquire())


class Lock(_Lockable):
    """`asyncio.Lock`."""

    __slots__ = ("is_locked",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*_Lockable.__waymark_state__, "is_locked")

    def __init__(self) -> None:
        super().__init__()
        self.is_locked = False

    def locked(self) -> bool:
        return self.is_locked

    def acquire(self) -> LibraryCoroutine:
        return LockAcquire(self)

    def release(self) -> None:
        if not self.is_locked:
            raise RuntimeError("Lock is not acquired.")
        self.is_locked = False
        self.wake_front()

    def wake_front(self) -> None:
        """Wake who stands at the front, unless that has happened."""
        if self.waiters and self.waiters[0].status == PENDING:
            self.tasks.resolve(self.waiters[0], True)


class LockAcquire(_Call):
    """`lock.acquire()`."""

    __slots__ = ()

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        lock = self.owner
        if self.stage == 0:
            if lock.is_locked or not all(future.status == CANCELLED for future in lock.waiters):
                return self.wait()
        else:
            self.stop_waiting()
            if error is not None:
                if isinstance(error, CancelledError) and not lock.is_locked:
                    lock.wake_front()
                reraise(error)
        lock.is_locked = True
        return True


class Semaphore(_Lockable):
    """`asyncio.Semaphore`."""

    __slots__ = ("count",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*_Lockable.__waymark_state__, "count")

    def __init__(self, value: Any = 1) -> None:
        if value < 0:
            raise ValueError("Semaphore initial value must be >= 0")
        super().__init__()
        self.count = value

    def locked(self) -> bool:
        return self.count == 0 or any(future.status != CANCELLED for future in self.waiters)

    def acquire(self) -> LibraryCoroutine:
        return SemaphoreAcquire(self)

    def release(self) -> None:
        self.count += 1
        self.wake_next()

    def wake_next(self) -> bool:
        """Give one place to who waits longest; False when nobody does."""
        if not self.wake_first(True):
            return False
        self.count -= 1
        return True


class SemaphoreAcquire(_Call):
    """`semaphore.acquire()`."""

    __slots__ = ()

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        semaphore = self.owner
        if self.stage == 0:
            if semaphore.locked():
                return self.wait()
            semaphore.count -= 1
            return True
        future = self.stop_waiting()
        if error is not None and future.status not in (PENDING, CANCELLED):
            semaphore.count += 1  # it had a place and does not take it
        while semaphore.count > 0 and semaphore.wake_next():
            pass
        if error is not None:
            reraise(error)
        return True


class BoundedSemaphore(Semaphore):
    """`asyncio.BoundedSemaphore`."""

    __slots__ = ("bound",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*Semaphore.__waymark_state__, "bound")

    def __init__(self, value: Any = 1) -> None:
        self.bound = value
        super().__init__(value)

    def release(self) -> None:
        if self.count >= self.bound:
            raise ValueError("BoundedSemaphore released too many times")
        super().release()


class Event(LoopBound):
    """`asyncio.Event`."""

    __slots__ = ("value", "waiters")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("value", "waiters")

    def __init__(self) -> None:
        self.waiters: list[Future] = []
        self.value = False

    def is_set(self) -> bool:
        return self.value

    def set(self) -> None:
        if not self.value:
            self.value = True
            self.tasks.machine.meter.burn(len(self.waiters) >> 2)
            for future in self.waiters:
                if future.status == PENDING:
                    self.tasks.resolve(future, True)

    def clear(self) -> None:
        self.value = False

    def wait(self) -> LibraryCoroutine:
        return EventWait(self)


class EventWait(_Call):
    """`event.wait()`."""

    __slots__ = ()
    name = "wait"

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        if self.stage == 0:
            if not self.owner.value:
                return self.wait()
        else:
            self.stop_waiting()
            if error is not None:
                reraise(error)
        return True


class Condition(_Lockable):
    """`asyncio.Condition`."""

    __slots__ = ("lock",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*_Lockable.__waymark_state__, "lock")

    def __init__(self, lock: Any = None) -> None:
        super().__init__()
        self.lock = Lock() if lock is None else lock

    def bind(self, tasks: Any) -> None:
        super().bind(tasks)
        self.lock.bind(tasks)

    def locked(self) -> bool:
        return bool(self.lock.locked())

    def acquire(self) -> LibraryCoroutine:
        call: LibraryCoroutine = self.lock.acquire()
        return call

    def release(self) -> None:
        self.lock.release()

    def wait(self) -> LibraryCoroutine:
        return ConditionWait(self)

    def wait_for(self, predicate: Any) -> LibraryCoroutine:
        return ConditionWaitFor(self, predicate)

    def notify(self, n: Any = 1) -> None:
        if not self.locked():
            raise RuntimeError("cannot notify on un-acquired lock")
        self.wake(n)

    def notify_all(self) -> None:
        self.notify(len(self.waiters))

    def wake(self, n: Any) -> None:
        """Wake so many of those who wait."""
        self.tasks.machine.meter.burn(len(self.waiters) >> 2)
        count = 0
        for future in self.waiters:
            if count >= n:
                break
            if future.status == PENDING:
                count += 1
                self.tasks.resolve(future, False)


class ConditionWait(_Call):
    """`condition.wait()`: lets go of the lock, waits, and takes the lock again whatever happens."""

    __slots__ = ("error",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*_Call.__waymark_state__, "error")
    name = "wait"

    def __init__(self, owner: Any) -> None:
        super().__init__(owner)
        self.error: BaseException | None = None
        """What to raise once the lock is taken."""

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        condition = self.owner
        if self.stage == 0:
            if not condition.locked():
                raise RuntimeError("cannot wait on un-acquired lock")
            condition.release()
            return self.wait()
        if error is not None:
            self.error = error
        if self.stage == 1:
            self.stop_waiting()
            self.stage = 2
            return Awaits(condition.acquire())
        if isinstance(error, CancelledError):
            return Awaits(condition.acquire())
        if self.error is not None:
            condition.wake(1)
            reraise(self.error)
        return True


class ConditionWaitFor(LibraryCoroutine):
    """`condition.wait_for(predicate)`."""

    __slots__ = ("condition", "predicate")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        *LibraryCoroutine.__waymark_state__,
        "condition",
        "predicate",
    )

    def __init__(self, condition: Condition, predicate: Any) -> None:
        super().__init__()
        self.condition = condition
        self.predicate = predicate

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        if error is not None:
            reraise(error)
        result = tasks.machine.calls.invoke(self.predicate, [])
        return result if result else Awaits(self.condition.wait())
