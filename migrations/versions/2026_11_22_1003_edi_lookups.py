"""Releases are found by the number of their shipment, and files that are old enough to be erased by their day.

Revision: edi_lookups, after date_coverage. The indexes are built beside the traffic; one that a failed try left behind goes first.
"""

from alembic import op

revision = "edi_lookups"
down_revision = "date_coverage"
branch_labels = None
depends_on = None

INDEXES = {
    "edi_outbound_release_idx": "edi_outbound (reference) where kind = '940'",
    "edi_raw_unerased_idx": "edi_raw (received_at) where erased_at is null",
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
