"""The tables. Steps from one version of them to the next are in ``migrations/versions``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

from attendance.sql.columns import NAMING_CONVENTION, RowId, ms, snowflake

metadata = MetaData(naming_convention=NAMING_CONVENTION)

# One row. Whoever changes who may do what moves it on, from the version that they read: two who decide at once cannot both win.
account_version = Table(
    "account_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)

account = Table(
    "account",
    metadata,
    snowflake("user_id", primary_key=True),
    Column("username", Text, nullable=False),
    Column("global_name", Text, nullable=True),
    Column("avatar", Text, nullable=True),  # Discord's hash of it
    Column("search", Text, nullable=False),  # both names, folded: SQLite folds ASCII only
    ms("created_at_ms"),  # the first sign-in
    ms("signed_in_at_ms"),  # the last one
)

session = Table(
    "session",
    metadata,
    Column("session_sha256", LargeBinary, primary_key=True),  # of the id in the cookie
    Column("user_id", BigInteger, ForeignKey("account.user_id"), nullable=False),
    ms("created_at_ms"),
    ms("last_seen_at_ms"),  # to the minute
    ms("expires_at_ms"),
    ms("authenticated_at_ms"),
    ms("revoked_at_ms", nullable=True),
    Column("address", String(45), nullable=True),
    Column("user_agent", Text, nullable=True),
    Index(None, "user_id"),
    Index(None, "expires_at_ms"),
)

discord_token = Table(
    "discord_token",
    metadata,
    Column(
        "session_sha256",
        LargeBinary,
        ForeignKey("session.session_sha256", ondelete="CASCADE"),
        primary_key=True,
        nullable=False,
    ),
    Column("sealed", LargeBinary, nullable=False),
)

role = Table(
    "role",
    metadata,
    Column("role_id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("colour", String(7), nullable=False),  # #RRGGBB
    Column("priority", Integer, nullable=False),
    Column("permissions", Text, nullable=False),  # JSON list
)

role_assignment = Table(
    "role_assignment",
    metadata,
    Column("user_id", BigInteger, ForeignKey("account.user_id"), primary_key=True, autoincrement=False),
    Column("role_id", String(32), ForeignKey("role.role_id", ondelete="CASCADE"), primary_key=True),
    snowflake("assigned_by"),
    ms("assigned_at_ms"),
    Index(None, "role_id"),
)

ban = Table(
    "ban",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("account.user_id"), nullable=False),
    Column("reason", Text, nullable=False),
    snowflake("banned_by"),
    ms("banned_at_ms"),
    snowflake("lifted_by", nullable=True),
    ms("lifted_at_ms", nullable=True),
    # At most one that holds.
    Index(
        "ix_ban_in_force",
        "user_id",
        unique=True,
        sqlite_where=text("lifted_at_ms IS NULL"),
        postgresql_where=text("lifted_at_ms IS NULL"),
    ),
    sqlite_autoincrement=True,
)

# Rows are added in the transaction that does what they say, never edited, and deleted after `ACTIVITY_DAYS`.
activity = Table(
    "activity",
    metadata,
    Column("id", RowId, primary_key=True),
    ms("at_ms"),
    snowflake("user_id"),  # who did it
    snowflake("subject_id", nullable=True),  # to whom
    Column("action", String(40), nullable=False),
    Column("details", Text, nullable=False),
    Column("address", String(45), nullable=True),
    Index(None, "at_ms", "id"),
    Index(None, "user_id", "at_ms", "id"),
    Index(None, "action", "at_ms", "id"),
    sqlite_autoincrement=True,
)
