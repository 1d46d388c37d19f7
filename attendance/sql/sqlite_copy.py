"""A consistent copy of a SQLite file that is in use, by SQLite's online backup."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path


async def copy_sqlite(source: Path, target: Path) -> None:
    """Copy the last committed state of ``source`` to ``target``, which appears complete or not at all (mode 0600).

    An older ``target`` is replaced. Writers are not stopped.

    Raises:
        OSError: the folder cannot be written.
        sqlite3.Error: ``source`` cannot be read, or the disk is full.
    """
    await asyncio.to_thread(_copy, source, target)


def _copy(source: Path, target: Path) -> None:
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it holds wrapped keys
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as reading,
            closing(sqlite3.connect(unfinished)) as writing,
        ):
            # Without a transaction of its own the copy would begin anew at each commit of a writer, for ever on a busy one.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(writing)
            # One plain file: the copy inherits WAL, and would be opened with two files beside it.
            writing.execute("PRAGMA journal_mode=DELETE")
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)
        _sync_folder(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
