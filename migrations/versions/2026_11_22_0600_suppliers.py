"""Working with suppliers: history of their lines, packs, hints, messages, requests, deadlines, prices by quantity, approvals.

Revision: suppliers. New columns are nullable or have a constant default; a supplier sees its own rows of the new tables, a
customer none.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "suppliers"
down_revision = "reservation_walls"
branch_labels = None
depends_on = None

OURS = "(select nullif(current_setting('app.supplier', true), '')::bigint)"
OWNED = (
    "purchase_line_history",
    "ship_notice_pack",
    "supplier_stock_report",
    "purchase_order_message",
    "supplier_request",
    "supplier_deadline",
    "supplier_price_break",
)
OTHERS = ("approver_absence", "purchase_approval")
WITHOUT_SEQUENCE = ("supplier_price_break",)
APPEND_ONLY = ("purchase_line_history", "purchase_order_message", "purchase_approval")


def upgrade() -> None:
    op.execute("set local role bm_owner")
    _terms()
    _tables()
    _walls()
    op.execute("reset role")


def _terms() -> None:
    op.add_column(
        "supplier_sku", sa.Column("is_approved", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    for name, kind in (
        ("expedite_days", sa.Integer()),
        ("agreed_lead_time_p80", sa.Integer()),
        ("observed_p50", sa.Integer()),
        ("observed_p80", sa.Integer()),
        ("calibrated_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("supplier_sku", sa.Column(name, kind, nullable=True))
    for name, kind in (
        ("expedite_fee", sa.BigInteger()),
        ("expedite_unit_fee", sa.BigInteger()),
        ("observed_count", sa.Integer()),
    ):
        op.add_column("supplier_sku", sa.Column(name, kind, server_default=sa.text("0"), nullable=False))
    rule = "expedite_days >= 0 and expedite_fee >= 0 and expedite_unit_fee >= 0"
    op.execute(f"alter table supplier_sku add constraint supplier_sku_expedite check ({rule}) not valid")


def _tables() -> None:
    op.create_table(
        "purchase_line_history",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("purchase_order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("supplier_backordered", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("in_transit", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("promised_date", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["sku_id", "purchase_order_line_id"],
            ["purchase_order_line.sku_id", "purchase_order_line.id"],
            name=op.f("purchase_line_history_sku_id_purchase_order_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("purchase_line_history_pkey")),
    )
    op.create_index(
        "purchase_line_history_line_idx",
        "purchase_line_history",
        ["sku_id", "purchase_order_line_id", "id"],
        unique=False,
    )
    op.create_index("purchase_line_history_supplier_idx", "purchase_line_history", ["supplier_id", "at"], unique=False)
    op.create_table(
        "ship_notice_pack",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("ship_notice_id", sa.BigInteger(), nullable=False),
        sa.Column("sscc", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("contents", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('CARTON', 'PALLET')", name=op.f("ship_notice_pack_kind")),
        sa.ForeignKeyConstraint(
            ["ship_notice_id"], ["ship_notice.id"], name=op.f("ship_notice_pack_ship_notice_id_fkey")
        ),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("ship_notice_pack_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("ship_notice_pack_pkey")),
        sa.UniqueConstraint("ship_notice_id", "sscc", name=op.f("ship_notice_pack_ship_notice_id_sscc_key")),
    )
    op.create_index("ship_notice_pack_sscc_idx", "ship_notice_pack", ["supplier_id", "sscc"], unique=False)
    op.create_table(
        "supplier_stock_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available", sa.Integer(), nullable=True),
        sa.Column("capacity_per_week", sa.Integer(), nullable=True),
        sa.Column("next_date", sa.Date(), nullable=True),
        sa.Column("next_quantity", sa.Integer(), nullable=True),
        sa.Column("edi_document_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "least(coalesce(available, 0), coalesce(capacity_per_week, 0), coalesce(next_quantity, 0)) >= 0",
            name=op.f("supplier_stock_report_quantities"),
        ),
        sa.ForeignKeyConstraint(
            ["edi_document_id"], ["edi_document.id"], name=op.f("supplier_stock_report_edi_document_id_fkey")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("supplier_stock_report_sku_id_fkey")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("supplier_stock_report_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("supplier_stock_report_pkey")),
    )
    op.create_index(
        "supplier_stock_report_newest_idx",
        "supplier_stock_report",
        ["supplier_id", "sku_id", "as_of", "id"],
        unique=False,
    )
    op.create_table(
        "purchase_order_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("is_from_supplier", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("purchase_order_message_purchase_order_id_fkey")
        ),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("purchase_order_message_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("purchase_order_message_pkey")),
    )
    op.create_index(
        "purchase_order_message_order_idx", "purchase_order_message", ["purchase_order_id", "id"], unique=False
    )
    op.create_table(
        "supplier_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("need_date", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'OPEN'"), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("answer_quantity", sa.Integer(), nullable=True),
        sa.Column("answer_date", sa.Date(), nullable=True),
        sa.Column("answer_note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(state = 'OPEN') = (answered_at is null)", name=op.f("supplier_request_answered")),
        sa.CheckConstraint("kind in ('STOCK', 'EXPEDITE', 'DATE')", name=op.f("supplier_request_kind")),
        sa.CheckConstraint("state in ('OPEN', 'ANSWERED', 'DECLINED')", name=op.f("supplier_request_state")),
        sa.CheckConstraint("quantity > 0", name=op.f("supplier_request_quantity")),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("supplier_request_purchase_order_id_fkey")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("supplier_request_sku_id_fkey")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("supplier_request_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("supplier_request_pkey")),
        sa.UniqueConstraint("number", name=op.f("supplier_request_number_key")),
    )
    op.create_index("supplier_request_supplier_idx", "supplier_request", ["supplier_id", "id"], unique=False)
    op.create_table(
        "supplier_deadline",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'OPEN'"), nullable=False),
        sa.Column("warn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("escalate_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chased_by", sa.Text(), nullable=True),
        sa.Column("chased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chase_note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('ACKNOWLEDGEMENT', 'SHIP_NOTICE')", name=op.f("supplier_deadline_kind")),
        sa.CheckConstraint(
            "state in ('OPEN', 'WARNED', 'BREACHED', 'ESCALATED', 'MET', 'DROPPED')",
            name=op.f("supplier_deadline_state"),
        ),
        sa.CheckConstraint("warn_at <= due_at and due_at <= escalate_at", name=op.f("supplier_deadline_order")),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("supplier_deadline_purchase_order_id_fkey")
        ),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("supplier_deadline_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("supplier_deadline_pkey")),
        sa.UniqueConstraint("purchase_order_id", "kind", name=op.f("supplier_deadline_purchase_order_id_kind_key")),
    )
    op.create_index(
        "supplier_deadline_live_idx",
        "supplier_deadline",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state in ('OPEN', 'WARNED', 'BREACHED', 'ESCALATED')"),
    )
    op.create_table(
        "supplier_price_break",
        sa.Column("supplier_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_quantity", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("from_quantity > 1 and price >= 0", name=op.f("supplier_price_break_figures")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("supplier_price_break_sku_id_fkey")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("supplier_price_break_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("supplier_id", "sku_id", "from_quantity", name=op.f("supplier_price_break_pkey")),
    )
    op.create_table(
        "approver_absence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("substitute", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("from_day <= until_day", name=op.f("approver_absence_days")),
        sa.CheckConstraint("person <> substitute", name=op.f("approver_absence_not_itself")),
        sa.PrimaryKeyConstraint("id", name=op.f("approver_absence_pkey")),
        sa.UniqueConstraint("person", "from_day", name=op.f("approver_absence_person_from_day_key")),
    )
    op.create_table(
        "purchase_approval",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("in_place_of", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("purchase_approval_purchase_order_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("purchase_approval_pkey")),
        sa.UniqueConstraint(
            "purchase_order_id", "approver", name=op.f("purchase_approval_purchase_order_id_approver_key")
        ),
        sa.UniqueConstraint(
            "purchase_order_id", "in_place_of", name=op.f("purchase_approval_purchase_order_id_in_place_of_key")
        ),
    )


def _walls() -> None:
    changed = {"insert": "new table as changed", "update": "new table as changed old table as previous"}
    changed["delete"] = "old table as changed"
    for verb, tables in changed.items():
        function = "guard_gate_update" if verb == "update" else "guard_gate"
        op.execute(
            f"create trigger guard_gate_{verb} after {verb} on purchase_line_history referencing {tables}"
            f" for each statement execute function {function}()"
        )
    for table in OWNED + OTHERS:
        op.execute(f"grant select, insert, update, delete on {table} to bm_system")
        if table not in WITHOUT_SEQUENCE:
            op.execute(f"grant usage, select on sequence {table}_id_seq to bm_system")
    for table in APPEND_ONLY:
        op.execute(f"revoke update, delete on {table} from bm_system")
        op.execute(
            f"create trigger append_only before update or delete or truncate on {table}"
            " for each statement execute function refuse_change()"
        )
    for table in OWNED:
        op.execute(f"grant select on {table} to bm_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_system on {table} to bm_system using (true) with check (true)")
        op.execute(f"create policy {table}_app on {table} for select to bm_app using (supplier_id = {OURS})")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
