"""Asks ports who is there, all at once, and believes only a bridge that proves to know the token."""

from __future__ import annotations

import errno
import secrets
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from waymark.model.identity import BridgeIdentity
from waymark.model.settings import Address
from waymark.proto import workflow_pb2 as pb

PROBE_TIMEOUT_S = 2.0
"""How long a listener may take to prove who it is."""

_CONNECT_TIMEOUT_S = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """What a range of ports turned out to be."""

    ours: int | None
    """Port of the bridge that is looked for."""
    free: tuple[int, ...]
    """Ports where nobody listens, in order."""


def probe(
    host: str,
    ports: Sequence[int],
    wanted: BridgeIdentity,
    token: str,
    *,
    timeout_s: float = PROBE_TIMEOUT_S,
) -> Found:
    """Look at ports; returns as soon as one proves to be the bridge, and at the latest after `timeout_s` and a little.

    However many strangers listen without a word, they take the time of one.
    """
    listening, free = _connect(host, ports)
    ours = _ask(host, listening, wanted, token, timeout_s) if listening else None
    return Found(ours, tuple(free))


def is_wanted(reply: pb.IdentifyReply, wanted: BridgeIdentity, token: str, nonce: bytes, port: int) -> bool:
    """Whether a reply comes from the bridge that is looked for, listening on the port that was asked."""
    claimed = BridgeIdentity(reply.protocol_version, reply.mode, reply.database_fingerprint)
    return claimed == wanted and claimed.is_proved(token, nonce, port, reply.proof)


def _connect(host: str, ports: Sequence[int]) -> tuple[list[int], list[int]]:
    """Ports where somebody listens, and those where nobody does. One that does not answer at all is neither."""
    family, _, _, _, place = socket.getaddrinfo(host, ports[0], type=socket.SOCK_STREAM)[0]
    poll = select.poll()
    opening: dict[int, tuple[int, socket.socket]] = {}
    outcome: dict[int, int] = {}
    try:
        for port in ports:
            one = socket.socket(family, socket.SOCK_STREAM)
            one.setblocking(False)
            opening[one.fileno()] = (port, one)
            code = one.connect_ex((place[0], port, *place[2:]))
            if code == errno.EINPROGRESS:
                poll.register(one, select.POLLOUT)
            else:
                outcome[port] = code
        deadline = time.monotonic() + _CONNECT_TIMEOUT_S
        while len(outcome) < len(ports) and (left_s := deadline - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left_s * 1000):
                port, one = opening[descriptor]
                outcome[port] = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                poll.unregister(descriptor)
    finally:
        for _, one in opening.values():
            one.close()
    return (
        [port for port in ports if outcome.get(port) == 0],
        [port for port in ports if outcome.get(port) == errno.ECONNREFUSED],
    )


def _ask(host: str, ports: Sequence[int], wanted: BridgeIdentity, token: str, timeout_s: float) -> int | None:
    """The first of these ports that proves to be the bridge."""
    import grpc  # slow to import, and not needed where nobody listens

    answers: SimpleQueue[int | None] = SimpleQueue()
    channels = []
    for port in ports:
        nonce = secrets.token_bytes(32)
        channel = grpc.insecure_channel(str(Address(host, port)), options=[("grpc.enable_http_proxy", 0)])
        channels.append(channel)
        identify = channel.unary_unary(
            "/waymark.v1.WorkflowService/Identify",
            request_serializer=pb.IdentifyRequest.SerializeToString,
            response_deserializer=pb.IdentifyReply.FromString,
        )

        def answered(call: Any, port: int = port, nonce: bytes = nonce) -> None:
            is_ours = call.exception() is None and is_wanted(call.result(), wanted, token, nonce, port)
            answers.put(port if is_ours else None)

        identify.future(pb.IdentifyRequest(nonce=nonce), timeout=timeout_s).add_done_callback(answered)
    try:
        for _ in ports:
            if (ours := answers.get()) is not None:
                return ours
        return None
    finally:
        for channel in channels:
            channel.close()
