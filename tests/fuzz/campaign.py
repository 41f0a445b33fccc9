"""A campaign of generated programs in several processes, with counts of what it reached. `scripts/fuzz` runs it."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from tests.fuzz import coverage
from tests.fuzz.choices import Replayed, Seeded
from tests.fuzz.oracle import Mismatch, RefusedInTheRun, check, quiet
from tests.fuzz.programs import Program, write
from tests.fuzz.shrinking import shrink

CHUNK = 250
"""Programs of one seed; a process of the campaign takes one chunk after the other."""
REGRESSIONS = Path(__file__).parent / "regressions"


@dataclass(frozen=True)
class Chunk:
    """A part of a campaign."""

    seed: int
    count: int
    crash: bool


@dataclass
class Found:
    """What a chunk, or the whole campaign, has done."""

    programs: int = 0
    entries: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Runs that ended with what the machine cannot do, by reason."""
    digests: set[bytes] = field(default_factory=set)
    """Of the sources and arguments, to count those that differ."""
    constructs: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    failed: Program | None = None
    """The program that failed, shrunk."""

    def add(self, other: Found) -> None:
        """Sum up."""
        self.programs += other.programs
        self.entries += other.entries
        self.refused += other.refused
        self.digests |= other.digests
        self.constructs += other.constructs


def run_chunk(chunk: Chunk) -> Found:
    """Generate, run and compare; stops at the first failure, and shrinks it."""
    found = Found()
    with tempfile.TemporaryDirectory(prefix="waymark-fuzz-") as folder, quiet():
        for number in range(chunk.count):
            choices = Seeded(chunk.seed * 1_000_003 + number)
            program = write(choices)
            try:
                problem, entries = _compare(program, Path(folder), chunk.crash)
            except RefusedInTheRun as refusal:
                found.refused[re.sub(r"'.*?'|generated_\d+\S*", "...", str(refusal).partition(": ")[2])] += 1
                continue
            if problem:
                _shrink(found, choices.made, problem, Path(folder), chunk.crash)
                break
            found.entries += entries
            found.programs += 1
            digest = hashlib.blake2b(f"{program.arguments}{program.source}".encode(), digest_size=8)
            found.digests.add(digest.digest())
            found.constructs.update(coverage.constructs(program))
    return found


def _compare(program: Program, directory: Path, crash: bool) -> tuple[str, int]:
    """What is wrong with a program, if anything, and its journal entries."""
    try:
        return "", check(program, directory, crash)
    except RefusedInTheRun:
        raise
    except Mismatch as mismatch:
        return str(mismatch), 0
    except Exception as error:
        return f"{program.source}\nrun({program.arguments})\n{type(error).__name__}: {error}", 0


def _shrink(found: Found, made: list[int], problem: str, directory: Path, crash: bool) -> None:
    kind = _kind(problem)

    def fails(tried: list[int]) -> bool:
        try:
            return _kind(_compare(write(Replayed(tried)), directory, crash)[0]) == kind
        except RefusedInTheRun:
            return False

    found.failed = write(Replayed(shrink(made, fails)))
    found.failure = _compare(found.failed, directory, crash)[0] or problem


def _kind(problem: str) -> str:
    """What went wrong, without the program: shrinking must not change over to another fault."""
    last = problem.rpartition("\nrun(")[2]
    return "".join(
        re.findall(r"is refused|WM\d+|actions natively|other calls|the machine|^\w*Error", last, re.MULTILINE)
    )


def keep(program: Program) -> Path:
    """Write a shrunk failure where the tests find it again."""
    text = f"# ruff: noqa\n# mypy: ignore-errors\n{program.source}\n\nARGUMENTS = {program.arguments!r}\n"
    REGRESSIONS.mkdir(exist_ok=True)
    path = REGRESSIONS / f"found_{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}.py"
    path.write_text(text)
    return path


def chunks(programs: int, crashes: int, first_seed: int) -> Iterator[Chunk]:
    """The parts of a campaign, those with crashes spread evenly."""
    crashed = 0
    for index, begin in enumerate(range(0, programs, CHUNK)):
        count = min(CHUNK, programs - begin)
        crash = crashed < crashes * (begin + count) / programs
        crashed += count if crash else 0
        yield Chunk(first_seed + index, count, crash)


@click.command()
@click.option("--programs", "count", default=1000, show_default=True, help="How many programs.")
@click.option(
    "--crashes",
    default=None,
    type=int,
    help="How many of them are also crashed after every entry [default: a fifth].",
)
@click.option(
    "--seed",
    "first_seed",
    default=None,
    type=int,
    help="First seed; one each 250 programs [default: random].",
)
@click.option("--processes", default=os.cpu_count() or 1, show_default=True)
@click.option("--keep-going", is_flag=True, help="Go on after a mismatch.")
@click.option("--unreached", is_flag=True, help="List the constructs that no program held.")
def main(
    count: int, crashes: int | None, first_seed: int | None, processes: int, keep_going: bool, unreached: bool
) -> None:
    """Compare generated workflows on the machine with plain asyncio; exit code 1 on a mismatch."""
    first_seed = int.from_bytes(os.urandom(4)) if first_seed is None else first_seed
    crashes = count // 5 if crashes is None else crashes
    total, crashed, failures = Found(), 0, 0
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=4) as pool:
        parts = list(chunks(count, crashes, first_seed))
        for chunk, found in zip(parts, pool.imap(run_chunk, parts), strict=True):
            total.add(found)
            crashed += found.programs if chunk.crash else 0
            if found.failure:
                failures += 1
                kept = keep(found.failed) if found.failed else None
                click.echo(f"seed {chunk.seed}: {found.failure}\nkept as {kept}", err=True)
                if not keep_going:
                    pool.terminate()
                    break
            elif total.programs % (20 * CHUNK) == 0:
                click.echo(f"{total.programs:,} programs in {time.monotonic() - began:.0f} s", err=True)
    wanted = coverage.wanted()
    missing = sorted(wanted - set(total.constructs))
    click.echo(
        f"{total.programs:,} programs ({len(total.digests):,} different), {crashed:,} of them crashed and resumed after every entry, "
        f"{total.entries:,} entries, {failures} mismatches, {sum(total.refused.values()):,} more refused while they ran, "
        f"{len(wanted) - len(missing)} of {len(wanted)} constructs reached, "
        f"{time.monotonic() - began:.0f} s, first seed {first_seed}"
    )
    for reason, times in total.refused.most_common():
        click.echo(f"  refused {times} times: {reason}")
    if unreached:
        click.echo("\n".join(missing))
    if failures:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
