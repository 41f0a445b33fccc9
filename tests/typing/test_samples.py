"""mypy and pyright read the signatures as users are told: the samples have the types that they name, and each mistake is found."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

Checker = Callable[[Path, Path], dict[int, str]]
SAMPLES = Path(__file__).parent / "samples"


def with_mypy(path: Path, folder: Path) -> dict[int, str]:
    """Lines with errors, as mypy sees a user's file that imports an installed waymark."""
    command = [
        sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={folder}", "--no-error-summary", path.name,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=SAMPLES, capture_output=True, text=True, timeout=110, check=False)
    assert done.stderr == ""
    found = re.findall(rf"^{path.name}:(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    assert done.returncode == bool(found), done.stdout
    return {int(line): text for line, text in found}


def with_pyright(path: Path, folder: Path) -> dict[int, str]:
    """The same with pyright, by the rules that it calls standard."""
    settings = folder / "pyrightconfig.json"
    settings.write_text(json.dumps({"typeCheckingMode": "standard", "include": [str(path)]}))
    command = [
        str(Path(sys.executable).with_name("basedpyright")), "--outputjson", "--project", str(settings), "--pythonpath", sys.executable,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 1, done.stdout + done.stderr
    return {
        item["range"]["start"]["line"] + 1: item["message"]
        for item in report["generalDiagnostics"]
        if item["severity"] == "error"
    }


CHECKERS = pytest.mark.parametrize("checker", [with_mypy, with_pyright])


@CHECKERS
def test_correct_code_has_the_types_that_it_names(checker: Checker, tmp_path: Path) -> None:
    """Results of actions, runs and handles; `assert_type` is an error for any other type."""
    assert checker(SAMPLES / "accepted.py", tmp_path) == {}


@CHECKERS
def test_each_mistake_is_an_error_on_its_line(checker: Checker, tmp_path: Path) -> None:
    """And nothing else is."""
    path = SAMPLES / "refused.py"
    expected = [number for number, line in enumerate(path.read_text().splitlines(), 1) if "# error: " in line]
    found = checker(path, tmp_path)
    assert sorted(found) == expected, "\n".join(f"{line}: {text}" for line, text in sorted(found.items()))


def test_the_package_says_that_it_is_typed() -> None:
    """Without the marker, checkers would take every name of ours for Any."""
    assert files("waymark").joinpath("py.typed").is_file()
