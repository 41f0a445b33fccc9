"""No field of any syntax node is ignored: every pair has a decision, and lowering keeps to it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.compiler.test_golden import CLASSES
from waymark.compiler import decisions
from waymark.compiler.check import check
from waymark.compiler.codes import CODES
from waymark.compiler.decisions import FIELDS, NODES, OUTSIDE, Lowered, NoEffect, Refused
from waymark.compiler.diagnostics import Findings
from waymark.compiler.lower import LOWERINGS, lower
from waymark.compiler.resolve import resolve
from waymark.compiler.source import find_source

_WALK = """
import ast, importlib.util, sys
spec = importlib.util.spec_from_file_location("decisions", sys.argv[1])
decisions = importlib.util.module_from_spec(spec)
sys.modules["decisions"] = decisions
spec.loader.exec_module(decisions)
abstract = {ast.AST, ast.mod, ast.stmt, ast.expr, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
            ast.excepthandler, ast.pattern, ast.type_ignore, getattr(ast, "type_param", ast.AST), getattr(ast, "slice", ast.AST)}
import warnings
warnings.simplefilter("ignore")
missing = []
nodes = [value for value in map(lambda name: getattr(ast, name), dir(ast))
         if isinstance(value, type) and issubclass(value, ast.AST) and value not in abstract]
for node in nodes:
    if node.__name__ in decisions.OUTSIDE:
        continue
    if node.__name__ not in decisions.FIELDS:
        missing.append(node.__name__)
        continue
    missing += [f"{node.__name__}.{field}" for field in node._fields if field not in decisions.FIELDS[node.__name__]]
print(len(nodes), *missing)
"""


def _pythons() -> list[str]:
    found = [sys.executable]
    home = Path.home() / ".pyenv" / "versions"
    for version in ("3.11", "3.12", "3.13"):
        candidates = sorted(home.glob(f"{version}.*/bin/python"))
        path = str(candidates[-1]) if candidates else shutil.which(f"python{version}")
        if path and f"{sys.version_info[0]}.{sys.version_info[1]}" != version:
            found.append(path)
    return found


@pytest.mark.parametrize("python", _pythons())
def test_every_field_of_every_node_type_has_a_decision(python: str) -> None:
    """Walks `ast` of each installed Python from 3.11 on; a pair without a decision fails by name."""
    done = subprocess.run(
        [python, "-c", _WALK, str(Path(decisions.__file__))], capture_output=True, text=True, check=False
    )
    if done.returncode and "command not found" in done.stderr:
        pytest.skip("a shim without its Python")
    assert done.returncode == 0, done.stderr
    count, *missing = done.stdout.split()
    assert int(count) > 100
    assert missing == []


def test_refusals_have_codes_of_the_table_and_a_way_out() -> None:
    """Each refusal names a known code, says what and how to get around it."""
    refusals = [
        *NODES.values(),
        *(d for row in FIELDS.values() for d in row.values() if isinstance(d, Refused)),
    ]
    for refusal in refusals:
        assert refusal.code in CODES
        assert refusal.message
        assert refusal.help


def test_what_has_no_effect_says_why() -> None:
    """Passing over a field is a decision with a reason."""
    reasons = [d.why for row in FIELDS.values() for d in row.values() if isinstance(d, NoEffect)]
    assert reasons
    assert all(reasons)


def test_every_refused_node_type_is_refused_with_all_its_fields() -> None:
    """Nothing below a refused node could be lowered."""
    for name in NODES:
        assert all(isinstance(decision, Refused) for decision in FIELDS[name].values()), name


def test_every_lowered_node_type_has_a_lowering_and_no_refused_one_has() -> None:
    """The dispatcher and the table agree."""
    handled = {node.__name__ for table in (LOWERINGS.statements, LOWERINGS.expressions) for node in table}
    assert not handled & set(NODES)
    concrete = {
        name
        for name, row in FIELDS.items()
        if name not in NODES
        and hasattr(ast, name)
        and issubclass(getattr(ast, name), ast.stmt | ast.expr)
        and any(not isinstance(decision, Refused) for decision in row.values() or [Lowered()])
    }
    # A starred part is lowered by what holds it.
    assert concrete - handled == {"Starred"}


@contextmanager
def _recorded(reads: set[tuple[str, str]]) -> Iterator[None]:
    """Note every field that is read of any syntax node."""
    classes = [getattr(ast, name) for name in FIELDS if hasattr(ast, name)]

    def recording(node: ast.AST, name: str) -> object:
        if name in type(node)._fields:
            reads.add((type(node).__name__, name))
        return object.__getattribute__(node, name)

    for cls in classes:
        cls.__getattribute__ = recording
    try:
        yield
    finally:
        for cls in classes:
            del cls.__getattribute__


def test_every_field_marked_lowered_is_read_by_resolve_or_lower() -> None:
    """Over the golden bodies each such field is looked at after `check`; test_mutations shows that it also counts."""
    reads: set[tuple[str, str]] = set()
    for cls in CLASSES:
        findings = Findings()
        source = check(find_source(cls, findings), findings)
        with _recorded(reads):
            resolved = resolve(source, findings)
            assert not findings
            lower(resolved, findings)
    marked = {
        (node, name)
        for node, row in FIELDS.items()
        for name, decision in row.items()
        if isinstance(decision, Lowered) and hasattr(ast, node)
    }
    assert marked - reads == set()


def test_nodes_outside_of_functions_have_no_decisions() -> None:
    """The two tables do not overlap."""
    assert not OUTSIDE & set(FIELDS)
