"""Loads workflow classes from text, and what a failing compilation says."""

from __future__ import annotations

import importlib.util
import itertools
import sys
import textwrap
from pathlib import Path
from types import ModuleType

from waymark.compiler import Diagnostic, compile_workflow
from waymark.compiler.source import Files
from waymark.errors import UnsupportedPatternError
from waymark.program.listing import list_program

_counter = itertools.count()

HEADER = """\
import asyncio
from waymark.sdk.actions import action
from waymark.sdk.workflow import Workflow
from waymark.model.policy import RetryPolicy

@action
async def charge(n, *, note=None):
    return n
"""


def load(folder: Path, text: str, *, header: str = HEADER) -> ModuleType:
    """Write a module and import it."""
    name = f"loaded_{next(_counter)}"
    path = folder / f"{name}.py"
    path.write_text(header + textwrap.dedent(text), encoding="utf-8")
    return load_file(path, name)


def load_file(path: Path, name: str) -> ModuleType:
    """Import a file under a name of our own."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def findings(cls: type) -> tuple[Diagnostic, ...]:
    """What the compiler says against a class; nothing when it compiles."""
    try:
        compile_workflow(cls)
    except UnsupportedPatternError as error:
        return tuple(error.diagnostics)
    return ()


def listing(cls: type, files: Files | None = None) -> str:
    """The listing of a class that compiles."""
    return list_program(compile_workflow(cls, files).program)


def run_body(folder: Path, body: str, *, parameters: str = "", more: str = "") -> type:
    """A workflow class with the given body of run()."""
    text = f"{textwrap.dedent(more)}\nclass Flow(Workflow):\n    async def run(self{', ' if parameters else ''}{parameters}):\n"
    module = load(folder, text + textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8) + "\n")
    cls: type = module.Flow
    return cls
