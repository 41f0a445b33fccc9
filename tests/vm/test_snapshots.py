"""A machine that was written and read again is the same machine, wherever it was stopped."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.vm.programs import START_US, answer, begin, compile_body, result, started
from waymark.errors import ValueDecodingError
from waymark.program.program import Program
from waymark.values.codec import decode
from waymark.vm.code import Code
from waymark.vm.events import Entry, StartCall
from waymark.vm.machine import Machine
from waymark.vm.snapshots import restore, snapshot

HELPERS = """
async def pause(self, value):
    await echo(value)
    return value

async def fail(self, value):
    await echo(value)
    raise self.saved

def double(self, value):
    return value * 2

def is_odd(self, value):
    return value % 2 == 1
"""

BODIES: dict[str, str] = {
    "locals and frames share one list": """
        shared = [1]
        self.shared = shared
        async_result = await asyncio.gather(self.pause(shared), self.pause([shared]), echo(shared))
        shared.append(2)
        return [async_result[0] is shared, async_result[1][0] is shared, self.shared is shared, shared]
        """,
    "an iterator in the middle of its loop": """
        found = []
        for n in [1, 2, 3]:
            found.append(await echo(n))
        return found
        """,
    "a list that grows while it is walked": """
        items = [1, 2]
        for n in items:
            if len(items) < 6:
                items.append(await echo(n))
        return items
        """,
    "a dict that grows while it is walked": """
        d = {"a": 1, "b": 2}
        try:
            for k in d:
                await echo(k)
                d[k + "x"] = 1
        except RuntimeError as e:
            return [str(e), d]
        """,
    "a dict that shrinks while it is walked": """
        d = {"a": 1, "b": 2, "c": 3}
        try:
            for k, v in d.items():
                del d[k]
                await echo(v)
        except RuntimeError as e:
            return [str(e), d]
        """,
    "a set that changes while it is walked": """
        s = {1, 2, 3}
        try:
            for n in s:
                s.add(await echo(n) + 10)
        except RuntimeError as e:
            return str(e)
        """,
    "iterators over iterators": """
        source = [1, 2, 3, 4, 5, 6]
        it = zip(enumerate(map(self.double, source)), filter(self.is_odd, range(100)), reversed(source))
        found = []
        for item in it:
            found.append(item)
            await echo(1)
            source.append(7)
            if len(found) == 4:
                break
        return found
        """,
    "one iterator in two places": """
        it = iter([1, 2, 3, 4, 5])
        pairs = zip(it, it)
        found = [next(pairs)]
        await echo(1)
        found.append(next(it))
        await echo(2)
        return [found, list(pairs)]
        """,
    "views that stay live": """
        d = {"a": 1}
        keys, values, items = d.keys(), d.values(), d.items()
        await echo(1)
        d["b"] = 2
        return [list(keys), list(values), list(items), len(keys)]
        """,
    "an exception keeps its identity": """
        saved = None
        try:
            raise Broken("x")
        except Broken as e:
            saved = e
            await echo(1)
            self.saved = e
        await echo(2)
        try:
            await asyncio.gather(self.fail(1), echo(3))
        except Broken as e:
            return [e is saved, self.saved is saved, e.args]
        """,
    "in the middle of an except block": """
        try:
            try:
                raise ValueError("first")
            except ValueError as e:
                await echo(1)
                raise KeyError("second")
        except KeyError as e:
            context = e.__context__
            await echo(2)
            try:
                raise
            except KeyError as again:
                return [again is e, repr(context), e.__context__ is context]
        """,
    "a bare raise after a wait": """
        try:
            try:
                raise ValueError("x")
            except ValueError:
                await echo(1)
                raise
        except ValueError as e:
            return str(e)
        """,
    "in the middle of a finally": """
        found = []
        for n in range(3):
            try:
                if n == 1:
                    continue
                found.append(await echo(n))
            finally:
                found.append(await echo(-n))
        return found
        """,
    "bound methods across a wait": """
        items = [3, 1]
        push, show = items.append, ", ".join
        await echo(1)
        push(2)
        helper = self.double
        await echo(2)
        return [items, show(["a", "b"]), helper(4), sorted(items, key=self.double)]
        """,
    "functions and classes as values": """
        functions = [len, sorted, int, Color, Item, Broken, ValueError, echo, self.double]
        await echo(1)
        item = functions[4]("n")
        return [functions[0]([1]), functions[2]("5"), functions[3]("r").name, item, isinstance(item, Item),
                functions[5] is Broken, await functions[7](9), functions[8](2)]
        """,
    "enum members are themselves": """
        color = Color.RED
        held = {Color.RED: [Color.BLUE]}
        await echo(color)
        return [color is Color.RED, held[Color.RED][0] is Color.BLUE, held]
        """,
    "a module constant is one object": """
        limits = LIMITS
        limits.append(4)
        await echo(1)
        return [limits is LIMITS, LIMITS]
        """,
    "a pending call and a local share their argument": """
        box = [1]
        call = echo(box)
        box.append(2)
        await echo(0)
        box.append(3)
        return await call
        """,
    "values of every kind": """
        x = [None, True, 5, 10 ** 30, 1.5, float("nan"), -0.0, "text", b"bytes", (1, (2,)), {1: {2}}, frozenset([3]), range(5),
             slice(1, 2), 1j, Decimal("1.50"), datetime(2026, 1, 1), Path("a/b"), Item("i", ["t"]), Color.BLUE]
        await echo(1)
        return [repr(x), [type(v).__name__ for v in x]]
        """,
    "a list that holds itself": """
        x = [1]
        x.append(x)
        d = {"x": x}
        d["d"] = d
        await echo(1)
        return [x[1] is x, d["d"] is d, d["x"] is x]
        """,
    "sentinels": """
        missing = object()
        d = {"m": missing}
        await echo(1)
        return [d["m"] is missing, d.get("n", missing) is missing]
        """,
    "attributes of exceptions": """
        e = Broken("a", 1)
        e.code = [1]
        e.add_note("look")
        box = e.code
        await echo(1)
        box.append(2)
        return [e.code, e.__notes__, e.args]
        """,
    "timers among calls": """
        found = await asyncio.gather(asyncio.sleep(1, "a"), echo("b"), self.pause("c"), asyncio.sleep(0, "d"))
        await asyncio.sleep(2)
        return found
        """,
    "gathers inside gathers": """
        inner = asyncio.gather(echo(1), asyncio.gather(echo(2), self.pause(3)), return_exceptions=True)
        return await asyncio.gather(inner, echo(4))
        """,
}


def drive(
    program: Program | Code, between: Any = lambda machine: machine
) -> tuple[Any, list[bytes], list[str]]:
    """Run to the end, newest call first; returns the result, the states at every wait and the effects."""
    machine, effects = begin(program)
    todo, states, log = started(effects), [], [repr(effects)]
    while machine.outcome is None:
        states.append(snapshot(machine))
        machine = between(machine)
        assert snapshot(machine) == states[-1]
        if todo:
            call = todo.pop()
            effects = answer(machine, call, decode(call.arguments)[0][0])
        else:
            due_us = machine.next_timer_us()
            assert due_us is not None
            effects = machine.apply(Entry(due_us, ()))
        todo += started(effects)
        log.append(repr(effects))
    return repr(result(machine)), states, log


@pytest.mark.parametrize("name", BODIES)
def test_a_run_restored_at_every_wait_is_the_same_run(name: str, tmp_path: Path) -> None:
    """Same result, same effects, and the state written again is the same bytes."""
    program = compile_body(tmp_path, BODIES[name], HELPERS)
    code = Code(program)
    expected = drive(program)
    assert drive(program, lambda machine: restore(program, snapshot(machine))) == expected
    assert drive(code, lambda machine: restore(code, snapshot(machine))) == expected


def test_states_do_not_depend_on_the_process(tmp_path: Path) -> None:
    """Other hash seeds, another depth of the stack, other settings of the host: the same bytes and effects."""
    script = (
        "import sys, hashlib, pathlib\n"
        "from tests.vm.test_snapshots import BODIES, HELPERS, drive\n"
        "from tests.vm.programs import compile_body\n"
        "def deep(n):\n"
        "    if n: return deep(n - 1)\n"
        "    for name, body in BODIES.items():\n"
        "        found = drive(compile_body(pathlib.Path(sys.argv[1]), body, HELPERS))\n"
        "        print(name, hashlib.sha256(repr(found[1:]).encode()).hexdigest())\n"
        "deep(int(sys.argv[2]))\n"
    )
    root = Path(__file__).parents[2]
    outputs = set()
    for seed, depth, zone in (("0", "0", "UTC"), ("1", "100", "Asia/Tokyo"), ("77777", "7", "America/Lima")):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)]),
        }
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), depth],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_a_damaged_state_is_refused_and_nothing_else_happens(tmp_path: Path) -> None:
    """10,000 flipped bits, bytes and cut ends: a ValueDecodingError, or a machine; never another exception."""
    rich = [
        "values of every kind",
        "iterators over iterators",
        "an exception keeps its identity",
        "gathers inside gathers",
        "functions and classes as values",
    ]
    generator = random.Random(5)
    tried = refused = 0
    for name in rich:
        code = Code(compile_body(tmp_path, BODIES[name], HELPERS))
        for state in drive(code)[1]:
            for _ in range(700):
                at = generator.randrange(len(state))
                match generator.randrange(3):
                    case 0:
                        damaged = (
                            state[:at] + bytes([state[at] ^ 1 << generator.randrange(8)]) + state[at + 1 :]
                        )
                    case 1:
                        damaged = state[:at] + bytes([generator.randrange(256)]) + state[at + 1 :]
                    case _:
                        damaged = state[:at]
                tried += 1
                try:
                    restore(code, damaged)
                except ValueDecodingError:
                    refused += 1
    assert tried >= 10_000
    assert refused > tried / 4


def test_a_state_of_another_program_is_refused_or_harmless(tmp_path: Path) -> None:
    """Which the executor does not even try: it compares the program's hash."""
    one = Code(compile_body(tmp_path, BODIES["in the middle of a finally"], HELPERS))
    other = Code(compile_body(tmp_path, "return 1"))
    for state in drive(one)[1]:
        try:
            restore(other, state)
        except ValueDecodingError:
            pass


