"""What is sent for a return, and no backorder that rests in CANCEL_PENDING.

Revision: life, after edi. New columns are nullable, so nothing is rewritten.
"""

import sqlalchemy as sa
from alembic import op

revision = "life"
down_revision = "edi"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.add_column("order_return", sa.Column("replacement_sku_id", sa.BigInteger(), nullable=True))
    op.add_column("order_return", sa.Column("replacement_line_id", sa.BigInteger(), nullable=True))
    # a step on the way to CANCELLED: whoever takes it takes the next one in the same transaction
    op.create_check_constraint(op.f("backorder_not_pending"), "backorder", "state <> 'CANCEL_PENDING'")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
