"""Reading the published log: tiles, proofs, and a check of everything, without the database."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from attendance.core import (
    LogTree,
    consistency_paths,
    consistency_proof,
    inclusion_paths,
    inclusion_proof,
    open_checkpoint,
    read_checkpoint,
    read_log_bundle,
)
from attendance.domain.transparency_log import LogHead
from attendance.errors import InvalidRecordError, LogError, UnavailableError
from attendance.ports.transparency_log import LogFiles

BUNDLE = 256
_BUNDLED_BYTES = 35
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class PublishedLog:
    """A checkpoint as it was published: its note, and the size that it names."""

    note: bytes
    size: int


@dataclass(frozen=True, slots=True)
class PublicLog:
    """What everybody may read of the log."""

    files: LogFiles

    @property
    def reader(self) -> LogReader:
        """Tiles and proofs."""
        return LogReader(self.files)

    async def published(self) -> PublishedLog | None:
        """The checkpoint, or None before the first.

        Raises:
            UnavailableError: The folder is away, or what lies there is no checkpoint.
        """
        note = await to_thread(self.files.checkpoint)
        try:
            return None if note is None else PublishedLog(note, read_checkpoint(note)[1])
        except LogError as error:
            raise UnavailableError("the published checkpoint cannot be read") from error


@dataclass(frozen=True, slots=True)
class LogReader:
    """Reads what was published. Blocking: call from a thread."""

    files: LogFiles

    def tree(self, size: int) -> LogTree:
        """The tree of a size, of which the right edge is read.

        Raises:
            LogError: A tile is missing or damaged.
            InvalidRecordError: Entries and hashes do not agree.
        """
        return LogTree(size, self._tiles(LogTree.edge_paths(size)))

    def inclusion(self, size: int, index: int) -> list[bytes]:
        """The inclusion proof of a leaf in the tree of a size.

        Raises:
            LogError: A tile is missing or damaged.
        """
        return inclusion_proof(size, index, self._tiles(inclusion_paths(size, index)))

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """The consistency proof between two sizes.

        Raises:
            LogError: A tile is missing or damaged.
        """
        return consistency_proof(old_size, new_size, self._tiles(consistency_paths(old_size, new_size)))

    def bundle(self, first: int, size: int) -> bytes:
        """Record hashes of the bundle that begins at a leaf, in the tree of a size.

        Raises:
            LogError: It is missing or damaged.
        """
        path = entries_path(first // BUNDLE, min(BUNDLE, size - first))
        data = self.tile(path)
        if data is None:
            raise LogError(f"{path} is missing")
        return read_log_bundle(data)

    def tile(self, path: str) -> bytes | None:
        """A tile. A partial one that nobody wrote, since the tree grew past it at once, is the beginning of a longer one."""
        data = self.files.read(path)
        stem, partial, width = path.partition(".p/")
        if data is not None or not partial:
            return data
        each = _BUNDLED_BYTES if stem.startswith("tile/entries/") else _HASH_BYTES
        for longer in range(int(width) + 1, BUNDLE + 1):
            data = self.files.read(stem if longer == BUNDLE else f"{stem}.p/{longer}")
            if data is not None:
                return data[: each * int(width)]
        return None

    def _tiles(self, paths: Sequence[str]) -> dict[str, bytes]:
        found = {path: self.tile(path) for path in paths}
        return {path: data for path, data in found.items() if data is not None}

    def check(self, vkey: str, progress: Callable[[int, int], None]) -> LogHead | None:
        """Verify the whole log again from its entries: every tile, the root, and the checkpoint's signature.

        Args:
            vkey: The key that must have signed the checkpoint.
            progress: Called with the leaves done, and their number.

        Returns:
            What the checkpoint says; None where nothing was published.

        Raises:
            LogError: A file is missing or damaged, and which.
            InvalidRecordError: The checkpoint is not signed by the key, or its root is not that of the entries.
        """
        published = self.published(vkey)
        if published is None:
            return None
        tree = LogTree()
        for first in range(0, published.size, BUNDLE):
            for path, expected in tree.append(self.bundle(first, published.size)):
                final = ".p/" not in path or tree.size == published.size
                if final and self.tile(path) != expected:
                    raise LogError(f"{path} is not what the entries give")
            progress(tree.size, published.size)
        if tree.root() != published.root:
            raise InvalidRecordError(f"expected root {published.root.hex()} as signed, found {tree.root().hex()}")
        return published

    def published(self, vkey: str) -> LogHead | None:
        """What the published checkpoint says; None before the first.

        Raises:
            LogError: What lies there is no checkpoint.
            InvalidRecordError: It is not signed by the key.
        """
        note = self.files.checkpoint()
        return None if note is None else LogHead(*open_checkpoint(note, vkey))


def entries_path(index: int, width: int) -> str:
    """The path of an entry bundle (C2SP tlog-tiles)."""
    groups = [f"{index % 1000:03}"]
    while index >= 1000:  # noqa: PLR2004
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return "tile/entries/" + "/".join(groups) + ("" if width == BUNDLE else f".p/{width}")
