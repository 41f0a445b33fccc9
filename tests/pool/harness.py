"""Runs a real pool with real workers and speaks its bytes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from waymark.model.settings import Address
from waymark.pool.command import WorkerCommand, worker_environment
from waymark.pool.pool import PoolOptions, WorkerPool
from waymark.pool.router import Results
from waymark.proto.worker_pb2 import ActionDispatch, ActionKind, ActionResult
from waymark.values import codec

USER_CODE = Path(__file__).parent / "user_code"
COMMAND = WorkerCommand((sys.executable, "-m", "waymark.worker"), "test")
SOURCE = uuid4()


def dispatch_body(
    name: str,
    *args: object,
    module: str = "pool_actions",
    kind: ActionKind = ActionKind.ACTION,
    timeout_ms: int = 0,
) -> bytes:
    """An encoded ActionDispatch."""
    return ActionDispatch(
        instance_id=UUID(int=5).bytes,
        call_id=3,
        attempt=2,
        idempotency_key="key-3",
        workflow_name="flow",
        module=module,
        name=name,
        kind=kind,
        timeout_ms=timeout_ms,
        arguments=codec.encode([list(args), {}]),
    ).SerializeToString()


class Harness:
    """A pool and everything that came back from it."""

    def __init__(self) -> None:
        self.pool: WorkerPool
        self.answers: dict[tuple[UUID, int], ActionResult] = {}
        self.counts: Counter[tuple[UUID, int]] = Counter()
        self._changed = asyncio.Event()
        self._tokens = 0

    def take(self, source: UUID, results: Results) -> None:
        for token, body in results:
            self.answers[source, token] = ActionResult.FromString(body)
            self.counts[source, token] += 1
        self._changed.set()

    def dispatch(
        self, name: str, *args: object, timeout_ms: int = 0, source: UUID = SOURCE, **more: Any
    ) -> int:
        """Give the pool a call; returns its token."""
        self._tokens += 1
        self.pool.dispatch(
            source, self._tokens, dispatch_body(name, *args, timeout_ms=timeout_ms, **more), timeout_ms
        )
        return self._tokens

    async def answer(self, token: int, source: UUID = SOURCE) -> ActionResult:
        """Wait for the result of a call."""
        while (source, token) not in self.answers:
            self._changed.clear()
            await self._changed.wait()
        return self.answers[source, token]

    async def value(self, token: int, source: UUID = SOURCE) -> Any:
        result = await self.answer(token, source)
        assert result.WhichOneof("outcome") == "value", result
        return codec.decode(result.value)

    async def exception(self, token: int) -> BaseException:
        result = await self.answer(token)
        assert result.WhichOneof("outcome") == "exception", result
        error = codec.decode(result.exception)
        assert isinstance(error, BaseException)
        return error

    async def outcome(self, token: int) -> str:
        kind = (await self.answer(token)).WhichOneof("outcome")
        assert kind is not None
        return str(kind)


def options(**changes: Any) -> PoolOptions:
    environment = worker_environment(os.environ, directory=str(USER_CODE), is_frozen=False)
    settings: dict[str, Any] = {
        "address": Address("127.0.0.1", 0),
        "worker_count": 1,
        "slots_per_worker": 10,
        "commands": [COMMAND],
        "environment": environment,
        "user_modules": ["pool_actions"],
        "cancel_grace_s": 0.3,
    }
    return PoolOptions(**{**settings, **changes})


@asynccontextmanager
async def running_pool(**changes: Any) -> AsyncIterator[Harness]:
    """A pool that has started, and is stopped with nothing left of it."""
    harness = Harness()
    harness.pool = WorkerPool(options(**changes), harness.take)
    await harness.pool.start()
    try:
        yield harness
    finally:
        pids = harness.pool.pids
        await harness.pool.stop()
        assert [pid for pid in pids if is_alive(pid)] == []


def run(body: Callable[[], Awaitable[None]], *, limit_s: float = 60) -> None:
    """Run a test body on the loop of production, within a time limit."""
    import uvloop

    async def limited() -> None:
        async with asyncio.timeout(limit_s):
            await body()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(limited())


async def until(condition: Callable[[], bool], *, within_s: float = 20.0) -> float:
    """Wait until a condition holds; returns how many seconds that took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within_s:
            raise AssertionError(f"not within {within_s} s")
        await asyncio.sleep(0.005)
    return time.monotonic() - began


def written(path: Path) -> Callable[[], bool]:
    """Condition: an action has written its pid there."""
    return lambda: path.exists() and path.read_text() != ""


def is_alive(pid: int) -> bool:
    """Whether a process runs, zombies not counted."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
