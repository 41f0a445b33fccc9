"""The directory of one user on one machine: token, lock and logs of the local bridge."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from waymark.errors import BootError

_TOKEN_BYTES = 32


def runtime_directory(environment: Mapping[str, str]) -> Path:
    """`$XDG_RUNTIME_DIR/waymark`, or `waymark-<uid>` in the temporary directory; made when missing, for its owner only.

    Raises:
        BootError: It cannot be made, or belongs to somebody else.
    """
    base = environment.get("XDG_RUNTIME_DIR", "")
    is_usable = bool(base) and os.path.isdir(base) and os.access(base, os.W_OK)
    path = Path(base) / "waymark" if is_usable else Path(tempfile.gettempdir()) / f"waymark-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise BootError(
            f"the runtime directory {path} cannot be made: {error.strerror}; set XDG_RUNTIME_DIR"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise BootError(f"the runtime directory {path} is not yours alone; remove it, or set XDG_RUNTIME_DIR")
    return path


def user_token(directory: Path) -> str:
    """The token that SDK, boot helper and bridge of one user share; made on first use, readable by its owner only.

    Raises:
        BootError: The file cannot be read or made, or somebody else could have read or made it.
    """
    path = directory / "token"
    try:
        with contextlib.suppress(FileNotFoundError):
            return _read_token(path)
        temporary = directory / f"token.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_TOKEN_BYTES))
        try:
            # link() fails when somebody was first, so everybody ends up with one token.
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            temporary.unlink()
        return _read_token(path)
    except OSError as error:
        raise BootError(f"the token file {path} cannot be used: {error.strerror}; remove it") from error


def _read_token(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor) as file:
        found = os.fstat(descriptor)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid()
        if not is_ours or stat.S_IMODE(found.st_mode) & 0o077:
            raise BootError(f"the token file {path} is not yours alone; remove it")
        token = file.read(4 * _TOKEN_BYTES).strip()
    if not re.fullmatch(rf"[0-9a-f]{{{2 * _TOKEN_BYTES}}}", token):
        raise BootError(f"the token file {path} holds no token; remove it")
    return token
