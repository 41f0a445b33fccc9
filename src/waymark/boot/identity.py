"""Which bridge a process wants: its identity and the token that both know."""

from __future__ import annotations

from collections.abc import Mapping

from waymark.boot.runtime_directory import runtime_directory, user_token
from waymark.errors import BootError
from waymark.model.identity import (
    BRIDGE_PROTOCOL_VERSION,
    MODE_MEMORY,
    MODE_POSTGRES,
    BridgeIdentity,
    database_fingerprint,
)
from waymark.model.settings import BridgeSettings, ClientSettings


def wanted_identity(
    settings: ClientSettings | BridgeSettings, environment: Mapping[str, str]
) -> BridgeIdentity:
    """The bridge that these settings ask for, or are.

    Raises:
        BootError: No database is named and memory mode is off.
    """
    if settings.bridge_in_memory:
        return BridgeIdentity(BRIDGE_PROTOCOL_VERSION, MODE_MEMORY, "")
    if settings.database_url is None:
        raise BootError(
            "WAYMARK_DATABASE_URL is not set, so there is no bridge to find or start; set it to postgresql://user:password@host:5432/database, "
            "or set WAYMARK_BRIDGE_GRPC_ADDR to the address of a running bridge"
        )
    fingerprint = database_fingerprint(settings.database_url.reveal(), environment)
    return BridgeIdentity(BRIDGE_PROTOCOL_VERSION, MODE_POSTGRES, fingerprint)


def bridge_token(settings: ClientSettings | BridgeSettings, environment: Mapping[str, str]) -> str:
    """The token to use: the configured one, else the user's own.

    Raises:
        BootError: The user's own cannot be read or made.
    """
    if settings.bridge_token is not None:
        return settings.bridge_token.reveal()
    return user_token(runtime_directory(environment))
