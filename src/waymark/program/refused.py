"""What of Python's library workflows do not have: code, reason and way out, by the name that `waymark.program.library` would use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a name cannot be used."""

    code: str
    reason: str
    help: str


_ACTION = "move it into an @action and await it"
_REFUSED: tuple[tuple[Refused, str], ...] = (
    (Refused("WM132", "talks to the outside", _ACTION), "builtins.print builtins.input builtins.open"),
    (
        Refused("WM132", "would block every workflow of the host", "write `await asyncio.sleep(...)`"),
        "time.sleep",
    ),
    (
        Refused("WM133", "differs from process to process", "compare or store the value itself"),
        "builtins.hash",
    ),
    (Refused("WM133", "differs from process to process", "compare with `is`"), "builtins.id"),
    (
        Refused(
            "WM133",
            "is made of the address of a network card",
            "use uuid4, or uuid5 for an id made of a name",
        ),
        "uuid.uuid1 uuid.getnode",
    ),
    (
        Refused(
            "WM133",
            "draws from the host, and would draw another value in a replay",
            "use `random.Random()` or `secrets`",
        ),
        "random.SystemRandom secrets.SystemRandom",
    ),
    (
        Refused(
            "WM170",
            "asks for the time zone of the host",
            "write `datetime.now(timezone.utc)`, or name another zone",
        ),
        "datetime.datetime.today time.localtime time.ctime time.asctime time.mktime time.strftime time.tzset",
    ),
    (
        Refused(
            "WM170",
            "asks for the time zone of the host",
            "write `datetime.now(timezone.utc).date()`, or name another zone",
        ),
        "datetime.date.today datetime.date.fromtimestamp",
    ),
    (
        Refused(
            "WM133",
            "measures the process, which is another one after a restart",
            "use time.monotonic(), the time of the run",
        ),
        "time.process_time time.process_time_ns time.thread_time time.thread_time_ns time.clock_gettime time.clock_gettime_ns",
    ),
    (
        Refused(
            "WM160",
            "gives the event loop, which a workflow does not have",
            "use asyncio.timeout for limits, asyncio.sleep for pauses, asyncio.create_task for tasks, time.monotonic() for the time of the run",
        ),
        "asyncio.get_running_loop asyncio.get_event_loop asyncio.new_event_loop asyncio.set_event_loop",
    ),
    (
        Refused("WM160", "starts an event loop of its own", "write `await` before the coroutine"),
        "asyncio.run asyncio.Runner asyncio.run_coroutine_threadsafe",
    ),
    (
        Refused("WM160", "runs code in a thread", _ACTION),
        "asyncio.to_thread",
    ),
    (
        Refused("WM160", "depends on which tasks are still referred to", "keep the tasks in a list"),
        "asyncio.all_tasks",
    ),
    (
        Refused(
            "WM131",
            "is not supported in a workflow",
            "use try/finally, nested `with` blocks, or an @action",
        ),
        "contextlib.contextmanager contextlib.asynccontextmanager contextlib.closing contextlib.aclosing contextlib.ExitStack "
        "contextlib.AsyncExitStack contextlib.redirect_stdout contextlib.redirect_stderr contextlib.chdir",
    ),
    (
        Refused(
            "WM131",
            "changes the context that all decimals of the host share",
            "round with `quantize`, or compute in an @action",
        ),
        "decimal.localcontext decimal.getcontext decimal.setcontext",
    ),
)

REFUSED: dict[str, Refused] = {name: refused for refused, names in _REFUSED for name in names.split()}
"""By dotted name; builtins under `builtins.`."""
