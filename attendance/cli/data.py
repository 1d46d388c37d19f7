"""Commands on the databases: ``migrate``, ``backup``, ``restore``, ``dashboard-erase``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from attendance.cli.app import app
from attendance.clock import SystemClock
from attendance.config import Settings, load_settings
from attendance.errors import ConfigError
from attendance.keys.master import FILE_NAME
from attendance.store.backup import back_up, inspect_backup
from attendance.store.backup import restore as restore_backup
from attendance.store.data_folder import own_data_folder
from attendance.store.database import Database, open_database
from attendance.store.migrate import head_revision, upgrade


@asynccontextmanager
async def _database(settings: Settings, *, alone: bool) -> AsyncIterator[Database]:
    """The database of the settings; ``alone``: no other process may use an embedded one meanwhile."""
    with ExitStack() as resources:
        if settings.is_embedded and alone:
            resources.enter_context(own_data_folder(settings.data_dir))
        database = open_database(settings.database_url)
        try:
            yield database
        finally:
            await database.close()


@app.command()
def migrate() -> None:
    """Bring the schema of the database, and of the dashboard's, to this version; an older embedded one is copied first."""
    from attendance.wiring.dashboard import migrate_dashboard  # noqa: PLC0415  # the other commands do not need it

    settings = load_settings()

    async def run() -> None:
        async with _database(settings, alone=True) as database:
            copy = await upgrade(database)
        if copy is not None:
            typer.echo(f"the database as it was: {copy}")
        typer.echo(f"schema {head_revision()}")
        if (revision := await migrate_dashboard(settings)) is not None:
            typer.echo(f"the dashboard's schema {revision}")

    asyncio.run(run())


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; it must not exist.")],
    *,
    with_master_key: Annotated[
        bool, typer.Option("--with-master-key", help="Put the master key in too: who has the file can then sign.")
    ] = False,
) -> None:
    """Write the whole database to one file, while the service goes on. Wrapped signing keys are in it."""
    settings = load_settings()

    async def run() -> None:
        master = _master_key_file(settings).read_bytes() if with_master_key else None
        async with _database(settings, alone=False) as database:
            manifest = await back_up(database, file, SystemClock().now_ms(), master_key=master)
        rows = sum(table.rows for table in manifest.tables)
        typer.echo(f"{file}: {rows:,} rows of {len(manifest.tables)} tables, schema {manifest.revision}")

    try:
        asyncio.run(run())
    except FileNotFoundError as error:
        raise ConfigError(f"there is no {error.filename}") from None


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file of `rollcall backup`.")]) -> None:
    """Fill an empty database from a backup, of either kind of database; a master key in it is put back too."""
    settings = load_settings()

    async def run() -> None:
        _, master = inspect_backup(file)
        async with _database(settings, alone=True) as database:
            manifest = await restore_backup(database, file)
        if master is not None:
            _put_master_key(_master_key_file(settings), master)
        typer.echo(f"restored {sum(table.rows for table in manifest.tables):,} rows, schema {head_revision()}")

    asyncio.run(run())


@app.command()
def dashboard_erase(user_id: Annotated[str, typer.Argument(help="Whose Discord id.")]) -> None:
    """Erase somebody from the dashboard: sign-ins, roles, who they are. What servers hold of them is the tracker's to erase."""
    from attendance.wiring.dashboard import erase_from_dashboard  # noqa: PLC0415  # as above

    asyncio.run(erase_from_dashboard(load_settings(), user_id))
    typer.echo("erased; whoever it was may sign in again, and a ban in force holds")


def _master_key_file(settings: Settings) -> Path:
    return settings.master_key_file or settings.data_dir / FILE_NAME


def _put_master_key(path: Path, key: bytes) -> None:
    if path.exists():
        if path.read_bytes() != key:
            typer.echo(f"{path} holds another master key and was left alone: unlock the signing keys by passphrase", err=True)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(key)
