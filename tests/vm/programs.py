"""Compile the body of a run() that a test gives as text."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import textwrap
from pathlib import Path
from typing import Any

from waymark.compiler import compile_workflow
from waymark.program.program import Program
from waymark.values.codec import decode, encode
from waymark.vm.code import Code
from waymark.vm.events import CallSucceeded, Completed, Effect, Entry, Failed, StartCall
from waymark.vm.limits import DEFAULT_LIMITS, Limits
from waymark.vm.machine import Machine

START_US = 1_700_000_000_000_000

_HEADER = """
import asyncio, base64, collections, copy, dataclasses, enum, functools, hashlib, itertools, json
import math, operator, random, re, secrets, statistics, time, uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from decimal import Decimal
from pathlib import PurePosixPath as Path
from pydantic import BaseModel
from waymark import RetryPolicy, Workflow, action, workflow

@action
async def echo(value):
    return value

@dataclass
class Item:
    name: str
    tags: list = field(default_factory=list)

class Color(enum.Enum):
    RED = "r"
    BLUE = "b"

class Broken(Exception):
    pass

class Customer(BaseModel):
    name: str
    age: int = 18

LIMITS = [1, 2, 3]

"""


def compile_body(directory: Path, body: str, helpers: str = "") -> Program:
    """The program of `async def run(self, x=None)` with this body."""
    text = _HEADER + "class Tested(Workflow):\n    async def run(self, x=None):\n"
    text += textwrap.indent(textwrap.dedent(body).strip(), " " * 8) + "\n"
    text += textwrap.indent(textwrap.dedent(helpers).strip(), " " * 4) + "\n"
    name = "body_" + hashlib.sha256(text.encode()).hexdigest()[:16]
    path = directory / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return compile_workflow(module.Tested).program


def begin(
    program: Program | Code, *args: Any, limits: Limits = DEFAULT_LIMITS, seed: bytes = b"seed"
) -> tuple[Machine, list[Effect]]:
    """A machine at its first wait."""
    machine = Machine(program, limits=limits)
    return machine, machine.begin(encode([list(args), {}]), START_US, seed)


def started(effects: list[Effect]) -> list[StartCall]:
    """The calls among effects."""
    return [effect for effect in effects if isinstance(effect, StartCall)]


def answer(machine: Machine, call: StartCall, value: Any) -> list[Effect]:
    """Let a call succeed."""
    return machine.apply(
        Entry(machine.now_us + 10, (CallSucceeded(call.call_id, call.attempt, encode(value)),))
    )


def run_echo(program: Program | Code, *args: Any, limits: Limits = DEFAULT_LIMITS) -> Machine:
    """Run to the end; every action gives its first argument back, timers fire as soon as nothing else is to do."""
    machine, effects = begin(program, *args, limits=limits)
    todo = started(effects)
    while machine.outcome is None:
        if todo:
            call = todo.pop(0)
            todo += started(answer(machine, call, decode(call.arguments)[0][0]))
        else:
            due_us = machine.next_timer_us()
            assert due_us is not None, "the run waits for nothing"
            todo += started(machine.apply(Entry(due_us, ())))
    return machine


def result(machine: Machine) -> Any:
    """What a run ended with: its value, or (class name, message) of its exception."""
    match machine.outcome:
        case Completed(value=value):
            return decode(value, machine.classes)
        case Failed(error_type=error_type, error_message=message):
            return (error_type, message)
    raise AssertionError("the run has not ended")
