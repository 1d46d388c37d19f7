"""What the fold said: sessions, blind intervals and the sums that reports read.

Only the guild's owner writes them, in one transaction with the queue rows that follow from it. Corrections and erasures change
them too, and move the guild's ``sums_revision``.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Uuid

from attendance.store.schema.columns import metadata, ms, snowflake

session = Table(
    "session",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    snowflake("guild_id"),
    Column("ordinal", BigInteger, nullable=False),  # the engine's count of closed sessions in the guild
    snowflake("user_id"),
    snowflake("channel_id"),
    Column("period_index", Integer, nullable=False),
    Column("stay", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    ms("joined_at_ms"),
    ms("left_at_ms"),
    Column("reason", String(16), nullable=False),
    ms("counted_ms"),
    ms("bridged_ms"),
    ms("unwitnessed_ms"),
    ms("deafened_ms"),
    ms("muted_ms"),
    ms("solo_ms"),
    Column("below_minimum", Boolean, nullable=False),
    ms("credited_ms"),
    Column("timeline", LargeBinary, nullable=False),  # canonical JSON [[start, end, status], …]
    Column("rules_sha256", LargeBinary, nullable=False),
    Index(None, "guild_id", "ordinal", unique=True),  # a session is stored once, whatever is replayed
    Index("ix_session_member", "guild_id", "user_id", "left_at_ms", "joined_at_ms"),
    # Which members had a session when, and how many were in a channel at once, are read from these alone.
    Index("ix_session_ended", "guild_id", "left_at_ms", "joined_at_ms", "user_id"),
    Index("ix_session_channel", "guild_id", "channel_id", "left_at_ms", "joined_at_ms", "period_index"),
)

open_session = Table(
    "open_session",
    metadata,
    snowflake("guild_id", primary_key=True),
    snowflake("user_id", primary_key=True),
    snowflake("channel_id"),
    Column("period_index", Integer, nullable=False),
    Column("stay", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    ms("joined_at_ms"),
    Column("status", String(16), nullable=False),  # of the running segment, from since_ms on
    ms("since_ms"),
    Column("timeline", LargeBinary, nullable=False),  # closed segments of [joined_at_ms, since_ms)
    ms("counted_ms"),  # these six: sums over the closed segments
    ms("bridged_ms"),
    ms("unwitnessed_ms"),
    ms("deafened_ms"),
    ms("muted_ms"),
    ms("solo_ms"),
    ms("stay_counted_ms"),  # counted by earlier sessions of the same stay: decides below_minimum with min_session_ms
    ms("min_session_ms"),
    sqlite_with_rowid=False,
)

blind_interval = Table(
    "blind_interval",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # journal position of the `blind` line
    ms("started_at_ms"),
    ms("ended_at_ms", nullable=True),  # null while blind
    Column("cause", String(16), nullable=False),
    Column("ended_by", String(16), nullable=True),  # snapshot, resumed, guild_left
    Index(None, "guild_id", "started_at_ms"),
)

period_member = Table(
    "period_member",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("period_index", Integer, primary_key=True, autoincrement=False),
    snowflake("user_id", primary_key=True),
    ms("credited_ms"),
    Column("session_count", BigInteger, nullable=False),
    ms("unwitnessed_ms"),
    ms("deafened_ms"),
    ms("muted_ms"),
    ms("solo_ms"),
    # the order of a leaderboard; user_id last makes it total. credited_ms is stored negated so that both ascend.
    Column("rank_key", BigInteger, nullable=False),
    Index("ix_period_member_rank", "guild_id", "period_index", "rank_key", "user_id", "session_count"),
    sqlite_with_rowid=False,
)

period_channel = Table(
    "period_channel",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("period_index", Integer, primary_key=True, autoincrement=False),
    snowflake("channel_id", primary_key=True),
    snowflake("user_id", primary_key=True),
    ms("credited_ms"),
    Column("session_count", BigInteger, nullable=False),
    Index(None, "guild_id", "period_index", "user_id"),
    sqlite_with_rowid=False,
)

# Credited time by UTC quarter-hour (start_ms // 900_000): every zone of today is a multiple of it away from UTC.
member_quarter = Table(
    "member_quarter",
    metadata,
    snowflake("guild_id", primary_key=True),
    snowflake("user_id", primary_key=True),
    Column("quarter", Integer, primary_key=True, autoincrement=False),
    Column("period_index", Integer, primary_key=True, autoincrement=False),
    snowflake("channel_id", primary_key=True),
    ms("credited_ms"),
    sqlite_with_rowid=False,
)

channel_quarter = Table(
    "channel_quarter",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("quarter", Integer, primary_key=True, autoincrement=False),
    snowflake("channel_id", primary_key=True),
    ms("credited_ms"),
    sqlite_with_rowid=False,
)
