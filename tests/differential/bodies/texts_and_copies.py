"""json, copy, dataclasses, hashlib, base64, urllib.parse, textwrap."""

# ruff: noqa
# mypy: ignore-errors

from __future__ import annotations

import base64
import binascii
import copy
import dataclasses
import hashlib
import json
import string
import textwrap
import urllib.parse
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal

from tests.differential.bodies.body import body, call
from tests.differential.bodies.shared import Color, Item, Level, Order, Point, echo
from waymark.sdk.workflow import Workflow


@body(
    {"b": [1, 2.5, None, True], "a": {"x": 'é\n"', "y": []}},
    [],
    "text",
    1.5,
    None,
    {1: "a", None: 2, True: 3, 2.5: 4},
)
class JsonTexts(Workflow):
    async def run(self, value):
        found = [
            json.dumps(value),
            json.dumps(value, indent=2),
            json.dumps(value, ensure_ascii=False, separators=(",", ":")),
            json.dumps(value, indent="\t"),
        ]
        await echo(1)
        return found + [json.loads(text) for text in found]


@body()
class JsonOptions(Workflow):
    def shown(self, value):
        if isinstance(value, set):
            return sorted(value)
        if isinstance(value, Decimal):
            return str(value)
        raise TypeError(f"no {type(value).__name__}")

    async def run(self):
        found = [
            json.dumps({"b": 1, "a": 2}, sort_keys=True),
            json.dumps({(1, 2): 3, "a": 1}, skipkeys=True),
            json.dumps([{3, 1}, Decimal("1.5")], default=self.shown),
            json.dumps(Level.LOW),
            json.dumps(float("nan")),
            json.dumps((1, 2)),
            json.dumps(Counter("aab")),
            json.dumps([{1, 2}], default=list, indent=1),
            json.loads("[1.5, 2, 1e3]", parse_float=Decimal),
            json.loads("[1, 2]", parse_int=str),
            json.loads('{"a": 1, "b": {"c": 2}}', object_pairs_hook=list),
            json.loads('{"a": 1}', object_hook=lambda d: [d]),
            json.loads(b'{"a": "\\u00e9"}'),
            json.loads("NaN", parse_constant=lambda c: c),
            json.loads(" 5 "),
        ]
        return found


@body("{", "[1,]", "", '{"a" 1}', "nul", '"\x01"', "[1] 2", "{'a': 1}")
class JsonErrors(Workflow):
    async def run(self, text):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            await echo(1)
            return [
                str(error),
                error.pos,
                error.lineno,
                error.colno,
                error.msg,
                error.doc,
                isinstance(error, ValueError),
            ]


@body("[", 5)
class JsonErrorsOut(Workflow):
    async def run(self, text):
        return json.loads(text)


@body()
class JsonRefusals(Workflow):
    async def run(self):
        loop = []
        loop.append(loop)
        found = []
        for make in (
            lambda: json.dumps({1, 2}),
            lambda: json.dumps(loop),
            lambda: json.dumps(float("inf"), allow_nan=False),
            lambda: json.dumps({(1,): 1}),
            lambda: json.dumps(b"x"),
            lambda: json.dumps(Point(1)),
            lambda: json.dumps(Color.RED),
            lambda: json.dumps(Decimal(1)),
        ):
            try:
                found.append(make())
            except (TypeError, ValueError) as error:
                found.append(repr(error))
        return found


@body()
class Copies(Workflow):
    async def run(self):
        inner = [1]
        order = Order(1, [Item("a", 5, ["t"])])
        values = [
            [inner, inner],
            {"k": inner},
            (inner, 1),
            {1, 2},
            deque([inner], 3),
            Counter("ab"),
            OrderedDict(a=inner),
            defaultdict(list, x=[inner]),
            order,
            Point(1),
            5,
            "s",
            None,
            Color.RED,
            frozenset([1]),
            (1, 2),
        ]
        found = []
        for value in values:
            flat, deep = copy.copy(value), copy.deepcopy(value)
            found.append(
                [flat == value, deep == value, flat is value, deep is value, type(deep) is type(value)]
            )
        twice = copy.deepcopy([inner, inner])
        await echo(1)
        twice[0].append(2)
        flat = copy.copy(order)
        deep = copy.deepcopy(order)
        order.items[0].tags.append("new")
        loop = {}
        loop["self"] = [loop]
        again = copy.deepcopy(loop)
        return [
            found,
            twice,
            inner,
            flat.items is order.items,
            deep,
            again["self"][0] is again,
            again is not loop,
        ]


