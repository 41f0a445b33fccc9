"""What importing a part of the store loads, and what its SQL files look like."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files

import pytest

QUERIES = sorted(
    (file for file in (files("waymark.store.postgres") / "queries").iterdir()), key=lambda file: file.name
)


@pytest.mark.parametrize("module", ["waymark.store", "waymark.store.protocol", "waymark.store.memory"])
def test_the_contract_and_the_memory_store_load_no_driver(module: str) -> None:
    """These live in the user's process under pytest: psycopg has no place there."""
    code = f"import sys, {module}; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.name)
def test_a_query_file_holds_one_explained_statement(file: object) -> None:
    """The name says verb and noun, the first line what and under which lock, every table its schema."""
    name, text = getattr(file, "name"), getattr(file, "read_text")()  # noqa: B009
    assert re.fullmatch(r"[a-z]+_[a-z]+\.sql", name)
    assert text.startswith("-- ")
    assert re.search(r"lock", text.split("\n\n")[0], re.IGNORECASE)
    body = re.sub(r"--.*", "", text)
    assert ";" not in body
    tables = re.findall(
        r"\b(?:FROM|JOIN|INTO|UPDATE)\s+([a-z_.]+)", re.sub(r"FOR (NO KEY )?UPDATE( OF \w+)?", "", body)
    )
    known = set(re.findall(r"(\w+) AS (?:MATERIALIZED )?\(", body)) | {"unnest", "set", "only"}
    for table in tables:
        assert table.startswith("waymark.") or table in known, table
