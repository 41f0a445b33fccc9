"""Starting runs as a user does: what is refused before anything is sent, what errors say, which variables count."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.harness import Desk, open_desk

FLOWS = """
from dataclasses import dataclass

from waymark import RetryPolicy, Workflow, action, workflow


class CardDeclined(Exception):
    def __init__(self, code, reason):
        super().__init__(f"card declined: {reason}")
        self.code = code


@action
async def double(value: int) -> int:
    return value * 2


@action
async def charge(code: int) -> None:
    raise CardDeclined(code, "no funds")


@workflow
class Double(Workflow):
    async def run(self, value: int, *, extra: int = 0) -> int:
        return await double(value) + extra


@workflow
class Checkout(Workflow):
    async def pay(self, code: int) -> None:
        await charge(code)

    async def run(self, code: int) -> None:
        await self.pay(code)


@workflow
class Refused(Workflow):
    async def run(self) -> int:
        global counter
        import os
        return os.getpid()
"""


SLOW_STEP = re.compile(r"Executing <.*> took \d+\.\d+ seconds$")


@pytest.fixture
def desk() -> Iterator[Desk]:
    """In memory mode: scripts are the users, and run their own actions."""
    with open_desk(WAYMARK_BRIDGE_IN_MEMORY="1") as one:
        (one.directory / "flows.py").write_text(FLOWS)
        yield one


def script(desk: Desk, body: str, *, code: int = 0, head: bool = True, **settings: str) -> str:
    """Run a script beside flows.py; returns what it prints, or for a failing one what it writes to stderr."""
    lines = textwrap.dedent(body)
    if head:
        lines = "import asyncio, flows, waymark\n" + lines
    path = desk.directory / "script.py"
    path.write_text(lines)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", str(path)],
        env={**desk.environment, **settings},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    if not code:
        # asyncio's debug mode also remarks on a machine that is busy; that says nothing about the script.
        remarks = [line for line in done.stderr.splitlines() if not SLOW_STEP.match(line)]
        assert remarks == []
        return done.stdout
    return done.stderr


def test_a_plain_script_runs_workflows(desk: Desk) -> None:
    """With `asyncio.run`, again and again, in one process and from threads; no warning anywhere."""
    printed = script(
        desk,
        """
        import threading
        print(asyncio.run(flows.Double().run(1)), asyncio.run(flows.Double().run(2, extra=5)))
        results = []
        def work(number):
            results.append(asyncio.run(flows.Double().run(number)))
        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(sorted(results))
        """,
    )
    assert printed == "2 9\n[0, 2, 4, 6, 8, 10]\n"
    assert len(desk.bridges()) == 1


def test_the_ways_to_start(desk: Desk) -> None:
    """An id at once, a handle, many at once, a priority; nothing at all when waiting is switched off."""
    body = """
        import uuid
        async def main():
            found = await flows.Double().run(4, _blocking=False, _priority=-7)
            assert isinstance(found, uuid.UUID)
            assert await waymark.handle(found).result() == 8
            handle = await waymark.start(flows.Double().run(5, extra=1), priority=7)
            assert await handle.result() == 11
            many = await waymark.start_many(flows.Double, [((number,), {"extra": 1}) for number in range(600)], priority=3)
            print([await handle.result() for handle in many] == [2 * number + 1 for number in range(600)])
            print(await flows.Double().run(4))
        asyncio.run(main())
        """
    assert script(desk, body) == "True\n8\n"
    assert (
        script(desk, "print(asyncio.run(flows.Double().run(4)))", WAYMARK_SKIP_WAIT_FOR_INSTANCE="1")
        == "None\n"
    )


def test_what_run_would_not_take_is_refused_before_anything_is_sent(desk: Desk) -> None:
    """TypeError as a plain call gives it, ValueEncodingError with the path, the compiler's findings: no bridge is needed."""
    printed = script(
        desk,
        """
        class Connection: pass
        calls = [
            lambda: flows.Double().run(),
            lambda: flows.Double().run(1, 2),
            lambda: flows.Double().run(1, other=2),
            lambda: flows.Double().run(1, _priority="high"),
            lambda: flows.Double().run(1, _priority=2**31),
            lambda: flows.Double().run({"a": [Connection()]}),
            lambda: flows.Double().run("x" * (9 * 1024 * 1024)),
            lambda: flows.Refused().run(),
        ]
        for call in calls:
            try:
                asyncio.run(call())
            except Exception as error:
                print(type(error).__name__, str(error).splitlines()[0])
        """,
    )
    lines = printed.splitlines()
    assert lines[:5] == [
        "TypeError missing a required argument: 'value'",
        "TypeError too many positional arguments",
        "TypeError got an unexpected keyword argument 'other'",
        "TypeError _priority must be an int, got 'high'",
        "ValueError _priority must fit 32 bits, got 2147483648",
    ]
    assert lines[5].startswith(
        "ValueEncodingError arguments of Double.run()[0][0]['a'][0]: a value of type Connection"
    )
    assert lines[6].startswith("ValueEncodingError arguments of Double.run()")
    assert lines[7].startswith("UnsupportedPatternError ")
    assert desk.bridges() == []


