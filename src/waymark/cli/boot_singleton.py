"""`waymark-boot-singleton`: find or start the one bridge of this machine, and say its port."""

from __future__ import annotations

import os
from pathlib import Path

import click

from waymark.cli.edge import CannotStart, run_program, variables_help
from waymark.config import Program, load_client
from waymark.errors import BootError

NAME = "waymark-boot-singleton"


def main() -> None:
    """Entry point of the executable."""
    _boot.main(prog_name=NAME)


@click.command(
    help="Find the bridge of this database and mode on this machine, or start it; print its port.",
    epilog=variables_help(Program.CLIENT),
)
@click.option(
    "--output-file",
    "--port-file",
    "output_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the port to this file instead of printing it.",
)
def _boot(output_file: Path | None) -> None:
    run_program(NAME, lambda: _run(output_file))


def _run(output_file: Path | None) -> int:
    from waymark.boot.singleton import find_or_start

    try:
        port = find_or_start(load_client(os.environ), os.environ)
    except BootError as error:
        line, _, details = str(error).partition("\n")
        raise CannotStart(f"{NAME}: {line}", details) from None
    if output_file is None:
        click.echo(port)
    else:
        # Whole or not at all: the reader may look at any time.
        temporary = output_file.with_name(f"{output_file.name}.{os.getpid()}")
        try:
            temporary.write_text(f"{port}\n")
            temporary.replace(output_file)
        except OSError as error:
            raise CannotStart(f"{NAME}: {output_file} cannot be written: {error.strerror}") from None
    return 0


if __name__ == "__main__":
    main()
