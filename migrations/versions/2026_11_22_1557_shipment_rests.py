"""What a warehouse did not ship of a shipment is a planned shipment of its own, and each shipment knows the advice it left by.

Revision: shipment_rests, after gtin_form_checked. Two columns without a default: nothing is rewritten.
"""

from alembic import op

revision = "shipment_rests"
down_revision = "gtin_form_checked"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table shipment add column rest_of bigint, add column advice text")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
