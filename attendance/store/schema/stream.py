"""The stream of each guild: journal, checkpoints and the inbox of commands.

Only the guild's owner writes, but for new commands.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from attendance.store.schema.columns import RowId, metadata, ms, snowflake

stream = Table(
    "stream",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("shard_count", Integer, nullable=False),  # under which count it was last owned: finds its lease's alive_at_ms
    Column("closed_count", BigInteger, nullable=False),  # sessions stored; the engine's ordinals below it are done
    Column("sums_revision", BigInteger, nullable=False, server_default="0"),  # moved by corrections and erasures
)

journal = Table(
    "journal",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    ms("at_ms"),
    snowflake("user_id", nullable=True),
    Column("type", String(16), nullable=False),
    Column("line", LargeBinary, nullable=False),  # the trace line, JSON, without newline
    # user_id last, so that one member's lines of a range are found without reading the others'
    Index(None, "guild_id", "at_ms", "user_id"),
    sqlite_with_rowid=False,
)

checkpoint = Table(
    "checkpoint",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("seq", BigInteger, nullable=False),  # the state is after all journal lines below this position
    Column("state", LargeBinary, nullable=False),
    ms("saved_at_ms"),
)

# Where a replay of the past can begin: at the guild's first line, and a few times a day. Gone with the first line behind it.
milestone = Table(
    "milestone",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # at_ms // 6 h: the first of each is kept
    Column("seq", BigInteger, nullable=False),  # the state is after all journal lines below this position
    ms("at_ms"),  # of the last of them
    Column("state", LargeBinary, nullable=True),  # null: no line yet
    sqlite_with_rowid=False,
)

command = Table(
    "command",
    metadata,
    Column("id", RowId, primary_key=True),
    snowflake("guild_id"),
    Column("kind", String(24), nullable=False),
    Column("body", Text, nullable=False),  # JSON
    snowflake("actor_id"),
    Column("origin", Text, nullable=True),  # JSON: how and from where it was asked, for the audit
    Column("idempotency_key", String(80), nullable=True),
    ms("created_at_ms"),
    ms("applied_at_ms", nullable=True),  # null while it waits for the guild's owner
    Column("result", Text, nullable=True),  # JSON: what the API answers; an "error" member where it was refused
    Index(None, "guild_id", "idempotency_key", unique=True),
    Index("ix_command_waiting", "applied_at_ms", "id"),
    sqlite_autoincrement=True,
)
