"""What guilds are told: log destinations in Discord, webhooks, and the outboxes of both.

Outbox rows (`log_item`, `webhook_delivery`) are put in the transaction that decides what they tell; whoever delivers claims
rows by conditional update. They name sessions and periods and hold nothing of them: what is told is read when it is told.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, Uuid, text

from attendance.store.schema.columns import RowId, metadata, ms, snowflake

log_destination = Table(
    "log_destination",
    metadata,
    Column("destination_id", Uuid, primary_key=True),
    snowflake("guild_id"),
    snowflake("channel_id"),
    Column("types", Text, nullable=False),  # JSON list
    Column("frequency", String(9), nullable=False),  # immediate, hourly, daily, weekly
    ms("created_at_ms"),
    ms("next_due_at_ms", nullable=True),  # null: immediate
    ms("last_delivered_at_ms", nullable=True),
    Column("last_error", Text, nullable=True),
    ms("disabled_at_ms", nullable=True),  # the channel is gone or forbidden: ``last_error`` says why
    ms("checkpoint_due_at_ms", nullable=True),  # null: checkpoints are not among its types
    Index(None, "guild_id", "channel_id", unique=True),
    Index(None, "next_due_at_ms"),
    Index(None, "checkpoint_due_at_ms"),
)

log_message = Table(
    "log_message",
    metadata,
    Column("message_id", Uuid, primary_key=True),  # its nonce in Discord is made of it
    Column("destination_id", Uuid, nullable=False),
    snowflake("guild_id"),
    ms("created_at_ms"),
    Column("attempts", Integer, nullable=False),
    ms("next_attempt_at_ms"),
    Column("claimed_by", String(64), nullable=True),
    ms("claimed_until_ms", nullable=True),
    Index(None, "next_attempt_at_ms"),
    Index(None, "destination_id"),
)

_WAITING = text("message_id IS NULL")

log_item = Table(
    "log_item",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("destination_id", Uuid, nullable=False),
    snowflake("guild_id"),
    Column("type", String(16), nullable=False),  # session_end, period_reset, leaderboard, signing, checkpoint
    Column("session_id", Uuid, nullable=True),
    Column("period_index", Integer, nullable=True),
    Column("body", Text, nullable=True),  # JSON, of what names neither a session nor a period
    ms("created_at_ms"),
    Column("message_id", Uuid, nullable=True),  # the message that tells it
    # What waits for a destination, in order. (PostgreSQL does not take the order from an index that has message_id before id.)
    Index("ix_log_item_waiting", "destination_id", "id", postgresql_where=_WAITING, sqlite_where=_WAITING),
    Index(None, "message_id"),
    Index(None, "session_id"),
    sqlite_autoincrement=True,
)

webhook = Table(
    "webhook",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("url", Text, nullable=True),
    Column("secret", LargeBinary, nullable=True),  # sealed under the deployment's master key, with those before it
    Column("events", Text, nullable=False),  # JSON list
    Column("enabled", Boolean, nullable=False),
    ms("failing_since_ms", nullable=True),
    Column("disabled_reason", Text, nullable=True),  # why it was disabled by itself
    ms("created_at_ms"),
    ms("updated_at_ms"),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),  # the `webhook-id`, the same at every attempt and replay
    snowflake("guild_id"),
    Column("event", String(24), nullable=False),  # session.completed, period.archived, signing.locked, webhook.test
    Column("session_id", Uuid, nullable=True),
    Column("period_index", Integer, nullable=True),
    Column("body", Text, nullable=True),
    ms("created_at_ms"),
    Column("state", String(10), nullable=False),  # waiting, delivered, failed, dropped
    Column("attempts", Integer, nullable=False),  # begun
    ms("next_attempt_at_ms", nullable=True),  # while claimed: when the claim runs out; null: no more
    Column("claimed_by", String(64), nullable=True),  # the attempt at work on it
    Column("last_status", Integer, nullable=True),
    Column("last_error", Text, nullable=True),
    ms("delivered_at_ms", nullable=True),
    Index(None, "guild_id", "next_attempt_at_ms"),
    Index(None, "guild_id", "created_at_ms", "delivery_id"),
    Index(None, "created_at_ms"),
    Index(None, "session_id"),
)

webhook_attempt = Table(
    "webhook_attempt",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    snowflake("guild_id"),
    ms("at_ms"),
    Column("duration_ms", Integer, nullable=False),
    Column("status", Integer, nullable=True),  # null: no answer
    Column("error", Text, nullable=True),
    sqlite_with_rowid=False,
)

external_attendance = Table(
    "external_attendance",
    metadata,
    Column("external_id", String(128), primary_key=True),
    snowflake("guild_id"),
    snowflake("user_id"),
    snowflake("channel_id", nullable=True),
    ms("joined_at_ms"),
    ms("left_at_ms"),
    Column("source", Text, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),  # another body under the same id is a conflict
    ms("created_at_ms"),
    Column("queue_id", BigInteger, nullable=True),
    Index(None, "guild_id", "user_id", "left_at_ms"),
    sqlite_with_rowid=False,
)
