"""Runs a generated program natively and on the machine, and says where they differ."""

from __future__ import annotations

import importlib.util
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.differential.bodies import counted_attempts
from tests.differential.driver import Driver, Ending, run_native
from tests.fuzz.programs import Program
from waymark.errors import UnsupportedPatternError
from waymark.sdk.workflow import Workflow, workflow, workflow_registry

_numbers = count(1)


class Mismatch(AssertionError):
    """The machine and plain asyncio disagree."""


class RefusedInTheRun(Exception):
    """The run ended with a reason and a way out, for what cannot be seen before it runs: an unknown encoding, the text of an object with an
    address, a model built while a library function calls back."""


@contextmanager
def loaded(program: Program, directory: Path) -> Iterator[type[Workflow]]:
    """The workflow class of a program; nothing of it is left in the process afterwards."""
    name = f"generated_{next(_numbers)}"
    path = directory / f"{name}.py"
    path.write_text(program.source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        cls: type[Workflow] = module.Flow
        cls.name = name
        yield workflow(cls)
    finally:
        workflow_registry._classes.pop(name, None)
        workflow_registry._compiled.pop(getattr(module, "Flow", object), None)
        del sys.modules[name]
        path.unlink()


@contextmanager
def quiet() -> Iterator[None]:
    """Say nothing of coroutines and tasks that the native run leaves behind.

    The text would be made whenever Python collects them, perhaps inside of `ast.parse`, which then fails: making it parses source as well.
    """
    logger = logging.getLogger("asyncio")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)


def check(program: Program, directory: Path, crash: bool) -> int:
    """Compare one program.

    Args:
        crash: Also throw the machine away after every entry, once to its snapshot and once to the journal.

    Returns:
        Number of journal entries.

    Raises:
        Mismatch: With the program and both endings.
        RefusedInTheRun: The run ended with what the machine cannot do.
    """
    with quiet(), loaded(program, directory) as cls:
        with counted_attempts():
            expected = run_native(cls, program.arguments, {})
        try:
            plain = Driver(cls)
        except UnsupportedPatternError as error:
            raise Mismatch(f"{program.source}\nis refused:\n{error}") from None
        found = plain.run(program.arguments, {})
        if found.detail.startswith("waymark.errors.UnsupportedPatternError: "):
            raise RefusedInTheRun(found.detail)
        _same(program, "plain asyncio", expected.ending, "the machine", found)
        # Building an instance on a worker is a wait of its own, which begins what would else be called off before it began.
        is_comparable = plain.built == 0
        if is_comparable and (expected.started, expected.cancelled) != (len(plain.calls), plain.cancelled):
            raise Mismatch(
                f"{program.source}\nrun({program.arguments})\nactions natively: {expected.started}, {expected.cancelled} cancelled; "
                f"on the machine: {len(plain.calls)}, {plain.cancelled} cancelled\n{plain.calls}"
            )
        for again in (Driver.from_snapshot, Driver.from_journal) if crash else ():
            driver = Driver(cls, again)
            _same(
                program,
                "the machine",
                found,
                f"the machine, {again.__name__}",
                driver.run(program.arguments, {}),
            )
            if driver.calls != plain.calls or driver.journal != plain.journal:
                raise Mismatch(
                    f"{program.source}\nrun({program.arguments})\nother calls {again.__name__}: {plain.calls} and {driver.calls}"
                )
        return len(plain.journal)


def _same(program: Program, one: str, expected: Ending, other: str, found: Ending) -> None:
    if (expected.kind, expected.detail) != (found.kind, found.detail):
        raise Mismatch(
            f"{program.source}\nrun({program.arguments})\n{one}:\n  {expected}\n{other}:\n  {found}"
        )
