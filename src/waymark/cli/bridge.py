"""`waymark-bridge`: the RPC service between the SDK and the database, or wholly in memory."""

from __future__ import annotations

import asyncio
import logging
import os

import click

from waymark.cli.edge import run_program, variables_help
from waymark.config import Program, load_bridge
from waymark.errors import ConfigError
from waymark.model.settings import BridgeSettings, describe

NAME = "waymark-bridge"
_GRACE_S = 3.0

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

    log.info("starting: %s", describe(settings))
    serve = _serve_memory if settings.bridge_in_memory else _serve_postgres

    async def run() -> None:
        await serve(settings, _token(settings))

    try:
        anyio.run(run, backend_options={"use_uvloop": True})
    except _AddressTaken:
        raise ConfigError(
            "WAYMARK_BRIDGE_GRPC_ADDR",
            f'cannot be listened on, got "{settings.bridge_grpc_addr}"; is another {NAME} running? write a free address',
        ) from None
    log.info("stopped")
    return 0


class _AddressTaken(Exception):
    """The gRPC address cannot be bound."""


def _token(settings: BridgeSettings) -> str:
    from waymark.boot.runtime_directory import runtime_directory, user_token

    if settings.bridge_token is not None:
        return settings.bridge_token.reveal()
    return user_token(runtime_directory(os.environ))


async def _serve_postgres(settings: BridgeSettings, token: str) -> None:
    from waymark.bridge.server import BridgeService, new_server
    from waymark.model.identity import (
        BRIDGE_PROTOCOL_VERSION,
        MODE_POSTGRES,
        BridgeIdentity,
        database_fingerprint,
    )
    from waymark.store.postgres import PostgresStore, migrate

    assert settings.database_url is not None
    dsn = settings.database_url.reveal()
    server = new_server(token)
    store = PostgresStore(dsn, role=NAME)
    service = BridgeService(
        store, BridgeIdentity(BRIDGE_PROTOCOL_VERSION, MODE_POSTGRES, database_fingerprint(dsn)), token
    )
    service.add_to(server)
    try:
        # The address first: two bridges of one boot must not both migrate and only then find out.
        server.add_insecure_port(str(settings.bridge_grpc_addr))
    except RuntimeError as error:
        raise _AddressTaken from error
    await migrate(dsn)
    await store.start()
    try:
        await server.start()
        log.info("serving on %s", settings.bridge_grpc_addr)
        await _until_signal(service.run())
        await server.stop(_GRACE_S)
    finally:
        await store.stop()


async def _serve_memory(settings: BridgeSettings, token: str) -> None:
    from waymark.testing.engine import MemoryEngine

    engine = MemoryEngine(str(settings.bridge_grpc_addr), token)
    try:
        await engine.start()
    except OSError as error:
        raise _AddressTaken from error
    log.info("serving on %s, in memory", settings.bridge_grpc_addr)
    try:
        await _until_signal(engine.failed())
    finally:
        await engine.stop()


async def _until_signal(work: object) -> None:
    """Do the work until SIGTERM or SIGINT."""
    import signal
    from collections.abc import Coroutine

    assert isinstance(work, Coroutine)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stopped.wait())
    done, pending = await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    if working in done:
        working.result()


if __name__ == "__main__":
    main()
