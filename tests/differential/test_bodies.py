"""Every body gives what native asyncio gives, and gives it again when it is stopped after every journal entry."""

from __future__ import annotations

import sys

import pytest

from tests.differential.bodies import ALL, Body, Run, counted_attempts
from tests.differential.driver import Driver, Ending, Native, run_native

CASES = [
    pytest.param(body, run, id=f"{body.name}-{number}")
    for body in ALL
    for number, run in enumerate(body.runs)
]
COMPARED = [case for case in CASES if case.values[0].since <= sys.version_info]  # type: ignore[union-attr]
"""Where Pythons differ, workflows do as the newest; an older one is no oracle there."""


def native(body: Body, run: Run) -> Native:
    """What plain asyncio gives."""
    with counted_attempts():
        return run_native(body.cls, run.args, dict(run.kwargs))


def on_machine(driver: Driver, run: Run) -> Ending:
    """What the machine gives."""
    return driver.run(run.args, dict(run.kwargs))


# A native run that fails between calling an action and awaiting it leaves a coroutine behind, and Python says so.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("body", "run"), COMPARED)
def test_a_body_ends_as_it_does_natively(body: Body, run: Run) -> None:
    """Same value and type, or same exception class, message and causes."""
    expected = native(body, run)
    driver = Driver(body.cls)
    found = on_machine(driver, run)
    assert found.detail == expected.ending.detail, f"journal of {len(driver.journal)} entries"
    assert found.kind == expected.ending.kind
    assert driver.cancelled == expected.cancelled
    assert "".join(driver.printed) == expected.printed


@pytest.mark.parametrize(("body", "run"), CASES)
def test_a_body_restored_after_every_entry_ends_the_same(body: Body, run: Run) -> None:
    """From its snapshot, and from the journal alone: same end, same calls, and the state written again is the same bytes."""
    plain = Driver(body.cls)
    expected = on_machine(plain, run)
    for again in (Driver.from_snapshot, Driver.from_journal):
        driver = Driver(body.cls, again)
        found = on_machine(driver, run)
        assert found.detail == expected.detail
        assert driver.calls == plain.calls
        assert driver.printed == plain.printed
        assert driver.journal == plain.journal


def test_there_are_enough_bodies() -> None:
    """Issue 2 asks for 150 at least."""
    assert len(ALL) >= 150
