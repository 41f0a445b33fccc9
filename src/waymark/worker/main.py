"""The worker process: `waymark-worker --bridge HOST:PORT --worker-id HEX --secret-fd N [--user-module M]...`

Started by the pool only, never by hand. Exit codes: 0 drained, or the pool has gone; 1 the pool refused it;
3 a user module failed to import. stdout and stderr belong to the user's code.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence

from waymark.link.parent import die_with_parent, watch_parent
from waymark.worker.start import EXIT_USER_MODULE, UserModuleFailed, import_user_modules, read_secret

log = logging.getLogger("waymark.worker")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a worker to its end; returns the exit code."""
    arguments = _parse(sys.argv[1:] if argv is None else argv)
    die_with_parent()
    channel = socket.socket(fileno=arguments.secret_fd)
    try:
        secret = read_secret(channel)
    except OSError as error:
        print(f"waymark-worker: {error}", file=sys.stderr)
        return 1
    # Inherited descriptors stay open across exec; what an action starts must not keep the pool's channel.
    os.set_inheritable(arguments.secret_fd, False)
    watch_parent(channel)
    # Ctrl-C reaches this process only when somebody aims at it; the pool decides when a worker ends.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        import_user_modules(arguments.user_module)
    except UserModuleFailed as failure:
        channel.sendall(failure.report)
        return EXIT_USER_MODULE
    return _work(arguments.bridge, bytes.fromhex(arguments.worker_id), secret)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    # argparse and not click: the user's process should not import what it does not need.
    parser = argparse.ArgumentParser(
        prog="waymark-worker", description="Runs actions for waymark-start-workers."
    )
    parser.add_argument("--bridge", required=True, help="host:port of the pool")
    parser.add_argument("--worker-id", required=True, help="given by the pool")
    parser.add_argument("--secret-fd", required=True, type=int, help="descriptor of the channel to the pool")
    parser.add_argument("--user-module", action="append", default=[], help="module to import before work")
    return parser.parse_args(argv)


def _work(address: str, worker_id: bytes, secret: bytes) -> int:
    from waymark.config import load_log_level
    from waymark.telemetry.logs import configure_logging

    configure_logging(load_log_level(os.environ))
    loop = _new_event_loop()
    asyncio.set_event_loop(loop)
    task = loop.create_task(_attach(address, worker_id, secret))
    while True:
        try:
            return loop.run_until_complete(task)
        except (SystemExit, KeyboardInterrupt) as error:
            # A task that user code started beside its action raised it; asyncio then stops the loop. The worker's own
            # task still waits in it, so go on.
            if task.done():
                raise
            log.warning("%s in a task of user code was ignored", type(error).__name__)


async def _attach(address: str, worker_id: bytes, secret: bytes) -> int:
    import grpc.aio

    from waymark.worker.runtime import user_runtime
    from waymark.worker.stream import WorkerClient, hello, release

    client = WorkerClient(address, hello(worker_id, secret, release()), user_runtime())
    try:
        await client.run()
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            log.error("the pool refused this worker: %s", error.details())
            return 1
        log.info("the stream to the pool ended: %s", error.code().name)
    return 0


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