def test_machines_of_one_program_share_nothing_that_changes(tmp_path: Path) -> None:
    """Two runs at the same time do not see each other's constants, attributes or defaults."""
    body = "LIMITS.append(x)\nself.seen = x\nawait echo(1)\nreturn [LIMITS, self.seen, self.keep(x)]"
    helper = "def keep(self, value, held=[]):\n    held.append(value)\n    return held"
    code = Code(compile_body(tmp_path, body, helper))
    first, effects_1 = begin(code, "a")
    second, effects_2 = begin(code, "b")
    for machine, effects in ((second, effects_2), (first, effects_1)):
        (call,) = started(effects)
        answer(machine, call, 1)
    assert result(first) == [[1, 2, 3, "a"], "a", ["a"]]
    assert result(second) == [[1, 2, 3, "b"], "b", ["b"]]


def test_what_is_in_flight_after_a_restore_is_what_was_in_flight(tmp_path: Path) -> None:
    """The new owner starts the same attempts, in the same order."""
    program = compile_body(tmp_path, "return await asyncio.gather(*[echo(n) for n in range(5)])")
    machine, effects = begin(program)
    answer(machine, started(effects)[2], 1)
    again = restore(program, snapshot(machine))
    expected = [
        call
        for call in effects
        if isinstance(call, StartCall) and call.call_id != started(effects)[2].call_id
    ]
    assert again.calls_in_flight() == machine.calls_in_flight() == expected
    assert isinstance(again, Machine)
    assert again.now_us == START_US + 10
