"""Generated programs give what plain asyncio gives. CI compares some; `scripts/fuzz --programs N` any number."""

from __future__ import annotations

import ast
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, reject, seed, settings

from tests.fuzz import coverage
from tests.fuzz.campaign import REGRESSIONS, Chunk, run_chunk
from tests.fuzz.header import HEADER
from tests.fuzz.oracle import Mismatch, RefusedInTheRun, check
from tests.fuzz.programs import Program, programs
from tests.fuzz.recipes import RECIPES

HOLE_VALUES = {"<int>": "7", "<str>": "'q'", "<list>": "[1, 2]", "<item>": "Item('a', 1)", "<any>": "None"}

SEED = int(os.environ.get("WAYMARK_TEST_SEED", "0")) or int.from_bytes(os.urandom(4))


@pytest.mark.parametrize("crash", [False, True])
@seed(SEED)
@settings(max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_programs_of_hypothesis_end_as_they_do_natively(crash: bool, program: Program) -> None:
    """Hypothesis looks for corners that chance does not reach, and shrinks them."""
    with tempfile.TemporaryDirectory(prefix="waymark-fuzz-") as folder:
        try:
            check(program, Path(folder), crash)
        except RefusedInTheRun:
            reject()


@pytest.mark.parametrize("part", range(4))
def test_generated_programs_end_as_they_do_natively(part: int) -> None:
    """500 programs, half of them crashed and resumed after every entry."""
    found = run_chunk(Chunk(SEED + part, 125, crash=part % 2 == 0))
    assert not found.failure, f"seed {SEED + part}: {found.failure}"
    assert len(found.digests) >= 100
    assert sum(found.refused.values()) < 10, found.refused


@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*.py")), ids=lambda path: path.stem)
def test_what_a_campaign_found_stays_right(path: Path, tmp_path: Path) -> None:
    """Each shrunk failure of a campaign, crashed and resumed after every entry as well."""
    source, _, arguments = path.read_text().rpartition("\n\nARGUMENTS = ")
    check(Program(source, ast.literal_eval(arguments.strip())), tmp_path, crash=True)


def test_a_wrong_result_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself: a machine whose `-` adds is noticed."""
    import operator

    from waymark.vm import operations

    binary = tuple(operator.add if function is operator.sub else function for function in operations.BINARY)
    monkeypatch.setattr("waymark.vm.interpreter.BINARY", binary)
    found = run_chunk(Chunk(7, 300, crash=False))
    assert "plain asyncio:" in found.failure


def test_every_use_of_the_library_gives_what_it_gives_natively(tmp_path: Path) -> None:
    """All recipes, whether or not a campaign comes to write them: values, and the words of errors."""
    for first in range(0, len(RECIPES), 60):
        lines = ["class Flow(Workflow):", "    async def run(self):", "        out = []"]
        for recipe in RECIPES[first : first + 60]:
            text = recipe.template
            for hole, value in HOLE_VALUES.items():
                text = text.replace(hole, value)
            lines += ["        try:", f"            out.append({text})"]
            lines += ["        except Exception as error:", "            out.append(repr(error))"]
        lines.append("        return out")
        check(Program(f"{HEADER}\n\n" + "\n".join(lines) + "\n", ()), tmp_path, crash=False)


def test_every_row_of_the_library_can_be_written() -> None:
    """A row that no campaign can reach would be unproved."""
    written = {recipe.name for recipe in RECIPES} | coverage.WRITTEN_ELSEWHERE
    rows = {name.removeprefix("library ") for name in coverage.wanted() if name.startswith("library ")}
    assert rows - written == set()


def test_a_mismatch_shows_program_and_endings(tmp_path: Path) -> None:
    """Whoever reads it needs nothing else."""
    source = (
        "from waymark import Workflow\n\n\nclass Flow(Workflow):\n    async def run(self):\n        yield 1\n"
    )
    with pytest.raises((Mismatch, TypeError)):
        check(Program(source, ()), tmp_path, crash=False)
