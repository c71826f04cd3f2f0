"""The CHECKs that earlier revisions added NOT VALID are validated, in a transaction of their own: it reads the tables under
a lock that lets everybody read and write.

Revision: settled, after dead_runs.
"""

from alembic import op

revision = "settled"
down_revision = "dead_runs"
branch_labels = None
depends_on = None

CHECKS = (
    ("backorder", "backorder_not_pending"),
    ("lot", "lot_not_over_claimed"),
    ("order_line", "order_line_kit_quantity"),
    ("order_line", "order_line_times_bumped"),
    ("order_line", "order_line_whole_kit_facts"),
    ("promise", "promise_cause_kind"),
    ("sku", "sku_expiry_needs_lots"),
    ("sku", "sku_min_life_days"),
    ("supplier_sku", "supplier_sku_expedite"),
)


def upgrade() -> None:
    op.execute("set local role bm_owner")
    for table, check in CHECKS:
        op.execute(f"alter table {table} validate constraint {check}")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
