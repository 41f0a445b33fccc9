"""A run in which nothing can ever happen again ends with the reason, where asyncio would hang."""

from __future__ import annotations

from pathlib import Path

from tests.vm.programs import answer, begin, compile_body, started
from waymark.vm.events import Failed
from waymark.vm.snapshots import restore, snapshot

_BODY = """
lock = asyncio.Lock()

async def worker(event):
    async with lock:
        await event.wait()

event = asyncio.Event()
task = asyncio.create_task(worker(event), name="worker")
await echo(1)
try:
    async with lock:
        await task
except Exception:
    return "caught"
"""


def test_a_deadlock_ends_the_run_and_names_every_task_with_its_line(tmp_path: Path) -> None:
    """Past every `except`, and the same after a restore."""
    program = compile_body(tmp_path, _BODY)
    machine, effects = begin(program)
    machine = restore(program, snapshot(machine))
    answer(machine, started(effects)[0], 1)
    outcome = machine.outcome
    assert isinstance(outcome, Failed)
    assert outcome.error_type == "WorkflowDeadlock"
    message = outcome.error_message
    assert message.startswith(
        "every task of the run waits for something that can never come: Task-1 in Tested.run ("
    )
    assert ") waits for Lock.acquire(); worker in Tested.run.<locals>.worker (" in message
    assert message.endswith(") waits for Event.wait()")


def test_many_waiting_tasks_are_counted(tmp_path: Path) -> None:
    """A message nobody can read helps nobody."""
    body = "event = asyncio.Event()\nawait asyncio.gather(*[event.wait() for _ in range(50)])"
    machine, _ = begin(compile_body(tmp_path, body))
    assert isinstance(machine.outcome, Failed)
    assert "Task-1 in Tested.run" in machine.outcome.error_message
    assert "waits for asyncio.gather()" in machine.outcome.error_message
    assert machine.outcome.error_message.endswith("; and 31 more")
