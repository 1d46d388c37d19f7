"""The data folder of an embedded deployment: one process at a time may write in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attendance.errors import ConfigError, ConflictError
from attendance.sql.database import normalise_url

_LOCK = "rollcall.lock"


@contextmanager
def own_data_folder(folder: Path) -> Iterator[None]:
    """Hold the folder's OS lock for as long as the block lasts; created, private to the user, where it is missing.

    The kernel gives the lock back whatever happens to the process, so a crash never leaves it behind.

    Raises:
        ConflictError: another process of this deployment runs on the folder.
        ConfigError: the folder cannot be created or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be written: {error.strerror}") from error
    try:
        _lock(descriptor, folder)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())  # for people; the lock itself is what counts
        yield
    finally:
        os.close(descriptor)


def guards(folder: Path, database_url: str) -> bool:
    """Whether the folder's lock keeps every other process away from the database: it is a file in the folder."""
    database = normalise_url(database_url).database
    return database is not None and Path(database).resolve().is_relative_to(folder.resolve())


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        raise ConflictError(f"the data folder {folder} is in use by process {holder}") from None
