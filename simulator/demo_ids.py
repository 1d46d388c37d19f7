"""Ids of the demo world that the README and the tests may name: they never change."""

from __future__ import annotations

from simulator.snowflakes import snowflake_at

_FOUNDED_MS = 1_690_000_000_000
_USERS_BORN_MS = 1_600_000_000_000
_MEMBER_STRIDE = 1_048_576


def demo_guild_id(number: int) -> int:
    """Return the id of demo guild ``number``; neighbours fall into different shards."""
    return snowflake_at(_FOUNDED_MS + number, 7)


def demo_user_id(guild_number: int, number: int) -> int:
    """Return the id of a demo guild's member ``number`` (0 is the owner)."""
    return snowflake_at(_USERS_BORN_MS + guild_number * _MEMBER_STRIDE + number, 1)


def demo_channel_id(guild_number: int, number: int) -> int:
    """Return the id of a demo guild's channel, category or role ``number``."""
    return snowflake_at(_FOUNDED_MS + 1_000_000 + guild_number * 64 + number, 3)


DEMO_GUILD_ID = demo_guild_id(0)
"""The first demo guild."""

DEMO_ADMIN_ID = demo_user_id(0, 1)
"""A human who has Manage Server in every demo guild by a role, and owns none."""

DEMO_MEMBER_ID = demo_user_id(0, 2)
"""An ordinary member of the first demo guild, there on most days: no rights beyond everybody's, and a rich history."""
