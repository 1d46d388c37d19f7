"""The transparency log as values: heads, and what must hold between them (records specification, section 4)."""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit

from attendance.domain.ids import GuildId

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


class LogHead(NamedTuple):
    """Size and root (RFC 6962) of the log as the database has it."""

    origin: str
    size: int
    root: bytes


class WaitingRecord(NamedTuple):
    """A signed record that is in no log yet."""

    guild_id: GuildId
    guild_seq: int
    record_sha256: bytes


class LogState(StrEnum):
    """How the database's log stands to what was published. All but the first stop signing and publishing."""

    AGREES = "agrees"
    BEHIND = "behind"  # more was published than the database knows: it was restored from a backup
    FORKED = "forked"  # another tree of this size was published


def compare(head: LogHead, published: LogHead | None) -> LogState:
    """Judge a head against the published checkpoint. A published one of smaller size is judged when the tree has grown."""
    if published is None or published.size < head.size:
        return LogState.AGREES
    if published.size > head.size:
        return LogState.BEHIND
    return LogState.AGREES if published.root == head.root else LogState.FORKED


def origin_of(public_url: str | None, kid: str) -> str:
    """The log's name: where the world reaches it, or one that names nothing but its key (``.invalid``, RFC 2606)."""
    if public_url is None:
        return f"{kid}.rollcall.invalid/log"
    parts = urlsplit(public_url)
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}/log"
