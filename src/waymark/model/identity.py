"""How a bridge proves who it is: same protocol, same mode, same database, and knowledge of the token."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

BRIDGE_PROTOCOL_VERSION = 1
"""Raised when the service between SDK and bridge changes its meaning."""

MODE_POSTGRES = "postgres"
MODE_MEMORY = "memory"

TOKEN_METADATA = "waymark-token"
"""gRPC metadata key that carries the bridge token."""

_PLACE_VARIABLES = (
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGDATABASE",
    "PGUSER",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGOPTIONS",
)
_PLACE_PARAMETERS = frozenset({"host", "hostaddr", "port", "dbname", "user", "options", "service"})


@dataclass(frozen=True, slots=True)
class BridgeIdentity:
    """What two sides must agree on."""

    protocol_version: int
    mode: str
    database_fingerprint: str
    """Empty in memory mode."""

    def proof(self, token: str, nonce: bytes, port: int) -> bytes:
        """HMAC-SHA256 under the token of the nonce and everything claimed: only who knows the token can make it.

        Args:
            token: What both sides know.
            nonce: Chosen by the client, so that an old proof is worth nothing.
            port: Where the bridge listens. A stranger on another port could ask the bridge for a proof and show it as
                its own; with the port in it, the client sees that it is somebody else's.
        """
        text = f"{self.protocol_version}\n{self.mode}\n{self.database_fingerprint}\n{port}\n".encode()
        return hmac.new(token.encode(), nonce + b"\n" + text, hashlib.sha256).digest()

    def is_proved(self, token: str, nonce: bytes, port: int, proof: bytes) -> bool:
        """Whether a proof was made with this token for this nonce by a bridge on this port."""
        return hmac.compare_digest(self.proof(token, nonce, port), proof)


def database_fingerprint(dsn: str, environment: Mapping[str, str]) -> str:
    """What identifies a database: host, port, name and user; not the password.

    Two databases never share one. One database may have several, when its address is written in different ways: that
    costs a second bridge, no more.

    Args:
        dsn: `postgresql://` or `postgres://` URL.
        environment: Whose `PG*` variables stand in for what the URL leaves out.
    """
    address, _, query = dsn.partition("://")[2].partition("?")
    login, _, place = address.rpartition("@")
    hosts, _, name = place.partition("/")
    found = {variable: environment.get(variable, "") for variable in _PLACE_VARIABLES}
    found |= {"host": unquote(hosts), "user": unquote(login.partition(":")[0]), "dbname": unquote(name)}
    found |= {key: value for key, value in parse_qsl(query) if key in _PLACE_PARAMETERS}
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:32]
