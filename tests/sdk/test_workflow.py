"""Workflow, @workflow and native runs."""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any, cast
from uuid import UUID

import pytest

from waymark.compiler.resolve.statics import ACTION_ATTRIBUTE
from waymark.compiler.source import NATIVE_RUN_ATTRIBUTE
from waymark.errors import ActionTimeout
from waymark.model.policy import RetryPolicy
from waymark.sdk import actions
from waymark.sdk.actions import action
from waymark.sdk.runs import start
from waymark.sdk.workflow import Workflow, WorkflowRegistry, native_run, workflow, workflow_registry

attempts: list[Any] = []


@action
async def flaky(failures: int, *args: int, key: str = "k", **more: int) -> list[Any]:
    """Fails so many times."""
    attempts.append((args, key, more))
    if len(attempts) <= failures:
        raise ValueError(f"attempt {len(attempts)}")
    return [args, key, more]


@action
async def slow() -> None:
    await asyncio.sleep(30)


@workflow
class Greeting(Workflow):
    """Doc of the class."""

    async def run(self, name: str, *, mark: str = "!") -> str:
        """Doc of run."""
        return f"hi {name}{mark}"


class Retrying(Workflow):
    async def run(self, failures: int, policy: Any) -> Any:
        return await self.run_action(flaky(failures, 1, 2, key="x", z=3), retry=policy)


@pytest.fixture(autouse=True)
def fresh_attempts() -> None:
    attempts.clear()


def test_native_run_executes_the_users_own_run() -> None:
    """In this process, without durability."""
    assert asyncio.run(native_run(Greeting(), "ada", mark="?")) == "hi ada?"


def test_run_of_a_decorated_class_goes_through_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments arrive as given; the two of Waymark's own are taken off."""
    seen: list[Any] = []

    async def run_workflow(cls: type, args: Any, kwargs: Any, *, blocking: bool, priority: int) -> str:
        seen.append((cls, args, kwargs, blocking, priority))
        return "result"

    module = ModuleType("waymark.sdk.client")
    module.run_workflow = run_workflow  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "waymark.sdk.client", module)

    run: Any = Greeting().run
    assert asyncio.run(run("ada", mark="?")) == "result"
    assert asyncio.run(run("bob", _blocking=False, _priority=7)) == "result"
    assert seen == [
        (Greeting, ("ada",), {"mark": "?"}, True, 0),
        (Greeting, ("bob",), {}, False, 7),
    ]
    with pytest.raises(TypeError, match="missing a required argument: 'name'"):
        asyncio.run(run())
    assert len(seen) == 2


