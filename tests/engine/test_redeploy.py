"""P5: a run in flight keeps the program it was started with, whatever is deployed meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from waymark.testing.local_stack import LocalStack, wait_until

pytestmark = pytest.mark.timeout(120)

FLOWS = """
import asyncio

from shop_rules import Basket, price_of
from waymark import Workflow, action, workflow


@action
async def count(number: int) -> int:
    return number


@workflow
class Checkout(Workflow):
    async def run(self, number: int, pause_s: float) -> list[int]:
        counted = await count(number)
        await asyncio.sleep(pause_s)
        return [price_of(counted), Basket(counted).total(), self.label(), await count(5)]

    def label(self) -> int:
        return 1
"""

RULES = """
from dataclasses import dataclass

RATE = 10


def price_of(number: int) -> int:
    return rounded(number) * RATE


def rounded(number: int) -> int:
    return number


@dataclass
class Basket:
    count: int

    def total(self) -> int:
        return self.count * 3
"""

CHANGES = {
    "the class": (FLOWS.replace("return 1", "return 2"), RULES, [20, 6, 2, 5]),
    "a helper": (FLOWS, RULES.replace("number) * RATE", "number) + RATE"), [12, 6, 1, 5]),
    "a helper of a helper": (FLOWS, RULES.replace("return number\n", "return number + 1\n"), [30, 6, 1, 5]),
    "a method of a model": (FLOWS, RULES.replace("count * 3", "count * 4"), [20, 8, 1, 5]),
    "a constant of the helper's module": (FLOWS, RULES.replace("RATE = 10", "RATE = 100"), [200, 6, 1, 5]),
}


def start(stack: LocalStack, pause_s: float) -> str:
    """Start a run from a process of its own, which imports the files as they are now; returns its id."""
    code = f"import asyncio, shop_flows\nprint(asyncio.run(shop_flows.Checkout().run(2, {pause_s}, _blocking=False)))"
    return _run(stack, code)


def result(stack: LocalStack, instance_id: str) -> str:
    """Wait for a run from a process of its own."""
    return _run(
        stack, f"import asyncio, waymark\nprint(asyncio.run(waymark.handle('{instance_id}').result()))"
    )


def _run(stack: LocalStack, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=stack.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_in_flight_finishes_on_the_version_it_was_started_with(
    change: str, stack: LocalStack, tmp_path: Path
) -> None:
    """The files are replaced and the workers restarted while it sleeps; a run that starts then takes the new code."""
    stack.environment |= {"PYTHONPATH": str(tmp_path), "WAYMARK_USER_MODULE": "shop_flows"}
    flows, rules, expected = CHANGES[change]
    _deploy(tmp_path, FLOWS, RULES)
    old = stack.start_pool()
    old.wait_ready()
    first = start(stack, 3.0)
    wait_until(lambda: _entries(stack, first) >= 1, 20, "the first action")
    assert old.stop() == 0

    _deploy(tmp_path, flows, rules)
    stack.start_pool().wait_ready()
    second = start(stack, 0.0)
    assert result(stack, second) == str(expected)
    assert result(stack, first) == "[20, 6, 1, 5]"
    with psycopg.connect(stack.dsn) as database:
        versions = database.execute("SELECT count(*) FROM waymark.workflow_versions").fetchone()
    assert versions == (2,)


def _deploy(directory: Path, flows: str, rules: str) -> None:
    """Put new files in the place of the old ones."""
    for name, text in (("shop_flows.py", flows), ("shop_rules.py", rules)):
        made = directory / f"{name}.new"
        made.write_text(text)
        made.replace(directory / name)


def _entries(stack: LocalStack, instance_id: str) -> int:
    with psycopg.connect(stack.dsn) as database:
        row = database.execute(
            "SELECT count(*) FROM waymark.journal WHERE instance_id = %s", (instance_id,)
        ).fetchone()
    assert row is not None
    return int(row[0])
