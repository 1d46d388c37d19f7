"""Settings and rules: only the guild's owner writes, from `command` rows that anyone with the right may insert."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table

from attendance.store.schema.columns import metadata, ms, snowflake

guild_settings = Table(
    "guild_settings",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("tracking_mode", String(12), nullable=False),
    Column("pause_on_mute", Boolean, nullable=False),
    Column("pause_on_deafen", Boolean, nullable=False),
    Column("pause_when_solo", Boolean, nullable=False),
    Column("min_session_seconds", Integer, nullable=False),
    Column("bridge_gap_seconds", Integer, nullable=False),
    Column("exclude_afk", Boolean, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("reset_interval", String(8), nullable=False),
    Column("reset_anchor", String(8), nullable=False),
    Column("reset_weekday", Integer, nullable=False),
    Column("reset_day", Integer, nullable=False),
    Column("reset_month", Integer, nullable=False),
    Column("reset_hour", Integer, nullable=False),
    ms("last_reset_at_ms", nullable=True),
    ms("next_reset_at_ms", nullable=True),  # null: no resets
    Index(None, "next_reset_at_ms"),
)

tracked_channel = Table(
    "tracked_channel",
    metadata,
    snowflake("guild_id", primary_key=True),
    snowflake("channel_id", primary_key=True),
    sqlite_with_rowid=False,
)

rules_version = Table(
    "rules_version",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    ms("from_ms"),
    Column("rules_sha256", LargeBinary, nullable=False),
    Column("rules", LargeBinary, nullable=False),  # canonical JSON
    snowflake("actor_id", nullable=True),  # null: the gateway (the guild's AFK channel changed) or the default
    Index(None, "guild_id", "rules_sha256"),
)

opt_out = Table(
    "opt_out",
    metadata,
    snowflake("guild_id", primary_key=True),
    snowflake("user_id", primary_key=True),
    ms("since_ms"),
    snowflake("actor_id", nullable=True),  # who asked: only the members themselves undo their own
)
