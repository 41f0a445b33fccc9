"""Listings name what operands point to."""

from __future__ import annotations

from pathlib import Path

from tests.compiler.support import listing, load


def test_a_listing_names_locals_constants_actions_and_targets(tmp_path: Path) -> None:
    """One line per instruction, with the source line where it changes."""
    module = load(
        tmp_path,
        """
        class Flow(Workflow):
            async def run(self, n=(1, "a")):
                if n:
                    return await charge(n)
        """,
        header="from waymark.sdk.actions import action\nfrom waymark.sdk.workflow import Workflow\n@action\nasync def charge(n): return n\n",
    )
    name = module.__name__
    assert listing(module.Flow) == (
        f"workflow flow ({name}.Flow), format 1\n"
        "\n"
        "async def Flow.run(self, n=(1, 'a'))\n"
        "    8     0  LOCAL            n\n"
        "          2  JUMP_FALSE       to 14\n"
        f"    9     4  ACTION           {name}:charge\n"
        "          6  LOCAL            n\n"
        "          8  CALL             1\n"
        "         10  AWAIT\n"
        "         12  RETURN\n"
        "    7 >  14  CONST            None\n"
        "         16  RETURN\n"
    )
