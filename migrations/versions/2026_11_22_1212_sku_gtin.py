"""A SKU has its GTIN, by which partners name articles: orders carry it, and lines of answers and notices are told by it.

Revision: sku_gtin, after receipts_by_order. The column is empty at first; its index is built beside the traffic, and one that a failed
try left behind goes first.
"""

from alembic import op

revision = "sku_gtin"
down_revision = "receipts_by_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table sku add column if not exists gtin text")
    op.execute("reset role")
    with op.get_context().autocommit_block():
        op.execute("set role bm_owner")
        try:
            op.execute("drop index concurrently if exists sku_gtin_idx")
            op.execute("create unique index concurrently sku_gtin_idx on sku (gtin) where gtin is not null")
        finally:
            op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
