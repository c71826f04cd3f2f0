"""Dead letters are counted at every scrape of the metrics: an index of their own.

Revision: dead_runs, after stock_line_wall.
"""

import sqlalchemy as sa
from alembic import op

revision = "dead_runs"
down_revision = "stock_line_wall"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("set local lock_timeout = '5s'")
    op.create_index("job_run_dead", "job_run", ["queue"], postgresql_where=sa.text("state in ('dead', 'failed')"))
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
