"""str: methods, f-strings, slices."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import textwrap

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import NAMES, Color, Level, Mode, Point, echo
from waymark.sdk.workflow import Workflow


@body(call("ab", 5), call("", 0), call("ü€", 3))
class FormatStrings(Workflow):
    async def run(self, s, n):
        return [
            f"{s}",
            f"{s!r}",
            f"{s!s:>{n}}",
            f"{s!a}",
            f"{n:05d}|{n:+}|{n:x}|{n:#b}",
            f"{{{s}}}",
            f"{s=}",
            f"{n = :>4}",
        ]


@body(call(3.14159, 10, 2), call(2.0, 6, 0))
class NestedSpecs(Workflow):
    async def run(self, value, width, digits):
        return [
            f"{value:{width}.{digits}f}",
            f"{value:>{width}}",
            f"{value:{'<'}{width}}|",
            f"{value:{width + 2}.{digits + 1}e}",
            f"{'x':*^{width}}",
        ]


@body(call("abc", "d"), call(1, ","), call("x", ">>"))
class BadSpecs(Workflow):
    async def run(self, value, spec):
        return f"{value:{spec}}"


@body()
class FormatObjects(Workflow):
    async def run(self):
        point = Point(1, 2)
        return [
            f"{point}",
            f"{point!r:>20}",
            f"{Color.RED}",
            f"{Color.RED!r}",
            f"{Level.LOW}",
            f"{Level.LOW:03d}",
            f"{Mode.FAST:>6}",
            f"{[1, 'a']}",
            f"{None}",
            f"{ {'k': (1,)} }",
        ]


@body(" Hello World ", "", "ABC")
class CaseMethods(Workflow):
    async def run(self, s):
        return [
            s.upper(),
            s.lower(),
            s.strip(),
            s.title(),
            s.swapcase(),
            s.capitalize(),
            s.casefold(),
            s.lstrip(),
            s.rstrip(" d"),
        ]


@body("a,b,,c", "no", ",")
class SplitAndJoin(Workflow):
    async def run(self, s):
        return [
            s.split(","),
            s.split(",", 1),
            s.rsplit(",", 1),
            s.partition(","),
            s.rpartition(","),
            "-".join(s),
            "+".join(s.split(",")),
            s.splitlines(),
        ]


@body("banana", "", "nab")
class Searching(Workflow):
    async def run(self, s):
        return [
            s.find("an"),
            s.rfind("an"),
            s.count("a"),
            s.startswith("b"),
            s.endswith(("a", "b")),
            s.replace("a", "o", 1),
            "na" in s,
            s.removeprefix("b"),
            s.removesuffix("a"),
        ]


@body("abc", "xyz")
class IndexError_(Workflow):
    async def run(self, s):
        return s.index("b")


@body("12", "a1", "", "½", " ")
class Predicates(Workflow):
    async def run(self, s):
        return [
            s.isdigit(),
            s.isalpha(),
            s.isalnum(),
            s.isspace(),
            s.isupper(),
            s.isnumeric(),
            s.isdecimal(),
            s.isidentifier(),
            s.isascii(),
        ]


@body("7")
class Padding(Workflow):
    async def run(self, s):
        return [s.zfill(4), s.ljust(3, "."), s.rjust(3), s.center(5, "*"), s * 3, 2 * s, "\t".expandtabs(4)]


@body("abcdef")
class StringSlices(Workflow):
    async def run(self, s):
        return [s[0], s[-1], s[1:3], s[:2], s[3:], s[::-1], s[::2], s[-3:-1], s[10:], s[:], s[4:1], s[4:1:-1]]


@body(3, -4, 10)
class StringIndexErrors(Workflow):
    async def run(self, n):
        return "abc"[n]


@body("a", 1.5, None)
class StringIndexTypes(Workflow):
    async def run(self, index):
        return "abc"[index]


@body("x")
class PercentFormat(Workflow):
    async def run(self, s):
        return ["%s-%d" % (s, 3), "%r" % s, "%5.2f%%" % 3.14159, "%(a)s" % {"a": s}, "%x" % 255]


@body("x")
class PercentFormatError(Workflow):
    async def run(self, s):
        return "%d" % s


@body(call("ada", 3))
class FormatMethod(Workflow):
    async def run(self, name, n):
        return [
            "{} {}".format(name, n),
            "{1}{0}".format(name, n),
            "{n:>{w}}".format(n=n, w=5),
            "{0[0]}".format(NAMES),
            "{!r}".format(name),
        ]


@body("héllo", "ascii")
class Bytes(Workflow):
    async def run(self, s):
        data = s.encode()
        return [
            data,
            data.decode(),
            len(data),
            data.hex(),
            data[0],
            data[:2],
            b"-".join([data, b"x"]),
            s.encode("utf-16-le"),
        ]


@body("ascii", "héllo")
class EncodeError(Workflow):
    async def run(self, s):
        return s.encode("ascii")


@body("b")
class StringCompare(Workflow):
    async def run(self, s):
        return [
            "a" < s,
            s <= "b",
            max("a", s, "C"),
            sorted(["b", "A", "a", "ab"]),
            min(NAMES, key=len),
            sorted(NAMES, key=str.upper, reverse=True),
        ]


@body()
class ConcatenationError(Workflow):
    async def run(self):
        return "a" + 1


@body("x")
class AwaitInFormat(Workflow):
    async def run(self, s):
        return f"{await echo(s)}-{await echo(3):>{await echo(4)}}-{(await echo([1]))[0]}"


@body("l1\nl2\r\nl3")
class Lines(Workflow):
    async def run(self, text):
        """Docstring."""
        return [
            text.splitlines(),
            text.splitlines(True),
            """multi
  line""",
            "ab",
            r"\n",
            "\u00e9\N{BULLET}",
        ]


@body(call("%s"), call(5))
class ReprAndStr(Workflow):
    async def run(self, value):
        return [
            repr(value),
            str(value),
            ascii("é"),
            repr("it's"),
            repr('"'),
            repr("\x00\n"),
            str([1, "x", None, True, 2.0]),
            str(("a",)),
            repr({"k": {1: []}}),
        ]


@body("a\n\n b\n", "one")
class IndentWithAPredicate(Workflow):
    async def run(self, text):
        seen = []
        return [
            textwrap.indent(text, "> ", lambda line: seen.append(line) or len(line) > 2),
            textwrap.indent(text, "-", predicate=str.strip),
            seen,
        ]
