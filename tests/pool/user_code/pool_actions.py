"""Actions of the pool's tests; runs in real worker processes."""

# ruff: noqa: ASYNC110, ASYNC240, ASYNC251 - some of these actions misbehave on purpose

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from waymark.sdk.actions import action
from waymark.sdk.context import current_call


@action
async def echo(value: object) -> object:
    return value


@action
async def pid() -> int:
    return os.getpid()


@action
async def fail(message: str) -> None:
    raise ValueError(message)


@action
async def touch_and_wait(path: str) -> None:
    """Says by a file that it runs, then never returns."""
    Path(path).write_text(str(os.getpid()))
    await asyncio.Event().wait()


@action
async def block(path: str) -> None:
    """Blocks the event loop for longer than any test."""
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


@action
async def refuse_cancel(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue


@action
async def finish_in_spite_of_cancel(path: str) -> str:
    Path(path).write_text(str(os.getpid()))
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "cleaned up"
    return "never"


@action
async def wait_for_file(path: str) -> int:
    while not Path(path).exists():
        await asyncio.sleep(0.01)
    return os.getpid()


@action
async def leave() -> None:
    sys.exit(7)


@action
async def leave_in_task() -> str:
    async def inner() -> None:
        sys.exit(8)

    task = asyncio.create_task(inner())
    try:
        await task
    except SystemExit as error:
        return f"caught {error.code}"
    return "nothing"


@action
async def interrupt() -> None:
    raise KeyboardInterrupt


@action
async def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.Event().wait()


@action
async def unencodable() -> object:
    return sys


@action
async def cancel_itself() -> None:
    raise asyncio.CancelledError("by the action itself")


@action
async def context() -> dict[str, object]:
    await asyncio.sleep(0)
    call = current_call()
    assert call is not None
    return {
        "instance": call.instance_id.hex,
        "call": call.call_id,
        "attempt": call.attempt,
        "key": call.idempotency_key,
        "workflow": call.workflow_name,
    }


@action
async def flood(lines: int) -> str:
    for _ in range(lines):
        print("x" * 200)
    return "done"
