"""Functions that functions of another module call, with names of their own module."""

# ruff: noqa
# mypy: ignore-errors

RATE = 100


def clean(text):
    return f"<{text}>"


def shout(text):
    return clean(text.upper()) + "!" * (RATE // 50)
