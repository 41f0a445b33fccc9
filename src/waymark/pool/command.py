"""Which command starts a worker, and in which environment: the user's Python, never the frozen one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOADER_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")
_FROZEN_PREFIXES = ("_PYI", "_MEIPASS")
_FROZEN_VARIABLES = ("PYTHONHOME", "TCL_LIBRARY", "TK_LIBRARY", "PYINSTALLER_RESET_ENVIRONMENT")


@dataclass(frozen=True, slots=True)
class WorkerCommand:
    """One way to start a worker."""

    argv: tuple[str, ...]
    origin: str
    """Where it comes from, for the error that lists what was tried."""

    def __str__(self) -> str:
        return f"{' '.join(self.argv)} ({self.origin})"


def worker_commands(
    configured: Sequence[str] | None, *, launched_as: str, environment: Mapping[str, str]
) -> list[WorkerCommand]:
    """Commands to try, in order; the first that starts is used for good.

    Args:
        configured: WAYMARK_WORKER_COMMAND; when given, nothing else is tried.
        launched_as: Path of the running script (`sys.argv[0]`).
        environment: For PATH and VIRTUAL_ENV.
    """
    if configured:
        return [WorkerCommand(tuple(configured), "WAYMARK_WORKER_COMMAND")]
    commands: list[WorkerCommand] = []
    beside = Path(launched_as).absolute().parent / "waymark-worker"
    if os.access(beside, os.X_OK) and beside.is_file():
        commands.append(WorkerCommand((str(beside),), "beside the launched script"))
    path = environment.get("PATH", os.defpath)
    if found := shutil.which("waymark-worker", path=path):
        commands.append(WorkerCommand((found,), "on PATH"))
    if venv := environment.get("VIRTUAL_ENV"):
        python = str(Path(venv) / "bin" / "python")
        commands.append(WorkerCommand((python, "-m", "waymark.worker"), "VIRTUAL_ENV"))
    commands.append(WorkerCommand(("python3", "-m", "waymark.worker"), "python3 on PATH"))
    unique: dict[tuple[str, ...], WorkerCommand] = {}
    for command in commands:
        unique.setdefault(command.argv, command)
    return list(unique.values())


def worker_environment(environment: Mapping[str, str], *, directory: str, is_frozen: bool) -> dict[str, str]:
    """Environment of a worker: that of the pool, with `directory` importable.

    A frozen executable carries the library path of its unpacked bundle; a worker that inherits it loads the bundle's
    libpython and libcrypto instead of its own (measured). So what the bundle set is taken back out.

    Args:
        environment: That of the pool.
        directory: Working directory, where the user's modules are.
        is_frozen: Whether the pool runs from a frozen executable.
    """
    result = dict(environment)
    if is_frozen:
        for name in _LOADER_VARIABLES:
            original = result.pop(f"{name}_ORIG", None)
            result.pop(name, None)
            if original:
                result[name] = original
        for name in list(result):
            if name in _FROZEN_VARIABLES or name.startswith(_FROZEN_PREFIXES):
                del result[name]
    paths = [directory, *result.get("PYTHONPATH", "").split(os.pathsep)]
    result["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path for path in paths if path))
    return result
