"""Mistakes that type checkers find: each on the line whose comment says so, in both mypy and pyright."""

from __future__ import annotations

import waymark
from waymark import RetryPolicy, Workflow, action, workflow


@action
async def charge(customer: str, amount: int = 0) -> int:
    return amount


@action  # error: an action is an async function
def plain(customer: str) -> int:
    return 3


@action(title="x")  # error: there is no such option
async def titled() -> None: ...


class Plain: ...


workflow(Plain)  # error: a workflow is a Workflow


@workflow
class NotAsync(Workflow):
    def run(self) -> int:  # error: run() is async
        return 1


@workflow
class Checkout(Workflow):
    version = 3  # error: a version is text

    async def run(self, customer: str, amount: int) -> int:
        await charge(amount)  # error: another type of argument
        await charge(customer, amont=3)  # error: no such parameter
        total: str = await charge(customer)  # error: another type of result
        receipt: str = await self.run_action(charge(customer))  # error: another type of result
        await self.run_action(charge)  # error: not called
        await self.run_action(charge(customer), retries=3)  # error: no such option
        await self.run_action(charge(customer), retry=3)  # error: a retry is a policy
        await self.run_action(charge(customer), timeout="30s")  # error: a timeout is a number or a timedelta
        RetryPolicy(atempts=3)  # error: no such option
        self.unknown(total, receipt)  # error: no such method
        return "done"  # error: another type of result


async def use() -> None:
    """Starting runs and waiting for them."""
    await Checkout().run("ann")  # error: an argument is missing
    await Checkout().run("ann", "apple")  # error: another type of argument
    await Checkout().run("ann", 3, _blocking=False)  # error: start() is the form that checkers follow
    await Checkout().run("ann", 3, _priority=5)  # error: start() is the form that checkers follow
    await waymark.start(Checkout().run("ann"))  # error: an argument is missing
    await waymark.start(Checkout)  # error: not called
    await waymark.start(Checkout().run("ann", 3), 5)  # error: priority is a keyword
    started = await waymark.start(Checkout().run("ann", 3))
    text: str = await started.result()  # error: another type of result
    waymark.handle(text, 3)  # error: too many arguments
    waymark.handle(5)  # error: not an id
