"""How a bridge proves who it is: same protocol, same mode, same database, and knowledge of the token."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

BRIDGE_PROTOCOL_VERSION = 1
"""Raised when the service between SDK and bridge changes its meaning."""

MODE_POSTGRES = "postgres"
MODE_MEMORY = "memory"

TOKEN_METADATA = "waymark-token"
"""gRPC metadata key that carries the bridge token."""

_PLACE_PARAMETERS = frozenset({"host", "hostaddr", "port", "dbname", "user", "options", "service"})


@dataclass(frozen=True, slots=True)
class BridgeIdentity:
    """What two sides must agree on."""

    protocol_version: int
    mode: str
    database_fingerprint: str
    """Empty in memory mode."""

    def proof(self, token: str, nonce: bytes) -> bytes:
        """HMAC-SHA256 under the token of the nonce and everything claimed: only who knows the token can make it."""
        text = f"{self.protocol_version}\n{self.mode}\n{self.database_fingerprint}\n".encode()
        return hmac.new(token.encode(), nonce + b"\n" + text, hashlib.sha256).digest()

    def is_proved(self, token: str, nonce: bytes, proof: bytes) -> bool:
        """Whether a proof was made with this token for this nonce."""
        return hmac.compare_digest(self.proof(token, nonce), proof)


def database_fingerprint(dsn: str) -> str:
    """What identifies a database in a DSN: host, port, name, user; not the password. Equal DSNs give equal text.

    Args:
        dsn: `postgresql://` or `postgres://` URL.
    """
    parts = urlsplit(dsn)
    user = unquote(parts.username or "")
    place = {
        "host": (parts.hostname or "").lower(),
        "port": str(parts.port or 5432),
        "dbname": unquote(parts.path.lstrip("/")) or user,
        "user": user,
    }
    place.update((name, value) for name, value in parse_qsl(parts.query) if name in _PLACE_PARAMETERS)
    text = "\n".join(f"{name}={place[name]}" for name in sorted(place))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
