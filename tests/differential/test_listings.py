"""Golden listings of every body: its source stands in bodies/*.py, what it compiles to in listings/*.txt, what it gives is native execution's.

`UPDATE_GOLDEN=1` writes them anew. Line numbers are left out, so that a body that moves does not change the listing.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compiler.support import listing
from tests.differential.bodies import ALL
from waymark.compiler import compile_workflow
from waymark.compiler.source import Files

FOLDER = Path(__file__).parent / "listings"
MODULES = sorted({body.name.partition(".")[0] for body in ALL})
SAMPLE = ALL[::12]
"""Bodies that are compiled in other processes too."""

HASHES = """
import json, sys
sys.path.insert(0, sys.argv[1])
from tests.differential.test_listings import hashes
json.dump(hashes(), sys.stdout)
"""


def listings_of(module: str) -> str:
    """Every listing of a module, in order of definition."""
    files = Files()
    parts = [
        f"=== {body.cls.__name__}\n{re.sub(r'^[ 0-9]{5} ', '', listing(body.cls, files), flags=re.MULTILINE)}"
        for body in ALL
        if body.name.startswith(f"{module}.")
    ]
    return "\n".join(parts)


def hashes() -> dict[str, str]:
    """What identifies the program of each sampled body."""
    files = Files()
    return {body.name: compile_workflow(body.cls, files).hash.hex() for body in SAMPLE}


@pytest.mark.parametrize("module", MODULES)
def test_each_body_compiles_to_its_listing(module: str) -> None:
    """A change of what the compiler emits is seen, and is on purpose; the same on every Python."""
    path = FOLDER / f"{module}.txt"
    found = listings_of(module)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found)
    assert found == path.read_text(), "run with UPDATE_GOLDEN=1 when the change is intended"


def test_every_listing_has_its_module() -> None:
    """A listing without bodies would be dead weight."""
    assert {path.stem for path in FOLDER.iterdir()} == set(MODULES)


def test_there_are_at_least_four_hundred_bodies() -> None:
    """Issue 3 asks for so many, each with its listing and its native result."""
    assert len(ALL) >= 400
    listed = sum(path.read_text().count("=== ") for path in FOLDER.iterdir())
    assert listed == len(ALL)


@pytest.mark.parametrize("seed", ["1", "4711"])
def test_a_program_depends_on_neither_hash_seed_nor_directory(seed: str, tmp_path: Path) -> None:
    """Two hosts that register the same code must agree on its version."""
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", HASHES, root],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == hashes()
