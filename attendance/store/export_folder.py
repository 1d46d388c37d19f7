"""Built archives as files of one folder, named by what they depend on and by what they hold. See `attendance.ports.exporting`.

A bag is written below a hidden folder, packed there, and takes its name in one step: dying before leaves a hidden folder, which
`sweep` removes. The oldest archives go when all of them together are too large; one that is being read stays readable.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, cast

from attendance.domain.bagit import BagFile
from attendance.domain.ids import GuildId
from attendance.errors import UnavailableError
from attendance.ports.exporting import KeptExport, Progress

DEFAULT_LIMIT_BYTES = 4 * 2**30
_NAME = re.compile(r"(\d{1,19})-(\d{1,10})-([0-9a-f]{64})-([0-9a-f]{64})\.tar\.gz", re.ASCII)
_BUILD_PREFIX = ".build-"
_LEFT_BEHIND_MS = 6 * 3_600_000
# Hashes and signatures do not get smaller: the higher levels take four times as long and save a tenth.
_GZIP_LEVEL = 1
_BLOCK = 2**20
_MAX_OPEN_BYTES = 256 * 2**10


@dataclass(frozen=True, slots=True)
class ExportFolder:
    """`ExportFiles` in a folder, which is created by the first export."""

    folder: Path
    limit_bytes: int = DEFAULT_LIMIT_BYTES

    def find(self, guild_id: GuildId, period_index: int, digest: str) -> KeptExport | None:
        """An archive of what has this digest; it counts as used now."""
        for kept in self._kept(f"{guild_id}-{period_index}-{digest}-*.tar.gz"):
            with _translated(), _gone_is_fine():
                os.utime(kept.path)
                return kept
        return None

    def kept(self) -> Sequence[KeptExport]:
        """Every archive."""
        return self._kept("*.tar.gz")

    def _kept(self, pattern: str) -> list[KeptExport]:
        found = []
        with _translated():
            for path in sorted(self.folder.glob(pattern)):
                match = _NAME.fullmatch(path.name)
                if match is None:
                    continue
                with _gone_is_fine():
                    size = path.stat().st_size
                    found.append(KeptExport(GuildId(int(match[1])), int(match[2]), match[3], match[4], size, path))
        return found

    def drop(self, kept: KeptExport) -> None:
        """Remove an archive."""
        with _translated():
            kept.path.unlink(missing_ok=True)

    def begin(self) -> FolderBagWriter:
        """A new bag."""
        with _translated():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return FolderBagWriter(self, Path(tempfile.mkdtemp(prefix=_BUILD_PREFIX, dir=self.folder)))

    def sweep(self, now_ms: int) -> None:
        """Remove builds that nobody has written to for hours."""
        with _translated():
            for path in self.folder.glob(f"{_BUILD_PREFIX}*"):
                with _gone_is_fine():
                    if path.stat().st_mtime * 1000 < now_ms - _LEFT_BEHIND_MS:
                        shutil.rmtree(path, ignore_errors=True)

    def open(self, kept: KeptExport) -> OpenFile | None:
        """Read an archive."""
        with _translated():
            try:
                return OpenFile(kept.path.open("rb", buffering=0))
            except FileNotFoundError:
                return None

    def make_room(self, newest: Path) -> None:
        """Drop the longest unused archives, but not the newest, until all fit."""
        with _translated():
            aged = []
            for kept in self.kept():
                with _gone_is_fine():
                    aged.append((kept.path.stat().st_mtime_ns, kept))
        total = sum(kept.size for _, kept in aged)
        for _, kept in sorted(aged):
            if total <= self.limit_bytes:
                return
            if kept.path != newest:
                self.drop(kept)
                total -= kept.size


@dataclass(slots=True)
class FolderBagWriter:
    """`BagWriter` in a folder of its own."""

    exports: ExportFolder
    folder: Path
    _files: dict[str, _Growing] = field(default_factory=dict)

    def append(self, path: str, data: bytes) -> None:
        """Add to a file."""
        with _translated():
            growing = self._files.get(path)
            if growing is None:
                # Under a number: what the bag calls it never becomes a path of ours.
                growing = _Growing((self.folder / str(len(self._files))).open("wb"))
                self._files[path] = growing
            growing.add(data)

    def written(self) -> Mapping[str, BagFile]:
        """Every file so far."""
        return {path: BagFile(growing.digest.hexdigest(), growing.size) for path, growing in self._files.items()}

    def read(self, path: str) -> bytes:
        """A whole file."""
        growing = self._files[path]
        with _translated():
            growing.file.flush()
            return Path(growing.file.name).read_bytes()

    def finish(self, kept: tuple[GuildId, int, str], folder: str, mtime_s: int, progress: Progress) -> KeptExport:
        """Pack and keep."""
        guild_id, period_index, digest = kept
        with _translated():
            packed = self.folder / "packed"
            sha256 = self._pack(packed, folder, mtime_s, progress)
            size = packed.stat().st_size
            path = self.exports.folder / f"{guild_id}-{period_index}-{digest}-{sha256}.tar.gz"
            packed.replace(path)
        made = KeptExport(guild_id, period_index, digest, sha256, size, path)
        for other in self.exports.kept():
            if other.guild_id == guild_id and other.period_index == period_index and other.path != path:
                self.exports.drop(other)
        self.exports.make_room(path)
        return made

    def _pack(self, packed: Path, folder: str, mtime_s: int, progress: Progress) -> str:
        total, done = sum(growing.size for growing in self._files.values()), 0
        with packed.open("wb") as file:
            hashed = _Hashed(file)
            # No name and no time in gzip's header, and nothing of us in tar's: the bytes are those of the files alone.
            with (
                gzip.GzipFile(
                    filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=cast("IO[bytes]", hashed), mtime=0
                ) as zipped,
                tarfile.TarFile(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT, copybufsize=_BLOCK) as tar,
            ):
                for path in sorted(self._files):
                    growing = self._files[path]
                    growing.file.close()
                    with Path(growing.file.name).open("rb") as source:
                        tar.addfile(_member(f"{folder}/{path}", growing.size, mtime_s), source)
                    done += growing.size
                    progress("pack", done, total)
            file.flush()
            os.fsync(file.fileno())
            return hashed.digest.hexdigest()

    def discard(self) -> None:
        """Remove what is left."""
        for growing in self._files.values():
            with _gone_is_fine():
                growing.file.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """`OpenExport` of a file."""

    file: IO[bytes]

    def read(self, offset: int, length: int) -> bytes:
        """Some bytes; where the disk gives fewer at once, fewer."""
        with _translated():
            return os.pread(self.file.fileno(), min(length, _MAX_OPEN_BYTES), offset)

    def close(self) -> None:
        """End reading."""
        self.file.close()


@dataclass(slots=True)
class _Growing:
    file: BinaryIO
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, data: bytes) -> None:
        self.file.write(data)
        self.digest.update(data)
        self.size += len(data)


@dataclass(slots=True)
class _Hashed:
    """A file that is hashed while it is written."""

    file: BinaryIO
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def _member(name: str, size: int, mtime_s: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, mtime_s, 0o644
    return member


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"the exports' folder is not available: {error.strerror}") from error


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """Another process may drop what we look at."""
    try:
        yield
    except FileNotFoundError:
        return
