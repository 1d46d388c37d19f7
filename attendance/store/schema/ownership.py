"""Who records what: shard leases and the sessions they leave, written by the gateway role, by compare-and-swap on ``epoch``.

And from where.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text

from attendance.store.schema.columns import metadata, ms

deployment = Table(
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: locked while leases change hands
    ms("created_at_ms"),
)

shard_lease = Table(
    "shard_lease",
    metadata,
    Column("shard_count", Integer, primary_key=True, autoincrement=False),
    Column("shard_id", Integer, primary_key=True, autoincrement=False),
    Column("holder", String(64), nullable=False),
    Column("epoch", BigInteger, nullable=False),  # grows by one each time the lease changes hands
    ms("expires_at_ms"),
    ms("alive_at_ms"),  # the last durable sign of life from Discord: a restart is blind from here
    Column("connected", Boolean, nullable=False),
)

# What this database was recorded from: hosts of Discord's REST API, noted before the first observation from there, or what
# `rollcall demo-history` made up. Nothing is ever made up where anything was recorded, nor recorded from Discord on top of it.
provenance = Table(
    "provenance",
    metadata,
    Column("source", String(255), primary_key=True),
    ms("since_ms"),  # of what was made up: its first instant
    Column("complete", Boolean, nullable=False),  # false while it is still being made up
    sqlite_with_rowid=False,
)

# A session with Discord that an owner left at a planned stop. It is there only between that stop and the next start.
gateway_session = Table(
    "gateway_session",
    metadata,
    Column("shard_count", Integer, primary_key=True, autoincrement=False),
    Column("shard_id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),  # of the owner that left it: only the next one may have it
    Column("session_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("resume_url", Text, nullable=False),
    Column("intents", BigInteger, nullable=False),
    ms("left_at_ms"),
)
