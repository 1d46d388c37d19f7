"""The directory: what Discord calls things. The guild's owner writes, from the gateway."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text

from attendance.store.schema.columns import metadata, ms, snowflake

guild = Table(
    "guild",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("name", Text, nullable=False),
    snowflake("owner_id"),
    snowflake("afk_channel_id", nullable=True),
    ms("first_seen_at_ms"),
    ms("left_at_ms", nullable=True),  # null: the bot is there
)

channel = Table(
    "channel",
    metadata,
    snowflake("guild_id", primary_key=True),
    snowflake("channel_id", primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    snowflake("parent_id", nullable=True),
    Column("position", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),  # kept: old sessions still need a name
    sqlite_with_rowid=False,
)

member = Table(
    "member",
    metadata,
    snowflake("guild_id", primary_key=True),
    snowflake("user_id", primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("bot", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
