"""The demo's data folder: made with its history before anything else happens in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from attendance.config import Settings
from attendance.errors import ConfigError
from attendance.store.data_folder import own_data_folder
from attendance.store.database import open_database
from attendance.store.migrate import prepare
from attendance.store.provenance import SqlProvenanceStore


def stands(folder: Path) -> bool:
    """Whether a folder has anything in it."""
    return folder.exists() and any(folder.iterdir())


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of ``folder``, which is not there or empty, once the block has ended well.

    Dying within leaves it beside the other, where nobody looks at it, and the next start begins anew.

    Raises:
        ConfigError: the folder or the one around it cannot be written.
    """
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        try:
            yield made
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise ConfigError(f"the demo's folder {folder} cannot be made: {error.strerror}") from error


async def history_of(settings: Settings) -> int | None:
    """Since when the made-up history in an embedded database goes (Unix milliseconds); None if it has none that is whole.

    Raises:
        ConflictError: another process uses the data folder.
    """
    with own_data_folder(settings.data_dir):
        database = open_database(settings.database_url)
        try:
            await prepare(database)
            made_up = (await SqlProvenanceStore(database).read()).made_up
        finally:
            await database.close()
    return None if made_up is None or not made_up.complete else made_up.since_ms
