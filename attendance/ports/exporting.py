"""What period exports are read from, and where they are kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from attendance.domain.bagit import BagFile
from attendance.domain.ids import GuildId
from attendance.ports.signing import StoredRecord
from attendance.ports.transparency_log import DeploymentKey

# What is being done, how much of it, and of how much.
Progress = Callable[[str, int, int], None]


class ExportSource(NamedTuple):
    """A period as far as it can be exported. ``record`` and ``leaf_index`` are None until it is signed and sequenced."""

    state: str
    record: StoredRecord | None
    leaf_index: int | None
    anonymous_entries: int


class Redaction(NamedTuple):
    """A ``record.redacted``, or the draft of one that waits for its signature (``guild_seq`` is None).

    ``mark`` tells it from every other: the record's SHA-256, or that of the draft.
    """

    guild_seq: int | None
    mark: bytes
    body: bytes


class ChainRow(NamedTuple):
    """A record of a chain, and its session's timeline if it is a session's. ``body`` is None after an erasure."""

    guild_seq: int
    type: str
    record_sha256: bytes
    body: bytes | None
    signature: bytes | None
    kid: str
    period_index: int | None
    timeline: bytes | None


class EntryRow(NamedTuple):
    """A line of an archived leaderboard; ``user_id`` and ``salt`` are None after an erasure."""

    user_id: int | None
    rank: int
    credited_ms: int
    session_count: int
    salt: bytes | None
    leaf_sha256: bytes


class ExportStore(Protocol):
    """What an export is made of. Raises UnavailableError when the database is away."""

    async def deployment_key(self, purpose: str) -> DeploymentKey | None:
        """The deployment's key for a purpose, ``log`` or ``export``."""
        ...

    async def create_key(self, purpose: str, key: DeploymentKey, now_ms: int) -> None:
        """Store a key unless somebody else was faster: theirs stands then."""
        ...

    async def deployment_keys(self) -> list[tuple[str, bytes]]:
        """(kid, public key) of every key of the deployment itself."""
        ...

    async def log_origin(self) -> str | None:
        """The name of the transparency log; None before there is one."""
        ...

    async def source(self, guild_id: GuildId, period_index: int) -> ExportSource | None:
        """The period; None for one that is not known."""
        ...

    async def redactions(self, guild_id: GuildId) -> list[Redaction]:
        """Every redaction of the guild, those that wait for their signature last; in order."""
        ...

    async def key_records(self, guild_id: GuildId, last_guild_seq: int) -> list[int]:
        """Positions of the guild's key records up to one, in order."""
        ...

    async def leaves(self, guild_id: GuildId, positions: Collection[int]) -> Mapping[int, tuple[int, bytes]]:
        """Leaf index and record hash in the log, by position; those not sequenced are left out."""
        ...

    def chain(self, guild_id: GuildId, first: int, last: int) -> AsyncGenerator[list[ChainRow], None]:
        """The records from one position to another, many at a time. Not one transaction."""
        ...

    def entries(self, guild_id: GuildId, period_index: int) -> AsyncGenerator[list[EntryRow], None]:
        """The archived leaderboard in its order, many at a time. Not one transaction."""
        ...

    async def rules(self, guild_id: GuildId, digests: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Canonical rules by their SHA-256."""
        ...

    async def public_keys(self, guild_id: GuildId, kids: Collection[str]) -> Mapping[str, bytes]:
        """Public keys of the guild by their ids."""
        ...


class KeptExport(NamedTuple):
    """An archive that was built. ``digest`` (hex) is of all that it depends on, ``sha256`` (hex) of its bytes."""

    guild_id: GuildId
    period_index: int
    digest: str
    sha256: str
    size: int
    path: Path


class BagWriter(Protocol):
    """Files of a bag that is being built. Blocking: call from a thread, one at a time.

    Raises UnavailableError when the disk is full or away.
    """

    def append(self, path: str, data: bytes) -> None:
        """Add to a file, which is created."""
        ...

    def written(self) -> Mapping[str, BagFile]:
        """Every file so far."""
        ...

    def read(self, path: str) -> bytes:
        """A whole file."""
        ...

    def finish(self, kept: tuple[GuildId, int, str], folder: str, mtime_s: int, progress: Progress) -> KeptExport:
        """Pack everything below one folder and keep it as the archive of (guild, period, digest).

        The bytes follow from the files' names and contents, ``folder`` and ``mtime_s``. Other archives of the period go.
        """
        ...

    def discard(self) -> None:
        """Remove what was written and is not kept. Can be called at any time, and again."""
        ...


class OpenExport(Protocol):
    """An archive that is being read: it stays readable when it is dropped meanwhile. Blocking."""

    def read(self, offset: int, length: int) -> bytes:
        """At most so many bytes from a position."""
        ...

    def close(self) -> None:
        """End reading."""
        ...


class ExportFiles(Protocol):
    """Archives that were built, kept as long as there is room. Blocking: call from a thread.

    Who can write here can hand out another archive under our name, which does not verify.
    """

    def find(self, guild_id: GuildId, period_index: int, digest: str) -> KeptExport | None:
        """The archive of a period, if it was built from what has this digest."""
        ...

    def kept(self) -> Sequence[KeptExport]:
        """Every archive."""
        ...

    def drop(self, kept: KeptExport) -> None:
        """Remove an archive, if it is there."""
        ...

    def begin(self) -> BagWriter:
        """Room for a new bag."""
        ...

    def sweep(self, now_ms: int) -> None:
        """Remove what builds left behind whose process died."""
        ...

    def open(self, kept: KeptExport) -> OpenExport | None:
        """Read an archive; None if it was dropped meanwhile."""
        ...
