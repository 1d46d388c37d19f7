"""The transparency log: one a deployment. Written by whoever sequences, by compare-and-swap on `log_head`; never edited.

Who can write here can stop the log, but a head that contradicts the published checkpoint is found at once and never signed.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from attendance.store.schema.columns import metadata, ms, snowflake

log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("origin", Text, nullable=False),  # fixed at the first start
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)

log_entry = Table(
    "log_entry",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("record_sha256", LargeBinary, nullable=False),
    snowflake("guild_id", nullable=True),  # both null: of a deleted guild, or taken back from the tiles
    Column("guild_seq", BigInteger, nullable=True),
    Index(None, "guild_id", "guild_seq", unique=True),  # a record is logged once
)

deployment_key = Table(
    "deployment_key",
    metadata,
    Column("purpose", String(6), primary_key=True),  # log, export
    Column("kid", String(43), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("master_wrapped", Text, nullable=False),  # under the deployment's master key
    ms("created_at_ms"),
)
