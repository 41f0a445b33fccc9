"""What a worker makes of actions of every kind, seen through a real process."""

from __future__ import annotations

from pathlib import Path

from tests.pool.harness import run, running_pool
from waymark.errors import ValueEncodingError
from waymark.values import codec


def test_values_exceptions_and_the_call_context_travel() -> None:
    """A value comes back equal, an exception with its traceback, and the action knows its call."""

    async def body() -> None:
        async with running_pool() as bench:
            value = {"a": [1, 2.5, None], ("t", 1): {b"x"}}
            assert await bench.value(bench.dispatch("echo", value)) == value
            error = await bench.exception(bench.dispatch("fail", "no luck"))
            assert isinstance(error, ValueError)
            assert error.args == ("no luck",)
            assert await bench.value(bench.dispatch("context")) == {
                "instance": "00000000000000000000000000000005",
                "call": 3,
                "attempt": 2,
                "key": "key-3",
                "workflow": "flow",
            }
            result = await bench.answer(bench.dispatch("echo", 1))
            assert result.duration_us >= 0

    run(body)


def test_an_action_cannot_end_its_worker_by_way_of_python() -> None:
    """SystemExit, KeyboardInterrupt and a self-made CancelledError are outcomes; the process stays."""

    async def body() -> None:
        async with running_pool() as bench:
            before = await bench.value(bench.dispatch("pid"))
            assert isinstance(await bench.exception(bench.dispatch("leave")), SystemExit)
            assert isinstance(await bench.exception(bench.dispatch("interrupt")), KeyboardInterrupt)
            assert await bench.value(bench.dispatch("leave_in_task")) == "caught 8"
            assert "CancelledError" in repr(await bench.exception(bench.dispatch("cancel_itself")))
            assert await bench.value(bench.dispatch("pid")) == before

    run(body)


def test_a_result_that_cannot_be_encoded_is_a_failed_call() -> None:
    """The caller gets the encoding error, which names the action."""

    async def body() -> None:
        async with running_pool() as bench:
            error = await bench.exception(bench.dispatch("unencodable"))
            assert isinstance(error, ValueEncodingError)
            assert "result of pool_actions:unencodable" in str(error)

    run(body)


def test_a_missing_action_is_unavailable_and_says_why(tmp_path: Path) -> None:
    """Unknown action, unknown module, script module, module that fails: not a failure of the call."""

    async def body() -> None:
        async with running_pool() as bench:

            async def reason(name: str, module: str) -> str:
                result = await bench.answer(bench.dispatch(name, module=module))
                return result.unavailable.reason

            assert (
                await reason("nothing", "pool_actions")
                == "module pool_actions of this worker has no action nothing"
            )
            assert await reason("x", "no_such_module") == "this worker has no module no_such_module"
            assert (
                await reason("echo", "os")
                == "module os of this worker has no action echo; module pool_actions has one of this name"
            )
            assert "was defined in a script" in await reason("x", "__main__")
            assert "no action x" in await reason("x", "../evil")
            assert await reason("x", "fails_on_import") == (
                "importing module fails_on_import failed: SystemExit: 5"
            )

    run(body)


def test_modules_are_imported_when_an_action_first_needs_them() -> None:
    """Without user modules the dispatch's module is imported by the worker."""

    async def body() -> None:
        async with running_pool(user_modules=[]) as bench:
            assert await bench.value(bench.dispatch("echo", 1)) == 1

    run(body)


def test_what_an_action_prints_disturbs_nothing() -> None:
    """stdout is the user's; no protocol runs over it."""

    async def body() -> None:
        async with running_pool() as bench:
            assert await bench.value(bench.dispatch("flood", 2000)) == "done"

    run(body)


def test_arguments_that_are_no_value_fail_the_call_only() -> None:
    """Damaged bytes in a dispatch are an exception of that call."""

    async def body() -> None:
        async with running_pool() as bench:
            from tests.pool.harness import SOURCE
            from waymark.proto.worker_pb2 import ActionDispatch

            damaged = ActionDispatch(module="pool_actions", name="echo", arguments=b"\xff")
            bench.pool.dispatch(SOURCE, 500, damaged.SerializeToString(), 0)
            result = await bench.answer(500)
            assert "ValueDecodingError" in repr(codec.decode(result.exception))
            bench.pool.dispatch(SOURCE, 501, b"\xff\xff", 0)
            assert (await bench.answer(501)).WhichOneof("outcome") == "exception"

    run(body)
