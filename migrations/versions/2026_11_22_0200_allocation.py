"""How often a line was passed over, whether a planner ranks it, and proposed moves of stock between locations.

Revision: allocation, after simulation.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "allocation"
down_revision = "simulation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.add_column("order_line", sa.Column("times_bumped", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "order_line", sa.Column("is_priority_manual", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute("alter table order_line add constraint order_line_times_bumped check (times_bumped >= 0) not valid")
    op.create_table(
        "rebalancing_proposal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("from_location_id", sa.BigInteger(), nullable=False),
        sa.Column("to_location_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("urgency", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cost", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("carbon_g", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        sa.Column("reason", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'OPEN'"), nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('OPEN', 'ACCEPTED', 'EXPIRED', 'WITHDRAWN')", name=op.f("rebalancing_proposal_state")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("rebalancing_proposal_quantity")),
        sa.CheckConstraint("from_location_id <> to_location_id", name=op.f("rebalancing_proposal_not_itself")),
        sa.CheckConstraint("(state = 'OPEN') = (closed_at is null)", name=op.f("rebalancing_proposal_closed")),
        sa.CheckConstraint(
            "(state = 'ACCEPTED') = (transfer_id is not null)", name=op.f("rebalancing_proposal_transfer")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("rebalancing_proposal_sku_id_fkey")),
        sa.ForeignKeyConstraint(
            ["from_location_id"], ["location.id"], name=op.f("rebalancing_proposal_from_location_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["to_location_id"], ["location.id"], name=op.f("rebalancing_proposal_to_location_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("rebalancing_proposal_pkey")),
    )
    op.create_index(
        "rebalancing_proposal_one_open",
        "rebalancing_proposal",
        ["sku_id", "from_location_id", "to_location_id"],
        unique=True,
        postgresql_where="state = 'OPEN'",
    )
    op.create_index("rebalancing_proposal_state_idx", "rebalancing_proposal", ["state", "id"])
    op.execute("grant select, insert, update, delete on rebalancing_proposal to bm_system")
    op.execute("grant usage, select on sequence rebalancing_proposal_id_seq to bm_system")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
