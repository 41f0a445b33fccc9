"""Compiled programs in PostgreSQL."""

from __future__ import annotations

from waymark.errors import VersionConflict
from waymark.model.records import WorkflowVersion
from waymark.store.limits import check_version
from waymark.store.postgres.queries import query
from waymark.store.postgres.subject import Subject


class Versions(Subject):
    """`VersionStore` over PostgreSQL."""

    async def register_version(self, version: WorkflowVersion) -> None:
        """See `VersionStore.register_version`."""
        check_version(version)
        added = await self._connections.general.fetch(
            query("insert_version"),
            {
                "name": version.name,
                "version": version.version,
                "program_hash": version.program_hash,
                "program_format": version.program_format,
                "program": version.program,
                "source": version.source,
            },
        )
        if added:
            return
        stored = await self.read_version(version.name, version.version)
        if stored is None or stored.program_hash != version.program_hash:
            raise VersionConflict(
                f"workflow {version.name!r} version {version.version!r} is stored with another program; "
                f"give the changed workflow a new version"
            )

    async def read_version(self, name: str, version: str) -> WorkflowVersion | None:
        """See `VersionStore.read_version`."""
        rows = await self._connections.general.fetch(
            query("read_version"), {"name": name, "version": version}
        )
        return WorkflowVersion(*rows[0]) if rows else None
