"""Functions that make texts of data and data of texts: `json`, `base64`, `urllib.parse`, `textwrap`, `string`."""

from __future__ import annotations

import base64
import json
import string
import textwrap
import urllib.parse
from collections.abc import Callable
from typing import Any

from waymark.errors import UnsupportedPatternError
from waymark.vm.methods import check_codec
from waymark.vm.weight import check_shown, weigh

_DEEPEST = 1000
"""Levels of JSON; Python's own stack holds no more."""
_HOOKS = ("object_hook", "object_pairs_hook", "parse_constant", "parse_float", "parse_int")


def _dumps(machine: Any, obj: Any, **options: Any) -> str:
    _refuse_class(options)
    meter = machine.meter
    meter.text(weigh(meter, obj, is_shown=True))
    indent = options.get("indent")
    if isinstance(indent, int | str):
        meter.text(_DEEPEST * (indent if isinstance(indent, int) else len(indent)))
    default = options.get("default")
    if default is not None:

        def called(value: Any) -> Any:
            found = machine.calls.invoke(default, [value])
            meter.text(weigh(meter, found, is_shown=True))
            return found

        options["default"] = called
    if isinstance(obj, str) or indent is None:
        return json.dumps(obj, **options)
    return _indented(machine, obj, options)


def _indented(machine: Any, obj: Any, options: dict[str, Any]) -> str:
    """Piece by piece: how much space is put in nobody can know beforehand. In one shot Python 3.13 would make it whole."""
    parts: list[str] = []
    made = 0
    for part in json.JSONEncoder(**options).iterencode(obj):
        made += len(part)
        machine.meter.text(made if made > machine.meter.limits.text else 0)
        machine.meter.burn(1 + (len(part) >> 7))
        parts.append(part)
    return "".join(parts)


def _loads(machine: Any, s: Any, **options: Any) -> Any:
    _refuse_class(options)
    meter = machine.meter
    if isinstance(s, str | bytes):
        text: Any = s
        meter.items(sum(text.count(mark if isinstance(s, str) else mark.encode()) for mark in ",:"))
        meter.burn(len(s) >> 3)
        machine.heap.charge(8 * len(s))
    for name in _HOOKS:
        hook = options.get(name)
        if hook is not None:
            options[name] = lambda value, hook=hook: machine.calls.invoke(hook, [value])
    return json.loads(s, **options)


def _refuse_class(options: dict[str, Any]) -> None:
    if options.get("cls") is not None:
        raise UnsupportedPatternError(
            "json with cls= cannot be used in a workflow; use default= or object_hook="
        )


def _of_texts(function: Any, factor: int = 1) -> Callable[..., Any]:
    """A function whose result is at most so many times as long as its arguments."""

    def call(machine: Any, /, *args: Any, **kwargs: Any) -> Any:
        meter = machine.meter
        given = [*args, *kwargs.values()]
        for value in given:
            check_shown(meter, value)
        weight = sum(weigh(meter, value) for value in given)
        meter.text(factor * weight)
        meter.burn(weight >> 4)
        for name in ("encoding",):
            check_codec(kwargs.get(name))
        for name in ("predicate", "quote_via"):
            if kwargs.get(name) is not None and not (name == "quote_via" and _is_quoting(kwargs[name])):
                raise UnsupportedPatternError(f"{name}= cannot be used in a workflow; do this in an @action")
        if "quote_via" in kwargs:
            kwargs = {
                **kwargs,
                "quote_via": getattr(urllib.parse, kwargs["quote_via"].name.rpartition(".")[2]),
            }
        return function(*args, **kwargs)

    return call


def _is_quoting(function: Any) -> bool:
    return getattr(function, "name", "") in ("urllib.parse.quote", "urllib.parse.quote_plus")


def _indent(machine: Any, text: str, prefix: str, predicate: Any = None) -> str:
    for value in (text, prefix):
        check_shown(machine.meter, value)
    if isinstance(text, str) and isinstance(prefix, str):
        machine.meter.text(len(text) + len(prefix) * (len(text.splitlines()) + 1))
    if predicate is None:
        return textwrap.indent(text, prefix)
    return textwrap.indent(text, prefix, lambda line: machine.calls.invoke(predicate, [line]))


def _wrapped(function: Any) -> Callable[..., Any]:
    def call(machine: Any, /, text: Any, width: Any = 70, **options: Any) -> Any:
        meter = machine.meter
        check_shown(meter, text)
        for value in options.values():
            check_shown(meter, value)
        longest = max((len(value) for value in options.values() if isinstance(value, str)), default=0)
        if isinstance(text, str):
            meter.burn(2 * len(text))
            size = options.get("tabsize", 8)
            tabs = text.count("\t") * (size if isinstance(size, int) else 8)
            meter.text((len(text) + tabs) * (1 + longest))
        return function(text, width, **options)

    return call


_BASE64 = (
    "b16decode", "b16encode", "b32decode", "b32encode", "b64decode", "b64encode", "standard_b64decode", "standard_b64encode",
    "urlsafe_b64decode", "urlsafe_b64encode",
)  # fmt: skip
_QUOTING = ("parse_qs", "parse_qsl", "quote", "quote_plus", "unquote", "unquote_plus", "urlencode", "urljoin")

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"base64.{name}": _of_texts(getattr(base64, name), 2) for name in _BASE64},
    **{f"urllib.parse.{name}": _of_texts(getattr(urllib.parse, name), 3) for name in _QUOTING},
    "json.dumps": _dumps,
    "json.loads": _loads,
    "string.capwords": _of_texts(string.capwords, 2),
    "textwrap.dedent": _of_texts(textwrap.dedent),
    "textwrap.indent": _indent,
    **{f"textwrap.{name}": _wrapped(getattr(textwrap, name)) for name in ("fill", "shorten", "wrap")},
}
"""By the name of the library table."""
