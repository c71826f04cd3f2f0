"""What a shortage asks of a SKU's history is found by indexes: recent lines, corrections, blocked units, moves.

Revision: history_lookups, after edi_waiting. The indexes are built beside the traffic; one that a failed try left behind goes first.
"""

from alembic import op

revision = "history_lookups"
down_revision = "edi_waiting"
branch_labels = None
depends_on = None

INDEXES = {
    "order_line_created_idx": "order_line (sku_id, created_at)",
    "stock_movement_found_idx": "stock_movement (sku_id, occurred_at) where kind in ('counted', 'adjusted', 'scrapped')",
    "stock_movement_blocked_idx": "stock_movement (sku_id, location_id, id) where kind = 'quarantined'",
    "stock_movement_transfer_idx": "stock_movement (sku_id, cause_id) where cause_kind = 'transfer'",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("set role bm_owner")
        try:
            for name, what in INDEXES.items():
                op.execute(f"drop index concurrently if exists {name}")
                op.execute(f"create index concurrently {name} on {what}")
        finally:
            op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
