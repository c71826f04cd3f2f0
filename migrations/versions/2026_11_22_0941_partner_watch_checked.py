"""The widened CHECK of deadline kinds is validated, in a transaction of its own.

Revision: partner_watch_checked, after partner_watch.
"""

from alembic import op

revision = "partner_watch_checked"
down_revision = "partner_watch"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("alter table supplier_deadline validate constraint supplier_deadline_kind")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
