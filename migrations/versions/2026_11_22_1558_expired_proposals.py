"""Proposals that nobody took are found by their SKU: a purchase does not wait a second time for the same move.

Revision: expired_proposals, after shipment_rests. The index is built beside the traffic; one that a failed try left behind goes first.
"""

from alembic import op

revision = "expired_proposals"
down_revision = "shipment_rests"
branch_labels = None
depends_on = None

NAME = "rebalancing_proposal_expired_idx"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("set role bm_owner")
        try:
            op.execute(f"drop index concurrently if exists {NAME}")
            op.execute(
                f"create index concurrently {NAME} on rebalancing_proposal (sku_id, closed_at) where state = 'EXPIRED'"
            )
        finally:
            op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
