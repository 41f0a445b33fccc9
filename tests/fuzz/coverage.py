"""Which constructs of the language a program holds, and which there are: the rows of the compiler's and the library's tables."""

from __future__ import annotations

import ast
import re
from collections import Counter

from tests.fuzz.programs import Program
from tests.fuzz.recipes import WRITTEN, WRITTEN_TYPES
from waymark.compiler.decisions import FIELDS, Lowered
from waymark.program.library import ATTRIBUTES, METHODS, NAMES
from waymark.program.live import MISSING, live_object


def wanted() -> set[str]:
    """Every construct that compiles."""
    syntax = {
        name
        for name, fields in FIELDS.items()
        if not fields or any(isinstance(d, Lowered) for d in fields.values())
    }
    fields = {
        f"{name}.{field}"
        for name, fields in FIELDS.items()
        for field, decision in fields.items()
        if isinstance(decision, Lowered)
    }
    named = {name for name in NAMES if live_object(name) is not MISSING}
    members = {
        f"{owner}.{name}"
        for table in (METHODS, ATTRIBUTES)
        for owner, names in table.items()
        for name in names
    }
    return {f"syntax {name}" for name in syntax | fields} | {f"library {name}" for name in named | members}


WRITTEN_ELSEWHERE = frozenset(
    {name for name in NAMES if name.startswith(WRITTEN)}
    | {
        f"{owner}.{name}"
        for table in (METHODS, ATTRIBUTES)
        for owner in WRITTEN_TYPES & set(table)
        for name in table[owner]
    }
)
"""Rows that statements write, not recipes."""

_DOTTED = re.compile(r"\b[a-z]\w*\.\w+\b")


def _names(source: str) -> set[str]:
    """Functions and classes of modules that are named somewhere."""
    dotted = set(_DOTTED.findall(source))
    members = {name.partition(".")[2] for name in dotted}
    return (dotted & NAMES) | {
        row for row in WRITTEN_ELSEWHERE if row[0].isupper() and row.partition(".")[2] in members
    }


def constructs(program: Program) -> Counter[str]:
    """What a program holds."""
    found: Counter[str] = Counter(f"library {row}" for row in program.recipes)
    found.update(f"library {name}" for name in _names(program.source))
    for node in ast.walk(ast.parse(program.source)):
        name = type(node).__name__
        found[f"syntax {name}"] += 1
        for field in node._fields:
            if getattr(node, field, None) not in (None, []):
                found[f"syntax {name}.{field}"] += 1
    return found
