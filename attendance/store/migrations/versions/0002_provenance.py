"""Where what is recorded came from"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    # No row is added for what stands already: without one, whatever was recorded counts as recorded from Discord.
    op.create_table(
        'provenance',
        sa.Column('source', sa.String(length=255), nullable=False),
        sa.Column('since_ms', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('complete', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('source', name=op.f('pk_provenance')),
        sqlite_with_rowid=False,
    )
