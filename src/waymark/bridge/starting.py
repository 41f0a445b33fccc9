"""Group commit of starts: while one statement is on its way, the starts of other callers gather for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from waymark.errors import IdempotencyConflict, StoreDataError, StoreError, VersionConflict
from waymark.model.records import InstanceId, NewInstance
from waymark.store.protocol import InstanceStore

MAX_GATHERED = 1000
"""Instances in one statement, unless one caller asks for more."""

MAX_GATHERED_BYTES = 8 * 1024 * 1024

Started = Mapping[InstanceId, InstanceId]


@dataclass(slots=True, eq=False)
class _Request:
    """What one caller wants to start."""

    batch: Sequence[NewInstance]
    answer: asyncio.Future[Started]

    @property
    def size_bytes(self) -> int:
        return sum(len(new.input) for new in self.batch)


class Starts:
    """Adds instances to the queue for many callers at once. `run` must be running.

    A caller is answered only after the statement that holds its instances has committed. A refusal concerns the caller it is for:
    when a gathered statement is refused, nothing of it was added, and each request is sent alone.
    """

    def __init__(self, store: InstanceStore) -> None:
        self._store = store
        self._waiting: list[_Request] = []
        self._news = asyncio.Event()

    async def start(self, batch: Sequence[NewInstance]) -> Started:
        """See `InstanceStore.start_instances`; raises what that raises."""
        request = _Request(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._news.set()
        return await request.answer

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._news.wait()
            gathered = self._gather()
            if not self._waiting:
                self._news.clear()
            await self._send(gathered)

    def _gather(self) -> list[_Request]:
        count = instances = size = 0
        for request in self._waiting:
            instances += len(request.batch)
            size += request.size_bytes
            if count and (instances > MAX_GATHERED or size > MAX_GATHERED_BYTES):
                break
            count += 1
        gathered, self._waiting = self._waiting[:count], self._waiting[count:]
        return gathered

    async def _send(self, requests: list[_Request]) -> None:
        try:
            started = await self._store.start_instances(
                [new for request in requests for new in request.batch]
            )
        except (VersionConflict, IdempotencyConflict, StoreDataError) as error:
            if len(requests) == 1:
                _refuse(requests, error)
                return
            for request in requests:
                await self._send([request])
        except StoreError as error:
            _refuse(requests, error)
        else:
            for request in requests:
                if not request.answer.done():
                    request.answer.set_result(started)


def _refuse(requests: list[_Request], error: StoreError) -> None:
    for request in requests:
        if not request.answer.done():
            request.answer.set_exception(error)
