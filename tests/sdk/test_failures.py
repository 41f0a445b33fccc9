"""What the caller of a failed run is shown."""

from __future__ import annotations

from waymark.sdk.failures import describe


def test_the_exceptions_in_a_group_are_shown_with_it() -> None:
    """Each under its number; of a crowd only the first ones."""
    inner = ExceptionGroup("inner", [KeyError("k")])
    text = describe(ExceptionGroup("outer", [ValueError("v"), inner, *[OSError("o")] * 20]))
    assert text.startswith("ExceptionGroup: outer (22 sub-exceptions)\n  1 of 22:\n    ValueError: v\n")
    assert "\n  2 of 22:\n    ExceptionGroup: inner (1 sub-exception)\n" in text
    assert "\n        KeyError: 'k'\n" in text
    assert text.endswith("\n  and 12 more")


def test_groups_inside_groups_are_shown_three_deep() -> None:
    """A text that nobody could read, or that never ends, is not made."""
    group: Exception = ValueError("v")
    for _ in range(30):
        group = ExceptionGroup("g", [group] * 5)
    assert len(describe(group)) < 100_000
