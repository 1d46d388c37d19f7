"""Periods: the owner cuts, the archiver archives."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, LargeBinary, String, Table

from attendance.store.schema.columns import metadata, ms, snowflake

period = Table(
    "period",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("period_index", Integer, primary_key=True, autoincrement=False),
    ms("started_at_ms"),
    ms("ended_at_ms", nullable=True),
    Column("state", String(10), nullable=False),  # running, cut (decided), closed (its sessions are stored), archived
    Column("reason", String(10), nullable=True),  # schedule, manual
    Column("claimed_by", String(64), nullable=True),  # the archiver at work on it
    ms("claimed_until_ms", nullable=True),
    Column("entry_count", BigInteger, nullable=True),
    Column("entries_root", LargeBinary, nullable=True),
    # By how many the chain's session records of this period exceed what the entries count (below 0: fall short of it), because
    # sessions were erased before the period was archived, or before they were signed.
    Column("erased_sessions", BigInteger, nullable=False, server_default="0"),
    Index(None, "state"),
)

period_entry = Table(
    "period_entry",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("period_index", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),  # 0-based, the order of entries_root
    snowflake("user_id", nullable=True),  # null after an erasure
    Column("rank", Integer, nullable=False),
    ms("credited_ms"),
    Column("session_count", BigInteger, nullable=False),
    Column("salt", LargeBinary, nullable=True),
    Column("leaf_sha256", LargeBinary, nullable=False),
    ForeignKeyConstraint(["guild_id", "period_index"], ["period.guild_id", "period.period_index"]),
    Index("ix_period_entry_user", "guild_id", "period_index", "user_id"),
    sqlite_with_rowid=False,
)
