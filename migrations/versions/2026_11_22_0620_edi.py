"""EDI beyond orders and answers: what suppliers ask for, invoices, staged stock reports, samples of guides, failed sends.

Revision: edi, after webhooks. New columns are nullable or have a constant default; a supplier sees its own changes and
invoices, a customer none.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "edi"
down_revision = "webhooks"
branch_labels = None
depends_on = None

OURS = "(select nullif(current_setting('app.supplier', true), '')::bigint)"
OWNED = ("supplier_change", "supplier_invoice")
OTHERS = ("guide_sample", "edi_stock_line")
WITHOUT_SEQUENCE = ("edi_stock_line",)


def _at(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _created() -> sa.Column:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False)


def _text(name: str, default: str | None = None) -> sa.Column:
    given = sa.text(f"'{default}'") if default is not None else None
    return sa.Column(name, sa.Text(), server_default=given, nullable=False)


def _list(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"{table}_{column}_fkey"))


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.add_column("ship_notice", _at("cancelled_at", nullable=True))
    op.add_column("edi_document", sa.Column("assigned_to", sa.Text(), nullable=True))
    op.add_column("edi_outbound", _text("reference", ""))
    op.add_column("edi_outbound", sa.Column("error", sa.Text(), nullable=True))
    op.create_index("edi_outbound_interchange_idx", "edi_outbound", ["partner_id", "interchange_control"])
    _tables()
    _walls()
    op.execute("reset role")


def _tables() -> None:
    op.create_table(
        "guide_sample",
        _id(),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        _text("name"),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("expected", postgresql.JSONB(), nullable=True),
        _created(),
        _ref("guide_sample", "partner_id", "partner"),
        sa.PrimaryKeyConstraint("id", name=op.f("guide_sample_pkey")),
        sa.UniqueConstraint("partner_id", "name", name=op.f("guide_sample_partner_id_name_key")),
    )
    op.create_table(
        "edi_stock_line",
        sa.Column("document_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        _at("as_of"),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("next_date", sa.Date(), nullable=True),
        sa.Column("next_quantity", sa.Integer(), nullable=True),
        _created(),
        _ref("edi_stock_line", "document_id", "edi_document"),
        _ref("edi_stock_line", "sku_id", "sku"),
        _ref("edi_stock_line", "supplier_id", "supplier"),
        sa.PrimaryKeyConstraint("document_id", "sku_id", name=op.f("edi_stock_line_pkey")),
    )
    op.create_table(
        "supplier_invoice",
        _id(),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        _text("number"),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("invoiced_on", sa.Date(), nullable=True),
        _text("total", ""),
        _text("currency", ""),
        _list("lines"),
        _list("findings"),
        sa.Column("edi_document_id", sa.BigInteger(), nullable=True),
        _created(),
        _ref("supplier_invoice", "supplier_id", "supplier"),
        _ref("supplier_invoice", "purchase_order_id", "purchase_order"),
        _ref("supplier_invoice", "edi_document_id", "edi_document"),
        sa.PrimaryKeyConstraint("id", name=op.f("supplier_invoice_pkey")),
        sa.UniqueConstraint("supplier_id", "number", name=op.f("supplier_invoice_supplier_id_number_key")),
    )
    op.create_index("supplier_invoice_order_idx", "supplier_invoice", ["purchase_order_id"])
    op.create_table(
        "supplier_change",
        _id(),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        _text("source"),
        _text("state", "PROPOSED"),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        _text("note", ""),
        _text("sequence", ""),
        sa.Column("edi_document_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        _at("decided_at", nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _created(),
        sa.CheckConstraint("source in ('EDI', 'PORTAL')", name=op.f("supplier_change_source")),
        sa.CheckConstraint(
            "state in ('PROPOSED', 'ACCEPTED', 'REJECTED', 'SUPERSEDED')", name=op.f("supplier_change_state")
        ),
        sa.CheckConstraint(
            "(state in ('ACCEPTED', 'REJECTED')) = (decided_by is not null)", name=op.f("supplier_change_decided")
        ),
        _ref("supplier_change", "purchase_order_id", "purchase_order"),
        _ref("supplier_change", "supplier_id", "supplier"),
        _ref("supplier_change", "edi_document_id", "edi_document"),
        sa.PrimaryKeyConstraint("id", name=op.f("supplier_change_pkey")),
    )
    op.create_index("supplier_change_order_idx", "supplier_change", ["purchase_order_id", "id"])
    op.create_index(
        "supplier_change_open_idx",
        "supplier_change",
        ["supplier_id", "id"],
        postgresql_where=sa.text("state = 'PROPOSED'"),
    )


def _walls() -> None:
    for table in OWNED + OTHERS:
        op.execute(f"grant select, insert, update, delete on {table} to bm_system")
        if table not in WITHOUT_SEQUENCE:
            op.execute(f"grant usage, select on sequence {table}_id_seq to bm_system")
    for table in OWNED:
        op.execute(f"grant select on {table} to bm_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_system on {table} to bm_system using (true) with check (true)")
        op.execute(f"create policy {table}_app on {table} for select to bm_app using (supplier_id = {OURS})")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
