"""Users, sessions, roles, bans, activity"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "d0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    version = op.create_table(
        "account_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_version"),
    )
    op.bulk_insert(version, [{"id": 1, "version": 0}])
    op.create_table(
        "account",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("global_name", sa.Text(), nullable=True),
        sa.Column("avatar", sa.Text(), nullable=True),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("signed_in_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_account"),
    )
    op.create_table(
        "session",
        sa.Column("session_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("authenticated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(45), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["account.user_id"], name="fk_session_user_id"),
        sa.PrimaryKeyConstraint("session_sha256", name="pk_session"),
    )
    op.create_index("ix_session_user_id", "session", ["user_id"])
    op.create_index("ix_session_expires_at_ms", "session", ["expires_at_ms"])
    op.create_table(
        "discord_token",
        sa.Column("session_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_sha256"], ["session.session_sha256"], name="fk_discord_token_session_sha256", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_sha256", name="pk_discord_token"),
    )
    role = op.create_table(
        "role",
        sa.Column("role_id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("colour", sa.String(7), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("role_id", name="pk_role"),
    )
    # The built-in role: what it is, dashboard/domain/roles.py says; here it is something to assign.
    op.bulk_insert(
        role, [{"role_id": "super_admin", "name": "Super admin", "colour": "#7B1FA2", "priority": 1000, "permissions": "[]"}]
    )
    op.create_table(
        "role_assignment",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.String(32), nullable=False),
        sa.Column("assigned_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assigned_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["account.user_id"], name="fk_role_assignment_user_id"),
        sa.ForeignKeyConstraint(["role_id"], ["role.role_id"], name="fk_role_assignment_role_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "role_id", name="pk_role_assignment"),
    )
    op.create_index("ix_role_assignment_role_id", "role_assignment", ["role_id"])
    op.create_table(
        "ban",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("banned_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("banned_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("lifted_by", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("lifted_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["account.user_id"], name="fk_ban_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ban"),
        sqlite_autoincrement=True,
    )
    in_force = sa.text("lifted_at_ms IS NULL")
    op.create_index("ix_ban_in_force", "ban", ["user_id"], unique=True, sqlite_where=in_force, postgresql_where=in_force)
    op.create_table(
        "activity",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("address", sa.String(45), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_activity"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_activity_at_ms_id", "activity", ["at_ms", "id"])
    op.create_index("ix_activity_user_id_at_ms_id", "activity", ["user_id", "at_ms", "id"])
    op.create_index("ix_activity_action_at_ms_id", "activity", ["action", "at_ms", "id"])
