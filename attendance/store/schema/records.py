"""Records: `record_queue` (whoever decides), `chain_head` and `record` (the signer), `signing_key` (the key service)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, Uuid

from attendance.store.schema.columns import RowId, metadata, ms, snowflake

signing_key = Table(
    "signing_key",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("kid", String(43), primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("wrapped", Text, nullable=False),  # under the passphrase: the file form of the records specification
    Column("master_wrapped", Text, nullable=True),  # under the deployment's master key; null: needs the passphrase
    Column("auto_unlock", Boolean, nullable=False),
    Column("state", String(8), nullable=False),  # active, retired, revoked, lost
    ms("created_at_ms"),
    Column("first_guild_seq", BigInteger, nullable=True),  # of key.activate; null until it is signed
    Column("last_guild_seq", BigInteger, nullable=True),  # the last position it is good for; null: open
    ms("unlocked_until_ms", nullable=True),  # a signer that holds it open says so and renews
    ms("loss_told_at_ms", nullable=True),  # when it was announced that nobody holds it open any more; null: somebody does
)

record_queue = Table(
    "record_queue",
    metadata,
    Column("id", RowId, primary_key=True),
    snowflake("guild_id"),
    Column("type", String(24), nullable=False),
    Column("session_id", Uuid, nullable=True),  # voice.session: the draft is built from the session's row
    Column("period_index", Integer, nullable=True),  # leaderboard.period: built from the period's row
    Column("body", Text, nullable=True),  # everything else: the draft's JSON
    ms("created_at_ms"),
    Index(None, "guild_id", "id"),
    Index(None, "session_id"),  # an erasure
    sqlite_autoincrement=True,
)

chain_head = Table(
    "chain_head",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("next_guild_seq", BigInteger, nullable=False),
    Column("head_sha256", LargeBinary, nullable=True),  # null before record 0
    Column("logged_guild_seq", BigInteger, nullable=False, server_default="0"),  # records below it are in the log
)

record = Table(
    "record",
    metadata,
    snowflake("guild_id", primary_key=True),
    Column("guild_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(24), nullable=False),
    Column("record_sha256", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=True),  # exactly the signed bytes; null after an erasure
    Column("signature", LargeBinary, nullable=True),
    Column("kid", String(43), nullable=False),
    ms("signed_at_ms"),
    Column("session_id", Uuid, nullable=True),
    Column("period_index", Integer, nullable=True),  # of a session's or a period's record
    Index(None, "session_id", unique=True),
    # with the hash, so that a root over a million records never touches their bodies
    Index(None, "guild_id", "type", "period_index", "guild_seq", "record_sha256"),
    # With SQLite's rowid, unlike most tables here: without it a row of over 1,002 bytes, which a session's is, spills into an
    # overflow page of its own, 4.7 kB a record in place of 1.4.
)
