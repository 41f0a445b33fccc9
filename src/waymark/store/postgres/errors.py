"""Driver errors become the store's own, here and nowhere else. No message carries a password."""

from __future__ import annotations

from urllib.parse import quote, unquote

import psycopg
from psycopg import conninfo

from waymark.errors import SchemaMismatch, StoreDataError, StoreError, StoreUnavailable

RETRIED = frozenset({"40001", "40P01"})
"""Serialization failure, deadlock: the statement was rolled back as a whole, so the same one may be sent again."""

READ_ONLY = "25006"
"""The session cannot write: it leads to a standby, or to a primary that was demoted."""

_DATA_CLASSES = ("22", "23", "54")  # data exception, integrity violation, program limit exceeded
_SCHEMA_CODES = frozenset({"3F000", "42P01", "42703"})  # no such schema, table, column


def translate(error: BaseException, secrets: tuple[str, ...] = ()) -> StoreError:
    """The store error that stands for a driver error, with a scrubbed message."""
    message = scrub(" ".join(str(error).split()) or type(error).__name__, secrets)
    code = getattr(error, "sqlstate", None)
    if isinstance(code, str):
        if code.startswith(_DATA_CLASSES):
            return StoreDataError(f"the database refused the data: {message} (SQLSTATE {code})")
        if code in _SCHEMA_CODES:
            return SchemaMismatch(
                f"the database has no Waymark schema that fits: {message}; run the migrations"
            )
        return StoreUnavailable(f"database error: {message} (SQLSTATE {code})")
    if isinstance(error, psycopg.DataError):
        return StoreDataError(f"the data cannot be sent: {message}")
    if isinstance(error, TimeoutError):
        return StoreUnavailable("the database did not answer in time")
    return StoreUnavailable(f"no answer from the database: {message}")


def secrets_of(dsn: str) -> tuple[str, ...]:
    """What must not appear in any message: the DSN itself and its password, as written and as meant.

    Raises:
        StoreUnavailable: The DSN cannot be parsed; says so without quoting it.
    """
    try:
        password = conninfo.conninfo_to_dict(dsn).get("password")
    except psycopg.ProgrammingError:
        raise StoreUnavailable(
            "the database URL cannot be read; write postgresql://user:password@host:5432/database, "
            "with special characters of the password percent-encoded"
        ) from None
    if not password:
        return (dsn,)
    text = str(password)
    return tuple({dsn, text, quote(text, safe=""), quote(text), unquote(text)})


def scrub(message: str, secrets: tuple[str, ...]) -> str:
    """The message without any of the secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            message = message.replace(secret, "***")
    return message
