"""What type checkers know about workflows: neither mypy nor pyright finds anything here, and each type is the one that is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_type
from uuid import UUID

import waymark
from waymark import Handle, RetryPolicy, Workflow, action, workflow


@dataclass
class Receipt:
    number: int


@action
async def charge(customer: str, amount: int = 0, *, note: str | None = None) -> Receipt:
    return Receipt(amount)


@action(name="reserve-item")
async def reserve(sku: str) -> str:
    return sku


@action()
async def count() -> int:
    return 3


@workflow
class Checkout(Workflow):
    """A workflow as the README shows it."""

    name = "checkout"
    version = "3"

    def __len__(self) -> int:
        return 1

    def fee(self, amount: int) -> int:
        return amount // 10

    async def run(self, customer: str, skus: list[str], amount: int = 0) -> dict[str, object]:
        assert_type(await charge(customer, amount), Receipt)
        assert_type(await reserve("apple"), str)
        assert_type(await count(), int)
        receipt = await self.run_action(
            charge(customer, self.fee(amount), note="x"),
            retry=RetryPolicy(attempts=5, exception_types=["ConnectionError"], backoff_seconds=2),
            timeout=timedelta(seconds=30),
        )
        assert_type(receipt, Receipt)
        assert_type(await self.run_action(count(), timeout=2.5), int)
        reserved = await asyncio.gather(*[reserve(sku) for sku in skus])
        assert_type(reserved, list[str])
        number, text = await asyncio.gather(self.run_action(count()), reserve("x"))
        assert_type(number, int)
        assert_type(text, str)
        task = asyncio.create_task(self.run_action(count()))
        assert_type(await task, int)
        return {"reserved": reserved, "receipt": receipt}


@workflow
class Express(Checkout):
    """It inherits run()."""


@workflow
class Nothing(Workflow):
    async def run(self) -> None:
        await count()


async def use() -> None:
    """Starting runs and waiting for them."""
    assert_type(await Checkout().run("ann", ["apple"], 600), dict[str, object])
    assert_type(await Express().run("ann", []), dict[str, object])
    started = await waymark.start(Checkout().run("ann", ["apple"], amount=600), priority=5)
    assert_type(started, Handle[dict[str, object]])
    assert_type(started.instance_id, UUID)
    assert_type(await started.result(), dict[str, object])
    nothing = await waymark.start(Nothing().run())
    assert_type(nothing, Handle[None])
    found = waymark.handle("6f1c0f0e-0000-4000-8000-000000000000")
    assert_type(found, Handle[Any])
    many = await waymark.start_many(Checkout, [(("ann", ["apple"]), {"amount": 3})], priority=3)
    assert_type(many, list[Handle[Any]])
    assert_type(Checkout.short_name(), str)
    assert_type(await charge("ann", note="outside of workflows it is the function it was"), Receipt)


def signature_of(function: Callable[[str], Coroutine[Any, Any, str]]) -> None:
    """An action has the type of the function that it is."""


signature_of(reserve)
