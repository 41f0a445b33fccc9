"""What both ends of the worker stream (`worker.proto`) must agree on beyond its messages."""

from __future__ import annotations

from typing import Final

PROTOCOL_VERSION: Final = 1
"""Version of the stream; a worker with another one is refused."""

MESSAGE_BYTES: Final = 64 * 1024 * 1024
"""Largest gRPC message in either direction."""

BODY_BYTES: Final = 60 * 1024 * 1024
"""Largest dispatch or result; with its envelope it fits into one message. Batches are cut far below."""

REASON_TIMEOUT: Final = "timeout"
"""`Cancel.reason`: the attempt ran longer than its timeout."""

REASON_CANCELLED: Final = "cancelled"
"""`Cancel.reason`: nobody wants the result any more."""

SIZE_OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
)
"""gRPC options of both the server and the channel."""
