"""Offers with days or quantities beyond the bounds are brought into them, and the CHECKs validated.

Revision: supplier_terms_checked, after supplier_terms. Such an offer could not be ordered by: it takes the longest lead time
there is.
"""

from alembic import op

revision = "supplier_terms_checked"
down_revision = "supplier_terms"
branch_labels = None
depends_on = None

DAYS = ("lead_time_days", "lead_time_p80", "agreed_lead_time_p80", "expedite_days")
QUANTITIES = ("moq", "order_multiple")


def upgrade() -> None:
    op.execute("set local role bm_system")
    values = [f"{name} = case when {name} is not null then least(greatest({name}, 0), 3650) end" for name in DAYS]
    values += [f"{name} = least({name}, 1000000000)" for name in QUANTITIES]
    wrong = [f"{name} not between 0 and 3650" for name in DAYS] + [f"{name} > 1000000000" for name in QUANTITIES]
    op.execute(f"update supplier_sku set {', '.join(values)}, updated_at = now() where {' or '.join(wrong)}")
    op.execute("reset role")
    op.execute("set local role bm_owner")
    for name in ("lead_times", "quantities"):
        op.execute(f"alter table supplier_sku validate constraint supplier_sku_{name}")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
