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

GRPC_OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A frozen or unreachable peer is noticed within 20 seconds. A busy one answers pings all the same: gRPC's own
    # threads do that, not the event loop.
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)
"""Of both the server and the channel."""
