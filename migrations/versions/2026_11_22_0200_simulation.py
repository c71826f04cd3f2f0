"""Simulations: the question, and its answer beside it.

Revision: simulation, after backorder_life.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "simulation"
down_revision = "backorder_life"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.create_table(
        "simulation_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'COMPUTING'"), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("question", postgresql.JSONB(), nullable=False),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("snapshot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state in ('COMPUTING', 'DONE', 'CANCELLED', 'FAILED')", name=op.f("simulation_run_state")),
        sa.CheckConstraint("(state = 'DONE') = (result is not null)", name=op.f("simulation_run_result")),
        sa.PrimaryKeyConstraint("id", name=op.f("simulation_run_pkey")),
    )
    op.execute("grant select, insert, update, delete on simulation_run to bm_system")
    op.execute("grant usage, select on sequence simulation_run_id_seq to bm_system")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
