"""`waymark check` and `waymark explain` as a user meets them, in CI and in a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WAYMARK = Path(sys.executable).with_name("waymark")
HEADER = "from waymark import Workflow, action, workflow\n\n@action\nasync def charge(n):\n    return n\n"
GOOD = """
@workflow
class Good(Workflow):
    async def run(self, n):
        return await charge(n)
"""
BAD = """
@workflow
class Bad(Workflow):
    async def run(self, path):
        text = open(path).read()
        return chrage(text)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package with a module that compiles and one that does not."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "good.py").write_text(HEADER + GOOD)
    (package / "bad.py").write_text(HEADER + BAD)
    return tmp_path


def waymark(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the executable in a folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [WAYMARK, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_a_module_that_compiles_is_clean(project: Path) -> None:
    """One line says how many workflows were looked at."""
    done = waymark(project, "check", "shop.good")
    assert (done.stdout, done.stderr, done.returncode) == ("1 workflow compiles\n", "", 0)


def test_every_finding_of_a_package_is_shown_with_place_reason_and_way_out(project: Path) -> None:
    """A package stands for all of its modules; paths are those of the folder."""
    done = waymark(project, "check", "shop")
    assert done.stdout == (
        "WM132: `open` talks to the outside\n"
        "  shop/bad.py:10:16 in Bad.run\n"
        "      text = open(path).read()\n"
        "             ^^^^\n"
        "  help: move it into an @action and await it\n"
        "  more: waymark explain WM132 (docs/diagnostics.md#wm132)\n\n"
        "WM120: `chrage` is not defined\n"
        "  shop/bad.py:11:16 in Bad.run\n"
        "      return chrage(text)\n"
        "             ^^^^^^\n"
        "  help: did you mean `charge`?\n"
        "  more: waymark explain WM120 (docs/diagnostics.md#wm120)\n\n"
        "1 workflow compiles, 1 does not (2 findings): shop.bad.Bad\n"
    )
    assert (done.stderr, done.returncode) == ("", 1)


def test_what_two_workflows_share_is_reported_once(tmp_path: Path) -> None:
    """A helper of a common base class is one place to mend."""
    (tmp_path / "flows.py").write_text(
        HEADER
        + """
class Base(Workflow):
    def step(self):
        input()

@workflow
class First(Base):
    async def run(self):
        self.step()

@workflow
class Second(Base):
    async def run(self):
        self.step()
"""
    )
    done = waymark(tmp_path, "check", "flows")
    assert done.stdout.count("WM132:") == 1
    assert done.stdout.endswith("0 workflows compile, 2 do not (1 finding): flows.First, flows.Second\n")
    assert done.returncode == 1


def test_findings_come_by_file_and_line_whatever_the_order_of_classes(project: Path) -> None:
    """So that two runs can be compared."""
    (project / "shop" / "also.py").write_text(HEADER + BAD.replace("Bad", "Also"))
    lines = waymark(project, "check", "shop.bad", "shop.also").stdout.splitlines()
    places = [line.split(" in ")[0].strip() for line in lines if " in " in line]
    assert places == ["shop/also.py:10:16", "shop/also.py:11:16", "shop/bad.py:10:16", "shop/bad.py:11:16"]


def test_programs_get_json(project: Path) -> None:
    """Nothing else is on stdout, whatever the modules print."""
    (project / "shop" / "__init__.py").write_text("print('imported')\n")
    done = waymark(project, "check", "--format", "json", "shop")
    report = json.loads(done.stdout)
    assert report["compiled"] == ["shop.good.Good"]
    assert report["refused"] == ["shop.bad.Bad"]
    assert report["diagnostics"][0] == {
        "code": "WM132",
        "message": "`open` talks to the outside",
        "file": "shop/bad.py",
        "line": 10,
        "column": 16,
        "function": "Bad.run",
        "help": "move it into an @action and await it",
        "source": "        text = open(path).read()",
        "width": 4,
        "more": "waymark explain WM132 (docs/diagnostics.md#wm132)",
    }
    assert done.stderr == "imported\n"
    assert done.returncode == 1


def test_github_gets_annotations(project: Path) -> None:
    """One workflow command per finding, its lines escaped."""
    done = waymark(project, "check", "--format", "github", "shop")
    assert done.stdout.splitlines()[0] == (
        "::error file=shop/bad.py,line=10,col=16,title=WM132::`open` talks to the outside"
        "%0Ahelp: move it into an @action and await it%0Amore: waymark explain WM132 (docs/diagnostics.md#wm132)"
    )
    assert done.returncode == 1


STILL = """
import asyncio, time
@workflow
class Still(Workflow):
    async def run(self, n):
        end = time.time() + n
        while time.time() < end:
            n += 1
        while time.time() < end:
            await asyncio.sleep(1)
        return [time.time() for _ in "ab"]
"""


def test_notes_remark_on_clocks_in_loops_that_never_wait(project: Path) -> None:
    """Only when they are asked for, and they are no findings: the code compiles."""
    (project / "still.py").write_text(HEADER + STILL)
    assert waymark(project, "check", "still").stdout == "1 workflow compiles\n"
    done = waymark(project, "check", "--notes", "still")
    assert done.stdout == (
        "WM190: `time.time(...)` gives the same in every round: this loop never waits\n"
        "  still.py:12:15 in Still.run\n"
        "      while time.time() < end:\n"
        "            ^^^^^^^^^^^\n"
        "  help: wait in the loop with `await asyncio.sleep(...)`, or measure in an @action\n"
        "  more: waymark explain WM190 (docs/diagnostics.md#wm190)\n\n"
        "1 workflow compiles\n"
    )
    assert done.returncode == 0
    done = waymark(project, "check", "--notes", "--format", "github", "still")
    assert done.stdout.startswith("::notice file=still.py,line=12,col=15,title=WM190::")
    done = waymark(project, "check", "--notes", "--format", "json", "still")
    assert [item["code"] for item in json.loads(done.stdout)["notes"]] == ["WM190"]


def failure(folder: Path, *arguments: str) -> str:
    """What a check that cannot be done says."""
    done = waymark(folder, "check", *arguments)
    assert done.returncode == 2, done.stdout
    return done.stderr


def test_a_module_that_does_not_exist_is_one_clear_line(project: Path) -> None:
    """What can be checked is checked all the same."""
    done = waymark(project, "check", "shop.goood", "shop.good")
    assert done.stderr == (
        "waymark check: cannot import shop.goood: ModuleNotFoundError: No module named 'shop.goood'\n"
    )
    assert done.stdout == "1 workflow compiles\n"
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import shop\n1 / 0\n", "ZeroDivisionError: division by zero ({folder}/broken.py:2)"),
        ("def f(:\n", "SyntaxError: invalid syntax ({folder}/broken.py:1)"),
        ("raise SystemExit(3)\n", "SystemExit: 3 ({folder}/broken.py:1)"),
        (
            "from waymark import Workflow, workflow\n@workflow\nclass Flow(Workflow):\n    def run(self): ...\n",
            "TypeError: Flow needs a method `async def run(self, ...)` ({folder}/broken.py:2)",
        ),
    ],
)
def test_a_module_that_fails_to_import_is_one_clear_line(project: Path, text: str, reason: str) -> None:
    """With the error and the line that raised it; no traceback."""
    (project / "broken.py").write_text(text)
    assert failure(project, "broken") == (
        f"waymark check: cannot import broken: {reason.format(folder=project)}\n"
    )


