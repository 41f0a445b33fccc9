"""Where source comes from, and what happens when it is missing or is not what was imported."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.compiler.support import HEADER, findings, listing, load, run_body
from waymark.compiler import compile_workflow
from waymark.errors import UnsupportedPatternError
from waymark.sdk.workflow import Workflow, workflow


def test_a_class_without_a_file_is_refused_with_a_way_out() -> None:
    """As in a REPL or exec()."""
    namespace: dict[str, object] = {"Workflow": Workflow}
    exec("class Flow(Workflow):\n    async def run(self):\n        return 1\n", namespace)
    flow = namespace["Flow"]
    assert isinstance(flow, type)
    (found,) = findings(flow)
    assert found.code == "WM101"
    assert found.help == "define the workflow in a module file"


def test_a_file_that_changed_after_the_import_is_refused(tmp_path: Path) -> None:
    """A redeploy under a running process must not become the program."""
    cls = run_body(tmp_path, "return 1")
    path = Path(compile_workflow(cls).program.functions[0].file)
    path = tmp_path / path.name
    path.write_text(path.read_text().replace("return 1", "return 2"))
    (found,) = findings(cls)
    assert found.code == "WM101"
    assert "changed after it was imported" in found.message
    path.write_text("x = 1\n")
    (found,) = findings(cls)
    assert found.code == "WM101"
    path.write_text("def broken(:\n")
    (found,) = findings(cls)
    assert "does not parse" in found.message


def test_a_class_without_run_is_a_type_error() -> None:
    """It is no workflow at all."""

    class Empty:
        pass

    with pytest.raises(TypeError, match="has no run"):
        compile_workflow(Empty)


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    """`ast` counts UTF-8 bytes."""
    (found,) = findings(run_body(tmp_path, 'return ["äöü€", nothing]'))
    assert (found.code, found.column) == ("WM120", 25)
    assert str(found).splitlines()[3] == " " * 6 + " " * 16 + "^" * 7


def test_text_that_spans_lines_keeps_its_indentation(tmp_path: Path) -> None:
    """The file is parsed as it is; nothing is dedented."""
    cls = run_body(tmp_path, 'x = 1\nreturn """a\n  b"""')
    assert r"'a\n" in listing(cls)


def test_the_program_is_the_same_wherever_it_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its paths come from the module and not from the working directory."""
    cls = run_body(tmp_path, "return 1")
    first = compile_workflow(cls)
    monkeypatch.chdir(tmp_path)
    assert compile_workflow(cls).encoded == first.encoded


def test_the_hash_ignores_where_code_stands_but_not_what_it_does(tmp_path: Path) -> None:
    """A comment makes no new version, another constant does."""
    text = "class Flow(Workflow):\n    async def run(self):\n        return {}\n"
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()

    def compiled(folder: Path, body: str) -> bytes:
        path = folder / "same_module.py"
        path.write_text(HEADER + body)
        from tests.compiler.support import load_file

        return compile_workflow(load_file(path, "same_module").Flow).hash

    plain = compiled(folders[0], text.format(1))
    assert compiled(folders[1], "# a comment\n\n" + text.format("1  # one")) == plain
    assert compiled(folders[2], text.format(2)) != plain


def test_the_source_text_holds_every_function_with_file_and_line(tmp_path: Path) -> None:
    """For pages that show what a run executes."""
    module = load(
        tmp_path,
        """
        class Flow(Workflow):
            async def run(self):
                return self.helper()

            def helper(self):
                return 1

            def unused(self):
                return lambda: 2
        """,
    )
    compiled = compile_workflow(module.Flow)
    assert [function.qualname for function in compiled.program.functions] == ["Flow.run", "Flow.helper"]
    assert "async def run(self):" in compiled.source
    assert "def helper(self):" in compiled.source
    assert "unused" not in compiled.source
    assert f"# {module.__name__}.py:{HEADER.count(chr(10)) + 3}\n" in compiled.source


def test_a_decorated_workflow_compiles_from_its_own_run(tmp_path: Path) -> None:
    """@workflow replaces run(), and keeps the original for the compiler."""

    @workflow
    class Decorated(Workflow):
        name = "decorated-in-source-test"

        async def run(self) -> int:
            return 1

    compiled = compile_workflow(Decorated)
    assert compiled.program.workflow == "decorated-in-source-test"
    assert compiled.program.class_name.endswith("Decorated")


def test_asserts_that_pytest_rewrote_still_compile() -> None:
    """Rewritten code differs from its source, so it is not compared."""

    class Asserting(Workflow):
        async def run(self, n: int) -> int:
            assert n > 0, "n"
            return n

    assert "AssertionError" in listing(Asserting)


def test_all_findings_are_collected_before_failing(tmp_path: Path) -> None:
    """Of every function, in source order."""
    module = load(
        tmp_path,
        """
        class Flow(Workflow):
            def helper(self):
                return missing_two

            async def run(self):
                import os
                self.helper()
                return missing_one
        """,
    )
    with pytest.raises(UnsupportedPatternError, match="3 problems") as caught:
        compile_workflow(module.Flow)
    assert [item.code for item in caught.value.diagnostics] == ["WM120", "WM108", "WM120"]
    assert textwrap.dedent(str(caught.value)).count("help:") == 3


@pytest.mark.skipif("sys.version_info < (3, 12)")
def test_type_parameters_and_aliases_are_refused(tmp_path: Path) -> None:
    """Syntax of Python 3.12."""
    module = load(
        tmp_path,
        """
        class Flow(Workflow):
            async def run[T](self, x: T) -> T:
                type Alias = int
                return x
        """,
    )
    assert [item.code for item in findings(module.Flow)] == ["WM117", "WM117"]


def test_functions_of_modules_are_part_of_the_program_and_of_its_source(tmp_path: Path) -> None:
    """A change of a helper makes another version; the stored source shows every function once, those inside others in their place."""
    texts = [
        f"""
        def rate(n):
            return n * {factor}

        class Flow(Workflow):
            async def run(self):
                return [rate(n) for n in map(lambda n: rate(n), range(3))]
        """
        for factor in (2, 3)
    ]
    compiled = [compile_workflow(load(tmp_path, text).Flow) for text in texts]
    assert compiled[0].hash != compiled[1].hash
    assert [function.qualname for function in compiled[0].program.functions] == [
        "Flow.run",
        "Flow.run.<locals>.<lambda>",
        "rate",
    ]
    assert compiled[0].source.count("def rate(n):") == 1
    assert compiled[0].source.count("lambda") == 1
