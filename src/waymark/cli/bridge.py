"""`waymark-bridge`: the RPC service between the SDK and the database, or wholly in memory."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from typing import Any

import click

from waymark.cli.edge import run_program, variables_help
from waymark.config import Program, load_bridge
from waymark.errors import ConfigError
from waymark.model.settings import BridgeSettings, describe

NAME = "waymark-bridge"

log = logging.getLogger("waymark.cli")


def main() -> None:
    """Entry point of the executable."""
    _bridge.main(prog_name=NAME)


@click.command(
    help="Serve the SDK: register workflows, start runs, wait for results.",
    epilog=variables_help(Program.BRIDGE),
)
def _bridge() -> None:
    run_program(NAME, lambda: _run(load_bridge(os.environ)))


def _run(settings: BridgeSettings) -> int:
    import anyio

    from waymark.boot.identity import bridge_token

    log.info("starting: %s", describe(settings))
    token = bridge_token(settings, os.environ)
    serve = _serve_memory if settings.bridge_in_memory else _serve_postgres
    try:
        anyio.run(serve, settings, token, backend_options={"use_uvloop": True})
    except AddressTaken:
        raise ConfigError(
            "WAYMARK_BRIDGE_GRPC_ADDR",
            f'cannot be listened on, got "{settings.bridge_grpc_addr}"; is another {NAME} running? write a free address',
        ) from None
    log.info("stopped")
    return 0


class AddressTaken(Exception):
    """The gRPC address cannot be bound."""


async def _serve_postgres(settings: BridgeSettings, token: str) -> None:
    from waymark.boot.identity import wanted_identity
    from waymark.bridge.server import BridgeService, new_server
    from waymark.store.postgres import PostgresStore, migrate

    assert settings.database_url is not None
    dsn = settings.database_url.reveal()
    server = new_server(token)
    store = PostgresStore(dsn, role=NAME)
    service = BridgeService(store, wanted_identity(settings, os.environ), token, release=version("waymark"))
    try:
        # The address first: of two bridges with one address, one must not migrate before it finds out.
        service.serve(server, str(settings.bridge_grpc_addr))
    except OSError as error:
        raise AddressTaken from error
    await migrate(dsn)
    await store.start()
    try:
        stopped = _stop_signal()
        await server.start()
        log.info("serving on %s", settings.bridge_grpc_addr)
        await _until(stopped, service.run)
        await service.stop(server)
    finally:
        await store.stop()


async def _serve_memory(settings: BridgeSettings, token: str) -> None:
    from waymark.testing.engine import MemoryEngine

    engine = MemoryEngine(str(settings.bridge_grpc_addr), token)
    stopped = _stop_signal()
    try:
        await engine.start()
    except OSError as error:
        raise AddressTaken from error
    log.info("serving on %s, in memory", settings.bridge_grpc_addr)
    try:
        await _until(stopped, engine.failed)
    finally:
        await engine.stop()


def _stop_signal() -> asyncio.Event:
    """Set by SIGTERM or SIGINT from now on; before anybody hears that we serve, or they could stop us in a rude way."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def _until(stopped: asyncio.Event, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do the work until the event; it should not end by itself, and raises what ends it."""
    loop = asyncio.get_running_loop()
    working, stopping = loop.create_task(work()), loop.create_task(stopped.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        stopping.cancel()
        working.result()
    working.cancel()
    await asyncio.wait({working})


if __name__ == "__main__":
    main()
