"""asyncio's queues, inside one run."""

from __future__ import annotations

import heapq
from asyncio import QueueEmpty, QueueFull
from typing import Any, ClassVar

from waymark.vm.coroutines import Awaits, LibraryCoroutine
from waymark.vm.futures import CANCELLED, PENDING, Future
from waymark.vm.locks import Event
from waymark.vm.managers import LoopBound
from waymark.vm.unwinding import reraise
from waymark.vm.weight import check_walk

_ITEM_BYTES = 60


class Queue(LoopBound):
    """`asyncio.Queue`."""

    __slots__ = ("finished", "getters", "items", "maxsize", "putters", "unfinished")
    __waymark_state__: ClassVar[tuple[str, ...]] = (
        "maxsize",
        "items",
        "getters",
        "putters",
        "unfinished",
        "finished",
    )

    def __init__(self, maxsize: Any = 0) -> None:
        self.maxsize = maxsize
        self.items: list[Any] = []
        self.getters: list[Future] = []
        self.putters: list[Future] = []
        self.unfinished = 0
        self.finished = Event()
        self.finished.value = True

    def bind(self, tasks: Any) -> None:
        super().bind(tasks)
        self.finished.bind(tasks)

    def qsize(self) -> int:
        return len(self.items)

    def empty(self) -> bool:
        return not self.items

    def full(self) -> bool:
        return bool(self.maxsize > 0 and len(self.items) >= self.maxsize)

    def put(self, item: Any) -> LibraryCoroutine:
        return QueuePut(self, item)

    def put_nowait(self, item: Any) -> None:
        if self.full():
            raise QueueFull
        machine = self.tasks.machine
        machine.meter.items(len(self.items) + 1)
        machine.heap.charge(_ITEM_BYTES)
        self.add(item)
        self.unfinished += 1
        self.finished.clear()
        self.wake(self.getters)

    def get(self) -> LibraryCoroutine:
        return QueueGet(self)

    def get_nowait(self) -> Any:
        if not self.items:
            raise QueueEmpty
        item = self.take()
        self.wake(self.putters)
        return item

    def task_done(self) -> None:
        if self.unfinished <= 0:
            raise ValueError("task_done() called too many times")
        self.unfinished -= 1
        if self.unfinished == 0:
            self.finished.set()

    def join(self) -> LibraryCoroutine:
        return QueueJoin(self)

    def add(self, item: Any) -> None:
        """Put an item where it belongs."""
        self.items.append(item)

    def take(self) -> Any:
        """Remove the item that comes next."""
        self.tasks.machine.meter.burn(len(self.items) >> 10)
        return self.items.pop(0)

    def wake(self, waiters: list[Future]) -> None:
        """Wake who waits longest."""
        self.tasks.machine.meter.burn(len(waiters) >> 8)
        while waiters:
            future = waiters.pop(0)
            if future.status == PENDING:
                self.tasks.resolve(future, None)
                break


class LifoQueue(Queue):
    """`asyncio.LifoQueue`."""

    __slots__ = ()

    def take(self) -> Any:
        return self.items.pop()


class PriorityQueue(Queue):
    """`asyncio.PriorityQueue`."""

    __slots__ = ()

    def add(self, item: Any) -> None:
        self._pay(item)
        heapq.heappush(self.items, item)

    def take(self) -> Any:
        self._pay(self.items[-1])
        return heapq.heappop(self.items)

    def _pay(self, item: Any) -> None:
        """An item is compared with one of each level."""
        for _ in range(len(self.items).bit_length()):
            check_walk(self.tasks.machine.meter, item)


class _QueueCall(LibraryCoroutine):
    """Waits until the queue has room, or an item."""

    __slots__ = ("future", "queue")
    __waymark_state__: ClassVar[tuple[str, ...]] = (*LibraryCoroutine.__waymark_state__, "queue", "future")

    def __init__(self, queue: Queue) -> None:
        super().__init__()
        self.queue = queue
        self.future: Future | None = None

    def wait(self, waiters: list[Future]) -> Awaits:
        """Stand in line."""
        self.future = Future()
        waiters.append(self.future)
        return Awaits(self.future)

    def give_up(self, tasks: Any, waiters: list[Future], error: BaseException, can_go_on: bool) -> None:
        """It was cancelled: who comes next may go on instead."""
        future = self.future
        assert future is not None
        future.cancel(tasks)
        tasks.machine.meter.burn(len(waiters) >> 3)
        if future in waiters:
            waiters.remove(future)
        if can_go_on and future.status != CANCELLED:
            self.queue.wake(waiters)
        reraise(error)


class QueueGet(_QueueCall):
    """`queue.get()`."""

    __slots__ = ()

    @property
    def waits_for(self) -> str:
        return f"{type(self.queue).__name__}.get()"

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        queue = self.queue
        if error is not None:
            self.give_up(tasks, queue.getters, error, not queue.empty())
        return self.wait(queue.getters) if queue.empty() else queue.get_nowait()


class QueuePut(_QueueCall):
    """`queue.put(item)`."""

    __slots__ = ("item",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*_QueueCall.__waymark_state__, "item")

    def __init__(self, queue: Queue, item: Any) -> None:
        super().__init__(queue)
        self.item = item

    @property
    def waits_for(self) -> str:
        return f"{type(self.queue).__name__}.put()"

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        queue = self.queue
        if error is not None:
            self.give_up(tasks, queue.putters, error, not queue.full())
        return self.wait(queue.putters) if queue.full() else queue.put_nowait(self.item)


class QueueJoin(LibraryCoroutine):
    """`queue.join()`."""

    __slots__ = ("queue",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*LibraryCoroutine.__waymark_state__, "queue")

    def __init__(self, queue: Queue) -> None:
        super().__init__()
        self.queue = queue

    @property
    def waits_for(self) -> str:
        return f"{type(self.queue).__name__}.join()"

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        if error is not None:
            reraise(error)
        if self.stage == 1 or self.queue.unfinished <= 0:
            return None
        self.stage = 1
        return Awaits(self.queue.finished.wait())
