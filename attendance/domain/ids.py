"""Discord snowflakes as distinct types: 63-bit integers inside, decimal strings outside."""

from __future__ import annotations

import re
from typing import NewType

from attendance.errors import InvalidInputError

GuildId = NewType("GuildId", int)
UserId = NewType("UserId", int)
ChannelId = NewType("ChannelId", int)
RoleId = NewType("RoleId", int)
ShardId = NewType("ShardId", int)

MAX_SNOWFLAKE = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def parse_snowflake(text: str, *, name: str = "id") -> int:
    """Read a decimal snowflake exactly: ASCII digits, no sign, no leading zero, below 2^63.

    Raises:
        InvalidInputError: for anything else, naming ``name`` in its details.
    """
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SNOWFLAKE:
        raise InvalidInputError(f"{name} is not a Discord id", details={name: "a decimal number below 2^63"})
    return int(text)


def shard_of(guild_id: GuildId, shard_count: int) -> ShardId:
    """The shard that receives a guild's events (Discord: ``(guild_id >> 22) % num_shards``)."""
    return ShardId((guild_id >> 22) % shard_count)
