"""Golden listings: each class of golden/*.py beside what it compiles to. `UPDATE_GOLDEN=1` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest

from tests.compiler.support import listing, load_file
from waymark.sdk.workflow import Workflow

FOLDER = Path(__file__).parent / "golden"
MODULES: dict[str, ModuleType] = {}


def golden_classes() -> list[type]:
    """Every workflow class of the golden modules."""
    found: list[type] = []
    for path in sorted(FOLDER.glob("*.py")):
        module = MODULES.get(path.stem) or load_file(path, f"golden_{path.stem}")
        MODULES[path.stem] = module
        found += [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Workflow) and value.__module__ == module.__name__
        ]
    return found


CLASSES = golden_classes()


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_each_golden_class_compiles_to_its_listing(cls: type) -> None:
    """A change of what the compiler emits is seen, and is on purpose."""
    path = FOLDER / "listings" / cls.__module__.removeprefix("golden_") / f"{cls.__name__}.txt"
    found = listing(cls)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found)
    assert found == path.read_text(), "run with UPDATE_GOLDEN=1 when the change is intended"


def test_every_listing_has_its_class() -> None:
    """A listing without a class would be dead weight."""
    expected = {f"{cls.__module__.removeprefix('golden_')}/{cls.__name__}.txt" for cls in CLASSES}
    assert {
        str(path.relative_to(FOLDER / "listings")) for path in FOLDER.glob("listings/*/*.txt")
    } == expected
