"""${message}

Revision: ${up_revision}, after ${down_revision | comma,n}, written ${create_date}.
Backfills read and write as bm_system (the owner sees no row of a table under row-level security) and under the gates.
"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    op.execute("set local role bm_owner")
    ${upgrades if upgrades else "pass"}
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
