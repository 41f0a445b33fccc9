"""Workflows that the tests of the executor run."""

from __future__ import annotations

import asyncio
from typing import Any

from waymark import RetryPolicy, Workflow, action, workflow


@action
async def echo(value: Any) -> Any:
    """Give it back."""
    return value


@workflow
class Steps(Workflow):
    async def run(self, count: int) -> int:
        total = 0
        for number in range(count):
            total += await echo(number)
        return total


@workflow
class Fan(Workflow):
    async def run(self, width: int) -> int:
        results: list[int] = await asyncio.gather(*[echo(number) for number in range(width)])
        return sum(results)


@workflow
class Branches(Workflow):
    """Each branch goes on by itself."""

    async def run(self, width: int) -> list[int]:
        return await asyncio.gather(*[self.branch(number) for number in range(width)])

    async def branch(self, number: int) -> int:
        first: int = await echo(number)
        second: int = await echo(number)
        return first + second


@workflow
class Naps(Workflow):
    async def run(self, seconds: float, count: int) -> int:
        for _ in range(count):
            await asyncio.sleep(seconds)
        return count


@workflow
class Marks(Workflow):
    """Timers that are due in another order than they were set."""

    async def run(self) -> list[str]:
        self.marks: list[str] = []
        await asyncio.gather(self.mark("c", 3), self.mark("a", 1), self.mark("b", 2))
        return self.marks

    async def mark(self, name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.marks.append(name)


@workflow
class Patient(Workflow):
    async def run(self) -> Any:
        policy = RetryPolicy(attempts=3, backoff_seconds=5)
        return await self.run_action(echo(1), retry=policy, timeout=30)


@workflow
class Collects(Workflow):
    """Holds a text that grows by each answer."""

    async def run(self, count: int, size: int) -> int:
        parts = []
        for number in range(count):
            text = await echo("x" * size + str(number))
            parts.append(text)
        return len(parts)


@workflow
class AtOnce(Workflow):
    async def run(self) -> int:
        return 1


@workflow
class Spins(Workflow):
    """Uses up its fuel before its first wait."""

    async def run(self) -> None:
        while True:
            pass


@workflow
class Talks(Workflow):
    """Prints in every step."""

    async def run(self, count: int) -> None:
        print("begins")
        for number in range(count):
            print("got", await echo(number))
            print("two\nlines", end="")
        print("ends")
