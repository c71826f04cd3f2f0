"""Job requests and runs know the request that asked for them; API keys have a name, under which they are replaced.

Revision: operate.
"""

from alembic import op

revision = "operate"
down_revision = "promise"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("set local lock_timeout = '5s'")
    for table in ("outbox", "event", "job_run"):
        op.execute(f"alter table {table} add column request_id text, add column traceparent text")
    op.execute("alter table api_key add column name text not null default ''")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
