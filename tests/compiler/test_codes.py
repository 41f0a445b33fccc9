"""Every code has an entry in the table, and what the table shows is what the compiler does."""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from tests.compiler.support import findings, load
from waymark.compiler import CODES
from waymark.compiler.codes import explain
from waymark.compiler.notes import notes
from waymark.sdk.workflow import Workflow

SOURCE = Path(__file__).resolve().parents[2] / "src" / "waymark"
HEADER = """\
import asyncio
import contextlib
import datetime
import math
import re
import time
import uuid
from dataclasses import dataclass
from waymark import RetryPolicy, Workflow, action

@action
async def charge(n):
    return n

"""
NOTES = {"WM190"}
"""Codes of remarks on what compiles."""
NEEDS = {"WM103": (3, 14), "WM117": (3, 12)}
"""Examples that older Pythons cannot parse."""


def workflow_of(folder: Path, text: str) -> type:
    """The workflow of an example."""
    if "class Checkout" not in text:
        text = (
            f"class Checkout(Workflow):\n    async def run(self, order):\n{textwrap.indent(text, ' ' * 8)}\n"
        )
    cls: type = load(folder, text, header=HEADER).Checkout
    assert issubclass(cls, Workflow)
    return cls


@pytest.mark.parametrize("code", CODES)
def test_the_example_of_a_code_gives_that_code_and_no_other(code: str, tmp_path: Path) -> None:
    """An entry that shows something else would send people the wrong way."""
    if sys.version_info < NEEDS.get(code, (3, 11)):
        with pytest.raises(SyntaxError):
            workflow_of(tmp_path, CODES[code].example)
        return
    cls = workflow_of(tmp_path, CODES[code].example)
    assert {item.code for item in (*findings(cls), *notes(cls))} == {code}
    assert bool(findings(cls)) == (code not in NOTES)


@pytest.mark.parametrize("code", CODES)
def test_what_an_entry_says_to_write_instead_compiles(code: str, tmp_path: Path) -> None:
    """A way out that is refused too would be none."""
    cls = workflow_of(tmp_path, CODES[code].instead)
    assert findings(cls) == ()
    assert notes(cls) == ()


def test_every_code_that_can_be_reported_has_its_entry() -> None:
    """Codes are written out wherever they are used, so the text of the compiler and its tables holds all of them."""
    used: set[str] = set()
    for room in ("compiler", "program"):
        for path in (SOURCE / room).rglob("*.py"):
            if path.name != "codes.py":
                strings = (
                    node.value
                    for node in ast.walk(ast.parse(path.read_text()))
                    if isinstance(node, ast.Constant)
                )
                used.update(
                    found for text in strings if isinstance(text, str) for found in re.findall(r"WM\d+", text)
                )
    assert used == set(CODES)
    assert list(CODES) == sorted(CODES)


def test_an_entry_reads_as_title_reason_example_and_way_out() -> None:
    """What `waymark explain` and the page show."""
    assert explain("WM109") == (
        "## WM109\n\n"
        "**Global.** A run may go on in another process, which has other globals; what a run remembers is in its variables and on `self`.\n\n"
        "```python\nglobal count\ncount = 1\n```\n\n"
        "Instead:\n\n"
        "```python\nself.count = 1\n```\n"
    )


@pytest.mark.parametrize("code", CODES)
def test_every_entry_says_why_in_sentences(code: str) -> None:
    """A title is the end of a sentence, a reason is one."""
    entry = CODES[code]
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.reason.endswith(".")
    assert len(entry.reason) > 50


def test_the_readme_shows_a_finding_as_it_is(tmp_path: Path) -> None:
    """Somebody reads it before anything else."""
    cls = workflow_of(tmp_path, 'price = int(open("price.txt").read())\nreturn price')
    (found,) = findings(cls)
    readme = (SOURCE.parents[1] / "README.md").read_text()
    assert str(replace(found, file="shop.py", line=21)) in readme