def test_a_failed_run_shows_workflow_and_worker_when_printed(desk: Desk) -> None:
    """The traceback that Python prints leads from the action's line through the workflow's to the caller's."""
    stderr = script(desk, "asyncio.run(flows.Checkout().run(402))", code=1)
    flows = desk.directory / "flows.py"
    for expected in (
        f'File "{flows}", line',
        "in Checkout.run",
        "await self.pay(code)",
        "in Checkout.pay",
        "await charge(code)",
        "Traceback in the worker:",
        'raise CardDeclined(code, "no funds")',
        "The above exception was the direct cause of the following exception:",
        "waymark.errors.WorkflowFailedError: workflow failed: CardDeclined: card declined: no funds",
    ):
        assert expected in stderr, f"{expected!r} is not in\n{stderr}"


def test_a_failed_run_carries_its_facts(desk: Desk) -> None:
    """Id, class name, message and attributes."""
    printed = script(
        desk,
        """
        async def main():
            started = await flows.Checkout().run(402, _blocking=False)
            try:
                await waymark.handle(started).result()
            except RuntimeError as error:
                print(error.instance_id == started, error.error_type, error.error_message, error.error_attributes)
        asyncio.run(main())
        """,
    )
    assert printed == "True CardDeclined card declined: no funds {'code': 402}\n"


SCRIPT_WITH_ACTIONS = """
    import asyncio
    from waymark import Workflow, action, workflow

    @action
    async def double(value: int) -> int:
        return value * 2

    @workflow
    class InScript(Workflow):
        async def run(self, value: int) -> int:
            return await double(value)

    if __name__ == "__main__":
        print(asyncio.run(InScript().run(4)))
    """


def test_a_script_may_hold_its_own_actions_in_memory_mode(desk: Desk) -> None:
    """The process that starts a run is the one that executes its actions."""
    assert script(desk, SCRIPT_WITH_ACTIONS, head=False) == "8\n"


def test_actions_of_a_script_are_refused_where_workers_would_run_them(database_url: str) -> None:
    """Workers cannot import `__main__`: an error that says what to do, instead of a run that waits for ever."""
    with open_desk(WAYMARK_DATABASE_URL=database_url) as desk:
        stderr = script(desk, SCRIPT_WITH_ACTIONS, head=False, code=1)
        last = stderr.rstrip().splitlines()[-1]
        assert last == (
            "waymark.errors.UnsupportedPatternError: InScript uses double of the script that runs (__main__), which worker processes "
            "cannot import; move workflows and actions to a module of their own, such as flows.py, and import it in the script"
        )


# Finding the bridge


def test_without_settings_the_error_says_what_to_set() -> None:
    """At once; nothing is tried for a minute."""
    with open_desk() as desk:
        (desk.directory / "flows.py").write_text(FLOWS)
        last = script(desk, "asyncio.run(flows.Double().run(1))", code=1).rstrip().splitlines()[-1]
        assert last.startswith("waymark.errors.BootError: WAYMARK_DATABASE_URL is not set")


