"""Collections of the library inside the machine: a defaultdict whose factory the machine calls."""

from __future__ import annotations

import collections
from typing import Any, ClassVar

from waymark.values.collections import factory_name


class DefaultDict(collections.defaultdict[Any, Any]):
    """`defaultdict` with a factory that is a value of the run; one with a plain class is Python's own."""

    __waymark_state__: ClassVar[tuple[str, ...]] = ("default_factory", "entries")
    __waymark_of_machine__ = True
    machine: Any

    def __missing__(self, key: Any) -> Any:
        if self.default_factory is None:
            raise KeyError(key)
        value = self[key] = self.machine.calls.invoke(self.default_factory, [])
        return value

    def copy(self) -> DefaultDict:
        made = type(self)(None, self)
        made.default_factory = self.default_factory
        made.machine = self.machine
        return made

    __copy__ = copy

    @property
    def entries(self) -> list[Any]:
        """Keys and values in turn."""
        return [part for pair in self.items() for part in pair]

    @entries.setter
    def entries(self, parts: list[Any]) -> None:
        self.update(zip(parts[::2], parts[1::2], strict=True))


DefaultDict.__name__ = DefaultDict.__qualname__ = "defaultdict"
DefaultDict.__module__ = "collections"


def make_default_dict(machine: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """`defaultdict(*args, **kwargs)`."""
    if not args or args[0] is None or factory_name(args[0]) is not None:
        return collections.defaultdict(*args, **kwargs)
    factory, *rest = args
    if not machine.calls.library.value("callable").implementation(factory):
        raise TypeError("first argument must be callable or None")
    made = DefaultDict(None, *rest, **kwargs)
    made.default_factory = factory
    made.machine = machine
    return made


TYPES: tuple[type, ...] = (DefaultDict,)
"""For snapshots; the order is part of their format: add at the end."""
