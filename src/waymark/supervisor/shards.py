"""The shards that live now, and the routes between them and the pool."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Protocol

from waymark.pool.router import Results, SourceId
from waymark.proto.link_pb2 import FromShard
from waymark.supervisor.shard import ShardProcess

WAKE_INTERVAL_S = 0.002
"""Wake-ups within this time become one."""

log = logging.getLogger(__name__)


class Dispatcher(Protocol):
    """The pool, as far as routing needs it."""

    def dispatch(self, source_id: SourceId, token: int, body: bytes, timeout_ms: int = 0) -> None: ...

    def use_until(self, source_id: SourceId, deadline_us: int) -> None: ...

    def cancel(self, source_id: SourceId, token: int) -> None: ...

    def forget_source(self, source_id: SourceId) -> None: ...


class Shards:
    """Live shards by executor id."""

    def __init__(self) -> None:
        self._shards: dict[SourceId, ShardProcess] = {}
        self._wake_is_due = False

    def __iter__(self) -> Iterator[ShardProcess]:
        return iter(tuple(self._shards.values()))

    def __len__(self) -> int:
        return len(self._shards)

    def add(self, shard: ShardProcess) -> None:
        self._shards[shard.executor_id] = shard

    def remove(self, shard: ShardProcess) -> None:
        self._shards.pop(shard.executor_id, None)

    def lease(self, shard: ShardProcess, usable_until_us: int, pool: Dispatcher) -> None:
        """A shard's lease was renewed: it may dispatch, and what it dispatched may start, until then."""
        if self._shards.get(shard.executor_id) is shard:
            pool.use_until(shard.executor_id, usable_until_us)
            shard.lease(usable_until_us)

    def wake(self) -> None:
        """Tell every shard that instances may be due; many calls in short time become one."""
        if not self._wake_is_due:
            self._wake_is_due = True
            asyncio.get_running_loop().call_later(WAKE_INTERVAL_S, self._wake)

    def _wake(self) -> None:
        self._wake_is_due = False
        for shard in self._shards.values():
            if shard.is_ready:
                shard.wake()

    def results(self, source_id: SourceId, results: Results) -> None:
        """Callback of the pool: calls of a shard came back."""
        shard = self._shards.get(source_id)
        if shard is not None:
            shard.results(results)

    def take(self, shard: ShardProcess, message: FromShard, pool: Dispatcher) -> None:
        """Do what a shard asks for. Bodies pass as they are."""
        kind = message.WhichOneof("kind")
        if kind == "dispatches":
            source_id = shard.executor_id
            dispatch = pool.dispatch
            for entry in message.dispatches.dispatches:
                dispatch(source_id, entry.token, entry.body, entry.timeout_ms)
        elif kind == "cancels":
            for token in message.cancels.tokens:
                pool.cancel(shard.executor_id, token)
        elif kind == "progress":
            shard.progress = message.progress
        elif kind == "ready":
            shard.is_ready = True
            log.info("%s is ready", shard)
        # Stopped needs no answer: the process exits next.
