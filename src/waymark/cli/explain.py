"""`waymark explain`: what a diagnostic's code means, without a browser."""

from __future__ import annotations

import difflib

import click

from waymark.compiler.codes import CODES
from waymark.compiler.codes import explain as entry_of


@click.command(short_help="Say what a diagnostic's code means.")
@click.argument("codes", nargs=-1, metavar="[CODE]...")
def explain(codes: tuple[str, ...]) -> None:
    """Say why each CODE is refused, with an example and a way out; without one, list all codes."""
    wanted = [code.upper() for code in codes]
    for code in wanted:
        if code not in CODES:
            near = difflib.get_close_matches(code, CODES, n=1)
            hint = f"did you mean {near[0]}?" if near else "`waymark explain` lists all codes"
            raise click.UsageError(f"there is no code {code}; {hint}")
    if wanted:
        click.echo("\n".join(map(entry_of, wanted)), nl=False)
    else:
        click.echo("\n".join(f"{code}  {entry.title}" for code, entry in CODES.items()))
