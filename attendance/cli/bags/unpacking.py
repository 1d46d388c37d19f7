"""Unpack an archive that anybody may have written, into a folder of ours.

Only what our own archives have is taken: one gzip member, and in it regular files of one folder, by short relative names, each
once. What is unpacked is bounded by what was handed over, so that a small file cannot fill a disk.
"""

from __future__ import annotations

import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self, cast

from attendance.cli.bags.findings import Fault, UnusableError

CHECK = "archive"
MAX_FILES = 50_000
_CHUNK = 2**20
# Text of hashes and numbers packs to a third or so; sessions that are much alike to a tenth. A bomb comes to a thousandth.
_MAX_RATIO, _ALLOWANCE = 64, 16 * 2**20
_MAX_HEADER, _MAX_PARTS = 65_536, 4
_MAX_HEADERS_AT_ONCE = 2  # an extended one, and that of the file that it is about
_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.XHDTYPE)
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def is_safe(path: str) -> bool:
    """Whether a name stays in its folder, on any system: a few plain parts."""
    parts = path.split("/")
    return len(parts) <= _MAX_PARTS and all(_PART.fullmatch(part) for part in parts)


class Unpacked(NamedTuple):
    """The bag's folder, and the SHA-256 (hex) of each file in it, as it was written."""

    root: Path
    sha256: dict[str, str]


def unpack(file: BinaryIO, size: int, folder: Path) -> Unpacked:
    """Unpack a ``.tar.gz``.

    Args:
        file: The archive, at its beginning.
        size: Its length in bytes.
        folder: An empty folder.

    Raises:
        UnusableError: It is no archive of that kind, was damaged, or was cut short.
        Fault: It is whole, and has what no export has: links, names outside its folder, a name twice, too much.
        OSError: The disk.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="inflate") as ahead:
        source = _Inflated(file, size * _MAX_RATIO + _ALLOWANCE, ahead)
        try:
            return _unpacked(source, folder)
        except Fault:
            source.expect_whole()
            raise


def _unpacked(source: Any, folder: Path) -> Unpacked:  # tar only reads it
    digests: dict[str, str] = {}
    names: set[str] = set()
    root = ""
    try:
        with _Archive.open(fileobj=source, mode="r|", errorlevel=2, bufsize=_CHUNK) as tar:
            for member in tar:
                name = _name(member, names)
                within, path = name.split("/", 1)
                if root not in ("", within):
                    raise Fault(CHECK, "one folder", "two")
                root = within
                digests[path] = _write(tar, member, folder / name)
            _finish(tar)
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise UnusableError(f"it is not a whole tar archive: {error}") from None
    if not root:
        raise UnusableError("the archive is empty")
    return Unpacked(folder / root, digests)


def _name(member: tarfile.TarInfo, names: set[str]) -> str:
    if member.size < 0 or member.pax_headers.keys() - {"path", "size"}:  # sparse files grow out of nothing
        raise Fault(CHECK, "plain files without attributes", member.name)
    if not is_safe(member.name) or "/" not in member.name:
        raise Fault(CHECK, "plain names within one folder", member.name)
    if member.name.lower() in names:  # as file systems that do not tell cases apart would have it
        raise Fault(CHECK, "each name once", member.name)
    names.add(member.name.lower())
    if len(names) > MAX_FILES:
        raise Fault(CHECK, f"at most {MAX_FILES} files", "more")
    return member.name


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    """Write a file that is not there yet; its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    if content is None:
        raise Fault(CHECK, "regular files only", member.name)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    digest, left = sha256(), member.size
    with os.fdopen(descriptor, "wb", buffering=0) as out:
        while left:
            part = content.read(min(left, _CHUNK))
            if not part:
                raise UnusableError("the archive was cut short")
            digest.update(part)
            left -= len(part)
            while part:
                part = part[out.write(part) :]
    return digest.hexdigest()


def _finish(tar: tarfile.TarFile) -> None:
    """Read to the end: only zeros are there. Through tar, which has read ahead."""
    stream = cast("BinaryIO", tar.fileobj)
    while part := stream.read(_CHUNK):
        if part.strip(b"\0"):
            raise Fault(CHECK, "nothing behind the last file", "more bytes")


class _Header(tarfile.TarInfo):
    """A header that is refused before anything behind it is read: what else tar knows is read into memory whole."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        # One that is about another would hide the attributes of that one, sparse files among them.
        assert isinstance(archive, _Archive)  # noqa: S101
        archive.headers_at_once += 1
        if archive.headers_at_once > _MAX_HEADERS_AT_ONCE:
            raise Fault(CHECK, "one extended header for a file", "two")
        try:
            return super().fromtarfile(archive)
        finally:
            archive.headers_at_once -= 1

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if not any(buf) and len(buf) in {0, tarfile.BLOCKSIZE}:
                raise  # the end; tar would take other ones for it too
            raise UnusableError(f"it is not a whole tar archive: {error}") from None
        if header.type not in _TYPES:
            raise Fault(CHECK, "regular files only", f"{header.name}: a link, folder or device")
        if header.size < 0 or (header.type == tarfile.XHDTYPE and header.size > _MAX_HEADER):
            raise Fault(CHECK, f"a header of at most {_MAX_HEADER} bytes", header.size)
        return header


class _Archive(tarfile.TarFile):
    tarinfo = _Header
    headers_at_once = 0


class _Inflated:
    """One gzip member as a stream, up to a limit; a thread is one part ahead."""

    def __init__(self, file: BinaryIO, limit: int, ahead: ThreadPoolExecutor) -> None:
        self.limit = limit
        self._ahead = ahead
        self._parts = self._inflate(file)
        self._next = ahead.submit(next, self._parts, None)
        self._held = b""

    def _inflate(self, file: BinaryIO) -> Iterator[bytes]:
        engine = zlib.decompressobj(wbits=31)
        pending = b""
        try:
            while not engine.eof:
                pending = engine.unconsumed_tail or file.read(_CHUNK)
                if not pending:
                    raise UnusableError("the archive was cut short")
                yield engine.decompress(pending, _CHUNK)
        except zlib.error as error:
            raise UnusableError(f"it is not a whole gzip file: {error}") from None
        if engine.unused_data or file.read(1):
            raise Fault(CHECK, "nothing behind the archive", "more bytes")

    def expect_whole(self) -> None:
        """Read what is left of the member, up to the limit: what a damaged file says against anybody, nobody said.

        Raises:
            UnusableError: It was damaged or cut short.
        """
        with suppress(Fault):
            while self.limit >= 0 and (part := self._next.result()) is not None:
                self.limit -= len(part)
                self._next = self._ahead.submit(next, self._parts, None)

    def read(self, length: int) -> bytes:
        """At most ``length`` bytes, fewer only at the end."""
        parts = [self._held]
        have = len(self._held)
        while have < length:
            part = self._next.result()
            if part is None:
                break
            self._next = self._ahead.submit(next, self._parts, None)
            self.limit -= len(part)
            if self.limit < 0:
                raise Fault(CHECK, f"at most {_MAX_RATIO} times its size when unpacked", "more")
            parts.append(part)
            have += len(part)
        whole = b"".join(parts)
        self._held = whole[length:]
        return whole[:length]
