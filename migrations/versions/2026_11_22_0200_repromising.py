"""Re-promising: what a run read and who approved it, what each change does to its order, and named variants.

Revision: repromising, after allocation. New columns are nullable or have a constant default; no run has been written
before this revision, so the new CHECKs hold at once.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "repromising"
down_revision = "allocation"
branch_labels = None
depends_on = None

EFFECTS = "'GAINED', 'LOST', 'EXCEPTION'"
REASONS = "'WON', 'PRIORITY', 'SUPPLY_FREE', 'OUTRANKED', 'SUPPLY_LATE', 'FREED', 'NO_SUPPLY'"


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.add_column("repromising_run", sa.Column("variant", sa.Text(), nullable=True))
    op.add_column("repromising_run", sa.Column("facts", postgresql.JSONB(), nullable=True))
    op.add_column("repromising_run", sa.Column("approved_by", sa.Text(), nullable=True))
    op.add_column("repromising_run", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("repromising_diff", sa.Column("order_id", sa.BigInteger(), nullable=True))
    op.add_column("repromising_diff", sa.Column("effect", sa.Text(), nullable=True))
    op.add_column("repromising_diff", sa.Column("days", sa.Integer(), server_default=sa.text("0"), nullable=False))
    for flag in ("is_forced", "is_charged"):
        op.add_column(
            "repromising_diff", sa.Column(flag, sa.Boolean(), server_default=sa.text("false"), nullable=False)
        )
    op.add_column("repromising_diff", sa.Column("segment", sa.Text(), nullable=True))
    op.add_column("repromising_diff", sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("repromising_diff_effect"), "repromising_diff", f"effect in ({EFFECTS})")
    op.create_check_constraint(op.f("repromising_diff_reason"), "repromising_diff", f"reason in ({REASONS})")
    op.create_index(
        "repromising_diff_worsened",
        "repromising_diff",
        ["applied_at", "order_id"],
        postgresql_where=sa.text("applied_at is not null and is_charged"),
    )
    op.create_table(
        "repromising_variant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("daily_at", sa.Time(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("last_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("code <> ''", name=op.f("repromising_variant_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("repromising_variant_pkey")),
        sa.UniqueConstraint("code", name=op.f("repromising_variant_code_key")),
    )
    op.create_index(
        "repromising_variant_due",
        "repromising_variant",
        ["daily_at"],
        postgresql_where=sa.text("daily_at is not null and is_active"),
    )
    op.execute("grant select, insert, update, delete on repromising_variant to bm_system")
    op.execute("grant usage, select on sequence repromising_variant_id_seq to bm_system")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
