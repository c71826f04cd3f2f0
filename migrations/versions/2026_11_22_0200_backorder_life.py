"""The life of backorders: sets of options, what customers got, the course taken, rules on delay.

Revision: backorder_life, after reservations. New columns are nullable, so nothing is rewritten.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "backorder_life"
down_revision = "reservations"
branch_labels = None
depends_on = None

GUARDED = ("option_offer", "entitlement", "backorder_course")
VISIBLE = {
    "option_offer": "exists (select from backorder b where b.sku_id = option_offer.sku_id and b.id = option_offer.backorder_id)",
    "entitlement": "customer_id = (select nullif(current_setting('app.customer', true), '')::bigint)",
}


def _now(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _keys() -> list[sa.Column]:
    return [
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("backorder_id", sa.BigInteger(), nullable=False),
    ]


def _of_backorder(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["sku_id", "backorder_id"], ["backorder.sku_id", "backorder.id"], name=op.f(f"{table}_sku_id_backorder_id_fkey")
    )


def create_tables() -> None:
    op.create_table(
        "option_offer",
        *_keys(),
        sa.Column("state", sa.Text(), server_default=sa.text("'OPEN'"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("expected_date", sa.Date(), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("chosen_option_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        _now("created_at"),
        _now("updated_at"),
        sa.CheckConstraint("state in ('OPEN', 'CHOSEN', 'EXPIRED', 'WITHDRAWN')", name=op.f("option_offer_state")),
        sa.CheckConstraint("(state = 'OPEN') = (closed_at is null)", name=op.f("option_offer_closed")),
        _of_backorder("option_offer"),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("option_offer_pkey")),
    )
    op.create_index(
        "option_offer_one_open",
        "option_offer",
        ["sku_id", "backorder_id"],
        unique=True,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.create_index("option_offer_backorder_idx", "option_offer", ["sku_id", "backorder_id"])
    op.create_index("option_offer_due_idx", "option_offer", ["deadline"], postgresql_where=sa.text("state = 'OPEN'"))
    op.create_table(
        "entitlement",
        *_keys(),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        _now("created_at"),
        sa.CheckConstraint("kind in ('COUPON', 'REFUND')", name=op.f("entitlement_kind")),
        sa.CheckConstraint("amount > 0", name=op.f("entitlement_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("entitlement_order_id_fkey")),
        _of_backorder("entitlement"),
        sa.ForeignKeyConstraint(
            ["sku_id", "offer_id"],
            ["option_offer.sku_id", "option_offer.id"],
            name=op.f("entitlement_sku_id_offer_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("entitlement_pkey")),
        sa.UniqueConstraint("sku_id", "offer_id", "kind", name=op.f("entitlement_sku_id_offer_id_kind_key")),
    )
    op.create_index("entitlement_customer_idx", "entitlement", ["customer_id", "id"])
    op.create_index("entitlement_backorder_idx", "entitlement", ["sku_id", "backorder_id"])
    op.create_table(
        "backorder_course",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("backorder_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("paused_by", sa.Text(), nullable=True),
        sa.Column("steps", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        _now("created_at"),
        _now("updated_at"),
        _of_backorder("backorder_course"),
        sa.PrimaryKeyConstraint("sku_id", "backorder_id", name=op.f("backorder_course_pkey")),
    )
    op.create_table(
        "delay_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("country", sa.CHAR(length=2), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("notice_days", sa.Integer(), nullable=True),
        sa.Column("consent_needed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("consent_days", sa.Integer(), nullable=True),
        sa.Column("refund_days", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        _now("created_at"),
        sa.CheckConstraint("valid_to is null or valid_to >= valid_from", name=op.f("delay_rule_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("delay_rule_pkey")),
        sa.UniqueConstraint("pack", "code", "valid_from", name=op.f("delay_rule_pack_code_valid_from_key")),
    )


def add_columns() -> None:
    op.add_column("backorder", sa.Column("delayed_from", sa.Date(), nullable=True))
    op.add_column("resolution_option", sa.Column("offer_id", sa.BigInteger(), nullable=True))
    op.add_column("resolution_option", sa.Column("quantity", sa.Integer(), nullable=True))
    op.add_column("resolution_option", sa.Column("price_difference", sa.BigInteger(), nullable=True))
    op.add_column("resolution_option", sa.Column("ratio", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("resolution_option_sku_id_offer_id_fkey"),
        "resolution_option",
        "option_offer",
        ["sku_id", "offer_id"],
        ["sku_id", "id"],
    )
    op.create_index("resolution_option_offer_idx", "resolution_option", ["sku_id", "offer_id"])


def build_walls() -> None:
    changed = {
        "insert": ("guard_gate", "new table as changed"),
        "update": ("guard_gate_update", "new table as changed old table as previous"),
        "delete": ("guard_gate", "old table as changed"),
    }
    for table in GUARDED:
        for verb, (function, tables) in changed.items():
            op.execute(
                f"create trigger guard_gate_{verb} after {verb} on {table} referencing {tables}"
                f" for each statement execute function {function}()"
            )
    op.execute("grant select, insert, update, delete on option_offer, backorder_course, delay_rule to bm_system")
    op.execute("grant select, insert on entitlement to bm_system")
    op.execute(
        "grant usage, select on sequence option_offer_id_seq, entitlement_id_seq, delay_rule_id_seq to bm_system"
    )
    for table, rule in VISIBLE.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_system on {table} to bm_system using (true) with check (true)")
        op.execute(f"create policy {table}_app on {table} for select to bm_app using ({rule})")
        op.execute(f"grant select on {table} to bm_app")


def upgrade() -> None:
    op.execute("set local role bm_owner")
    create_tables()
    add_columns()
    build_walls()
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
