"""A user's own tests: workflows run under pytest without a database, without set-up and without waiting."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.harness import Desk, open_desk
from tests.yardstick import python_start_s
from waymark.testing.local_stack import wait_until

SHOP = """
import asyncio

from waymark import RetryPolicy, Workflow, action, current_call, workflow


@action
async def double(value: int) -> int:
    return value * 2


@workflow
class Double(Workflow):
    async def run(self, value: int) -> int:
        return await double(value)


@workflow
class Sleepy(Workflow):
    async def run(self) -> int:
        await asyncio.sleep(30 * 24 * 3600)
        first, second = await asyncio.gather(double(1), self.later())
        return first + second

    async def later(self) -> int:
        await asyncio.sleep(3600)
        return await double(10)


@action
async def flaky() -> int:
    call = current_call()
    if call.attempt < 5:
        raise ConnectionError("away")
    return call.attempt


@workflow
class Patient(Workflow):
    async def run(self) -> int:
        return await self.run_action(flaky(), retry=RetryPolicy(attempts=9, backoff_seconds=600))


@workflow
class Talks(Workflow):
    async def run(self) -> None:
        print("hello", await double(2))


@workflow
class Failing(Workflow):
    async def run(self) -> int:
        raise ValueError(await double(21))
"""


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A project with workflows, and no setting at all."""
    with open_desk() as one:
        (one.directory / "shop.py").write_text(SHOP)
        (one.directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        yield one


def run_pytest(desk: Desk, body: str, interpreter: tuple[str, ...] = ("-X", "dev"), **settings: str) -> str:
    """Run the project's tests; all must pass. Returns what is printed."""
    (desk.directory / "test_shop.py").write_text(textwrap.dedent(body))
    done = subprocess.run(
        [sys.executable, *interpreter, "-m", "pytest", "-p", "no:cacheprovider", "-s", "-q"],
        cwd=desk.directory,
        env={**desk.environment, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def test_a_test_of_a_workflow_needs_nothing(desk: Desk) -> None:
    """Plain `asyncio.run`: results, failures, a month of sleep and an hour of backoff; no bridge, file or directory is left."""
    printed = run_pytest(
        desk,
        """
        import asyncio, time
        import pytest
        import waymark
        from shop import Double, Failing, Patient, Sleepy

        def test_result():
            assert asyncio.run(Double().run(21)) == 42

        def test_failure():
            with pytest.raises(waymark.WorkflowFailedError, match="workflow failed: ValueError: 42"):
                asyncio.run(Failing().run())

        def test_time_is_skipped():
            began = time.monotonic()
            assert asyncio.run(Sleepy().run()) == 22
            assert asyncio.run(Patient().run()) == 5
            assert time.monotonic() - began < 5

        def test_many_at_once():
            async def body():
                return await asyncio.gather(*[Double().run(number) for number in range(100)])
            assert asyncio.run(body()) == [2 * number for number in range(100)]
        """,
    )
    assert "4 passed" in printed
    assert desk.bridges() == []
    assert not desk.runtime.exists()


def test_what_a_run_prints_is_in_the_log_of_the_test(desk: Desk) -> None:
    """pytest shows it with a test that fails, and gives it to one that asks."""
    run_pytest(
        desk,
        """
        import asyncio
        from shop import Talks

        def test_printed(caplog):
            asyncio.run(Talks().run())
            assert [record.getMessage().rpartition(": ")[2] for record in caplog.records if record.name == "waymark.run"] == ["hello 4"]
        """,
    )


def test_a_run_takes_milliseconds_after_the_first(desk: Desk) -> None:
    """In one event loop, and with a new one for each test as most plugins make it; sooner than ten Pythons start and end."""
    printed = run_pytest(
        desk,
        """
        import asyncio, statistics, time
        import pytest
        from shop import Double

        async def timed(count):
            took = []
            for number in range(count):
                began = time.perf_counter()
                assert await Double().run(number) == 2 * number
                took.append(time.perf_counter() - began)
            return took

        def test_one_loop():
            took = asyncio.run(timed(41))[1:]
            print(f"\\nsame loop: {statistics.median(took) * 1000:.1f} ms")

        def test_new_loops():
            took = []
            for _ in range(20):
                began = time.perf_counter()
                asyncio.run(timed(1))
                took.append(time.perf_counter() - began)
            print(f"\\nnew loop: {statistics.median(took) * 1000:.1f} ms")
        """,
        interpreter=(),
    )
    figures = dict(re.findall(r"(same|new) loop: ([0-9.]+) ms", printed))
    start_ms = 1000 * min(python_start_s() for _ in range(3))
    print(figures, start_ms)
    assert float(figures["same"]) < 10 * start_ms
    assert float(figures["new"]) < 10 * start_ms


def test_async_plugins_work(desk: Desk) -> None:
    """anyio's pytest plugin, and a new runner for each test as pytest-asyncio has it."""
    run_pytest(
        desk,
        """
        import asyncio
        import pytest
        from shop import Double, Sleepy

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        def runner():
            with asyncio.Runner() as one:
                yield one

        @pytest.mark.anyio
        @pytest.mark.parametrize("number", range(5))
        async def test_with_anyio(number):
            assert await Double().run(number) == 2 * number
            assert await Sleepy().run() == 22

        @pytest.mark.parametrize("number", range(5))
        def test_with_a_runner(runner, number):
            assert runner.run(Double().run(number)) == 2 * number
            assert runner.run(Double().run(number)) == 2 * number

        def test_in_two_threads():
            import threading
            results = []
            threads = [threading.Thread(target=lambda: results.append(asyncio.run(Double().run(4)))) for _ in range(2)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            assert results == [8, 8]
        """,
    )


def test_children_of_a_test_do_not_inherit_the_mode(desk: Desk) -> None:
    """A program under test finds its bridge as it would anywhere; nothing is in its environment."""
    run_pytest(
        desk,
        """
        import asyncio, os, subprocess, sys
        from shop import Double

        def test_child():
            assert asyncio.run(Double().run(1)) == 2
            assert not [name for name in os.environ if name.startswith("WAYMARK_") and name != "WAYMARK_BRIDGE_GRPC_PORT"]
            program = "import asyncio, shop; asyncio.run(shop.Double().run(1))"
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
            assert done.returncode == 1
            assert "BootError: WAYMARK_DATABASE_URL is not set" in done.stderr
        """,
    )


def test_an_explicit_address_switches_it_off(desk: Desk) -> None:
    """Tests against a real bridge stay possible."""
    desk.serving_bridge(WAYMARK_BRIDGE_IN_MEMORY="1")
    run_pytest(
        desk,
        """
        import asyncio
        from shop import Double
        from waymark.sdk.connection import ConfiguredSource, connector

        def test_real():
            assert asyncio.run(Double().run(1)) == 2
            assert isinstance(connector._source, ConfiguredSource)
        """,
        WAYMARK_BRIDGE_GRPC_ADDR=f"127.0.0.1:{desk.port}",
    )


def test_the_plugin_loads_nothing_before_the_first_run(desk: Desk) -> None:
    """Projects that have waymark installed and tests without workflows pay nothing, and coverage sees their imports."""
    run_pytest(
        desk,
        """
        import sys

        def test_nothing_is_loaded():
            assert "waymark.testing.plugin" in sys.modules
            heavy = [name for name in sys.modules if name.startswith(("grpc", "waymark.sdk.", "waymark.compiler", "waymark.vm"))]
            assert heavy == ["waymark.sdk.late"]
        """,
    )


def test_nothing_is_left_when_pytest_is_killed(desk: Desk) -> None:
    """The engine is a thread of the test process: SIGKILL ends it too."""
    (desk.directory / "test_shop.py").write_text(
        textwrap.dedent(
            """
            import asyncio, pathlib, time
            from shop import Double

            def test_long():
                assert asyncio.run(Double().run(1)) == 2
                pathlib.Path("begun").touch()
                time.sleep(60)
            """
        )
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"],
        cwd=desk.directory,
        env=desk.environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: (desk.directory / "begun").exists(), 30, "the first run")
        session = [pid for pid in _pids() if _session(pid) == process.pid]
        assert session == [process.pid]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert desk.bridges() == []
    assert not desk.runtime.exists()


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0
