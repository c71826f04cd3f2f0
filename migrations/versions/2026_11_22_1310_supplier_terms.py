"""Lead times and quantities of what suppliers offer have bounds: days that no calendar has would stop orders and buying.

Revision: supplier_terms, after sku_gtin. The CHECKs hold for what is written from now on; `supplier_terms_checked` brings older
rows into the bounds and validates.
"""

from alembic import op

revision = "supplier_terms"
down_revision = "sku_gtin"
branch_labels = None
depends_on = None

LEAD_TIMES = (
    "lead_time_days between 0 and 3650 and lead_time_p80 between 0 and 3650"
    " and agreed_lead_time_p80 between 0 and 3650 and expedite_days <= 3650"
)
QUANTITIES = "moq <= 1000000000 and order_multiple <= 1000000000"


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("set local lock_timeout = '5s'")
    for name, rule in (("lead_times", LEAD_TIMES), ("quantities", QUANTITIES)):
        op.execute(f"alter table supplier_sku add constraint supplier_sku_{name} check ({rule}) not valid")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
