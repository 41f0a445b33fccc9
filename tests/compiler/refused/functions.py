"""Refused around functions and closures. The comment on a failing line gives code, column and a part of the help."""

# ruff: noqa
# mypy: ignore-errors

from waymark.sdk.workflow import Workflow


class EvaluatedAnnotations(Workflow):
    async def run(self, kind):
        def first(x: kind) -> list[int]:  # WM150 22 "names of the module"
            return x

        def second(x: int, *y: nothing, **z: print("x")) -> 1 / 0:  # WM150 32 "leave it out" # WM150 46 "leave it out" # WM150 61 "leave it out"
            return x

        return [first(1), second(2)]
