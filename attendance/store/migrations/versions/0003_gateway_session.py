"""Sessions with Discord that outlive a planned restart"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table(
        'gateway_session',
        sa.Column('shard_count', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('shard_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('epoch', sa.BigInteger(), nullable=False),
        sa.Column('session_id', sa.Text(), nullable=False),
        sa.Column('sequence', sa.BigInteger(), nullable=False),
        sa.Column('resume_url', sa.Text(), nullable=False),
        sa.Column('intents', sa.BigInteger(), nullable=False),
        sa.Column('left_at_ms', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('shard_count', 'shard_id', name=op.f('pk_gateway_session')),
    )
