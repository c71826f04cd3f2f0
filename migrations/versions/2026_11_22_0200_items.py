"""Kits, lots with their unsellable part, the life a lot must still have, and the life of serialised units.

Revision: items. New columns are nullable or have a constant default; the new tables get the walls of their neighbours
(gate guards, append-only, grants) as `walls` gives them.
"""

import sqlalchemy as sa
from alembic import op

revision = "items"
down_revision = "walls"
branch_labels = None
depends_on = None

STEPS = "'received', 'moved', 'quarantined', 'unquarantined', 'shipped', 'returned', 'scrapped'"

# the kit and its component change together, so both gates are wanted; no nesting: a component is never a kit itself
GUARD_KIT = """
create function {name}() returns trigger language plpgsql as $$
declare ungated bigint;
begin
  select c.sku_id into ungated from ({changed}) c left join sku_gate g on g.sku_id = c.sku_id
    where g.changed_by is distinct from pg_current_xact_id() limit 1;
  if found then
    raise exception '% of % without the gate of SKU %', tg_op, tg_table_name, ungated using errcode = '55000';
  end if;
  if exists (select from kit_component k join kit_component inner_kit on inner_kit.kit_sku_id = k.component_sku_id) then
    raise exception 'a kit cannot be a component of a kit' using errcode = '23514', constraint = 'kit_component_no_nesting';
  end if;
  return null;
end $$
"""
BOTH = "select kit_sku_id as sku_id from {0} union select component_sku_id from {0}"


def upgrade() -> None:
    op.execute("set local role bm_owner")
    _kits()
    _lots()
    _serials()
    _walls()
    op.execute("reset role")


def _kits() -> None:
    op.create_table(
        "kit_component",
        sa.Column("kit_sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("component_sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("kit_component_quantity")),
        sa.CheckConstraint("kit_sku_id <> component_sku_id", name=op.f("kit_component_not_itself")),
        sa.ForeignKeyConstraint(["kit_sku_id"], ["sku.id"], name=op.f("kit_component_kit_sku_id_fkey")),
        sa.ForeignKeyConstraint(["component_sku_id"], ["sku.id"], name=op.f("kit_component_component_sku_id_fkey")),
        sa.PrimaryKeyConstraint("kit_sku_id", "component_sku_id", name=op.f("kit_component_pkey")),
    )
    op.create_index("kit_component_component_idx", "kit_component", ["component_sku_id"])
    op.add_column("order_line", sa.Column("kit_sku_id", sa.BigInteger(), nullable=True))
    op.add_column("order_line", sa.Column("kit_line_number", sa.Integer(), nullable=True))
    op.add_column("order_line", sa.Column("kit_quantity", sa.Integer(), nullable=True))
    op.add_column(
        "order_line",
        sa.Column("kit_ships_together", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    _check("order_line", "whole_kit_facts", "num_nonnulls(kit_sku_id, kit_line_number, kit_quantity) in (0, 3)")
    _check("order_line", "kit_quantity", "kit_quantity > 0")


def _lots() -> None:
    op.add_column("sku", sa.Column("min_life_days", sa.Integer(), server_default=sa.text("0"), nullable=False))
    _check("sku", "min_life_days", "min_life_days >= 0")
    # before there were lots nothing asked for an expiry, so a flag without lots has no unit behind it
    op.execute("update sku set tracks_expiry = false where tracks_expiry and not tracks_lots")
    _check("sku", "expiry_needs_lots", "tracks_lots or not tracks_expiry")
    op.add_column("lot", sa.Column("unsellable", sa.Integer(), server_default=sa.text("0"), nullable=False))
    _check("lot", "not_over_claimed", "least(allocated, unsellable) >= 0 and allocated + unsellable <= on_hand")
    op.drop_constraint(op.f("lot_not_over_allocated"), "lot", type_="check")
    op.create_index("lot_code_idx", "lot", ["code"])
    op.create_index("lot_expiry_idx", "lot", ["expires_on"], postgresql_where="on_hand > unsellable")
    op.create_table(
        "minimum_life",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("num_nonnulls(channel, customer_id) = 1", name=op.f("minimum_life_one_asker")),
        sa.CheckConstraint("days >= 0", name=op.f("minimum_life_days")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("minimum_life_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("minimum_life_pkey")),
        sa.UniqueConstraint("sku_id", "channel", name=op.f("minimum_life_sku_id_channel_key")),
        sa.UniqueConstraint("sku_id", "customer_id", name=op.f("minimum_life_sku_id_customer_id_key")),
    )


def _serials() -> None:
    op.add_column("serial_unit", sa.Column("shipment_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("serial_unit_shipment_id_fkey"), "serial_unit", "shipment", ["shipment_id"], ["id"])
    op.create_index("serial_unit_code_idx", "serial_unit", ["code"])
    op.create_index(
        "serial_unit_place_idx", "serial_unit", ["sku_id", "location_id"], postgresql_where="location_id is not null"
    )
    op.create_table(
        "serial_movement",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("serial_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=True),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("shipment_id", sa.BigInteger(), nullable=True),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(f"kind in ({STEPS})", name=op.f("serial_movement_kind")),
        sa.ForeignKeyConstraint(
            ["sku_id", "serial_unit_id"],
            ["serial_unit.sku_id", "serial_unit.id"],
            name=op.f("serial_movement_sku_id_serial_unit_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("serial_movement_pkey")),
    )
    op.create_index("serial_movement_unit_idx", "serial_movement", ["sku_id", "serial_unit_id"])
    op.create_index(
        "serial_movement_line_idx",
        "serial_movement",
        ["sku_id", "order_line_id"],
        postgresql_where="order_line_id is not null",
    )


def _check(table: str, name: str, rule: str) -> None:
    op.execute(f"alter table {table} add constraint {table}_{name} check ({rule}) not valid")


def _walls() -> None:
    changed = {"insert": "new table as changed", "update": "new table as changed old table as previous"}
    changed["delete"] = "old table as changed"
    for table in ("minimum_life", "serial_movement"):
        for verb, tables in changed.items():
            function = "guard_gate_update" if verb == "update" else "guard_gate"
            op.execute(
                f"create trigger guard_gate_{verb} after {verb} on {table} referencing {tables}"
                f" for each statement execute function {function}()"
            )
    op.execute(GUARD_KIT.format(name="guard_kit", changed=BOTH.format("changed")))
    op.execute(
        GUARD_KIT.format(name="guard_kit_update", changed=f"{BOTH.format('changed')} union {BOTH.format('previous')}")
    )
    for verb, tables in changed.items():
        function = "guard_kit_update" if verb == "update" else "guard_kit"
        op.execute(
            f"create trigger guard_gate_{verb} after {verb} on kit_component referencing {tables}"
            f" for each statement execute function {function}()"
        )
    op.execute(
        "create trigger append_only before update or delete or truncate on serial_movement"
        " for each statement execute function refuse_change()"
    )
    for table in ("kit_component", "minimum_life", "serial_movement"):
        op.execute(f"grant select, insert, update, delete on {table} to bm_system")
    op.execute("revoke update, delete on serial_movement from bm_system")
    op.execute("grant usage, select on sequence minimum_life_id_seq, serial_movement_id_seq to bm_system")
    op.execute("grant select on kit_component to bm_app")
    # whose goods must keep how long is nobody else's business
    op.execute("alter table minimum_life enable row level security")
    op.execute("alter table minimum_life force row level security")
    op.execute("create policy minimum_life_system on minimum_life to bm_system using (true) with check (true)")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
