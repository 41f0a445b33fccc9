"""The first workflow: two actions at the same time, and a third with their results."""

import asyncio

from waymark import Workflow, action, workflow


@action
async def factorial(number: int) -> int:
    result = 1
    for factor in range(2, number + 1):
        result *= factor
    return result


@action
async def fibonacci(number: int) -> int:
    previous, current = 0, 1
    for _ in range(number):
        previous, current = current, previous + current
    return previous


@action
async def summarize(number: int, factorial_value: int, fibonacci_value: int) -> str:
    return f"{number}! = {factorial_value}; fib({number}) = {fibonacci_value}"


@workflow
class ParallelMath(Workflow):
    async def run(self, number: int) -> str:
        factorial_value, fibonacci_value = await asyncio.gather(factorial(number), fibonacci(number))
        return await summarize(number, factorial_value, fibonacci_value)
