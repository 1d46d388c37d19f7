"""Commands on the transparency log: ``log status``, ``log check``, ``log repair``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from attendance.cli.app import app
from attendance.clock import SystemClock
from attendance.config import load_settings
from attendance.domain.kept_checkpoints import MAX_COPY_BYTES
from attendance.domain.transparency_log import LogState
from attendance.errors import ConfigError, InvalidRecordError, LogError
from attendance.keys.master import master_key
from attendance.services.kept_checkpoints import Found, judge_copies
from attendance.services.log_reading import LogReader
from attendance.services.transparency_log import TransparencyLog
from attendance.store.data_folder import own_data_folder
from attendance.store.database import open_database
from attendance.store.log_folder import LogFolder
from attendance.store.transparency_log import SqlLogStore

_MEANING = {
    LogState.AGREES: "the database and what was published agree",
    LogState.BEHIND: "more was published than the database knows (was it restored from a backup?): nothing is signed until "
    "`rollcall log repair`",
    LogState.FORKED: "what was published is not what the database has: nothing is signed",
}
log_app = typer.Typer(help="The transparency log: status, check, repair.", no_args_is_help=True)
app.add_typer(log_app, name="log")


@asynccontextmanager
async def _log(*, alone: bool) -> AsyncIterator[TransparencyLog]:
    """The log of the settings; ``alone``: no other process may use an embedded database meanwhile."""
    settings = load_settings()
    async with AsyncExitStack() as resources:
        if settings.is_embedded and alone:
            resources.enter_context(own_data_folder(settings.data_dir))
        database = open_database(settings.database_url)
        resources.push_async_callback(database.close)
        key = master_key(settings.master_key_file, settings.data_dir)
        files = LogFolder(settings.data_dir / "log")
        yield TransparencyLog(SqlLogStore(database), files, SystemClock(), key, settings.public_url, asyncio.Event())


@log_app.command()
def status() -> None:
    """Say how large the log is, what was published, and whether the two agree. Exit code 1 if they do not."""

    async def run() -> LogState:
        async with _log(alone=False) as log:
            found = await log.status()
        typer.echo(f"origin     {found.origin}")
        typer.echo(f"key        {found.vkey}")
        typer.echo(f"entries    {found.size:,}")
        typer.echo(f"published  {'nothing yet' if found.published_size is None else f'{found.published_size:,}'}")
        typer.echo(f"state      {_MEANING[found.state]}")
        return found.state

    if asyncio.run(run()) is not LogState.AGREES:
        raise typer.Exit(1)


@log_app.command()
def repair() -> None:
    """After a restored backup: take back from the tiles what the database lost, and let every chain say so.

    The service must not be running. Afterwards each guild's chain goes on with a record that names what was lost.
    """

    async def run() -> tuple[int, int]:
        async with _log(alone=True) as log:
            return await log.repair()

    entries, guilds = asyncio.run(run())
    typer.echo(f"{entries:,} entries taken back; {guilds:,} chains go on with `chain.restored`")


@log_app.command()
def check(
    kept: Annotated[list[Path] | None, typer.Argument(metavar="[KEPT]...", help="More files for --against.")] = None,
    *,
    against: Annotated[
        list[Path] | None, typer.Option("--against", help="Files with a checkpoint that somebody kept, as many as there are.")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="A copy of the log's folder, instead of our own.")] = None,
    key: Annotated[
        str | None, typer.Option("--log-key", help="Its verifier key, as pinned; by default the database's.")
    ] = None,
) -> None:
    """Verify the whole log again from its entries, and hold kept checkpoints against it and each other.

    A kept checkpoint may be a copy of /log/checkpoint or of a message in Discord. Exit code 1: the log is not whole, or not the
    one that was kept; 2: nothing speaks against it, but a file is no checkpoint.
    """
    copies = [(str(path), _read(path)) for path in [*(against or []), *(kept or [])]]
    vkey, files = asyncio.run(_key_and_files(key, folder))
    reader = LogReader(files)
    try:
        with Progress(transient=True) as bar:
            task = bar.add_task("entries", total=None)
            published = reader.check(vkey, lambda done, total: bar.update(task, completed=done, total=total))
        typer.echo("nothing was published yet" if published is None else f"whole: {published.size:,} entries by {vkey}")
        judged = judge_copies(reader, vkey, copies)
    except (LogError, InvalidRecordError) as error:
        typer.echo(f"NOT WHOLE: {error.message}", err=True)
        raise typer.Exit(1) from None
    for judgement in judged:
        typer.echo(f"{judgement.found.value}  {judgement.words}", err=judgement.found is not Found.KEPT)
    if any(judgement.found in {Found.FORK, Found.ROLLED_BACK} for judgement in judged):
        raise typer.Exit(1)
    if any(judgement.found is Found.UNUSABLE for judgement in judged):
        raise typer.Exit(2)


async def _key_and_files(key: str | None, folder: Path | None) -> tuple[str, LogFolder]:
    if key is not None and folder is not None:
        return key, LogFolder(folder)
    async with _log(alone=False) as log:
        return key or await log.vkey(), LogFolder(folder or load_settings().data_dir / "log")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_COPY_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
