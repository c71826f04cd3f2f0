"""Rows of suppliers' staged stock reports are walled like all rows that have an owner.

Revision: stock_line_wall, after operate.
"""

from alembic import op

revision = "stock_line_wall"
down_revision = "operate"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table edi_stock_line enable row level security")
    op.execute("alter table edi_stock_line force row level security")
    op.execute("create policy edi_stock_line_system on edi_stock_line to bm_system using (true) with check (true)")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
