"""`waymark check`: compiles every workflow of a code base and shows all that is refused, before anything runs.

Exit codes: 0 when everything compiles, 1 with findings, 2 when something could not be checked at all.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from waymark.cli.edge import EXIT_CANNOT_START
from waymark.compiler import Diagnostic, compile_workflow
from waymark.compiler.codes import reference
from waymark.compiler.notes import notes
from waymark.compiler.source import Files
from waymark.errors import UnsupportedPatternError

EXIT_FINDINGS = 1

_OURS = str(Path(__file__).parents[1])
"""Where Waymark's own files are."""


@dataclass(slots=True)
class Report:
    """What a check found.

    Attributes:
        compiled: Names of the workflows that compile, as `shop.flows.Checkout`.
        refused: Names of those that do not.
        problems: Why something could not be checked, one line each.
    """

    compiled: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _found: dict[tuple[str, int, int, str], Diagnostic] = field(default_factory=dict)
    _notes: dict[tuple[str, int, int, str], Diagnostic] = field(default_factory=dict)

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add the findings of a workflow; what several workflows share is shown once."""
        for item in diagnostics:
            self._found.setdefault((item.file, item.line, item.column, item.code), item)

    def note(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add notes about a workflow that compiles."""
        for item in diagnostics:
            self._notes.setdefault((item.file, item.line, item.column, item.code), item)

    @property
    def notes(self) -> list[Diagnostic]:
        """Every note, by file and line."""
        return [self._notes[place] for place in sorted(self._notes)]

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every finding, by file and line."""
        return [self._found[place] for place in sorted(self._found)]

    @property
    def summary(self) -> str:
        """The figures in one line."""
        count = len(self.compiled)
        text = f"{count} workflow{' compiles' if count == 1 else 's compile'}"
        if self.refused:
            findings = len(self._found)
            text += f", {len(self.refused)} {'does' if len(self.refused) == 1 else 'do'} not"
            text += f" ({findings} finding{'' if findings == 1 else 's'}): {', '.join(self.refused)}"
        return text

    @property
    def exit_code(self) -> int:
        if self.problems:
            return EXIT_CANNOT_START
        return EXIT_FINDINGS if self.refused else 0


@click.command(short_help="Compile every workflow of the modules and show what is refused.")
@click.argument("modules", nargs=-1, required=True, metavar="MODULE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="Form of the findings: for people, for programs, or as annotations of GitHub Actions.",
)
@click.option(
    "--notes", "with_notes", is_flag=True, help="Also remark on code that compiles and may surprise."
)
def check(modules: tuple[str, ...], form: str, with_notes: bool) -> None:
    """Compile every workflow of each MODULE (such as shop.flows; a package stands for all modules in it) and show what is refused.

    Modules are found as `python -m` finds them, from the current directory on. Exits with 0 when everything
    compiles, 1 with findings, 2 when a module cannot be imported or there is nothing to check.
    """
    report = check_modules(modules, with_notes=with_notes)
    _SHOW[form](report)
    for problem in report.problems:
        click.echo(f"waymark check: {problem}", err=True)
    sys.exit(report.exit_code)


def check_modules(names: Sequence[str], *, with_notes: bool = False) -> Report:
    """Import modules and compile the workflows that are defined in them; notes are no findings."""
    from waymark.sdk.workflow import workflow_registry

    report = Report()
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    loaded: set[str] = set()
    files = Files()
    for name in names:
        loaded.update(_load(name, report))
    for cls in sorted(workflow_registry, key=lambda cls: (cls.__module__, cls.__qualname__)):
        if cls.__module__ not in loaded:
            continue
        shown = f"{cls.__module__}.{cls.__qualname__}"
        try:
            compile_workflow(cls, files)
        except UnsupportedPatternError as error:
            report.refused.append(shown)
            report.add(error.diagnostics)
        else:
            report.compiled.append(shown)
            if with_notes:
                report.note(notes(cls, files))
    if not (report.compiled or report.refused or report.problems):
        report.problems.append(
            f"no @workflow class is defined in {', '.join(names)}; name the modules that define them"
        )
    return report


def _load(name: str, report: Report) -> Iterator[str]:
    """Import a module, and all modules of a package; gives the names of those that could be."""
    if "/" in name or name.endswith(".py"):
        module_name = name.removesuffix(".py").strip("./").replace("/", ".")
        report.problems.append(f"{name} is a path; write the name of the module, {module_name}")
        return
    module = _imported(name, report)
    if module is None:
        return
    yield name
    for part in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}."):
        if part.name.rpartition(".")[2] != "__main__":  # a program, which importing would run
            yield from _load(part.name, report)


def _imported(name: str, report: Report) -> types.ModuleType | None:
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what a module prints is no part of the report
            return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # any code of the user may run here
        report.problems.append(f"cannot import {name}: {_reason(error)}")
        return None


def _reason(error: BaseException) -> str:
    """An error of an import in one line, with the user's line that raised it."""
    text = " ".join("".join(traceback.format_exception_only(error)[-1:]).split())
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and not frame.filename.startswith(_OURS)
    ]
    if isinstance(error, SyntaxError):
        return f"{text} ({error.filename}:{error.lineno})"
    return f"{text} ({frames[-1].filename}:{frames[-1].lineno})" if frames else text


# Forms of a report.


def _as_text(report: Report) -> None:
    for diagnostic in (*report.notes, *report.diagnostics):
        click.echo(f"{diagnostic}\n")
    click.echo(report.summary)


def _as_json(report: Report) -> None:
    content = {
        "compiled": report.compiled,
        "refused": report.refused,
        "diagnostics": [_record(item) for item in report.diagnostics],
        "notes": [_record(item) for item in report.notes],
    }
    click.echo(json.dumps(content, indent=2))


def _record(item: Diagnostic) -> dict[str, object]:
    return {**asdict(item), "more": reference(item.code)}


def _as_github(report: Report) -> None:
    kinds = [("notice", item) for item in report.notes] + [("error", item) for item in report.diagnostics]
    for kind, item in kinds:
        message = f"{item.message}\nhelp: {item.help}\nmore: {reference(item.code)}"
        click.echo(
            f"::{kind} file={_property(item.file)},line={item.line},col={item.column},title={item.code}::{_escaped(message)}"
        )
    click.echo(report.summary)


def _escaped(text: str) -> str:
    """Text as workflow commands of GitHub carry it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


_SHOW: dict[str, Callable[[Report], None]] = {"text": _as_text, "json": _as_json, "github": _as_github}
