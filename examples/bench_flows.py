"""Workflows that `scripts/bench` measures."""

import asyncio

from waymark import Workflow, action, workflow


@action
async def double(value: int) -> int:
    return value * 2


@workflow
class OneAction(Workflow):
    async def run(self, value: int) -> int:
        return await double(value)


@workflow
class Chain(Workflow):
    async def run(self, steps: int) -> int:
        value = 0
        for number in range(steps):
            value += await double(number)
        return value


@workflow
class FanOut(Workflow):
    async def run(self, width: int) -> int:
        return sum(await asyncio.gather(*[double(number) for number in range(width)]))
