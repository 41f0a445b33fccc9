"""`waymark`: commands for people who write workflows. They import the user's modules, so they belong into the user's environment."""

from __future__ import annotations

import click

from waymark.cli.check import check
from waymark.cli.explain import explain


@click.group(help="Tools for writing durable workflows.")
def _waymark() -> None:
    """The group; its commands have modules of their own."""


_waymark.add_command(check)
_waymark.add_command(explain)


def main() -> None:
    """Entry point of the executable."""
    _waymark.main(prog_name="waymark")


if __name__ == "__main__":
    main()