@body()
class DataclassTools(Workflow):
    async def run(self):
        order = Order(1, [Item("a", 5, ["t"]), Item("b", 6)], note="n")
        paid = dataclasses.replace(order, paid=True, id=2)
        plain = dataclasses.asdict(order)
        await echo(1)
        plain["items"][0]["tags"].append("x")
        found = [
            paid,
            paid.items is order.items,
            plain,
            order,
            dataclasses.astuple(order),
            dataclasses.asdict(order, dict_factory=OrderedDict),
            dataclasses.is_dataclass(order),
            dataclasses.is_dataclass(Order),
            dataclasses.is_dataclass(5),
            dataclasses.astuple(order, tuple_factory=list),
            dataclasses.replace(Point(1, 2), y=5),
        ]
        for make in (
            lambda: dataclasses.replace(order, nothing=1),
            lambda: dataclasses.replace(5, x=1),
            lambda: dataclasses.asdict(5),
            lambda: dataclasses.asdict(Order),
            lambda: dataclasses.astuple([]),
        ):
            try:
                make()
            except TypeError as error:
                found.append(str(error))
        return found


@body(b"abc", b"")
class Hashes(Workflow):
    async def run(self, data):
        h = hashlib.sha256(data)
        h.update(b"more")
        await echo(1)
        other = h.copy()
        h.update(b"!")
        return [
            h.hexdigest(),
            other.digest(),
            h.name,
            h.digest_size,
            h.block_size,
            hashlib.md5(data).hexdigest(),
            hashlib.sha1(data, usedforsecurity=False).hexdigest(),
            hashlib.sha512(data).hexdigest()[:8],
            hashlib.sha3_256(data).hexdigest(),
            uuid.uuid5(uuid.NAMESPACE_DNS, "x"),
            uuid.uuid3(uuid.NAMESPACE_URL, "y"),
        ]


@body("text", 5)
class HashErrors(Workflow):
    async def run(self, data):
        return hashlib.sha256(data)


@body(b"hello \xff?>", b"")
class Base64(Workflow):
    async def run(self, data):
        found = [
            base64.b64encode(data),
            base64.urlsafe_b64encode(data),
            base64.b32encode(data),
            base64.b16encode(data),
            base64.standard_b64encode(data),
        ]
        return found + [
            base64.b64decode(found[0]),
            base64.urlsafe_b64decode(found[1]),
            base64.b32decode(found[2]),
            base64.b16decode(found[3].lower(), casefold=True),
        ]


@body("abc", "####", "a===")
class Base64Errors(Workflow):
    async def run(self, text):
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as error:
            await echo(1)
            return [str(error), isinstance(error, ValueError)]


@body("a b/ü&=?", "")
class Urls(Workflow):
    async def run(self, text):
        q = urllib.parse.quote(text)
        return [
            q,
            urllib.parse.quote(text, safe=""),
            urllib.parse.quote_plus(text),
            urllib.parse.unquote(q),
            urllib.parse.unquote_plus("a+b%20c"),
            urllib.parse.urlencode({"a": text, "b": [1, 2]}, doseq=True),
            urllib.parse.urlencode([("k", 1), ("k", None)]),
            urllib.parse.urlencode({"a": text}, quote_via=urllib.parse.quote),
            urllib.parse.urljoin("http://x/a/b", "../c"),
            urllib.parse.parse_qs("a=1&a=2&b="),
            urllib.parse.parse_qsl("a=1&b=%20", keep_blank_values=True),
        ]


@body("The quick  brown fox\njumps over the lazy dog, thousands of times.", "", "   a\n   b")
class Wrapping(Workflow):
    async def run(self, text):
        return [
            textwrap.wrap(text, 20),
            textwrap.fill(text, width=15, initial_indent="* ", subsequent_indent="  "),
            textwrap.dedent(text),
            textwrap.indent(text, "> "),
            textwrap.shorten(text, 25, placeholder="..."),
            string.capwords(text),
            string.ascii_letters[:5],
            string.digits,
        ]