def test_modules_without_workflows_are_no_success(project: Path) -> None:
    """A check in CI that looks at nothing must not look clean."""
    assert failure(project, "json") == (
        "waymark check: no @workflow class is defined in json; name the modules that define them\n"
    )


def test_a_path_is_told_apart_from_a_module(project: Path) -> None:
    """People complete file names."""
    assert failure(project, "shop/good.py") == (
        "waymark check: shop/good.py is a path; write the name of the module, shop.good\n"
    )


def test_wrong_usage_ends_with_2(project: Path) -> None:
    """As every executable of ours does."""
    assert "Missing argument 'MODULE...'" in failure(project)
    assert "No such option" in failure(project, "--colour", "shop")


def test_explain_prints_the_entry_of_a_code(tmp_path: Path) -> None:
    """Small letters do."""
    done = waymark(tmp_path, "explain", "wm109")
    assert done.stdout.startswith("## WM109\n\n**Global.** A run may go on in another process")
    assert (done.stderr, done.returncode) == ("", 0)


def test_explain_lists_all_codes(tmp_path: Path) -> None:
    """One line each."""
    lines = waymark(tmp_path, "explain").stdout.splitlines()
    assert "WM104  yield" in lines
    assert lines == sorted(lines)


def test_explain_suggests_a_near_code(tmp_path: Path) -> None:
    """Usage errors end with 2."""
    done = waymark(tmp_path, "explain", "W104")
    assert "there is no code W104; did you mean WM104?" in done.stderr
    assert done.returncode == 2
