"""Records of about a kilobyte, stored by SQLite without a page of overflow for each"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'

_COLUMNS = 'guild_id, guild_seq, type, record_sha256, body, signature, kid, signed_at_ms, session_id, period_index'


def upgrade() -> None:
    if op.get_bind().dialect.name != 'sqlite':
        return
    op.drop_index(op.f('ix_record_guild_id_type_period_index_guild_seq_record_sha256'), table_name='record')
    op.drop_index(op.f('ix_record_session_id'), table_name='record')
    op.rename_table('record', 'record_of_0003')
    op.create_table(
        'record',
        sa.Column('guild_id', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('guild_seq', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('type', sa.String(length=24), nullable=False),
        sa.Column('record_sha256', sa.LargeBinary(), nullable=False),
        sa.Column('body', sa.LargeBinary(), nullable=True),
        sa.Column('signature', sa.LargeBinary(), nullable=True),
        sa.Column('kid', sa.String(length=43), nullable=False),
        sa.Column('signed_at_ms', sa.BigInteger(), nullable=False),
        sa.Column('session_id', sa.Uuid(), nullable=True),
        sa.Column('period_index', sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint('guild_id', 'guild_seq', name=op.f('pk_record')),
    )
    op.execute(f'INSERT INTO record ({_COLUMNS}) SELECT {_COLUMNS} FROM record_of_0003 ORDER BY guild_id, guild_seq')
    op.drop_table('record_of_0003')
    op.create_index(
        op.f('ix_record_guild_id_type_period_index_guild_seq_record_sha256'),
        'record',
        ['guild_id', 'type', 'period_index', 'guild_seq', 'record_sha256'],
        unique=False,
    )
    op.create_index(op.f('ix_record_session_id'), 'record', ['session_id'], unique=True)
