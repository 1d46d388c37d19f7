"""API tokens: a secret for programs, good for one guild and for what its scopes say."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from attendance.domain.ids import GuildId, UserId

SECRET_PREFIX = "rc_"  # noqa: S105  # what every secret begins with, so that scanners find leaked ones
MAX_TOKENS = 50
MAX_NAME_CHARACTERS = 80
_SECRET_BYTES = 32
_SECRET = re.compile(r"rc_[A-Za-z0-9_-]{43}", re.ASCII)


class Scope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    EXPORT = "export"
    SETTINGS = "settings"
    ATTENDANCE = "attendance"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret. ``last_used_at_ms`` is to the minute."""

    token_id: UUID
    guild_id: GuildId
    name: str
    scopes: AbstractSet[Scope]
    created_by: UserId
    created_at_ms: int
    expires_at_ms: int | None
    last_used_at_ms: int | None = None


def new_secret(randomness: bytes) -> str:
    """A secret of 256 random bits."""
    if len(randomness) != _SECRET_BYTES:
        raise ValueError("a secret has 32 bytes")
    return SECRET_PREFIX + urlsafe_b64encode(randomness).rstrip(b"=").decode("ascii")


def secret_sha256(secret: str) -> bytes | None:
    """What is stored of a secret; None for what cannot be one.

    A plain hash is enough: nobody guesses 256 random bits. Looking it up by the hash tells nothing by its time.
    """
    return sha256(secret.encode("ascii")).digest() if _SECRET.fullmatch(secret) else None
