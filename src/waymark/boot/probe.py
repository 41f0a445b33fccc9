"""Asks a port who is there, and believes only a bridge that proves to know the token."""

from __future__ import annotations

import secrets
import socket
from enum import Enum

from waymark.model.identity import BridgeIdentity
from waymark.proto import workflow_pb2 as pb

PROBE_TIMEOUT_S = 2.0
_CONNECT_TIMEOUT_S = 0.5


class Found(Enum):
    """What a port turned out to be."""

    FREE = "free"
    """Nobody listens."""
    OURS = "ours"
    """The bridge that is looked for."""
    FOREIGN = "foreign"
    """Somebody else, or a bridge of another database, mode, version or user."""


def probe(
    host: str, port: int, wanted: BridgeIdentity, token: str, *, timeout_s: float = PROBE_TIMEOUT_S
) -> Found:
    """Look at one port; takes at most `timeout_s` and a little."""
    try:
        socket.create_connection((host, port), timeout=_CONNECT_TIMEOUT_S).close()
    except ConnectionRefusedError:
        return Found.FREE
    except OSError:
        return Found.FOREIGN
    import grpc  # slow to import, and not needed where nobody listens

    nonce = secrets.token_bytes(32)
    with grpc.insecure_channel(target(host, port), options=[("grpc.enable_http_proxy", 0)]) as channel:
        identify = channel.unary_unary(
            "/waymark.v1.WorkflowService/Identify",
            request_serializer=pb.IdentifyRequest.SerializeToString,
            response_deserializer=pb.IdentifyReply.FromString,
        )
        try:
            reply = identify(pb.IdentifyRequest(nonce=nonce), timeout=timeout_s)
        except grpc.RpcError:
            return Found.FOREIGN
    return Found.OURS if is_wanted(reply, wanted, token, nonce) else Found.FOREIGN


def is_wanted(reply: pb.IdentifyReply, wanted: BridgeIdentity, token: str, nonce: bytes) -> bool:
    """Whether a reply comes from the bridge that is looked for."""
    claimed = BridgeIdentity(reply.protocol_version, reply.mode, reply.database_fingerprint)
    return claimed == wanted and claimed.is_proved(token, nonce, reply.proof)


def target(host: str, port: int) -> str:
    """A gRPC target; IPv6 hosts need brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
