"""Verified roles, and the subscription that gates what is Pro."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, Uuid

from attendance.store.schema.columns import metadata, ms, snowflake

role_rule = Table(
    "role_rule",
    metadata,
    Column("rule_id", Uuid, primary_key=True),
    snowflake("guild_id"),
    snowflake("role_id"),
    Column("threshold_seconds", Integer, nullable=False),
    Column("scope", String(8), nullable=False),  # period, lifetime
    Column("channel_ids", Text, nullable=False),  # JSON list of ids; empty: all
    Column("remove_below", Boolean, nullable=False),
    Column("last_error", Text, nullable=True),
    snowflake("created_by"),
    ms("created_at_ms"),
    ms("updated_at_ms"),
    Index(None, "guild_id"),
)

role_run = Table(
    "role_run",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    snowflake("guild_id"),
    Column("rule_id", Uuid, nullable=False),
    Column("period_index", Integer, nullable=True),  # judged at this period's end; null: on demand
    Column("state", String(8), nullable=False),  # due, judged (its changes are listed), done, failed
    Column("error", Text, nullable=True),
    ms("created_at_ms"),
    ms("done_at_ms", nullable=True),
    Column("claimed_by", String(64), nullable=True),
    ms("claimed_until_ms", nullable=True),
    Index(None, "rule_id", "period_index", unique=True),  # any number of nulls: a period is judged once
    Index(None, "state"),
)

role_change = Table(
    "role_change",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    snowflake("user_id", primary_key=True),
    snowflake("guild_id"),
    Column("action", String(6), nullable=False),  # grant, remove, keep (has it by this rule: looked after)
    Column("state", String(7), nullable=False),  # waiting, done, failed
    Column("error", Text, nullable=True),  # why it failed, or why nothing had to be done
    Index(None, "run_id", "state", "user_id"),
    Index(None, "guild_id", "user_id"),  # an erasure
    sqlite_with_rowid=False,
)

role_grant = Table(
    "role_grant",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("rule_id", Uuid, primary_key=True),
    snowflake("user_id", primary_key=True),  # has the role by this rule: only these are ever removed
    ms("granted_at_ms"),
    sqlite_with_rowid=False,
)

subscription = Table(
    "subscription",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("tier", String(8), nullable=False),  # free, pro: as an operator set it
    ms("renews_at_ms", nullable=True),
    snowflake("updated_by", nullable=True),
    ms("updated_at_ms"),
)

entitlement = Table(
    "entitlement",
    metadata,
    snowflake("entitlement_id", primary_key=True),
    snowflake("guild_id"),
    snowflake("sku_id"),
    ms("starts_at_ms", nullable=True),
    ms("ends_at_ms", nullable=True),
    Column("deleted", Boolean, nullable=False),
    ms("updated_at_ms"),
    Index(None, "guild_id"),
)
