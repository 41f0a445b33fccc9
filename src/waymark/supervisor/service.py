"""What every loop of the supervisor has in common: a start, a stop, and an edge where surprises end."""

from __future__ import annotations

import logging

import anyio
from anyio.abc import TaskGroup

from waymark.pool.backoff import Backoff

log = logging.getLogger(__name__)


class Service:
    """A loop in a task group. Subclasses write `_run`; it is run again, after a pause, when it fails."""

    name = "service"

    def __init__(self) -> None:
        self._scope: anyio.CancelScope | None = None

    def start(self, group: TaskGroup) -> None:
        """Begin, in the background of `group`."""
        if self._scope is None:
            self._scope = anyio.CancelScope()
            group.start_soon(self._guard, self._scope, name=self.name)

    def stop(self) -> None:
        """End as soon as it waits for something; works before `start` and twice."""
        if self._scope is not None:
            self._scope.cancel()

    async def _run(self) -> None:
        raise NotImplementedError

    async def _guard(self, scope: anyio.CancelScope) -> None:
        backoff = Backoff()
        with scope:
            while True:
                try:
                    await self._run()
                    return
                except Exception:
                    # The edge of the loop: an error nobody foresaw must not take the supervisor with it.
                    log.exception("%s failed and is started again", self.name)
                await anyio.sleep(backoff.next_s())
