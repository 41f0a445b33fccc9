"""Before a worker takes work: its secret, its parent, the user's modules, and the report when it cannot start."""

from __future__ import annotations

import importlib
import json
import socket
import traceback
from collections.abc import Sequence

EXIT_USER_MODULE = 3
"""A user module failed to import."""

SECRET_BYTES = 32

_MAX_TRACEBACK = 32_000
"""Characters of a traceback in a report; the socket must take it without the parent reading."""


class UserModuleFailed(Exception):
    """A user module failed to import.

    Attributes:
        report: For the parent, encoded.
        text: For people.
    """

    def __init__(self, module: str, error: BaseException) -> None:
        lines = "".join(traceback.format_exception(error)).strip()
        super().__init__(f"user module {module} failed to import: {error}")
        self.text = lines
        # Another interpreter may have a module that this one lacks; any other error is the module's own.
        is_missing = isinstance(error, ModuleNotFoundError)
        self.report = json.dumps(
            {
                "what": f"user module {module} failed to import",
                "error": f"{type(error).__name__}: {error}"[:2000],
                "traceback": lines[-_MAX_TRACEBACK:],
                "may_be_the_command": is_missing,
            }
        ).encode()


def read_secret(channel: socket.socket) -> bytes:
    """The one-time secret that the parent wrote into the channel.

    Raises:
        OSError: The parent is gone.
    """
    secret = b""
    while len(secret) < SECRET_BYTES:
        chunk = channel.recv(SECRET_BYTES - len(secret))
        if not chunk:
            raise OSError("the pool that started this worker is gone")
        secret += chunk
    return secret


def import_user_modules(modules: Sequence[str]) -> None:
    """Import them in order.

    Raises:
        UserModuleFailed: The first that cannot be imported, in whatever way its code ended.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except BaseException as error:
            raise UserModuleFailed(module, error) from error
