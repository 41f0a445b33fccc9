"""Calls of asyncio's functions, and of methods of what they give, with arguments that do not fit."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import re

from tests.differential.bodies.body import body
from tests.differential.bodies.shared import echo
from waymark.sdk.workflow import Workflow


@body()
class WrongCallsOfFunctions(Workflow):
    async def run(self):
        said = []
        for function, args, kwargs in (
            (asyncio.sleep, (), {}),
            (asyncio.sleep, (0, 1, 2), {}),
            (asyncio.sleep, (0,), {"other": 1}),
            (asyncio.wait_for, (1,), {}),
            (asyncio.wait_for, (1, 2, 3), {}),
            (asyncio.wait, (), {}),
            (asyncio.wait, ([], 1), {}),
            (asyncio.shield, (), {}),
            (asyncio.gather, (), {"return_exception": True}),
            (asyncio.timeout, (), {}),
            (asyncio.timeout_at, (1, 2), {}),
            (asyncio.as_completed, (), {}),
            (asyncio.create_task, (), {}),
            (asyncio.create_task, (1, 2), {}),
            (asyncio.ensure_future, (), {}),
        ):
            try:
                function(*args, **kwargs)
            except TypeError as error:
                said.append(str(error))
        return said


@body()
class WrongCallsOfMethods(Workflow):
    async def run(self):
        said = []
        task = asyncio.create_task(asyncio.sleep(1))
        objects = (
            (asyncio.Lock(), ("acquire", "release", "locked")),
            (asyncio.Semaphore(), ("acquire", "release", "locked")),
            (asyncio.BoundedSemaphore(), ("acquire", "release", "locked")),
            (asyncio.Event(), ("set", "clear", "wait", "is_set")),
            (asyncio.Condition(), ("wait", "notify_all", "acquire", "release", "locked")),
            (asyncio.Queue(), ("get", "get_nowait", "task_done", "join", "qsize", "empty", "full")),
            (asyncio.LifoQueue(), ("get", "join")),
            (asyncio.Barrier(1), ("wait", "reset", "abort")),
            (task, ("result", "exception", "done", "cancelled", "get_name", "cancelling", "uncancel")),
            (asyncio.timeout(1), ("when", "expired")),
        )
        for receiver, names in objects:
            for name in names:
                try:
                    getattr(receiver, name)(1, 2)
                except TypeError as error:
                    said.append(str(error))
        for receiver, name in (
            (asyncio.Queue(), "put"),
            (asyncio.Queue(), "put_nowait"),
            (asyncio.Condition(), "wait_for"),
            (task, "set_name"),
            (asyncio.timeout(1), "reschedule"),
        ):
            try:
                getattr(receiver, name)()
            except TypeError as error:
                said.append(str(error))
        try:
            task.cancel(1, 2)
        except TypeError as error:
            said.append(str(error))
        try:
            task.cancel(other=2)
        except TypeError as error:
            said.append(str(error))
        await task
        return said


@body()
class WrongConstructions(Workflow):
    async def run(self):
        said = []
        for cls, args in (
            (asyncio.Lock, (1,)),
            (asyncio.Event, (1,)),
            (asyncio.Semaphore, (1, 2)),
            (asyncio.BoundedSemaphore, (1, 2)),
            (asyncio.Queue, (1, 2)),
            (asyncio.Barrier, ()),
            (asyncio.Barrier, (1, 2)),
            (asyncio.TaskGroup, (1,)),
            (asyncio.Condition, (1, 2)),
            (asyncio.Semaphore, ("x",)),
            (asyncio.Semaphore, (-1,)),
        ):
            try:
                cls(*args)
            except (TypeError, ValueError) as error:
                said.append(str(error))
        return said


@body()
class WrongCallsOfMatches(Workflow):
    async def run(self):
        match = re.match("(a)", "a")
        said = []
        for name, args in (
            ("start", (0, 1)),
            ("end", (0, 1)),
            ("span", (0, 1)),
            ("groups", (0, 1)),
            ("groupdict", (0, 1)),
            ("expand", ()),
        ):
            try:
                getattr(match, name)(*args)
            except TypeError as error:
                said.append(str(error))
        return said