def test_a_bridge_that_cannot_start_is_explained() -> None:
    """The bridge's own reason reaches the caller, without the password."""
    with open_desk(WAYMARK_DATABASE_URL="postgresql://ann:canary@127.0.0.1:1/shop") as desk:
        (desk.directory / "flows.py").write_text(FLOWS)
        stderr = script(desk, "asyncio.run(flows.Double().run(1))", code=1)
        assert (
            "waymark.errors.BootError: no bridge could be found or started; the boot helper says:" in stderr
        )
        assert "config: WAYMARK_DATABASE_URL names a database that does not answer" in stderr
        assert f"bridge-{desk.port}.log" in stderr
        assert "canary" not in stderr


def test_the_boot_command_is_the_users(desk: Desk) -> None:
    """Shell words, with --output-file appended; what it leaves running does not hold up the caller."""
    helper = desk.directory / "boot helper.sh"
    left = desk.directory / "left"
    lines = [
        "#!/bin/sh",
        f'echo "$@" > {desk.directory}/called',
        f"sleep 30 & echo $! > {left}",
        f'echo {desk.port} > "$3"',
    ]
    helper.write_text("\n".join(lines))
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    desk.serving_bridge()
    command = f"'{helper}' my-option"
    assert script(desk, "print(asyncio.run(flows.Double().run(4)))", WAYMARK_BOOT_COMMAND=command) == "8\n"
    assert (desk.directory / "called").read_text().startswith("my-option --output-file /")
    os.kill(int(left.read_text()), signal.SIGKILL)


def test_the_boot_binary_is_a_path_or_a_name_on_path(desk: Desk) -> None:
    """The command wins over the binary."""
    directory = desk.directory / "bin"
    directory.mkdir()
    helper = directory / "my-boot"
    helper.write_text(f'#!/bin/sh\necho {desk.port} > "$2"\necho x >> {desk.directory}/called\n')
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    desk.serving_bridge()
    run = "print(asyncio.run(flows.Double().run(4)))"
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    assert script(desk, run, WAYMARK_BOOT_BINARY=str(helper)) == "8\n"
    assert script(desk, run, WAYMARK_BOOT_BINARY="my-boot", PATH=path) == "8\n"
    assert (desk.directory / "called").read_text() == "x\nx\n"
    stderr = script(desk, run, WAYMARK_BOOT_COMMAND="/does/not/exist", WAYMARK_BOOT_BINARY="my-boot", code=1)
    assert (
        "the boot helper /does/not/exist cannot be run: No such file or directory; correct WAYMARK_BOOT_BINARY"
        in stderr
    )
    assert "WAYMARK_BOOT_BINARY 'nothing' is neither beside" in script(
        desk, run, WAYMARK_BOOT_BINARY="nothing", code=1
    )
    assert "wrote no port to its output file" in script(desk, run, WAYMARK_BOOT_BINARY="true", code=1)
    assert "no bridge could be found or started" in script(desk, run, WAYMARK_BOOT_BINARY="false", code=1)


def test_an_explicit_address_boots_nothing(desk: Desk) -> None:
    """The bridge there is used, whatever the other variables say."""
    desk.serving_bridge()
    address = f"127.0.0.1:{desk.port}"
    run = "print(asyncio.run(flows.Double().run(4)))"
    assert script(desk, run, WAYMARK_BRIDGE_GRPC_ADDR=address, WAYMARK_BOOT_COMMAND="false") == "8\n"
    stderr = script(desk, run, WAYMARK_BRIDGE_GRPC_ADDR=address, WAYMARK_BRIDGE_TOKEN="wrong", code=1)
    assert f"what listens on {address} is not a bridge with the token of this process" in stderr


def test_the_public_names_are_all_there() -> None:
    """The lazy table, the imports for type checkers and `__all__` agree."""
    import ast

    import waymark

    tree = ast.parse(Path(str(waymark.__file__)).read_text())
    checked = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("waymark.")
        for alias in node.names
    }
    assert checked == set(waymark.__all__) == set(waymark._HOME)
    assert all(getattr(waymark, name) is not None for name in waymark.__all__)
    assert set(waymark.__all__) <= set(dir(waymark))
    with pytest.raises(AttributeError, match="has no attribute 'Workflows'"):
        _ = waymark.Workflows  # type: ignore[attr-defined]
    assert uuid.UUID(int=1) == waymark.handle(str(uuid.UUID(int=1))).instance_id
