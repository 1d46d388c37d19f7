"""The root of the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from attendance import __version__

app = typer.Typer(
    name="rollcall",
    help="Voice attendance for Discord that can be trusted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with local variables would print secrets
    rich_markup_mode="rich",
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"rollcall {__version__}")
        raise typer.Exit


@app.callback()
def rollcall(
    *,
    version: Annotated[  # its callback answers
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Voice attendance for Discord that can be trusted.

    Settings come from the environment: see `rollcall config-dump`.
    """