def test_start_takes_a_run_that_was_called_and_not_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its class and arguments; the call itself is closed, so nothing warns of it."""
    seen: list[Any] = []
    instance_id = UUID(int=5)

    async def start_instances(cls: type, inputs: Any, *, priority: int) -> list[UUID]:
        seen.append((cls, inputs, priority))
        return [instance_id]

    module = ModuleType("waymark.sdk.client")
    module.start_instances = start_instances  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "waymark.sdk.client", module)

    handle = asyncio.run(start(Greeting().run("ada", mark="?"), priority=7))
    assert handle.instance_id == instance_id
    assert seen == [(Greeting, [(("ada",), {"mark": "?"})], 7)]


async def other() -> str:
    return "x"


def awaited() -> Any:
    """A run that was awaited to its end already."""
    call = Greeting().run()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        asyncio.run(call)
    return call


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: Greeting, "needs run() of a workflow, called and not awaited, got type"),
        (awaited, "needs run() of a workflow, called and not awaited, got coroutine"),
        (other, "needs run() of an @workflow class, got a call of other"),
        (
            lambda: native_run(Greeting(), "ada"),
            "needs run() of an @workflow class, got a call of Greeting.run",
        ),
        (lambda: Retrying().run(1, None), "needs run() of an @workflow class, got a call of Retrying.run"),
        (lambda: cast(Any, Greeting()).run("ada", _blocking=False), "leave out _blocking and _priority"),
        (lambda: cast(Any, Greeting()).run("ada", _priority=3), "leave out _blocking and _priority"),
    ],
)
def test_start_says_what_it_needs(call: Callable[[], Any], reason: str) -> None:
    """Nothing is sent."""
    with pytest.raises(TypeError, match=re.escape(reason)):
        asyncio.run(start(call()))


def test_a_decorated_run_keeps_signature_and_documentation() -> None:
    """For readers, tools and type checkers."""
    assert Greeting.run.__doc__ == "Doc of run."
    assert str(inspect.signature(Greeting.run)) == "(self, name: 'str', *, mark: 'str' = '!') -> 'str'"
    assert inspect.iscoroutinefunction(Greeting.run)
    assert Greeting.short_name() == "greeting"
    assert workflow_registry.find("greeting") is Greeting


def test_a_subclass_that_inherits_run_starts_as_itself() -> None:
    """@workflow on a class without a run() of its own."""

    @workflow
    class Louder(Greeting):
        pass

    assert asyncio.run(native_run(Louder(), "ada")) == "hi ada!"
    assert workflow_registry.compiled(Louder).program.class_name.endswith("Louder")


@pytest.mark.parametrize("bad", [int, type("Plain", (), {}), 5])
def test_only_workflow_classes_can_be_decorated(bad: Any) -> None:
    """The message says what to write."""
    with pytest.raises(TypeError, match="@workflow needs a class derived from Workflow"):
        workflow(bad)


def test_run_must_be_an_async_method() -> None:
    """A plain def, or none at all, is refused at decoration."""

    class Sync(Workflow):
        def run(self) -> int:  # type: ignore[override]
            return 1

    class Empty(Workflow):
        pass

    for cls in (Sync, Empty):
        with pytest.raises(TypeError, match="needs a method `async def run"):
            workflow(cls)


def test_two_classes_cannot_share_a_name() -> None:
    """A reload of the same class can."""
    registry = WorkflowRegistry()
    registry.register(Greeting)
    registry.register(Greeting)
    other = type("Greeting", (Workflow,), {"__module__": "elsewhere"})
    with pytest.raises(ValueError, match="workflow name 'greeting' is taken"):
        registry.register(other)


def test_a_program_is_compiled_once() -> None:
    """At first use, and kept."""
    assert workflow_registry.compiled(Greeting) is workflow_registry.compiled(Greeting)


def test_native_retries_call_the_action_again_with_the_same_arguments() -> None:
    """A coroutine runs once, so each attempt gets a new one."""
    result = asyncio.run(native_run(Retrying(), 2, RetryPolicy(attempts=3)))
    assert result == [(1, 2), "x", {"z": 3}]
    assert attempts == [((1, 2), "x", {"z": 3})] * 3


def test_native_retries_end_with_the_last_error() -> None:
    """As many executions as `attempts` says."""
    with pytest.raises(ValueError, match="attempt 2"):
        asyncio.run(native_run(Retrying(), 9, RetryPolicy(attempts=2)))
    assert len(attempts) == 2


def test_without_a_policy_there_is_one_attempt() -> None:
    """None is the same as leaving it out."""
    with pytest.raises(ValueError, match="attempt 1"):
        asyncio.run(native_run(Retrying(), 9, None))


def test_a_wrapped_action_is_retried_too() -> None:
    """The coroutine of a decorator's wrapper holds what it closes over."""

    def wrapping(function: Any) -> Any:
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **kwargs)

        return wrapper

    wrapped = wrapping(flaky)

    class Wrapped(Workflow):
        async def run(self) -> Any:
            return await self.run_action(wrapped(1, 5), retry=RetryPolicy(attempts=2))

    assert asyncio.run(native_run(Wrapped())) == [(5,), "k", {}]


@pytest.mark.parametrize("timeout", [0.01, timedelta(milliseconds=10)])
def test_a_native_timeout_raises_action_timeout(timeout: Any) -> None:
    """With the message that the machine gives."""

    class Slow(Workflow):
        async def run(self) -> Any:
            return await self.run_action(slow(), timeout=timeout)

    with pytest.raises(ActionTimeout, match=r"test_workflow:slow ran longer than its timeout of 0.01 s"):
        asyncio.run(native_run(Slow()))


def test_actions_stay_ordinary_async_functions() -> None:
    """Outside of workflows nothing is different."""
    assert inspect.iscoroutinefunction(flaky)
    assert asyncio.run(flaky(0)) == [(), "k", {}]

    async def gathered() -> Any:
        return await asyncio.gather(flaky(0), asyncio.create_task(flaky(0)))

    assert len(asyncio.run(gathered())) == 2


def test_compiler_and_sdk_agree_on_their_marks() -> None:
    """The compiler may not import the SDK, so it has the name of the mark a second time."""
    assert actions.ACTION_ATTRIBUTE == ACTION_ATTRIBUTE
    assert hasattr(Greeting.run, NATIVE_RUN_ATTRIBUTE)
