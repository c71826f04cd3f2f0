"""Transfers are found by their id alone: who ships, receives or reads the audit trail knows no SKU.

Revision: transfer_ids, after expired_proposals. The index is built beside the traffic; one that a failed try left behind goes first.
"""

from alembic import op

revision = "transfer_ids"
down_revision = "expired_proposals"
branch_labels = None
depends_on = None

NAME = "transfer_id_idx"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("set role bm_owner")
        try:
            op.execute(f"drop index concurrently if exists {NAME}")
            op.execute(f"create index concurrently {NAME} on transfer (id)")
        finally:
            op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
