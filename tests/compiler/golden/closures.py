"""Functions inside functions."""

# ruff: noqa
# mypy: ignore-errors

from dataclasses import dataclass

from waymark.sdk.workflow import Workflow


class Cells(Workflow):
    async def run(self, n):
        total = 0

        def add(by, times=n, *, scale=2):
            nonlocal total
            total += by * times * scale
            return total

        async def forget():
            nonlocal total
            del total

        add(1)
        await forget()
        return add


class Lambdas(Workflow):
    rate = 2

    async def run(self, items):
        return [sorted(items, key=lambda x: -x), [lambda y=1: (x, y, self.rate) for x in items]]


def halved(n):
    return n / 2


@dataclass
class Half:
    value: int
    FACTOR = 2

    def of(self, n):
        return halved(n) + self.value * self.FACTOR

    @property
    def twice(self):
        return self.of(self.value)


class Along(Workflow):
    async def run(self, half: Half):
        return [half.twice, map(halved, [1]), half.of(2)]
