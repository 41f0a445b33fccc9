"""`vm/` looks at nothing but its arguments: no clock, no chance, no environment, no files, no network."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import waymark.values
import waymark.vm

ALLOWED = {
    "__future__", "_string", "asyncio", "base64", "bisect", "builtins", "codecs", "collections", "dataclasses",
    "datetime", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "itertools", "json",
    "keyword", "math", "msgspec", "operator", "pathlib", "re", "statistics", "string", "struct", "textwrap", "types",
    "typing", "urllib", "uuid", "waymark", "zoneinfo",
}  # fmt: skip
"""`asyncio` only for the class CancelledError."""
GENERATOR = ("chance.py", "random")
"""Its generator is seeded from what was recorded at the start of the run."""

FORBIDDEN_CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid1", "uuid.uuid4", "asyncio.sleep", "asyncio.run",
    "time.time", "os.environ", "os.getenv", "random.random", "open", "input", "print", "id", "hash", "eval",
}  # fmt: skip

FILES = sorted(Path(waymark.vm.__path__[0]).glob("*.py"))
MAY = {
    ("weight.py", "id"),
    ("heap.py", "id"),
    ("concurrency.py", "id"),
    ("exception_groups.py", "id"),
    ("copying.py", "id"),
    ("objects.py", "hash"),
}
"""Identity as a key of a dict that nobody iterates over; `__hash__` of values whose hash no program can see."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_module_of_the_machine_imports_only_what_is_pure(path: Path) -> None:
    """`time`, `random`, `os`, `socket` and the like cannot even be named."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            assert (path.name, name) == GENERATOR or name.partition(".")[0] in ALLOWED, (
                f"{path.name}:{node.lineno} imports {name}"
            )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_module_of_the_machine_calls_nothing_of_the_host(path: Path) -> None:
    """Names of functions that read a clock, chance or the environment do not occur as calls."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in FORBIDDEN_CALLS:
                assert (path.name, name) in MAY, f"{path.name}:{node.lineno} calls {name}()"


def test_a_run_needs_no_clock_no_chance_and_no_environment(tmp_path: Path) -> None:
    """With those modules poisoned after the import, a run begins, is restored and ends."""
    root = Path(__file__).parents[2]
    script = f"""
import sys, pathlib
sys.path[:0] = [{str(root / "src")!r}, {str(root)!r}]
from tests.vm.test_snapshots import BODIES, HELPERS, drive
from tests.vm.programs import compile_body
from waymark.vm.code import Code
from waymark.vm.snapshots import restore, snapshot
programs = [compile_body(pathlib.Path({str(tmp_path)!r}), body, HELPERS) for body in BODIES.values()]
import time, random, os, socket, secrets, builtins
def poisoned(*args, **kwargs):
    raise AssertionError("the machine asked the host")
for module in (time, random, socket, secrets):
    for name in dir(module):
        if not name.startswith("__") and callable(getattr(module, name)) and not isinstance(getattr(module, name), type):
            setattr(module, name, poisoned)
os.getenv = os.urandom = os.getpid = os.stat = os.listdir = builtins.open = builtins.input = builtins.print = poisoned
os.environ = None
for program in programs:
    code = Code(program)
    drive(code, lambda machine: restore(code, snapshot(machine)))
sys.stdout.write("pure")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=100, cwd=tmp_path
    )
    assert done.stdout == "pure", done.stderr


def test_values_are_walked_in_their_own_order() -> None:
    """No set of the host is iterated over where its order could be seen."""
    for path in [*FILES, *sorted(Path(waymark.values.__path__[0]).glob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.For) and isinstance(node.iter, ast.Set | ast.SetComp):
                raise AssertionError(f"{path.name}:{node.lineno} walks a set")
