"""with and async with."""

# ruff: noqa
# mypy: ignore-errors

import asyncio
from contextlib import nullcontext, suppress

from waymark.sdk.workflow import Workflow


class Withs(Workflow):
    async def run(self, xs):
        for x in xs:
            with suppress(KeyError), nullcontext(x) as (a, b):
                if a:
                    break
                return xs[b]
        return None


class AsyncWiths(Workflow):
    async def run(self, lock):
        async with lock, asyncio.timeout(3) as self.limit:
            return await asyncio.sleep(1)


class StarExcepts(Workflow):
    async def run(self, call):
        try:
            return await call()
        except* (KeyError, IndexError) as errors:
            self.errors = errors
        except* ValueError:
            raise
        finally:
            self.done = True
