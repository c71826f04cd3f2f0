"""Reservations belong to customers now: the second wall stands around them too.

Revision: reservation_walls, after denials. Nobody looks reservations up as a customer, so no row is shown to one.
"""

from alembic import op

revision = "reservation_walls"
down_revision = "denials"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("alter table reservation enable row level security")
    op.execute("alter table reservation force row level security")
    op.execute("create policy reservation_system on reservation to bm_system using (true) with check (true)")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
