"""Statements about tasks. Their results are noted in the order in which they happen, so the order is compared too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fuzz.choices import Choices
from tests.fuzz.scope import Scope
from tests.fuzz.text import Text

if TYPE_CHECKING:
    from tests.fuzz.statements import Statements

_WAITS = ("FIRST_COMPLETED", "ALL_COMPLETED", "FIRST_EXCEPTION")


class Concurrency:
    """Writes concurrent statements of one program."""

    def __init__(self, choices: Choices, text: Text, statements: Statements) -> None:
        self._choices = choices
        self._text = text
        self._statements = statements
        self.makers: dict[str, tuple[Callable[[Scope], None], ...]] = {
            "gather": (self._gather,),
            "tasks": (self._tasks, self._cancel),
            "wait": (self._wait, self._as_completed),
            "wait_for": (self._wait_for, self._timeout),
            "task_group": (self._task_group,),
            "locks": (self._lock, self._queue, self._event),
        }

    def _awaitables(self, scope: Scope, most: int = 3) -> list[str]:
        return [
            self._statements.expressions.awaitable(scope) for _ in range(1 + self._choices.up_to(most - 1))
        ]

    def _seconds(self) -> str:
        return self._choices.pick(("0", "0.001", "0.0025", "0.004", "0.02"))

    def _worker(self, scope: Scope) -> str:
        """A nested async function of one int, with a body of its own."""
        text = self._text
        name, parameter = scope.new("w"), scope.new("a")
        text.line(f"async def {name}({parameter}):")
        inner = scope.function(is_async=True)
        inner.add("int", parameter)
        with text.indented():
            self._statements.some(inner, 3)
            text.line(f"out.append({parameter})")
            text.line(f"return {self._statements.expressions.of('int', inner)}")
        scope.coroutines.append(name)
        return name

    def _needs_waiting(self, scope: Scope, feature: str = "") -> bool:
        """Whether the place can wait, and the program may use the feature; writes something else if not."""
        can = scope.is_async and (not feature or feature in scope.features)
        if not can:
            self._text.line("out.append('sync')")
        return can

    def _gather(self, scope: Scope) -> None:
        if not self._needs_waiting(scope):
            return
        parts = self._awaitables(scope)
        if self._choices.chance(50) and "nested" in scope.features:
            worker = self._worker(scope)
            parts.append(f"*[{worker}(v) for v in range({self._choices.up_to(3)})]")
        keep = self._choices.chance(60)
        with self._statements.guarded(scope):
            if keep:
                self._text.line(
                    f"for part in await asyncio.gather({', '.join(parts)}, return_exceptions=True): out.append(repr(part))"
                )
            else:
                self._text.line(f"out.append(await asyncio.gather({', '.join(parts)}))")

    def _tasks(self, scope: Scope) -> None:
        if not self._needs_waiting(scope):
            return
        text = self._text
        names = []
        for awaitable in self._awaitables(scope):
            name = scope.new("t")
            text.line(f"{name} = asyncio.create_task({awaitable})")
            names.append(name)
        self._statements.some(scope, 2)
        for name in names:
            text.line(f"out.append({name}.done())")
            with self._statements.guarded(scope):
                text.line(f"out.append(await {name})")

    def _cancel(self, scope: Scope) -> None:
        if not self._needs_waiting(scope):
            return
        text = self._text
        worker = self._worker(scope) if "nested" in scope.features else ""
        name = scope.new("t")
        awaitable = f"{worker}(1)" if worker else "later(1, 0.01)"
        text.line(f"{name} = asyncio.create_task({awaitable})")
        if self._choices.chance(70):
            text.line(f"await asyncio.sleep({self._seconds()})")
        text.line(f"out.append({name}.cancel({self._choices.pick(('', repr('why')))}))")
        text.line("try:")
        with text.indented():
            text.line(f"out.append(await {name})")
        text.line("except asyncio.CancelledError as error:")
        with text.indented():
            text.line("out.append(repr(error.args))")
        text.line("except Exception as error:")
        with text.indented():
            text.line("out.append(repr(error.args))")
        text.line(f"out.append({name}.cancelled())")

    def _wait(self, scope: Scope) -> None:
        if not self._needs_waiting(scope):
            return
        text = self._text
        tasks, done, pending = scope.new("ts"), scope.new("dn"), scope.new("pd")
        coroutines = ", ".join(f"asyncio.create_task({part})" for part in self._awaitables(scope))
        text.line(f"{tasks} = [{coroutines}]")
        timeout = self._choices.pick(("", f", timeout={self._seconds()}"))
        text.line(
            f"{done}, {pending} = await asyncio.wait({tasks}, return_when=asyncio.{self._choices.pick(_WAITS)}{timeout})"
        )
        text.line(f"out.append([task in {done} for task in {tasks}])")
        text.line(f"for task in {tasks}:")
        with text.indented():
            text.line(
                "if task.done(): out.append(repr(task.exception()) if task.exception() else task.result())"
            )
            text.line("else: task.cancel()")
        text.line(f"for task in {tasks}:")
        with text.indented():
            text.line("with contextlib.suppress(Exception, asyncio.CancelledError): out.append(await task)")
        text.line(f"out.append([task.cancelled() for task in {tasks}])")

    def _as_completed(self, scope: Scope) -> None:
        if not self._needs_waiting(scope):
            return
        text = self._text
        timeout = self._choices.pick(("", f", timeout={self._seconds()}"))
        # Natively those that are done already come in the order of a set, which is that of their addresses.
        tasks = ", ".join(f"asyncio.create_task({part})" for part in self._awaitables(scope))
        text.line("got = []")
        text.line(f"for part in asyncio.as_completed([{tasks}]{timeout}):")
        with text.indented(), self._statements.guarded(scope, "got"):
            text.line("got.append(repr(await part))")
        text.line("out.append(sorted(got))")

    def _wait_for(self, scope: Scope) -> None:
        if not self._needs_waiting(scope):
            return
        limit = self._choices.pick((self._seconds(), "None", "timeout=0.003"))
        with self._statements.guarded(scope):
            self._text.line(f"out.append(await asyncio.wait_for({self._awaitables(scope, 1)[0]}, {limit}))")

    def _timeout(self, scope: Scope) -> None:
        if not self._needs_waiting(scope):
            return
        with self._statements.guarded(scope):
            name = scope.new("cm")
            self._text.line(
                f"async with asyncio.timeout({self._choices.pick((self._seconds(), 'None'))}) as {name}:"
            )
            with self._text.indented(), scope.block():
                self._statements.some(scope, 3)
                self._text.line(f"await asyncio.sleep({self._seconds()})")
                self._text.line(f"out.append({name}.expired())")

    def _task_group(self, scope: Scope) -> None:
        if not self._needs_waiting(scope):
            return
        text = self._text
        group, tasks = scope.new("tg"), scope.new("ts")
        worker = self._worker(scope) if "nested" in scope.features else "echo"
        text.line(f"{tasks} = []")
        text.line("try:")
        with text.indented(), scope.block():
            text.line(f"async with asyncio.TaskGroup() as {group}:")
            with text.indented(), scope.block():
                for awaitable in self._awaitables(scope):
                    text.line(f"{tasks}.append({group}.create_task({awaitable}))")
                text.line(f"{tasks}.append({group}.create_task({worker}(4)))")
                self._statements.some(scope, 2)
        text.line("except* Exception as group:")
        with text.indented():
            text.line("out.append([repr(part) for part in group.exceptions])")
        text.line(
            f"out.append([task.result() if not task.cancelled() and not task.exception() else task.cancelled() for task in {tasks}])"
        )

    def _lock(self, scope: Scope) -> None:
        if not self._needs_waiting(scope, "nested"):
            return
        text = self._text
        lock, name, parameter = scope.new("lk"), scope.new("w"), scope.new("a")
        made = self._choices.pick(
            ("Lock()", f"Semaphore({self._choices.up_to(2) + 1})", "BoundedSemaphore(1)")
        )
        text.line(f"{lock} = asyncio.{made}")
        text.line(f"async def {name}({parameter}):")
        inner = scope.function(is_async=True)
        inner.add("int", parameter)
        with text.indented():
            text.line(f"async with {lock}:")
            with text.indented():
                text.line(f"out.append({parameter})")
                self._statements.some(inner, 2)
                text.line(f"await later(0, 0.001 * ({parameter} % 3))")
            text.line(f"out.append(-{parameter})")
        with self._statements.guarded(scope):
            text.line(
                f"await asyncio.gather(*[{name}(v) for v in range({self._choices.up_to(3) + 1})], return_exceptions=True)"
            )

    def _queue(self, scope: Scope) -> None:
        if not self._needs_waiting(scope, "nested"):
            return
        text = self._text
        queue, name = scope.new("q"), scope.new("w")
        text.line(
            f"{queue} = asyncio.{self._choices.pick(('Queue()', 'Queue(1)', 'LifoQueue()', 'PriorityQueue(2)'))}"
        )
        text.line(f"async def {name}():")
        with text.indented():
            text.line("for _ in range(3):")
            with text.indented():
                text.line(f"out.append(await {queue}.get())")
                text.line(f"await asyncio.sleep({self._seconds()})")
                text.line(f"{queue}.task_done()")
        task = scope.new("t")
        text.line(f"{task} = asyncio.create_task({name}())")
        for _ in range(3):
            text.line(f"await {queue}.put({self._statements.expressions.of('int', scope)})")
        text.line(f"await {queue}.join()")
        text.line(f"await {task}")
        text.line(f"out.append([{queue}.qsize(), {queue}.empty()])")

    def _event(self, scope: Scope) -> None:
        if not self._needs_waiting(scope, "nested"):
            return
        text = self._text
        event, name = scope.new("ev"), scope.new("w")
        text.line(f"{event} = asyncio.Event()")
        text.line(f"async def {name}(k):")
        with text.indented():
            text.line(f"out.append([k, await {event}.wait()])")
        tasks = scope.new("ts")
        text.line(f"{tasks} = [asyncio.create_task({name}(k)) for k in range({self._choices.up_to(2) + 1})]")
        self._statements.some(scope, 2)
        text.line(f"out.append({event}.is_set())")
        text.line(f"{event}.set()")
        text.line(f"await asyncio.gather(*{tasks})")
