"""What the subjects of the PostgreSQL store share."""

from __future__ import annotations

from waymark.store.postgres.connections import Connections


class Subject:
    """A part of the store's methods, over the connections of the whole."""

    _connections: Connections
