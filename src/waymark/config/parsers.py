"""Text of a variable to its value. A parser raises `Refused` with what is accepted; none falls back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

from waymark.model.settings import Address, Secret

Parser = Callable[[str], Any]
"""Non-empty, stripped text to a value."""

MAX_INT = 2**31 - 1

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|sec|m|min|h)")
_DURATION_MS = {"ms": 1, "s": 1000, "sec": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000}
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class Refused(Exception):
    """The text cannot be read.

    Attributes:
        accepted: What is, as it follows "must be".
        hint: What to write instead, or empty.
    """

    def __init__(self, accepted: str, hint: str = "") -> None:
        super().__init__(accepted)
        self.accepted = accepted
        self.hint = hint


def boolean(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Refused("one of 1 true yes on / 0 false no off")


def whole(minimum: int, maximum: int = MAX_INT) -> Parser:
    """Parser of a whole number within bounds, in plain digits."""

    def parse(text: str) -> int:
        # int() alone would also take "1_000", "+5" and digits of other scripts.
        if re.fullmatch(r"[0-9]{1,19}", text) and minimum <= int(text) <= maximum:
            return int(text)
        top = "" if maximum == MAX_INT else f" and at most {maximum}"
        raise Refused(f"a whole number of at least {minimum}{top}")

    return parse


def milliseconds(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,19}", text) and 1 <= int(text) <= MAX_INT:
        return int(text)
    hint = ""
    if match := _DURATION.fullmatch(text.lower()):
        value = round(float(match[1]) * _DURATION_MS[match[2]])
        hint = str(value) if 1 <= value <= MAX_INT else ""
    raise Refused("whole milliseconds above 0", hint)


def address(text: str) -> Address:
    accepted = "host:port or [v6]:port"
    host, colon, port = text.rpartition(":")
    if not colon:
        raise Refused(accepted, f"{text}:<port>" if not text.isdigit() else f"127.0.0.1:{text}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if ":" not in host:
            raise Refused(accepted)
    elif ":" in host:
        raise Refused(accepted, f"[{text}]:<port> for an IPv6 host")
    if not host or any(c.isspace() or c in "/[]@" for c in host):
        raise Refused(accepted)
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise Refused(f"{accepted} with a port from 0 to 65535")
    return Address(host, int(port))


def port(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,5}", text) and 1 <= int(text) <= 65535:
        return int(text)
    raise Refused("a port from 1 to 65535")


def host(text: str) -> str:
    if any(c.isspace() or c in "/[]@" for c in text) or (":" in text and text.count(":") < 2):
        raise Refused("a host name or address, without a port")
    return text


def dsn(text: str) -> Secret:
    if not re.match(r"postgres(ql)?://", text):
        raise Refused("a PostgreSQL address", "postgresql://user:password@host:5432/database")
    return Secret(text)


def secret(text: str) -> Secret:
    # It travels as gRPC metadata, which takes printable ASCII only.
    if not text.isascii() or not text.isprintable():
        raise Refused("printable ASCII text")
    return Secret(text)


def command(text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise Refused(f"a command in shell words ({error})") from error
    if not words:
        raise Refused("a command in shell words")
    return words


def modules(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if not _MODULE.fullmatch(name):
            raise Refused("importable module names separated by commas, such as shop.flows,shop.jobs")
    return names


def log_level(text: str) -> str:
    level = text.upper()
    if level not in _LOG_LEVELS:
        raise Refused("one of " + " ".join(_LOG_LEVELS))
    return level


def text(text: str) -> str:
    return text
