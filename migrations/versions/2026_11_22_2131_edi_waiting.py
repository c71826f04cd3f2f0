"""Documents that are in line or set aside are found by their control numbers.

Revision: edi_waiting, after transfer_ids. The index is built beside the traffic; one that a failed try left behind goes first.
"""

from alembic import op

revision = "edi_waiting"
down_revision = "transfer_ids"
branch_labels = None
depends_on = None

NAME = "edi_document_waiting_idx"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("set role bm_owner")
        try:
            op.execute(f"drop index concurrently if exists {NAME}")
            op.execute(
                f"create index concurrently {NAME} on edi_document (partner_id, identity)"
                " where delivery in ('received', 'quarantined')"
            )
        finally:
            op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
