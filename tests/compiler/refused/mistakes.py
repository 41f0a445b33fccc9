"""What people write first, and are told what to write instead."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import abc
import asyncio
import concurrent.futures
import datetime
import functools
import logging
import math
import os
import pathlib
import random
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import types
import typing
import urllib.request
import uuid
from collections import namedtuple
from dataclasses import dataclass, field
from datetime import datetime as moment
from typing import NamedTuple, TypedDict

import anyio
import click
import msgspec
import pydantic

from waymark.model.policy import RetryPolicy
from waymark.sdk.actions import action
from waymark.sdk.workflow import Workflow, workflow

logger = logging.getLogger("shop")
info = logging.info
lock = threading.Lock()
client = socket.socket()
client.close()
config = {"opener": open}
started = asyncio.Event()
numbers = (n for n in [1])
Pair = namedtuple("Pair", "a b")


def get(url):
    """Stands in for a package that need not be installed here."""


requests = types.ModuleType("requests")
requests.get = types.FunctionType(get.__code__.replace(co_filename="/lib/site-packages/requests/api.py"), {"__name__": "requests.api"})


@action
async def charge(n):
    return n


class Point(NamedTuple):
    x: int


class Options(TypedDict):
    x: int


class Service:
    def __init__(self):
        self.x = 1

    async def get(self, n):
        return n


service = Service()


@dataclass
class Line:
    items: list = field(default_factory=list)

    def __len__(self):
        return len(self.items)


class Logs(Workflow):
    async def run(self, order):
        logging.info("started")  # WM132 9 "use print"
        info("started")  # WM132 9 "log of the run"
        logger.info("started")  # WM132 9 "use print"
        logger.exception("x")  # WM132 9 "use print"
        sys.stderr.write("x")  # WM132 9 "use print"


class Environment(Workflow):
    async def run(self):
        a = os.environ["HOME"]  # WM132 13 "@action"
        b = os.environ.get("HOME")  # WM132 13 "@action"
        c = os.getenv("HOME")  # WM132 13 "@action"
        d = os.getcwd()  # WM132 13 "@action"
        e = sys.argv[1]  # WM133 13 "argument of run()"
        f = sys.getsizeof(a)  # WM133 13 "argument of run()"
        g = pathlib.Path(__file__)  # WM133 26 "in an @action"
        return [a, b, c, d, e, f, g, __name__]


class Files(Workflow):
    async def run(self, name):
        with open(name) as file:  # WM132 14 "@action"
            text = file.read()  # WM136 20 "in an @action"
        a = pathlib.Path(name).read_text()  # WM136 13 "read and write files in an @action"
        b = pathlib.Path(name).exists()  # WM136 13 "read and write files in an @action"
        c = pathlib.Path.cwd()  # WM132 13 "@action"
        d = os.path.join("a", name)  # WM131 13 "use `PurePath`"
        e = os.path.exists(name)  # WM132 13 "@action"
        f = os.listdir(name)  # WM132 13 "@action"
        return [text, a, b, c, d, e, f]


class Networks(Workflow):
    async def run(self, url):
        a = requests.get(url)  # WM132 13 "@action"
        b = await requests.get(url)  # WM132 19 "@action"
        c = urllib.request.urlopen(url)  # WM132 13 "@action"
        d = socket.create_connection((url, 80))  # WM132 13 "@action"
        client.send(b"x")  # WM132 9 "@action"
        e = sqlite3.connect("shop")  # WM132 13 "@action"
        f = subprocess.run(["ls"])  # WM132 13 "@action"
        return [a, b, c, d, e, f]


class Sleeps(Workflow):
    async def run(self):
        time.sleep(1)  # WM132 9 "await asyncio.sleep"
        await anyio.sleep(1)  # WM160 15 "use asyncio: sleep"
        asyncio.sleep(1)  # WM140 9 "write `await asyncio.sleep(...)`"


class Threads(Workflow):
    async def run(self, n):
        with lock:  # WM160 14 "asyncio.create_task"
            pass
        threading.Thread(target=charge).start()  # WM160 9 "asyncio.create_task"
        pool = concurrent.futures.ThreadPoolExecutor()  # WM160 16 "work that blocks"
        return pool


class LibraryFunctions(Workflow):
    async def run(self, n):
        click.echo(n)  # WM130 9 "call it in an @action"
        a = msgspec.json.encode(n)  # WM130 13 "call it in an @action"
        b = pydantic.TypeAdapter(int)  # WM135 13 "return plain data"
        return [a, b]


class GlobalObjects(Workflow):
    async def run(self, n):
        await service.get(n)  # WM134 15 "use it in an @action"
        await started.wait()  # WM134 15 "inside the workflow"
        a = config["opener"]  # WM134 13 "inside the workflow"
        return [a, *numbers]  # WM134 21 "inside the workflow"


class OtherClasses(Workflow):
    async def run(self, n):
        a = Point(n)  # WM135 13 "dataclass with frozen=True"
        b = Pair(n, n)  # WM135 13 "dataclass with frozen=True"
        c = Options(x=n)  # WM135 13 "use a dataclass"
        d = Service()  # WM135 13 "make it a dataclass"
        e = Line()  # WM135 13 "return plain data"
        return [a, b, c, d, e]


class Misspelt(Workflow):
    limit = 3

    def step(self, n):
        return n

    async def run(self, order, items):
        a = math.sqr(2)  # WM120 13 "did you mean `sqrt`?"
        b = datetime.now()  # WM120 13 "did you mean `datetime.datetime.now`?"
        c = order.strp()  # WM136 13 "did you mean `strip`?"
        d = self.stepp(1)  # WM122 13 "did you mean `step`?"
        e = ordre  # WM120 13 "did you mean `order`?"
        self.run_acton(charge(1))  # WM122 9 "did you mean `run_action`?"
        await asyncio.slep(1)  # WM120 15 "did you mean `sleep`?"
        f = mth.sqrt(2)  # WM120 13 "did you mean `math`?"
        items.apend(1)  # WM136 9 "did you mean `append`?"
        return [a, b, c, d, e, f]


class Exits(Workflow):
    async def run(self, n):
        if n:
            sys.exit(1)  # WM131 13 "raise an exception of your own"
        exit()  # WM131 9 "leave it out"
        breakpoint()  # WM131 9 "leave it out"


class HostTime(Workflow):
    async def run(self):
        a = moment.now()  # WM170 13 "datetime.now(timezone.utc)"
        b = moment.today()  # WM170 13 "datetime.now(timezone.utc)"
        c = time.strftime("%H")  # WM170 13 "datetime.now(timezone.utc)"
        return [a, b, c, uuid.uuid1()]  # WM133 26 "use uuid4"


class RegularExpressions(Workflow):
    async def run(self, text):
        pattern = re.compile("(a+)+$")  # WM171 30 "end in one place"
        return [pattern, re.sub("(.*)*", "b", text)]  # WM171 33 "end in one place"


class ByItsClass(Workflow):
    limit = 3

    @staticmethod
    def fee():
        return 1

    async def run(self):
        return ByItsClass.limit


@workflow
class OtherOne(Workflow):
    limit = 3

    @staticmethod
    def fee():
        return 1

    @functools.cache
    def cached(self):
        return 1

    @classmethod
    def build(cls):
        return cls()

    async def run(self):
        a = OtherOne.limit  # WM124 13 "write `self.limit`"
        b = OtherOne.fee()  # WM124 13 "write `self.fee`"
        c = self.cached()  # WM116 13 "inside the function"
        d = self.build()  # WM124 13 "ordinary method"
        return [a, b, c, d]


@workflow
class StartsOthers(Workflow):
    async def run(self, n):
        a = await OtherOne().run()  # WM139 19 "start it in an @action"
        b = OtherOne  # WM139 13 "in an @action"
        return [a, b]


class GlobalCounter(Workflow):
    async def run(self):
        global total  # WM109 9 "attributes of `self`"
        total = 1


class ForgottenAwait(Workflow):
    async def step(self):
        return 1

    async def run(self, n):
        charge(n)  # WM140 9 "write `await charge(...)`"
        self.step()  # WM140 9 "write `await self.step(...)`"
        self.run_action(charge(n))  # WM140 9 "write `await self.run_action(...)`"
        asyncio.wait_for(charge(n), 1)  # WM140 9 "write `await asyncio.wait_for(...)`"
        await print(n)  # WM141 15 "leave out `await`"


class WrongPolicies(Workflow):
    async def run(self, n):
        await self.run_action(charge(n), retry_policy=RetryPolicy())  # WM142 42 "retry=RetryPolicy(...)"
        await self.run_action(charge(n), timout=3)  # WM142 42 "did you mean `timeout`?"
        await self.run_action(n + 1)  # WM142 31 "some_action"
        await self.run_action(charge)  # WM142 31 "some_action"


class Constants(Workflow):
    async def run(self):
        return [..., 2j, b"x", service]  # WM134 17 "use None" # WM134 32 "in an @action"


class StreamsAndFiles(Workflow):
    async def run(self, source):
        async for line in source:  # WM111 9 "return the items as a list"
            pass
        async with open("x") as file:  # WM132 20 "@action"
            return file


class MethodsAsLambdas(Workflow):
    double = lambda self, n: n * 2  # WM101 5 "with `def`"

    async def run(self, n):
        return self.double(n)
