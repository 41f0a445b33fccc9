"""asyncio.Barrier, inside one run: a count under a condition, as asyncio's own."""

from __future__ import annotations

from asyncio import BrokenBarrierError
from enum import IntEnum
from typing import Any, ClassVar

from waymark.vm.coroutines import Awaits, LibraryCoroutine
from waymark.vm.locks import Condition
from waymark.vm.managers import AsyncManager
from waymark.vm.unwinding import reraise


class _Phase(IntEnum):
    """What a barrier is doing."""

    FILLING = 0
    DRAINING = 1
    RESETTING = 2
    BROKEN = 3


class Barrier(AsyncManager):
    """`asyncio.Barrier`."""

    __slots__ = ("condition", "count", "parties", "phase")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("parties", "condition", "count", "phase")

    def __init__(self, parties: Any) -> None:
        if parties < 1:
            raise ValueError("parties must be > 0")
        self.parties = parties
        self.condition = Condition()
        self.count = 0
        """Tasks inside."""
        self.phase = int(_Phase.FILLING)

    def bind(self, tasks: Any) -> None:
        super().bind(tasks)
        self.condition.bind(tasks)

    @property
    def n_waiting(self) -> int:
        return self.count if self.phase == _Phase.FILLING else 0

    @property
    def broken(self) -> bool:
        return self.phase == _Phase.BROKEN

    def wait(self) -> LibraryCoroutine:
        return BarrierWait(self)

    def reset(self) -> LibraryCoroutine:
        return BarrierChange(self, int(_Phase.RESETTING))

    def abort(self) -> LibraryCoroutine:
        return BarrierChange(self, int(_Phase.BROKEN))

    def aenter(self) -> LibraryCoroutine:
        return BarrierWait(self)

    def left(self, error: BaseException | None) -> Any:
        return None


class _BarrierCall(LibraryCoroutine):
    """Works on a barrier under its condition."""

    __slots__ = ("barrier",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*LibraryCoroutine.__waymark_state__, "barrier")

    def __init__(self, barrier: Barrier) -> None:
        super().__init__()
        self.barrier = barrier

    @property
    def waits_for(self) -> str:
        return f"Barrier.{self.name}()"

    name = "wait"


_ACQUIRING, _BLOCKED, _INSIDE = 1, 2, 3
"""Stages of a wait: for the condition, for those of the round before to leave, for the others to come."""


class BarrierWait(_BarrierCall):
    """`barrier.wait()`."""

    __slots__ = ("index",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*_BarrierCall.__waymark_state__, "index")

    def __init__(self, barrier: Barrier) -> None:
        super().__init__(barrier)
        self.index = 0

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        barrier = self.barrier
        if self.stage == 0:
            self.stage = _ACQUIRING
            return Awaits(barrier.condition.acquire())
        if error is not None:
            if self.stage == _INSIDE:
                self._leave()
            elif self.stage == _BLOCKED:
                barrier.condition.release()
            reraise(error)
        if self.stage != _INSIDE:
            return self._come_in()
        if barrier.phase == _Phase.FILLING:
            return Awaits(barrier.condition.wait())
        is_broken = barrier.phase in (_Phase.BROKEN, _Phase.RESETTING)
        self._leave()
        if is_broken:
            raise BrokenBarrierError("Abort or reset of barrier")
        return self.index

    def _come_in(self) -> Any:
        barrier = self.barrier
        if barrier.phase in (_Phase.DRAINING, _Phase.RESETTING):
            self.stage = _BLOCKED
            return Awaits(barrier.condition.wait())
        if barrier.phase == _Phase.BROKEN:
            barrier.condition.release()
            raise BrokenBarrierError("Barrier aborted")
        self.index = barrier.count
        barrier.count += 1
        if barrier.count < barrier.parties:
            self.stage = _INSIDE
            return Awaits(barrier.condition.wait())
        barrier.phase = int(_Phase.DRAINING)
        barrier.condition.notify_all()
        self._leave()
        return self.index

    def _leave(self) -> None:
        """Who is last lets the next round in."""
        barrier = self.barrier
        barrier.count -= 1
        if barrier.count == 0:
            if barrier.phase in (_Phase.RESETTING, _Phase.DRAINING):
                barrier.phase = int(_Phase.FILLING)
            barrier.condition.notify_all()
        barrier.condition.release()


class BarrierChange(_BarrierCall):
    """`barrier.reset()` and `barrier.abort()`."""

    __slots__ = ("phase",)
    __waymark_state__: ClassVar[tuple[str, ...]] = (*_BarrierCall.__waymark_state__, "phase")

    def __init__(self, barrier: Barrier, phase: int) -> None:
        super().__init__(barrier)
        self.phase = phase

    @property
    def name(self) -> str:  # type: ignore[override]
        return "abort" if self.phase == _Phase.BROKEN else "reset"

    def advance(self, tasks: Any, value: Any, error: BaseException | None) -> Any:
        barrier = self.barrier
        if self.stage == 0:
            self.stage = _ACQUIRING
            return Awaits(barrier.condition.acquire())
        if error is not None:
            reraise(error)
        is_empty = self.phase == _Phase.RESETTING and barrier.count == 0
        barrier.phase = int(_Phase.FILLING) if is_empty else self.phase
        barrier.condition.notify_all()
        barrier.condition.release()
        return None
