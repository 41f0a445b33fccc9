"""Every name that Python offers is compiled or refused: nobody decided nothing about any of them."""

from __future__ import annotations

import ast
import asyncio
import collections
import functools
import hashlib
import importlib
import random
import re
import types

import pytest

from tests.vm.test_library import SAMPLES, allowed
from waymark.compiler.codes import CODES
from waymark.compiler.decisions import FIELDS
from waymark.compiler.resolve.library import by_identity, refusal
from waymark.program import library
from waymark.program.live import MISSING, live_object
from waymark.program.refused import REFUSED, REFUSED_MEMBERS

MODULES = (
    "base64", "builtins", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "fractions", "functools", "hashlib",
    "itertools", "json", "math", "operator", "random", "re", "secrets", "statistics", "string", "textwrap", "time", "urllib.parse", "uuid",
    "zoneinfo",
)  # fmt: skip
PLAIN = (bool, bytes, complex, float, frozenset, int, str, tuple, type(None))
NATIVE: dict[str, type] = {
    "Random": random.Random,
    "deque": collections.deque,
    "partial": functools.partial,
    "KeyWrapper": type(functools.cmp_to_key(max)),
    "HASH": type(hashlib.sha256()),
    "Pattern": re.Pattern,
    "Match": re.Match,
}
"""Python's own classes where the machine has others of the same name."""
KNOWN = {id(live_object(name)) for name in library.NAMES}


def public_names(module: types.ModuleType) -> list[str]:
    """What a module offers: its list, or all that it does not hide and has not imported."""
    listed = getattr(module, "__all__", None)
    names = [name for name in vars(module) if not name.startswith("_")] if listed is None else listed
    return [
        name
        for name in names
        if not isinstance(getattr(module, name), types.ModuleType)
        and (
            listed is not None
            or getattr(getattr(module, name), "__module__", None)
            in (None, module.__name__, f"_{module.__name__}")
        )
    ]


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_of_a_module_has_a_decision(module: str) -> None:
    """It is in one of the tables, or a constant, and never both compiled and refused."""
    for name in public_names(importlib.import_module(module)):
        value = live_object(f"{module}.{name}")
        key = name if module == "builtins" else f"{module}.{name}"
        is_refused = f"{module}.{name}" in REFUSED or value is super
        is_compiled = key in library.NAMES or id(value) in KNOWN
        assert not (key in library.NAMES and is_refused), key
        assert is_refused or is_compiled or type(value) in PLAIN, f"nobody decided about {module}.{name}"


def test_every_public_name_of_asyncio_has_a_decision() -> None:
    """What the tables do not name is refused as a part of asyncio."""
    for name in public_names(importlib.import_module("asyncio")):
        value = live_object(f"asyncio.{name}")
        if f"asyncio.{name}" not in library.NAMES and id(value) not in KNOWN and type(value) not in PLAIN:
            assert refusal(value, name)[0] in CODES


@pytest.mark.parametrize("type_name", [name for name in SAMPLES if name not in ("BaseModel", "enum", "type")])
def test_every_public_member_of_a_value_type_has_a_decision(type_name: str) -> None:
    """Methods and attributes; what only the machine's own stand-ins have is no member of Python's type."""
    native = NATIVE.get(type_name) or getattr(asyncio, type_name, type(SAMPLES[type_name]))
    for name in dir(native):
        if not name.startswith("_"):
            decided = name in allowed(type_name) or f"{type_name}.{name}" in REFUSED_MEMBERS
            from_functions = f"{native.__module__}.{type_name}.{name}" in library.NAMES
            assert decided or from_functions, f"nobody decided about {type_name}.{name}"


def test_every_node_and_field_of_the_grammar_has_a_decision() -> None:
    """By `ast`'s own lists."""
    for node in vars(ast).values():
        if isinstance(node, type) and issubclass(node, ast.AST) and node.__name__ in FIELDS:
            assert set(FIELDS[node.__name__]) >= set(node._fields), node.__name__


def test_every_refusal_has_a_code_a_reason_and_a_way_out() -> None:
    """And stands for something, in this Python or another."""
    for name, refused in REFUSED.items():
        assert refused.code in CODES, name
        assert refused.reason
        assert refused.help
    assert sum(live_object(name) is not MISSING for name in REFUSED) > 150


def test_names_are_recognised_by_objects_that_stay() -> None:
    """`datetime.now` is a new object each time it is read; its identity would soon belong to an object of the user's."""
    known = by_identity()
    assert "datetime.datetime.now" not in known.values()
    assert all(id(live_object(name)) == identity for identity, name in known.items())
    assert {"builtins.len", "len"} & set(known.values())
