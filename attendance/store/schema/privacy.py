"""Preferences of a guild that are no rules (the API writes), and erasures (the API asks, the eraser carries out)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, Uuid

from attendance.store.schema.columns import metadata, ms, snowflake

guild_preferences = Table(
    "guild_preferences",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("names_shown", Boolean, nullable=False),  # in pictures, logs and webhooks
    Column("retention_days", Integer, nullable=True),  # null: for ever
    Column("read_roles", Text, nullable=False),  # JSON lists of role ids
    Column("write_roles", Text, nullable=False),
    ms("updated_at_ms"),
)

erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", Uuid, primary_key=True),
    snowflake("guild_id"),
    snowflake("user_id", nullable=True),  # both forgotten a day after it ended
    snowflake("requested_by", nullable=True),
    ms("requested_at_ms"),
    ms("due_at_ms"),
    Column("state", String(9), nullable=False),  # waiting, running (cannot be withdrawn any more), withdrawn, done
    ms("ended_at_ms", nullable=True),
    ms("told_at_ms", nullable=True),  # when the member was told in Discord
    Column("tell_error", Text, nullable=True),  # why they could not be told
    Column("claimed_by", String(64), nullable=True),
    ms("claimed_until_ms", nullable=True),
    Index(None, "guild_id", "user_id"),
    Index(None, "state", "due_at_ms"),
)
