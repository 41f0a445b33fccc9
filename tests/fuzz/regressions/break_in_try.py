# ruff: noqa
# mypy: ignore-errors
"""The first thing a campaign found: the handler of a `try` inside of a `for` guarded what runs after the loop was left."""

from __future__ import annotations

from waymark import Workflow


class Flow(Workflow):
    async def run(self, n):
        for i in range(n):
            try:
                if i:
                    break
            except ValueError as error:
                return error
        return n


ARGUMENTS = (3,)
