"""Dates and times: what would ask the host for its time zone, and is therefore not done."""

from __future__ import annotations

from typing import Any, NoReturn

from waymark.errors import UnsupportedPatternError
from waymark.vm.limits import exceeded

_LONGEST_TIME_FORMAT = 1000


def check_time_call(receiver: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Before a method of a date or time, or of its class, is called.

    Raises:
        UnsupportedPatternError: It depends on the time zone of the host, and the next host may have another.
    """
    if isinstance(receiver, type):
        if name == "fromtimestamp" and (args[1] if len(args) > 1 else kwargs.get("tz")) is None:
            _refuse(
                "fromtimestamp() without a zone", "pass one, as datetime.fromtimestamp(seconds, timezone.utc)"
            )
        if name == "strptime":
            check_time_format(args[1] if len(args) > 1 else "", read=True)
            check_time_format(args[0])
        return
    if name in ("timestamp", "astimezone") and receiver.tzinfo is None:
        _refuse(f"{name}() of a datetime without tzinfo", "give it one, as replace(tzinfo=timezone.utc)")
    if name == "astimezone" and (args[0] if args else kwargs.get("tz")) is None:
        _refuse("astimezone() without a zone", "pass one")
    if name == "strftime":
        check_time_format(args[0] if args else kwargs.get("format", ""))


def check_time_format(spec: Any, *, read: bool = False) -> None:
    """Before a time is formatted, or read when `read` says so, by the C library's rules."""
    if not isinstance(spec, str):
        return
    if len(spec) > _LONGEST_TIME_FORMAT:
        exceeded(f"a time format of {len(spec):,} characters is over the limit of {_LONGEST_TIME_FORMAT:,}")
    if "%s" in spec:
        _refuse("%s in a time format", "use timestamp()")
    if read and "%Z" in spec:
        _refuse("%Z in strptime()", "read the offset with %z, or set tzinfo with replace()")


def _refuse(what: str, way_out: str) -> NoReturn:
    raise UnsupportedPatternError(f"{what} asks for the time zone of the host; {way_out}")
