"""The CHECKs of `promise_life` are validated in a transaction of their own: it reads under a lock that lets everybody write.

Revision: promise_life_checked, after promise_life.
"""

from alembic import op

revision = "promise_life_checked"
down_revision = "promise_life"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("alter table order_line validate constraint order_line_min_life_days")
    op.execute("alter table promise validate constraint promise_cause_kind")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
