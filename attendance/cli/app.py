"""The root of the command line."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="rollcall",
    help="Voice attendance for Discord that can be trusted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with local variables would print secrets
    rich_markup_mode="rich",
)


@app.callback()
def rollcall() -> None:
    """Voice attendance for Discord that can be trusted.

    Settings come from the environment: see `rollcall config-dump`.
    """
