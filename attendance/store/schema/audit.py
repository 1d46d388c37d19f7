"""Who changed what, API tokens, and corrections.

An audit row is written in the transaction that makes the change, and never edited.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table, Text, Uuid

from attendance.store.schema.columns import RowId, metadata, ms, snowflake

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True),
    snowflake("guild_id"),
    ms("at_ms"),
    snowflake("actor_id", nullable=True),  # null: Rollcall itself
    Column("via", String(8), nullable=False),  # api, token, slash, system
    Column("token_id", Uuid, nullable=True),  # via an API token
    Column("address", String(45), nullable=True),  # from where, as far as trusted proxies say
    Column("action", String(40), nullable=False),  # e.g. fairness.update
    Column("target", Text, nullable=True),  # the id of what was changed, where there are several
    Column("before", Text, nullable=True),  # JSON objects, without secrets
    Column("after", Text, nullable=True),
    Index(None, "guild_id", "at_ms", "id"),
    sqlite_autoincrement=True,
)

api_token = Table(
    "api_token",
    metadata,
    Column("token_id", Uuid, primary_key=True),
    snowflake("guild_id"),
    Column("name", Text, nullable=False),
    Column("token_sha256", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),  # JSON list
    snowflake("created_by"),
    ms("created_at_ms"),
    ms("expires_at_ms", nullable=True),
    ms("last_used_at_ms", nullable=True),  # to the minute
    ms("revoked_at_ms", nullable=True),
    Index(None, "token_sha256", unique=True),
    Index(None, "guild_id"),
)

correction = Table(
    "correction",
    metadata,
    Column("correction_id", Uuid, primary_key=True),
    snowflake("guild_id"),
    Column("session_id", Uuid, nullable=False),
    snowflake("user_id"),
    snowflake("channel_id"),
    Column("period_index", BigInteger, nullable=False),
    ms("at_ms"),  # the session's last millisecond: where the correction counts
    Column("delta_ms", BigInteger, nullable=False),
    snowflake("actor_id"),
    Column("note", Text, nullable=False),
    Column("idempotency_key", String(80), nullable=True),
    ms("created_at_ms"),
    Column("after_archive", Boolean, nullable=False),  # not in the archived entries: shown beside them
    Index(None, "guild_id", "session_id"),
    Index(None, "guild_id", "period_index", "user_id"),
    Index(None, "guild_id", "user_id", "at_ms"),
    Index(None, "guild_id", "idempotency_key", unique=True),
)
