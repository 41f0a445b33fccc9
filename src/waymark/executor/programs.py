"""Programs in memory: read once per version, shared by all of its instances."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from waymark.errors import ProgramError
from waymark.program.program import decode_program, hash_program
from waymark.program.verify import verify
from waymark.store.protocol import VersionStore
from waymark.vm.code import Code

_KEPT = 256


@dataclass(frozen=True, slots=True)
class LoadedProgram:
    """A verified program, made ready to run."""

    code: Code
    program_hash: bytes


class Programs:
    """Least recently used versions are dropped when there are too many."""

    def __init__(self, store: VersionStore, *, kept: int = _KEPT) -> None:
        self._store = store
        self._kept = kept
        self._loaded: OrderedDict[tuple[str, str], LoadedProgram] = OrderedDict()

    async def load(self, name: str, version: str) -> LoadedProgram:
        """The program of a version.

        Raises:
            ProgramError: It is missing, damaged, or of a format this release does not run.
            StoreUnavailable: No answer from the database.
        """
        key = (name, version)
        loaded = self._loaded.get(key)
        if loaded is None:
            stored = await self._store.read_version(name, version)
            if stored is None:
                raise ProgramError(f"workflow {name!r} version {version!r} is not stored")
            if hash_program(stored.program) != stored.program_hash:
                raise ProgramError(f"workflow {name!r} version {version!r} is damaged: its hash does not fit")
            program = decode_program(stored.program)
            verify(program)
            loaded = LoadedProgram(Code(program), stored.program_hash)
            self._loaded[key] = loaded
        self._loaded.move_to_end(key)
        while len(self._loaded) > self._kept:
            self._loaded.popitem(last=False)
        return loaded
