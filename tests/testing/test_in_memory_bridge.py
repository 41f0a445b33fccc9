"""`WAYMARK_BRIDGE_IN_MEMORY=1`: one bridge, and every process that starts runs executes their actions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.bridge.harness import Desk, open_desk
from waymark.testing.local_stack import wait_until

FLOWS = """
import asyncio, os, pathlib

from waymark import Workflow, action, workflow


@action
async def who() -> int:
    return os.getpid()


@action
async def slow_who(marker: str) -> int:
    path = pathlib.Path(marker)
    is_first = not path.exists()
    path.touch()
    if is_first:
        await asyncio.sleep(3600)
    return os.getpid()


@workflow
class Who(Workflow):
    async def run(self) -> int:
        await asyncio.sleep(0.02)
        return await who()


@workflow
class SlowWho(Workflow):
    async def run(self, marker: str) -> int:
        return await slow_who(marker)
"""


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A project whose bridge is in memory."""
    with open_desk(WAYMARK_BRIDGE_IN_MEMORY="1") as one:
        (one.directory / "flows.py").write_text(FLOWS)
        yield one


def client(desk: Desk, body: str) -> subprocess.Popen[str]:
    """One process that uses the SDK; it says when it is ready for more."""
    program = "import asyncio, os, sys, flows, waymark\n" + body
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        cwd=desk.directory,
        env=desk.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_each_run_their_own_actions(desk: Desk) -> None:
    """At the same time, on one bridge."""
    body = """
async def main():
    found = await asyncio.gather(*[flows.Who().run() for _ in range(50)])
    print(set(found) == {os.getpid()})
asyncio.run(main())
"""
    processes = [client(desk, body) for _ in range(2)]
    assert [process.communicate(timeout=30)[0] for process in processes] == ["True\n"] * 2
    assert len(desk.bridges()) == 1


def test_another_process_continues_what_a_dead_one_left(desk: Desk) -> None:
    """SIGKILL in the middle of an action: it is lost with its process and runs again where somebody is left, or comes next."""
    marker = desk.directory / "marker"
    first = client(
        desk,
        f"""
async def main():
    started = await flows.SlowWho().run({str(marker)!r}, _blocking=False)
    print(started, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
""",
    )
    assert first.stdout is not None
    instance_id = first.stdout.readline().strip()
    wait_until(marker.exists, 20, "the action")
    first.kill()
    first.communicate()
    second = client(
        desk,
        f"""
async def main():
    await flows.Who().run()
    print(await waymark.handle({instance_id!r}).result() == os.getpid())
asyncio.run(main())
""",
    )
    assert second.communicate(timeout=30)[0] == "True\n"


def test_what_a_bridge_forgot_is_not_found(desk: Desk) -> None:
    """Its memory ends with it: who waits is told, and who starts goes on with the next one."""
    process = client(
        desk,
        f"""
async def main():
    waiting = asyncio.create_task(flows.SlowWho().run({str(desk.directory / "marker")!r}))
    print(await flows.Who().run() == os.getpid(), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(await flows.Who().run() == os.getpid())
    try:
        await waiting
    except waymark.InstanceNotFound:
        print("not found")
asyncio.run(main())
""",
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "True\n"
    desk.kill_bridges()
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.communicate(timeout=40)[0] == "True\nnot found\n"
