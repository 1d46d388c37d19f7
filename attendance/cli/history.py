"""The command ``demo-history``: weeks of made-up life for the demo."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from attendance.cli.app import app
from attendance.config import Settings, load_settings
from attendance.logs import only_errors, set_up_logs

if TYPE_CHECKING:
    from attendance.cli.made_up.making import History

MAX_WEEKS = 26


@app.command("demo-history")
def demo_history(
    weeks: Annotated[int, typer.Option(min=1, max=MAX_WEEKS, help="Whole weeks before the running one.")] = 6,
) -> None:
    """Make up weeks of the demo's life in an empty embedded database: recorded, archived, signed and logged like real life.

    Refused where anything was ever recorded, from Discord or a simulator. Done already, it changes nothing.
    """
    from attendance.cli.made_up.making import PASSPHRASE  # noqa: PLC0415  # recorder and simulator: a second to import

    set_up_logs("auto")
    history = asyncio.run(make_with_progress(load_settings(), weeks))
    since = datetime.fromtimestamp(history.began_ms / 1000, UTC).date().isoformat()
    if history.lines is None:
        typer.echo(f"made-up history since {since} is there already: nothing was changed")
        return
    typer.echo(f"history since {since}, all of it made up: {history.lines:,} lines, {history.records:,} signed records")
    typer.echo(f"the passphrase of its signing keys: {PASSPHRASE}")


async def make_with_progress(settings: Settings, weeks: int) -> History:
    """`make_history` with a progress bar on a terminal, and none in a pipe. Errors as there."""
    from attendance.cli.made_up.making import make_history  # noqa: PLC0415

    columns = (TextColumn("{task.description:<10}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with only_errors(), Progress(*columns, transient=True) as bar:
        tasks = {what: bar.add_task(what, total=None, start=False) for what in ("recording", "signing")}

        def told(what: str, done: int, total: int) -> None:
            bar.start_task(tasks[what])
            bar.update(tasks[what], completed=done, total=total)

        return await make_history(settings, weeks, told)
