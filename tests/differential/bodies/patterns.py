"""re: patterns, matches and replacements, also when they are held across a wait."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import re

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import echo
from waymark.sdk.workflow import Workflow

ORDER_ID = re.compile(r"^(?P<kind>[A-Z]{2,4})-(?P<number>\d+)(?:/(?P<part>\d+))?$")
WORD = re.compile(r"\w+")
RULES = [(re.compile(r"error", re.I), "bad"), (re.compile(rb"\x00+"), "binary"), (WORD, "fine")]


def longer(match):
    return match.group().upper() + str(match.start())


@body("ORD-12", "ORD-12/3", "ord-12", "", "X-1", "ORD-12\n")
class MatchesAConstantPattern(Workflow):
    async def run(self, text):
        found = ORDER_ID.match(text)
        await echo(1)
        if found is None:
            return None
        return [
            found.groups(),
            found.groups("-"),
            found.groupdict(),
            found["kind"],
            found[2],
            found.span("part"),
            found.start(3),
            found.end(),
            found.lastindex,
            found.lastgroup,
            found.regs,
            found.pos,
            found.endpos,
            found.string,
            found.re.pattern,
            found.re.flags,
            found.re.groups,
            found.re is ORDER_ID,
            found.group("kind", 2, 0),
            bool(found),
            found.expand(r"\g<kind>:\2\n\g<part>"),
            repr(found),
        ]


@body("a1 b22  ccc", "", "  ", "été à la plage 2026", "x" * 200)
class AllFunctions(Workflow):
    async def run(self, text):
        found = [
            re.findall(r"\w+", text),
            re.findall(r"(\w)(\w*)", text),
            re.findall(r"(\d)?\w", text),
            re.findall("", text),
            re.split(r"\s+", text),
            re.split(r"(\s)", text),
            re.split(r"\s", text, maxsplit=1),
            re.split("", text),
            re.split("x*", text),
            re.sub(r"\d", "#", text),
            re.sub(r"(\w)(\d)", r"\2\1", text),
            re.subn(r"\w", "", text),
            re.sub("", "-", text),
            re.sub(r"\s*", "_", text),
            re.sub(r"(?P<d>\d)", r"<\g<d>>", text, count=1),
            re.escape(text),
            [m.span() for m in re.finditer(r"\b", text)],
            [m.group() for m in re.finditer(r"\d+|\s", text)],
        ]
        await echo(1)
        for name in (re.match, re.search, re.fullmatch):
            match = name(r"[a-z]+\d?", text)
            found.append(match and match.group())
        return found


@body()
class Replacements(Workflow):
    def shout(self, match):
        return match[0].upper()

    async def run(self):
        text = "ab cd-ef"
        counts = {"n": 0}

        def numbered(match):
            counts["n"] += 1
            return f"{counts['n']}{match.group(1)}"

        return [
            WORD.sub(self.shout, text),
            WORD.sub(longer, text),
            WORD.sub(lambda m: None, text),
            re.sub(r"(\w)\w", numbered, text),
            WORD.subn("x", text, 2),
            re.sub(r"[a-c]", lambda m: {"a": "1", "b": "2"}.get(m[0], m[0]), text),
            WORD.sub("", ""),
            WORD.sub(r"\\\g<0>", text),
            re.sub(r"(a)|(c)", r"[\1\2]", text),
            re.sub("x", 1 and "y", "axbx", 1),
        ]


@body()
class HeldAcrossAWait(Workflow):
    async def run(self):
        pattern = re.compile(r"(\d+)(?P<unit>ms|s)?", re.IGNORECASE | re.MULTILINE)
        flags = re.I | re.DOTALL
        matches = pattern.finditer("5ms 10 7S")
        first = next(matches)
        kept = {"p": pattern, "m": [first, first], "rules": RULES, "flags": flags}
        await echo(1)
        found = [
            first.groups(),
            kept["m"][0] is first,
            kept["p"] is pattern,
            [m.groupdict() for m in matches],
        ]
        found += [
            pattern == re.compile(pattern.pattern, re.I | re.M),
            re.compile(pattern) is pattern,
            len({pattern, kept["p"]}),
        ]
        found += [
            int(flags),
            flags is kept["flags"],
            flags == re.I | re.S,
            repr(flags),
            repr(re.I),
            pattern.flags & re.M != 0,
        ]
        for rule, label in kept["rules"]:
            text = b"a\x00\x00" if isinstance(rule.pattern, bytes) else "An ERROR"
            found.append((label, rule.search(text).span(), repr(rule)))
        return found


@body()
class Flags(Workflow):
    async def run(self):
        text = "First\nsecond Straße\nTHIRD k"
        return [
            re.findall(r"^\w+", text, re.M),
            re.findall(r"third", text, flags=re.I),
            re.search(r"t.s", text, re.S).span(),
            re.findall(r"(?i)STRA(?:SS|ß)E", text),
            re.findall("\u212a", text, re.I),
            re.findall(r"\w+", "naïve", re.A),
            re.findall(r"(?x) s \w + # a comment", text),
            re.findall(r"(?s:t.s)(?i:E)", text),
            re.findall(rb"\w+", b"na\xefve"),
            re.findall(r"\d+", "٣٤ 12"),
            re.findall(r"$", text, re.M),
            re.NOFLAG == 0,
            int(re.X | re.VERBOSE),
        ]


@body()
class Corners(Workflow):
    async def run(self):
        return [
            re.findall(r"(?=(\w\w))", "abcd"),
            re.findall(r"(?<=a)b|(?<!a)c", "abcac"),
            re.findall(r"(a)(?!b)", "abaa"),
            re.findall(r"(\w)\1", "aabbc"),
            re.match(r"(a)|b", "b").groups(),
            re.match("(a)|b", "b").span(1),
            re.findall(r"a??b", "aab"),
            re.match(r"<.*?>", "<a><b>").group(),
            re.match(r"<.*>", "<a><b>").group(),
            re.match("a{2,3}", "aaaa").end(),
            re.compile("b").match("abc", 1).span(),
            re.compile("^b").match("abc", 1),
            re.compile("c").search("abcabc", 3, 5),
            re.compile("b$").search("abc", 0, 2).span(),
            re.compile("a").findall("aaaa", 1, -1),
            re.compile("a").fullmatch("aa", 1).span(),
            re.match("", "").group(),
            re.search(r"\Z", "ab").start(),
            re.fullmatch(r"\d+(?:,\d+)*", "1,22,333").end(),
            re.split(r"[,;]\s*", "a, b;c"),
            re.split("(,)|(;)", "a,b;c"),
            re.findall(r'"(?:[^"\\]|\\.)*"', r'x "a\"b" "c"'),
            re.findall(r"[\w.+-]+@[\w-]+\.[\w.-]+", "to a.b@c.de, x@y.org."),
            isinstance(re.match("a", "a"), re.Match),
            isinstance(WORD, re.Pattern),
            callable(WORD),
            re.escape("a.b*c\n"),
            re.escape(b"a.b"),
        ]


@body(
    "group",
    "name",
    "template",
    "string",
    "bytes",
    "pattern",
    "flags",
    "unbalanced",
    "repl",
    "count",
    "missing",
    "many",
    "compiled",
    "reference",
    "repeat",
    "join",
    "none",
    "index",
    "range",
    "create",
)
class Errors(Workflow):
    async def run(self, what):
        match = re.match("(a)(?P<n>b)?", "ab")
        try:
            match what:
                case "group":
                    match.group(3)
                case "name":
                    match["x"]
                case "template":
                    re.sub("a", r"\2", "a")
                case "string":
                    re.match("a", 5)
                case "bytes":
                    re.match("a", b"a")
                case "pattern":
                    re.compile(5)
                case "flags":
                    re.compile("a", "i")
                case "unbalanced":
                    re.compile("(a" + "")
                case "repl":
                    re.sub("a", 5, "a")
                case "count":
                    WORD.sub("a", "a", "x")
                case "missing":
                    re.match("a")
                case "many":
                    WORD.match("a", 1, 2, 3)
                case "compiled":
                    re.compile(WORD, re.I)
                case "reference":
                    match.expand(r"\g<nope>")
                case "repeat":
                    re.compile("a{3,2}")
                case "join":
                    re.sub("a", lambda m: 5, "xa")
                case "none":
                    re.search("z", "a").group()
                case "index":
                    match.start("nope")
                case "range":
                    re.findall("[z-a]", "a")
                case "create":
                    re.Pattern()
        except re.error as error:
            await echo(1)
            return [str(error), error.msg, error.pattern, error.pos, error.lineno, error.colno]
        return "no error"
