"""Refused around functions and closures. The comment on a failing line gives code, column and a part of the help."""

# ruff: noqa
# mypy: ignore-errors

import functools

import pydantic

from tests.compiler.support import listing
from waymark.sdk.workflow import Workflow, workflow


def traced(function):
    """Replaces the function."""

    def wrapper(*args):
        return function(*args)

    return wrapper


def marked(function):
    """Gives the function back."""
    return function


def yields(n):
    yield n


async def yields_later(n):
    yield n


@traced
def wrapped(n):
    return n


@marked
def decorated(n):
    return n


@functools.lru_cache
def cached(n):
    return n


@functools.wraps(print)
def renamed(n):
    return n


def opens(path):
    with open(path) as file:
        return file.read()


def calls_opens(path):
    return [opens(part) for part in path]


def calls_itself(n):
    return input(n) if n == 0 else calls_itself(n - 1)


def first_of_two(n):
    return second_of_two(n)


def second_of_two(n):
    import os

    return first_of_two(n)


def inside(n):
    def bad():
        return missing

    return bad


anonymous = lambda n: n


class EvaluatedAnnotations(Workflow):
    async def run(self, kind):
        def first(x: kind) -> list[int]:  # WM150 22 "names of the module"
            return x

        def second(x: int, *y: nothing, **z: print("x")) -> 1 / 0:  # WM150 32 "leave it out" # WM150 46 "leave it out" # WM150 61 "leave it out"
            return x

        return [first(1), second(2)]


class UnfitFunctions(Workflow):
    async def run(self, n):
        return [
            yields(n),  # WM130 13 "make it an @action"
            yields_later(n),  # WM130 13 "make it an @action"
            wrapped(n),  # WM130 13 "pass the value in"
            decorated(n),  # WM130 13 "pass the value in"
            cached(n),  # WM130 13 "pass the value in"
            renamed(n),  # WM130 13 "pass the value in"
            anonymous(n),  # WM130 13 "pass the value in"
            inside(n),  # WM130 13 "pass the value in"
            list(map(opens, n)),  # WM130 22 "make it an @action"
            listing(n),  # WM130 13 "make it an @action"
            pydantic.create_model(n),  # WM130 13 "call it in an @action"
            workflow(n),  # WM130 13 "call it in an @action"
        ]


class UnfitThroughOthers(Workflow):
    async def run(self, n):
        a = calls_opens(n)  # WM130 13 "make it an @action"
        b = calls_itself(n)  # WM130 13 "make it an @action"
        return [a, b, first_of_two(n), lambda: second_of_two(n)]  # WM130 23 "make it an @action" # WM130 48 "make it an @action"


class UnawaitedFunctions(Workflow):
    async def run(self, n):
        later(n)  # WM140 9 "write `await later(...)`"
        return await now(n) + await now  # WM141 22 "leave out `await`" # WM141 37 "write `await now(...)`"


async def later(n):
    return n


def now(n):
    return [n]


class Above(Workflow):
    limit = 3

    @property
    def prop(self):
        return 1

    def step(self):
        return 1

    async def run(self):
        return self.step()


class Supers(Above):
    def step(self):
        return super().step()

    async def run(self):
        a = super()  # WM131 13 "write `super().name(...)`"
        b = super(Supers, self).step()  # WM131 13 "write `super().name(...)`" # WM123 27 "pass on the values"
        c = [super().step() for _ in "a"]  # WM131 14 "outside of functions"
        d = (lambda: super().step())()  # WM131 22 "outside of functions"
        e = super().nothing()  # WM122 13 "order of the bases"
        f = super().prop  # WM124 13 "ordinary method"
        g = await super().run_action(later(1))  # WM124 19 "write `self.run_action`"
        await super().step()  # WM141 15 "leave out `await`"
        super().run()  # WM140 9 "write `await super().run(...)`"
        return [a, b, c, d, e, f, g]
