"""Receipts are found by their purchase order and ship notice: how late a supplier comes is read from its own newest ones.

Revision: receipts_by_order, after edi_lookups. The indexes are built beside the traffic; one that a failed try left behind goes first.
"""

from alembic import op

revision = "receipts_by_order"
down_revision = "edi_lookups"
branch_labels = None
depends_on = None

INDEXES = {
    "goods_receipt_order_idx": "goods_receipt (purchase_order_id)",
    "goods_receipt_notice_idx": "goods_receipt (ship_notice_id)",
    "ship_notice_supplier_idx": "ship_notice (supplier_id, id)",
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
