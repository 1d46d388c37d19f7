"""The log's tiles and checkpoint as files below one folder. See `attendance.ports.transparency_log.LogFiles`.

Every write goes to a file of its own that then takes its place, both made durable, so that a reader, and a start after a
power cut, finds each file whole or not at all. Several processes may write: tiles are the same bytes from everyone, and the
checkpoint is moved under a lock.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from attendance.core import read_checkpoint
from attendance.errors import ConflictError, LogError, UnavailableError

_CHECKPOINT = "checkpoint"
_LOCK = ".lock"
# A disk takes many small durable writes at once far quicker than one after the other.
_WRITERS = 8


@dataclass(frozen=True, slots=True)
class LogFolder:
    """`LogFiles` in a folder, which is created on the first write."""

    folder: Path

    def read(self, path: str) -> bytes | None:
        """A file's bytes."""
        try:
            return (self.folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unavailable(error) from error

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Store tiles."""
        try:
            for folder in {(self.folder / path).parent for path, _ in files}:
                folder.mkdir(parents=True, exist_ok=True)
            with ThreadPoolExecutor(min(_WRITERS, max(1, len(files)))) as pool:
                list(pool.map(self._write_tile, files))
            for folder in {(self.folder / path).parent for path, _ in files}:
                _make_durable(folder)
        except OSError as error:
            raise _unavailable(error) from error

    def _write_tile(self, file: tuple[str, bytes]) -> None:
        path, data = file
        present = self.read(path)
        if present is None:
            _replace(self.folder / path, data)
        elif present != data:
            raise ConflictError(f"the log's {path} has other bytes than its entries give")

    def checkpoint(self) -> bytes | None:
        """The published checkpoint."""
        return self.read(_CHECKPOINT)

    def publish(self, checkpoint: bytes, size: int) -> None:
        """Replace the checkpoint by a larger one."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                published = self.checkpoint()
                if published is not None and _size_of(published) >= size:
                    return
                _replace(self.folder / _CHECKPOINT, checkpoint)
                _make_durable(self.folder)
        except OSError as error:
            raise _unavailable(error) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _size_of(published: bytes) -> int:
    try:
        return read_checkpoint(published)[1]
    except LogError as error:
        raise ConflictError(f"the published checkpoint cannot be read: {error.message}") from error


def _replace(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unavailable(error: OSError) -> UnavailableError:
    return UnavailableError(f"the log's folder is not available: {error.strerror}")
