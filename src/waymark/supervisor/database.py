"""Calls to the store that must outlive an outage of any length, and one log line per change of its state."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from waymark.errors import StoreUnavailable
from waymark.pool.backoff import Backoff

T = TypeVar("T")

log = logging.getLogger(__name__)


class Database:
    """What the supervisor's loops share about the database: whether it answers."""

    def __init__(self, *, patience_s: float) -> None:
        """
        Args:
            patience_s: How long one call may take before it counts as unanswered. A connection that died
                without a word would otherwise hold up its loop for minutes.
        """
        if patience_s <= 0:
            raise ValueError(f"patience_s must be above 0, got {patience_s}")
        self._patience_s = patience_s
        self._answers = True

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make one call.

        Raises:
            StoreUnavailable: No answer; logged when it is the first.
        """
        try:
            with anyio.fail_after(self._patience_s):
                result = await call()
        except (StoreUnavailable, TimeoutError) as error:
            why = " ".join(str(error).split()) or f"no answer within {self._patience_s:g} s"
            if self._answers:
                self._answers = False
                log.warning("the database does not answer; waiting for it: %s", why)
            if isinstance(error, StoreUnavailable):
                raise
            raise StoreUnavailable(why) from error
        if not self._answers:
            self._answers = True
            log.info("the database answers again")
        return result

    async def insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat a call until it is answered."""
        backoff = Backoff(first_s=0.05, most_s=2.0)
        while True:
            try:
                return await self.ask(call)
            except StoreUnavailable:
                await anyio.sleep(backoff.next_s())
