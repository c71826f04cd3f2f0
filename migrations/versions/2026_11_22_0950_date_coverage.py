"""Groups of measured dates keep the share that came by their P50 and P95 too, beside that of P80.

Revision: date_coverage, after partner_watch_checked.
"""

from alembic import op

revision = "date_coverage"
down_revision = "partner_watch_checked"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute(
        "alter table date_spread add column coverage_p50 double precision, add column coverage_p95 double precision"
    )
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
