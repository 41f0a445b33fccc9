"""`waymark-start-workers`: the engine of one host; and, started by itself only, its shard processes."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Sequence
from uuid import UUID

import click

from waymark.cli.edge import CannotStart, run_program, variables_help
from waymark.config import Program, load_start_workers
from waymark.errors import ConfigError
from waymark.model.records import ExecutorId
from waymark.model.settings import StartWorkersSettings, describe

NAME = "waymark-start-workers"

SHARD_WORD = "internal-shard"
"""First argument that makes this executable a shard; not for people."""

log = logging.getLogger("waymark.cli")


def main() -> None:
    """Entry point of the executable."""
    if sys.argv[1:2] == [SHARD_WORD]:
        _shard.main(args=sys.argv[2:], prog_name=f"{NAME} {SHARD_WORD}")
    _start_workers.main(prog_name=NAME)


@click.command(
    help="Run workflows of the database in WAYMARK_DATABASE_URL with a pool of Python workers.",
    epilog=variables_help(Program.START_WORKERS),
)
@click.option(
    "--grace",
    type=click.FloatRange(min=0, max=86_400),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an orderly stop may take after SIGTERM or SIGINT; a second signal stops at once.",
)
def _start_workers(grace: float) -> None:
    run_program(NAME, lambda: _run_supervisor(load_start_workers(os.environ), grace))


@click.command(hidden=True)
@click.option("--executor-id", type=UUID, required=True)
@click.option("--link-fd", type=int, required=True)
def _shard(executor_id: UUID, link_fd: int) -> None:
    shard = f"{NAME} {SHARD_WORD}"
    run_program(shard, lambda: _run_shard(ExecutorId(executor_id), link_fd), is_child=True)


def shard_command(executor_id: ExecutorId, link_fd: int) -> Sequence[str]:
    """Command line of a shard: this very executable, or this very Python."""
    arguments = (SHARD_WORD, "--executor-id", str(executor_id), "--link-fd", str(link_fd))
    if _is_frozen():
        return (sys.executable, *arguments)
    # -P: the current directory holds the user's modules, and none of them may stand in for one of ours.
    return (sys.executable, "-P", "-m", "waymark.cli.start_workers", *arguments)


def _run_supervisor(settings: StartWorkersSettings, grace_s: float) -> int:
    import anyio

    from waymark.pool.command import worker_commands, worker_environment
    from waymark.pool.pool import AddressTaken
    from waymark.pool.spawned import WorkerStartError
    from waymark.store.postgres import PostgresStore, migrate
    from waymark.supervisor.supervisor import Launch, Supervisor

    log.info("starting: %s", describe(settings))
    dsn = settings.database_url.reveal()
    launch = Launch(
        store=PostgresStore(dsn, role="waymark-supervisor"),
        prepare=lambda: migrate(dsn),
        worker_commands=worker_commands(
            settings.worker_command, launched_as=sys.argv[0], environment=os.environ
        ),
        worker_environment=worker_environment(os.environ, directory=os.getcwd(), is_frozen=_is_frozen()),
        shard_command=shard_command,
        shard_environment=dict(os.environ),
        grace_s=grace_s,
    )

    async def supervise() -> int:
        return await Supervisor(settings, launch).run()

    try:
        code = anyio.run(supervise, backend_options={"use_uvloop": True})
    except AddressTaken as error:
        raise ConfigError(
            "WAYMARK_WORKER_GRPC_ADDR",
            f'cannot be listened on, got "{settings.worker_grpc_addr}"; is another {NAME} running? '
            f"write a free address, or port 0 for any",
        ) from error
    except WorkerStartError as error:
        raise CannotStart(f"{NAME}: the workers do not start: {error.summary}", error.details) from error
    log.info("stopped")
    return code


def _run_shard(executor_id: ExecutorId, link_fd: int) -> int:
    from waymark.link.parent import die_with_parent

    die_with_parent()

    import anyio

    from waymark.executor.process import run_shard
    from waymark.store.postgres import PostgresStore

    settings = load_start_workers(os.environ)
    link = socket.socket(fileno=link_fd)
    os.set_inheritable(link_fd, False)
    store = PostgresStore(settings.database_url.reveal(), role="waymark-shard")

    async def shard() -> None:
        await run_shard(executor_id=executor_id, link=link, settings=settings, store=store)

    anyio.run(shard, backend_options={"use_uvloop": True})
    return 0


def _is_frozen() -> bool:
    return bool(getattr(sys, "frozen", False))


if __name__ == "__main__":
    main()
