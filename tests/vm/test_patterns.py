"""No pattern holds up its shard: what cannot be bounded is refused, what is bounded is paid for."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]

import pytest

from tests.vm.programs import compile_body, result, run_echo
from waymark.errors import UnsupportedPatternError
from waymark.program.patterns import (
    _DIGIT,
    _KINDS,
    _LATIN,
    _SPACE,
    _WORD,
    PatternCost,
    UnboundedPattern,
    _literal,
    examine,
    kind_of,
    longest_run,
)

REFUSED = [
    r"(a+)+$",
    r"(a|a)*b",
    r"(a|aa)+$",
    r"(.*)*",
    r"(.*)(.*)(.*)(.*)x",
    r"(\w+\s?)*$",
    r"(x+x+)+y",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(?i)(k+\u212a+)+x",
    r"(?:a?b?)*c",
    r"((a?){20}){20}b",
    r"(?:(?:(?:a|ab){9}){9}){9}c",
    r"(.*)\1(.*)\2x",
    r"(?=(.*)(.*)(.*)x)",
    "(|)" * 39,
    r"(\b|\b|\b)" * 19,
    "(a??)?" * 39,
    r"(?:(?=a)|(?=a))*x",
    r"a++b",
    r"(?>a)b",
    r"(a)?(?(1)b|c)",
    "a" * 2001,
    "(" * 41 + ")" * 41,
    rb"(?L)a",
]

BOMBS = [
    (r"(.*)(.*)x", "'a' * 100_000"),
    (r".*.*x", "'a' * 2_000"),
    (r"(.*)\1x", "'a' * 100_000"),
    (r"a{1000000}", "'a' * 8_000_000"),
    (r"(?:a{1000}){1000}b", "'a' * 1_000_000"),
    ("(|)" * 9, "'a' * 100_000"),
    (r"\d+x", "'1' * 100_000"),
    (r"(?:ab|cd)+x", "'ab' * 1_000_000"),
    (r"(?=(?=(?=.*x).*x).*x).*x", "'a' * 100_000"),
    (r"(?s)(?=.*a)(?=.*b)(?=.*c).*d", "'abc' * 30_000"),
    (r"[\u0000-\U0010ffff]+x", "'é' * 100_000"),
    (r"\s+$", "' ' * 60_000 + 'x'"),
    (r'"(?:[^"\\]|\\.)*"', "'\"' + 'a' * 100_000"),
    (r"(?:(?:ab|ac)?d){4}e", "'abd' * 1_000_000"),
]


@pytest.mark.parametrize("pattern", REFUSED, ids=lambda pattern: repr(pattern)[:40])
def test_a_pattern_without_a_bound_is_refused(pattern: str | bytes) -> None:
    """When it is seen, with the reason."""
    with pytest.raises(UnboundedPattern) as refused:
        examine(pattern)
    assert str(refused.value)


def test_a_pattern_made_by_the_run_is_refused_there(tmp_path: Path) -> None:
    """The compiler cannot see it; the run ends with the way out, past every `except`."""
    program = compile_body(
        tmp_path, "try:\n    return re.match(x, 'a')\nexcept Exception:\n    return 'caught'"
    )
    name, message = result(run_echo(program, "(a+)+$"))
    assert name == "UnsupportedPatternError"
    assert message == (
        "the pattern '(a+)+$' cannot be used in a workflow: it repeats a part that can match one text in several ways; "
        "match it in an @action"
    )


def test_a_pattern_of_the_module_is_refused_when_registered(tmp_path: Path) -> None:
    """Alone, and inside of other constants, with its own flags."""
    with pytest.raises(UnsupportedPatternError, match=r"WM171: `self.slow`: it repeats a part"):
        compile_body(tmp_path, "return self.slow.match(x)", "slow = re.compile('(a+)+$')")
    with pytest.raises(UnsupportedPatternError, match="WM171"):
        compile_body(tmp_path, "return self.all", "all = {'a': [re.compile('(a|ab)*c', re.I)]}")


@pytest.mark.parametrize(("pattern", "text"), BOMBS)
@pytest.mark.parametrize("name", ["search", "fullmatch", "findall", "split"])
def test_a_pattern_ends_within_a_second(tmp_path: Path, pattern: str, text: str, name: str) -> None:
    """By a match, or by the limit of the run."""
    program = compile_body(tmp_path, f"text = {text}\nwhile True:\n    re.{name}({pattern!r}, text)")
    began = time.process_time()
    found = result(run_echo(program))
    assert found[0] == "WorkflowLimitExceeded"
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "body",
    [
        "n = 0\nwhile True:\n    n += 1\n    re.compile('[a-z]+' + str(n))",
        "n = 0\nwhile True:\n    n += 1\n    re.compile('[\\u0000-\\U0010ffff]' + str(n), re.I)",
        "while True: re.sub('a', 'b' * 1000, 'a' * 10_000)",
        "return re.sub('', 'b' * 100_000, 'a' * 100_000)",
        "return re.sub('a', lambda m: 'b' * 1_000_000, 'a' * 1_000)",
        "return re.match('(.*)', 'a' * 100_000).expand(r'\\1' * 10_000)",
        "return re.findall('', 'a' * 2_000_000)",
        "return len([*re.finditer('', 'a' * 2_000_000)])",
        "return re.split('', 'a' * 2_000_000)",
        "while True: re.escape('.' * 1_000_000)",
        "kept = []\nwhile True: kept.append([*re.finditer('a', 'a' * 10_000)])",
        "return re.sub('a', '\\\\' * 3_000_000, 'a')",
        "return re.compile('(' * 5000)",
    ],
)
def test_making_and_replacing_ends_its_own_run(tmp_path: Path, body: str) -> None:
    """Compiling, templates, long results, many matches."""
    program = compile_body(tmp_path, body)
    began = time.process_time()
    found = result(run_echo(program))
    assert time.process_time() - began < 2.5
    assert found[0] in ("WorkflowLimitExceeded", "UnsupportedPatternError", "PatternError", "error"), found


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d+", r"\w+", r"\s+", r"[^a-z0-9]+", r"^\s+|\s+$", r"INV-(\d+)", r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)",
        r"[\w.+-]+@[\w-]+\.[\w.-]+", r"(\w+)://([^/\s]+)(/\S*)?", r"^(\w+)\s*=\s*(.*)$", r"<[^>]+>", r"<.*?>", r"\b[A-Z]{2,3}\b",
        r'"(?:[^"\\]|\\.)*"', r"(?:\w+\.)+\w+", r"^\d+(?:,\d+)*$", r"(\d{1,3}\.){3}\d{1,3}", r"(?i)error|warning", r"#[0-9a-f]{6}",
        r"^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$", r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$", r"\.(\w+)$",
    ],
)  # fmt: skip
def test_patterns_that_people_write_are_cheap_on_a_page_of_text(pattern: str) -> None:
    """Ten thousand characters of ordinary text cost a small part of what a step may use."""
    text = (
        "The order INV-1234 of a.b@example.com came 2026-01-02, 10:30; see https://x.example/y?z=1 \n" * 112
    )[:10_000]
    assert examine(pattern).steps(text, is_full=False, is_search=True) >> 3 < 1_000_000


def test_kinds_of_characters_hold_for_all_of_unicode() -> None:
    """What the engine takes for a digit, a word or a space is in the mask of its category, and nothing of the other kinds."""
    for category, shown in (
        (sre.CATEGORY_DIGIT, r"\d"),
        (sre.CATEGORY_WORD, r"\w"),
        (sre.CATEGORY_SPACE, r"\s"),
    ):
        for is_ascii in (False, True):
            host = re.compile(shown, re.ASCII if is_ascii else 0)
            mask = _KINDS[is_ascii][category]
            for code in range(sys.maxunicode + 1):
                bit = 1 << code if code < _LATIN else kind_of(chr(code))
                assert (host.match(chr(code)) is not None) == bool(bit & mask), (shown, hex(code))
    assert not _SPACE & (_WORD | _DIGIT)


def test_letters_of_either_case_are_in_the_mask() -> None:
    """Whatever the engine takes for a letter of the pattern with IGNORECASE."""
    for code in range(1, 0x600):
        if re.escape(chr(code)) != chr(code):
            continue
        host = re.compile(chr(code), re.IGNORECASE)
        mask = _literal(code, re.IGNORECASE)
        for other in {*range(0x600), 0x1E9E, 0x1E9B, 0x212A, 0x212B, 0x2126, 0x1FBE, 0x1C80, 0x1C88, 0xFB05}:
            if host.match(chr(other)):
                assert mask & (1 << other if other < _LATIN else kind_of(chr(other))), (hex(code), hex(other))


def test_the_longest_run_is_that_of_a_set() -> None:
    """Characters past Latin-1 count wherever the set has any."""
    digits = examine(r"\d+x").runs
    assert longest_run(digits, "12 345 6") == 3
    assert longest_run(digits, "") == 0
    assert longest_run(digits, "ab") == 0
    assert longest_run(digits, "12€4 1") == 4
    assert longest_run(examine(r"[0-9]+x").runs, "12€4 1") == 2
    assert longest_run(examine(rb"\d+x").runs, b"12 345 6") == 3
    assert longest_run(examine(r".+x").runs, "abc\nde") == 3


def test_the_bound_covers_what_the_engine_does() -> None:
    """Time on the worst texts grows no faster than the bound says."""
    cases: tuple[tuple[str, Callable[[int], str]], ...] = (
        (r"\d+-", lambda n: "1" * n),
        (r"(?:ab)+c", lambda n: "ab" * n),
        (r"\w+\s*=\s*(.*)y", lambda n: "a" * n + " " * n),
    )
    for pattern, make in cases:
        host, cost = re.compile(pattern), examine(pattern)
        assert isinstance(cost, PatternCost)
        for size in (200, 2000):
            text = make(size)
            began = time.process_time()
            host.search(text)
            taken = time.process_time() - began
            assert taken < 1e-3 + 4e-8 * cost.steps(text, is_full=False, is_search=True)
