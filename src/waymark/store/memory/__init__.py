"""State in memory: `MemoryStore`, for tests and the in-memory bridge. Loads no database driver."""

from waymark.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
