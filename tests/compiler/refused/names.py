"""Refused names, attributes and values."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import collections
import datetime
import functools
import json
import logging
import os
import random
import re
import time
import typing
import uuid
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel

from waymark.sdk.actions import action
from waymark.sdk.workflow import Workflow, workflow


@action
async def charge(n):
    return n


@dataclass
class Order:
    id: int
    total: int = 0

    def double(self):
        return self.total * 2

    @property
    def tax(self):
        return self.total / 5

    @classmethod
    def empty(cls):
        return cls(0)

    def saved(self):
        logger.info(self)
        return self

    @property
    def printed(self):
        return input(self)


@dataclass
class Tag:
    text: str

    @functools.cached_property
    def label(self):
        return self.text.upper()


@action
async def tagged() -> Tag:
    return Tag("t")


@dataclass
class Money:
    amount: int

    def __add__(self, other):
        return Money(self.amount + other.amount)


class Plain:
    def __init__(self, value):
        self.value = value


class Model(BaseModel):
    x: int = 1


class Table(dict):
    pass


logger = logging.getLogger("shop")
HANDLE = object()
PART = [1]
WHOLE = {"part": PART}


@workflow
class OtherWorkflow(Workflow):
    async def run(self):
        return 1


class Undefined(Workflow):
    async def run(self):
        order_total = 3
        return ordr_total + chargee(1) + lenn([])  # WM120 16 "did you mean `order_total`?" # WM120 29 "did you mean `charge`?" # WM120 42 "did you mean `len`?"


class NeverAssigned(Workflow):
    async def run(self):
        x: int
        return x  # WM121 16 "assign it before"


class UnknownAttribute(Workflow):
    rate = 2

    async def run(self):
        return self.rat  # WM122 16 "did you mean `rate`?"


class AnnotatedOnly(Workflow):
    size: int

    async def run(self):
        self.other += 1  # WM122 9 ""
        return self.size  # WM122 16 "assign `self.size`"


class BareSelf(Workflow):
    async def run(self):
        this = self  # WM123 16 "use `self.name`"
        await charge(self)  # WM123 22 "use `self.name`"
        return this


class ClassMembers(Workflow):
    send = charge

    @property
    def size(self):
        return 1

    @classmethod
    def make(cls):
        return 2

    async def run(self):
        a = self.size  # WM124 13 "ordinary method"
        b = self.make()  # WM124 13 "ordinary method"
        c = await self.send(1)  # WM124 19 "staticmethod()"
        return [a, b, c, self.short_name()]  # WM124 26 "ordinary method"


class AssignedMethod(Workflow):
    def helper(self):
        return 1

    async def run(self):
        self.helper = 3  # WM125 9 "another name"
        return self.helper()  # WM125 16 "another name"


class HasInit(Workflow):
    def __init__(self, n):  # WM126 5 "arguments of run()"
        self.n = n

    async def run(self):
        return 1


class Libraries(Workflow):
    async def run(self, text):
        a = json.load(text)  # WM132 13 "move it into an @action"
        b = collections.UserDict(text)  # WM131 13 "use dict"
        return [a, b]


class InputAndOutput(Workflow):
    async def run(self):
        print("hello", file=42)  # WM132 24 "leave out `file=`"
        data = open("file").read()  # WM132 16 "move it into an @action"
        time.sleep(3)  # WM132 9 "await asyncio.sleep"
        return [data, os.getpid(), input()]  # WM132 23 "@action" # WM132 36 "@action"


class TimeAndChance(Workflow):
    async def run(self):
        a = random.SystemRandom()  # WM133 13 "random.Random()"
        b = datetime.datetime.now()  # WM170 13 "datetime.now(timezone.utc)"
        c = uuid.uuid1()  # WM133 13 "use uuid4"
        d = datetime.date.today()  # WM170 13 "datetime.now(timezone.utc).date()"
        e = datetime.datetime.today()  # WM170 13 "datetime.now(timezone.utc)"
        f = time.localtime()  # WM170 13 "datetime.now(timezone.utc)"
        return [a, b, c, d, e, f, time.process_time(), hash("x"), id(a)]  # WM133 35 "time.monotonic()" # WM133 56 "value itself" # WM133 67 "compare with `is`"


class Patterns(Workflow):
    async def run(self, text):
        if re.match("(a+)+$", text):  # WM171 21 "can end in one place"
            return json.JSONEncoder()  # WM131 20 "default= and object_hook="
        return [eval(text), re.purge(), time.timezone]  # WM131 17 "into a function" # WM131 29 "other flags" # WM131 41 "use datetime"


class Values(Workflow):
    async def run(self):
        logger.info("x")  # WM132 9 "use print"
        return [HANDLE, ..., os.environ["HOME"]]  # WM134 17 "use it in an @action" # WM134 25 "None" # WM132 30 "@action"


class BadDefault(Workflow):
    def helper(self, handle=HANDLE):  # WM134 29 "@action"
        return handle

    async def run(self):
        return self.helper()


class SharedParts(Workflow):
    async def run(self):
        PART.append(2)
        return WHOLE  # WM134 16 "use only one of"


class Classes(Workflow):
    async def run(self, n):
        a = Plain(n)  # WM135 13 "make it a dataclass"
        b = Money(1) + Money(2)  # WM135 13 "in an @action" # WM135 24 "in an @action"
        c = Table()  # WM135 13 "use a dataclass"
        return [a, b, c, isinstance(n, Plain)]


class Methods(Workflow):
    async def run(self, order: Order):
        a = Order.empty().saved()  # WM136 13 "in an @action"
        b = Model.model_validate({"x": 1})
        c = order.double()
        d = "x".read_text({})  # WM136 13 "in an @action"
        f = order.printed + (await tagged()).label  # WM136 13 "use the fields" # WM136 29 "use the fields"
        e = "x".uper()  # WM136 13 "did you mean `upper`?"
        return [a, b, c, d, e]


class Modules(Workflow):
    async def run(self):
        return [json, len(os)]  # WM137 17 "by name" # WM137 27 "by name"


class SpecialAttributes(Workflow):
    async def run(self, x):
        x.__dict__["a"] = 1  # WM138 9 "operator"
        return x.__class__.__mro__  # WM138 16 "operator"


class ChildWorkflow(Workflow):
    async def run(self):
        await self.run()  # WM139 15 "helper method"
        return await OtherWorkflow().run()  # WM139 22 "in an @action"


class NotAwaited(Workflow):
    async def helper(self):
        return 1

    async def run(self):
        charge(1)  # WM140 9 "write `await charge(...)`"
        self.helper()  # WM140 9 "write `await self.helper(...)`"
        asyncio.sleep(1)  # WM140 9 "write `await asyncio.sleep(...)`"
        asyncio.gather(charge(1))  # WM140 9 "write `await asyncio.gather(...)`"
        self.run_action(charge(1))  # WM140 9 "write `await self.run_action(...)`"
        await charge(2)


class AwaitedWrongly(Workflow):
    def plain(self):
        return 1 + 1

    async def run(self, n):
        await 5  # WM141 15 "leave out `await`"
        await [charge(1)]  # WM141 15 "leave out `await`"
        await self.plain()  # WM141 15 "async def plain"
        await len([1])  # WM141 15 "leave out `await`"
        await Order(1)  # WM141 15 "leave out `await`"
        await charge  # WM141 15 "write `await charge(...)`"


class RunActions(Workflow):
    async def helper(self):
        return 1

    async def run(self):
        await self.run_action(charge(1), retries=3)  # WM142 42 "retry"
        await self.run_action(charge(1), backoff=3)  # WM142 42 "RetryPolicy"
        await self.run_action(charge(1), **{"retry": None})  # WM142 42 "RetryPolicy"
        await self.run_action(charge, 1)  # WM142 15 "some_action"
        await self.run_action(charge)  # WM142 31 "some_action"
        await self.run_action(self.helper())  # WM142 31 "some_action"
        await self.run_action()  # WM142 15 "some_action"
        return self.run_action  # WM142 16 "write `await self.run_action(...)`"


class Types(Workflow):
    async def run(self, x):
        a = list[int]()  # WM143 13 "without the brackets"
        b = Any  # WM143 13 "use a class"
        c = cast(int)  # WM143 13 "cast(SomeType, value)"
        return [a, b, c, typing.get_origin(x)]  # WM131 26 ""


GLOBAL_LOCK = asyncio.Lock()


class AsyncioParts(Workflow):
    async def run(self):
        loop = asyncio.get_running_loop()  # WM160 16 "asyncio.timeout"
        server = await asyncio.start_server(charge, "localhost", 1)  # WM144 24 "locks and queues"
        asyncio.run(charge(1))  # WM160 9 "write `await`"
        await asyncio.to_thread(charge, 1)  # WM160 15 "@action"
        done = asyncio.all_tasks()  # WM160 16 "keep the tasks in a list"
        task = asyncio.create_task(charge(1))
        task.add_done_callback(task)  # WM136 9 "asyncio.create_task"
        task.get_coro()  # WM136 9 "@action"
        asyncio.wait([task])  # WM140 9 "write `await asyncio.wait(...)`"
        async with GLOBAL_LOCK:  # WM134 20 "inside the workflow"
            return [loop, server, done]
