"""The demo's data folder: made with its history before anything else happens in it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from attendance.config import Settings
from attendance.errors import ConfigError
from attendance.store.data_folder import own_data_folder
from attendance.store.database import open_database
from attendance.store.migrate import prepare
from attendance.store.provenance import SqlProvenanceStore

# Locked for as long as its folder is being made; the system ends the lock with the process.
_LOCK = ".being-made"


def stands(folder: Path) -> bool:
    """Whether a folder has anything in it."""
    return folder.exists() and any(folder.iterdir())


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of ``folder``, which is not there or empty, once the block has ended well.

    Dying within leaves it beside the other, where nobody looks at it; the next start begins anew, and removes it.

    Raises:
        ConfigError: the folder or the one around it cannot be written.
    """
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_abandoned(folder)
        made = Path(mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        lock = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield made
            (made / _LOCK).unlink()
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
            os.close(lock)
    except OSError as error:
        raise ConfigError(f"the demo's folder {folder} cannot be made: {error.strerror}") from error


def _remove_abandoned(folder: Path) -> None:
    for left in folder.parent.glob(f"{folder.name}.*/{_LOCK}"):
        with suppress(FileNotFoundError):  # another start was as quick
            lock = os.open(left, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # it is being made at this moment
            else:
                shutil.rmtree(left.parent)
            finally:
                os.close(lock)


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
