"""One end of a stream of protobuf messages over a connected socket.

On the wire each message is its length in 4 bytes, big-endian, and then its bytes. What is sent in one turn of the
event loop is written in one piece: a message then costs about 3 microseconds instead of 10.

    link = await Link.open(sock, receives=FromShard)
    link.send(ToShard(wake=ShardWake()))
    while (message := await link.receive()) is not None:
        ...
    await link.close()

The peer may die at any moment. `receive` is the one place that tells: None after a clean end, `LinkBroken` after an
end inside a message. `send` to a peer that has gone is dropped without a word, because the sender learns of it there.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from typing import Generic, TypeVar, cast

from google.protobuf.message import DecodeError, Message

from waymark.errors import WaymarkError

Received = TypeVar("Received", bound=Message)

MAX_FRAME_BYTES = 256 * 1024 * 1024
"""Largest message. Senders cut batches well below it (`batches`), so only a damaged stream comes near."""

READ_AHEAD_BYTES = 64 * 1024 * 1024
"""Bytes of messages that wait for `receive` before the link stops reading."""

_HEADER = struct.Struct(">I")


class LinkBroken(WaymarkError):
    """The stream ended inside a message, or holds what cannot be a message."""


class FrameTooLarge(WaymarkError):
    """A message over the limit of the link was to be sent; nothing of it was."""


class Link(Generic[Received]):
    """One end; build it with `open`. Belongs to the event loop it was opened on."""

    def __init__(self, receives: type[Received], *, max_frame_bytes: int) -> None:
        self._receives = receives
        self._max_frame_bytes = max_frame_bytes
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._partial = bytearray()
        self._arrived: deque[tuple[Received, int]] = deque()
        self._arrived_bytes = 0
        self._is_reading = True
        self._receiver: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._closed = asyncio.Event()
        self._has_ended = False
        self._error: LinkBroken | None = None

    @classmethod
    async def open(
        cls, sock: socket.socket, *, receives: type[Received], max_frame_bytes: int = MAX_FRAME_BYTES
    ) -> Link[Received]:
        """Take over a connected stream socket.

        Args:
            sock: Closed by the link.
            receives: Class of the messages that the peer sends.
            max_frame_bytes: Largest message in either direction.
        """
        link = cls(receives, max_frame_bytes=max_frame_bytes)
        sock.setblocking(False)
        await link._loop.create_connection(lambda: _Protocol(link), sock=sock)
        return link

    def send(self, message: Message) -> None:
        """Queue a message; it leaves at the end of this turn of the event loop.

        Raises:
            FrameTooLarge: The message is over the limit.
        """
        frame = message.SerializeToString()
        if len(frame) > self._max_frame_bytes:
            raise FrameTooLarge(
                f"link: a message of {len(frame)} bytes is over the limit of {self._max_frame_bytes}; "
                f"send it in smaller batches"
            )
        if self._transport is None or self._transport.is_closing():
            return
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(_HEADER.pack(len(frame)))
        self._outgoing.append(frame)

    async def drain(self) -> None:
        """Wait until the peer has taken enough that sending more does not pile up here."""
        self._flush()
        await self._writable.wait()

    async def receive(self) -> Received | None:
        """The next message, or None when the peer has closed its end.

        Raises:
            LinkBroken: The stream ended inside a message or is damaged; nothing more will come.
        """
        while not self._arrived:
            if self._error is not None:
                raise self._error
            if self._has_ended:
                return None
            if self._receiver is not None:
                raise RuntimeError("two tasks receive from one link")
            self._receiver = self._loop.create_future()
            try:
                await self._receiver
            finally:
                self._receiver = None
        message, size = self._arrived.popleft()
        self._arrived_bytes -= size
        if not self._is_reading and self._arrived_bytes < READ_AHEAD_BYTES // 2:
            self._is_reading = True
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
        return message

    async def close(self, *, timeout_s: float = 1.0) -> None:
        """Send what is queued and close; what the peer does not take within the timeout is dropped."""
        transport = self._transport
        if transport is None:
            return
        self._flush()
        transport.close()
        try:
            async with asyncio.timeout(timeout_s):
                await self._closed.wait()
        except TimeoutError:
            transport.abort()
            await self._closed.wait()

    def _flush(self) -> None:
        frames, self._outgoing = self._outgoing, []
        if frames and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(frames))

    def _take(self, data: bytes) -> None:
        """Cut what arrived into messages."""
        buffer = self._partial
        buffer += data
        position = 0
        while len(buffer) - position >= _HEADER.size:
            (length,) = _HEADER.unpack_from(buffer, position)
            if length > self._max_frame_bytes:
                self._fail(f"a message of {length} bytes is announced, the limit is {self._max_frame_bytes}")
                return
            end = position + _HEADER.size + length
            if len(buffer) < end:
                break
            try:
                message = self._receives.FromString(bytes(buffer[position + _HEADER.size : end]))
            except DecodeError:
                self._fail(f"{length} bytes are no {self._receives.__name__}")
                return
            self._arrived.append((message, length))
            self._arrived_bytes += length
            position = end
        del buffer[:position]
        if self._is_reading and self._arrived_bytes > READ_AHEAD_BYTES and self._transport is not None:
            self._is_reading = False
            self._transport.pause_reading()
        self._wake_receiver()

    def _end(self) -> None:
        """The peer will send nothing more."""
        if self._partial and self._error is None:
            self._error = LinkBroken(
                f"link: the peer went away inside a message ({len(self._partial)} bytes of it)"
            )
            self._partial.clear()
        self._has_ended = True
        self._wake_receiver()

    def _fail(self, problem: str) -> None:
        self._error = LinkBroken(f"link: {problem}")
        self._partial.clear()
        if self._transport is not None:
            self._transport.abort()
        self._wake_receiver()

    def _wake_receiver(self) -> None:
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)


class _Protocol(asyncio.Protocol):
    """What the event loop calls."""

    def __init__(self, link: Link[Received]) -> None:
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports are no subclass of asyncio's.
        self._link._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._link._take(data)

    def eof_received(self) -> bool:
        self._link._end()
        return False

    def pause_writing(self) -> None:
        self._link._writable.clear()

    def resume_writing(self) -> None:
        self._link._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        # A reset is how a killed peer ends; that is as clean an end as a process can make.
        self._link._end()
        self._link._writable.set()
        self._link._closed.set()
