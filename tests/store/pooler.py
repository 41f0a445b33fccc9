"""A stand-in for PgBouncer as it is installed: refuses settings in the startup packet, passes everything else on."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

REFUSAL = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0"


@asynccontextmanager
async def strict_pooler(dsn: str) -> AsyncIterator[str]:
    """A DSN that leads to the database of `dsn` through the pooler."""
    target = urlsplit(dsn)

    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await _serve(reader, writer, str(target.hostname), target.port or 5432)
        await _close(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login = target.netloc.rsplit("@", 1)[0]
    async with server:
        yield urlunsplit(
            target._replace(netloc=f"{login}@127.0.0.1:{port}", query="sslmode=disable&gssencmode=disable")
        )
        # Every client has left by now; what serves them must be gone before the loop is.
        await asyncio.gather(*served)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
    length = await reader.readexactly(4)
    startup = await reader.readexactly(struct.unpack("!I", length)[0] - 4)
    if b"\0options\0" in startup:
        writer.write(b"E" + struct.pack("!I", len(REFUSAL) + 4) + REFUSAL)
        await writer.drain()
        return
    server_reader, server_writer = await asyncio.open_connection(host, port)
    server_writer.write(length + startup)
    await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))
    await _close(server_writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
