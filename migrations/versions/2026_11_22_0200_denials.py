"""Denials: how often a caller was refused an operation within a minute.

Revision: denials, after promising.
"""

import sqlalchemy as sa
from alembic import op

revision = "denials"
down_revision = "promising"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.create_table(
        "access_denial",
        sa.Column("principal", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("operation", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), autoincrement=False, nullable=False),
        sa.Column("denials", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("denials > 0", name=op.f("access_denial_denials")),
        sa.PrimaryKeyConstraint("principal", "role", "operation", "minute", name=op.f("access_denial_pkey")),
    )
    op.create_index("access_denial_minute_idx", "access_denial", ["minute"])
    op.execute("grant select, insert, update, delete on access_denial to bm_system")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
