"""Ids that look like Discord's and are the same on every run."""

from __future__ import annotations

import base64
import hashlib

DISCORD_EPOCH_MS = 1_420_070_400_000
"""2015-01-01T00:00Z, the instant from which snowflakes count their milliseconds."""

_TIMESTAMP_SHIFT = 22
_DEMO_BORN_MS = 1_700_000_000_000


def snowflake_at(unix_ms: int, worker_bits: int = 0) -> int:
    """Return the snowflake of an instant; ``worker_bits`` (22 bits) tells apart those of one millisecond."""
    return ((unix_ms - DISCORD_EPOCH_MS) << _TIMESTAMP_SHIFT) | (worker_bits & 0x3FFFFF)


def shard_of(guild_id: int, shard_count: int) -> int:
    """Return the shard that serves a guild (Discord's sharding formula)."""
    return (guild_id >> _TIMESTAMP_SHIFT) % shard_count


def bot_token(bot_id: int) -> str:
    """Return a token in Discord's shape: base64 of the bot's id, an issue time and a code, joined by dots."""
    first = base64.urlsafe_b64encode(str(bot_id).encode()).rstrip(b"=").decode()
    code = base64.urlsafe_b64encode(hashlib.sha256(f"simulator-{bot_id}".encode()).digest()[:27]).decode()
    return f"{first}.GsImUL.{code}"


class SnowflakeSource:
    """Gives out ids in a fixed order: the same calls give the same ids on every run."""

    def __init__(self, born_ms: int = _DEMO_BORN_MS) -> None:
        self._next_ms = born_ms

    def next_id(self) -> int:
        """Return a new id, larger than all before it. Neighbours differ in their millisecond, hence in their shard."""
        self._next_ms += 1
        return snowflake_at(self._next_ms, self._next_ms & 0xFFF)
