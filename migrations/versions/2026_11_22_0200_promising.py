"""Quotas, release days of pre-orders, the daily look at overdue supply, and the cache of availability curves.

Revision: promising, after repromising. The cache is made anew: it holds nothing that is not read again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "promising"
down_revision = "repromising"
branch_labels = None
depends_on = None

GUARDED = ("quota", "quota_use")


def _now(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def create_quotas() -> None:
    op.create_table(
        "quota",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), server_default=sa.text("'WEEK'"), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        _now("created_at"),
        _now("updated_at"),
        sa.CheckConstraint("period in ('WEEK', 'WINDOW')", name=op.f("quota_period")),
        sa.CheckConstraint("quantity >= 0", name=op.f("quota_quantity")),
        sa.CheckConstraint("until_day >= from_day", name=op.f("quota_days")),
        sa.CheckConstraint("period = 'WEEK' or until_day is not null", name=op.f("quota_window_ends")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("quota_customer_id_fkey")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("quota_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("quota_pkey")),
    )
    op.create_table(
        "quota_use",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("quota_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        _now("created_at"),
        sa.CheckConstraint("quantity > 0", name=op.f("quota_use_quantity")),
        sa.ForeignKeyConstraint(
            ["sku_id", "quota_id"], ["quota.sku_id", "quota.id"], name=op.f("quota_use_sku_id_quota_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "order_line_id"],
            ["order_line.sku_id", "order_line.id"],
            name=op.f("quota_use_sku_id_order_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("quota_use_pkey")),
    )
    op.create_index("quota_use_quota_idx", "quota_use", ["sku_id", "quota_id", "day"])
    op.create_index("quota_use_line_idx", "quota_use", ["sku_id", "order_line_id"])


def make_cache_anew() -> None:
    op.drop_table("availability_curve")
    op.create_table(
        "availability_curve",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("demand_class", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("today", sa.Date(), nullable=False),
        sa.Column("days", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column("nets", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("others", postgresql.JSONB(), nullable=True),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("allocated", sa.Integer(), nullable=False),
        sa.Column("unsellable", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("on_order", sa.Integer(), nullable=False),
        sa.Column("safety_stock", sa.Integer(), nullable=False),
        sa.Column("next_expiry", sa.DateTime(timezone=True), nullable=True),
        _now("created_at"),
        sa.PrimaryKeyConstraint("sku_id", "location_id", "demand_class", name=op.f("availability_curve_pkey")),
        prefixes=["UNLOGGED"],
    )
    op.execute("grant select, insert, update, delete on availability_curve to bm_system")


def guard() -> None:
    for table in GUARDED:
        for verb, tables in (("insert", "new table as changed"), ("delete", "old table as changed")):
            op.execute(
                f"create trigger guard_gate_{verb} after {verb} on {table} referencing {tables}"
                f" for each statement execute function guard_gate()"
            )
        op.execute(
            f"create trigger guard_gate_update after update on {table} referencing new table as changed"
            f" old table as previous for each statement execute function guard_gate_update()"
        )
        op.execute(f"grant select, insert, update, delete on {table} to bm_system")
        op.execute(f"grant usage, select on sequence {table}_id_seq to bm_system")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_system on {table} to bm_system using (true) with check (true)")


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.add_column("sku", sa.Column("available_from", sa.Date(), nullable=True))
    op.add_column("supply", sa.Column("overdue_checked_on", sa.Date(), nullable=True))
    create_quotas()
    make_cache_anew()
    guard()
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
