"""`hashlib`: what was put in is kept, so a hash that is being made survives a crash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

from waymark.vm.objects import MachineValue

NAMES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha3_256", "sha3_512", "sha512")


class Hash(MachineValue):
    """A hash being made."""

    __slots__ = ("data", "machine", "name")
    __waymark_state__: ClassVar[tuple[str, ...]] = ("name", "data")
    __waymark_of_machine__ = True

    def __init__(self, machine: Any, name: str, data: bytes) -> None:
        self.machine = machine
        self.name = name
        self.data = data

    def _made(self) -> Any:
        self.machine.meter.burn(8 + (len(self.data) >> 6))
        return hashlib.new(self.name, self.data, usedforsecurity=False)

    @property
    def digest_size(self) -> int:
        return int(hashlib.new(self.name, usedforsecurity=False).digest_size)

    @property
    def block_size(self) -> int:
        return int(hashlib.new(self.name, usedforsecurity=False).block_size)

    def update(self, data: Any, /) -> None:
        self._made().update(data)  # the refusal of what is no bytes
        self.machine.meter.text(len(self.data) + len(data))
        self.machine.heap.charge(len(data))
        self.data += bytes(data)

    def digest(self) -> bytes:
        return bytes(self._made().digest())

    def hexdigest(self) -> str:
        return str(self._made().hexdigest())

    def copy(self) -> Hash:
        return Hash(self.machine, self.name, self.data)


def _of(name: str) -> Callable[..., Hash]:
    def call(machine: Any, /, string: Any = b"", *, usedforsecurity: Any = True) -> Hash:
        made = Hash(machine, name, b"")
        made.update(string)
        return made

    return call


FUNCTIONS: dict[str, Callable[..., Any]] = {f"hashlib.{name}": _of(name) for name in NAMES}
"""By the name of the library table."""

TYPES: tuple[type, ...] = (Hash,)
"""For snapshots; the order is part of their format: add at the end."""

Hash.__name__ = Hash.__qualname__ = "HASH"
Hash.__module__ = "hashlib"
