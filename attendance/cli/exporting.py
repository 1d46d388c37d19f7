"""The command ``export``."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from attendance.cli.app import app
from attendance.clock import SystemClock
from attendance.config import load_settings
from attendance.domain.ids import GuildId
from attendance.errors import ConfigError
from attendance.keys.master import master_key
from attendance.services.log_reading import PublicLog
from attendance.services.period_exports import OpenedExport, PeriodExports
from attendance.store.database import open_database
from attendance.store.export_folder import ExportFolder
from attendance.store.exporting import SqlExportStore
from attendance.store.log_folder import LogFolder

_CHUNK = 2**20


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where the archive goes, a .tar.gz.")],
    *,
    guild: Annotated[int, typer.Option(help="The guild's Discord id.", min=0, max=2**63 - 1)],
    period: Annotated[int, typer.Option(help="The period's index.", min=0, max=2**31 - 1)],
) -> None:
    """Write a period as a signed archive, to be verified with stock tools or `rollcall verify`. The service may be running."""
    if file.is_dir() or not file.absolute().parent.is_dir():
        raise ConfigError(f"{file} cannot be written: give the name of a file in a folder that exists")
    sha256 = asyncio.run(_export(file, GuildId(guild), period))
    typer.echo(f"{sha256}  {file}")


async def _export(file: Path, guild_id: GuildId, period_index: int) -> str:
    settings = load_settings()
    async with AsyncExitStack() as resources:
        database = open_database(settings.database_url)
        resources.push_async_callback(database.close)
        exports = PeriodExports(
            SqlExportStore(database),
            ExportFolder(settings.data_dir / "exports"),
            PublicLog(LogFolder(settings.data_dir / "log")),
            SystemClock(),
            master_key(settings.master_key_file, settings.data_dir),
        )
        with Progress(transient=True) as bar:
            tasks = {name: bar.add_task(name, total=None) for name in ("records", "pack")}
            opened = await exports.open(
                guild_id, period_index, lambda what, done, total: bar.update(tasks[what], completed=done, total=total)
            )
        await asyncio.to_thread(_copy, opened, file)
        return opened.kept.sha256


def _copy(opened: OpenedExport, file: Path) -> None:
    """Put the archive in place, whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(dir=file.absolute().parent, prefix=".export-", delete=False) as new:
            try:
                offset = 0
                while part := opened.file.read(offset, _CHUNK):
                    new.write(part)
                    offset += len(part)
                new.flush()
                os.fsync(new.fileno())
                Path(new.name).replace(file)
            except BaseException:
                Path(new.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        opened.file.close()
