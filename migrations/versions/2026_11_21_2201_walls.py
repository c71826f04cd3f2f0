"""The walls around the tables: gate guards, append-only ledgers, row-level security, grants, event partitions.

Revision: walls, after spine. What each wall is for stands above it; `tests/schema_changes` proves every one.
"""

from alembic import op

revision = "walls"
down_revision = "spine"
branch_labels = None
depends_on = None

# No row of these is written unless this transaction holds the SKU's gate. `repromising_diff` is written by a run that
# computes without gates; `availability_curve` is a cache; a promise is inserted under the gate, sealed without it.
GUARDED = (
    "stock_level",
    "stock_movement",
    "lot",
    "serial_unit",
    "protected_stock",
    "supply",
    "purchase_order_line",
    "ship_notice_line",
    "goods_receipt_line",
    "inspection_result",
    "transfer",
    "order_line",
    "peg",
    "reservation",
    "backorder",
    "backorder_event",
    "resolution_option",
    "shipment_line",
)
GUARDED_ON_INSERT = ("promise",)
APPEND_ONLY = ("stock_movement", "backorder_event", "promise", "audit_entry", "audit_seal", "promise_seal", "edi_raw")
SEALED = ("promise", "audit_entry")

MINE = "(select nullif(current_setting('app.customer', true), '')::bigint)"
OURS = "(select nullif(current_setting('app.supplier', true), '')::bigint)"

# table -> what a CUSTOMER or SUPPLIER session may see of it; None: nothing
VISIBLE: dict[str, str | None] = {
    "customer": f"id = {MINE}",
    "customer_person": f"customer_id = {MINE}",
    "sales_order": f"customer_id = {MINE}",
    "order_line": f"customer_id = {MINE}",
    "promise": f"customer_id = {MINE}",
    "backorder": f"customer_id = {MINE}",
    "shipment": f"customer_id = {MINE}",
    "notice": f"customer_id = {MINE}",
    "supplier": f"id = {OURS}",
    "supplier_sku": f"supplier_id = {OURS}",
    "purchase_order": f"supplier_id = {OURS}",
    "purchase_order_line": f"supplier_id = {OURS}",
    "supply": f"supplier_id = {OURS}",
    "ship_notice": f"supplier_id = {OURS}",
    "partner": f"supplier_id = {OURS}",
    "edi_document": f"supplier_id = {OURS}",
    "event": f"customer_id = {MINE} or supplier_id = {OURS} or topic = 'availability'",
    "outbox": None,
    "api_key": None,
    # no owner column of their own: the row is seen when its parent is
    "order_hold": "exists (select from sales_order o where o.id = order_hold.order_id)",
    "order_return": "exists (select from sales_order o where o.id = order_return.order_id)",
    "peg": "exists (select from order_line l where l.sku_id = peg.sku_id and l.id = peg.order_line_id)",
    "shipment_line": "exists (select from shipment s where s.id = shipment_line.shipment_id)",
    "backorder_event": (
        "exists (select from backorder b"
        " where b.sku_id = backorder_event.sku_id and b.id = backorder_event.backorder_id)"
    ),
    "resolution_option": (
        "exists (select from backorder b"
        " where b.sku_id = resolution_option.sku_id and b.id = resolution_option.backorder_id)"
    ),
    "ship_notice_line": "exists (select from ship_notice n where n.id = ship_notice_line.ship_notice_id)",
}

REFERENCE = (
    "sku",
    "sku_gate",
    "sku_pack",
    "substitute",
    "location",
    "lane",
    "delivery_zone",
    "calendar",
    "calendar_exception",
    "channel",
    "relay",
    "simulation_clock",
)

GUARD = """
create function {name}() returns trigger language plpgsql as $$
declare ungated bigint;
begin
  select c.sku_id into ungated from ({changed}) c left join sku_gate g on g.sku_id = c.sku_id
    where g.changed_by is distinct from pg_current_xact_id() limit 1;
  if found then
    raise exception '% of % without the gate of SKU %', tg_op, tg_table_name, ungated using errcode = '55000';
  end if;
  return null;
end $$
"""

NEW_SKU = """
create function open_gate() returns trigger language plpgsql as $$
begin
  insert into sku_gate (sku_id, version, changed_by) select id, 1, pg_current_xact_id() from added;
  return null;
end $$
"""

REFUSE = """
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = '42501';
end $$
"""

SEAL_ONLY = """
create function allow_sealing_only() returns trigger language plpgsql as $$
declare seal bigint := new.seal_number;
begin
  new.seal_number := old.seal_number;
  if old.seal_number is not null or seal is null or new is distinct from old then
    raise exception '% is append-only: only a missing seal_number may be given', tg_table_name using errcode = '42501';
  end if;
  new.seal_number := seal;
  return new;
end $$
"""

# CREATE ... PARTITION OF would lock readers out; a separate table that is attached does not
ENSURE_PARTITION = """
create function ensure_event_partition(wanted bigint) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare width constant bigint := 1000000; n bigint; child text;
begin
  for n in (wanted / width) .. (wanted / width + 1) loop
    child := 'event_p' || n;
    if to_regclass(child) is null then
      begin
        execute format('create table %I (like event including defaults including constraints)', child);
        execute format('alter table event attach partition %I for values from (%s) to (%s)',
          child, n * width, (n + 1) * width);
      exception when duplicate_table then null;  -- another relay was faster
      end;
    end if;
  end loop;
end $$
"""

DROP_PARTITIONS = """
create function drop_event_partitions(before timestamptz) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare width constant bigint := 1000000; child text; newest timestamptz; dropped integer := 0; head bigint;
begin
  select position into head from relay;
  for child in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'event'::regclass and (substr(c.relname, 8)::bigint + 1) * width <= head + 1 order by c.oid
  loop
    execute format('select occurred_at from %I order by position desc limit 1', child) into newest;
    if newest is null or newest < before then
      execute format('drop table %I', child);
      dropped := dropped + 1;
    end if;
  end loop;
  return dropped;
end $$
"""

GRANT_ALL = """
do $$
declare owned record;
begin
  for owned in select relname, relkind from pg_class
    where relnamespace = 'public'::regnamespace and relowner = 'bm_owner'::regrole and relkind in ('r', 'p', 'S')
  loop
    if owned.relkind = 'S' then
      execute format('grant usage, select on sequence %I to bm_system', owned.relname);
    else
      execute format('grant select, insert, update, delete on %I to bm_system', owned.relname);
    end if;
  end loop;
end $$
"""


def guard_gates() -> None:
    changed = {"insert": "new table as changed", "update": "new table as changed old table as previous"}
    op.execute(GUARD.format(name="guard_gate", changed="select distinct sku_id from changed"))
    op.execute(
        GUARD.format(name="guard_gate_update", changed="select sku_id from changed union select sku_id from previous")
    )
    changed["delete"] = "old table as changed"
    for table in GUARDED + GUARDED_ON_INSERT:
        for verb, tables in changed.items():
            if verb != "insert" and table in GUARDED_ON_INSERT:
                continue
            function = "guard_gate_update" if verb == "update" else "guard_gate"
            op.execute(
                f"create trigger guard_gate_{verb} after {verb} on {table} referencing {tables}"
                f" for each statement execute function {function}()"
            )
    op.execute(NEW_SKU)
    op.execute(
        "create trigger open_gate after insert on sku referencing new table as added"
        " for each statement execute function open_gate()"
    )


def make_append_only() -> None:
    op.execute(REFUSE)
    op.execute(SEAL_ONLY)
    for table in APPEND_ONLY:
        verbs = "delete or truncate" if table in SEALED else "update or delete or truncate"
        op.execute(
            f"create trigger append_only before {verbs} on {table} for each statement execute function refuse_change()"
        )
        if table in SEALED:
            op.execute(
                f"create trigger seal_only before update on {table} for each row execute function allow_sealing_only()"
            )


def grant() -> None:
    op.execute(GRANT_ALL)
    for table in APPEND_ONLY:
        op.execute(f"revoke update, delete, truncate on {table} from bm_system")
    for table in SEALED:
        op.execute(f"grant update (seal_number) on {table} to bm_system")
    op.execute("revoke delete on sku_gate, relay from bm_system")
    readable = ", ".join([*REFERENCE, *(table for table, rule in VISIBLE.items() if rule)])
    op.execute(f"grant select on {readable} to bm_app")
    op.execute("revoke all on function ensure_event_partition, drop_event_partitions from public")
    op.execute("grant execute on function ensure_event_partition, drop_event_partitions to bm_system")


def secure_rows() -> None:
    for table, rule in VISIBLE.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_system on {table} to bm_system using (true) with check (true)")
        if rule:
            op.execute(f"create policy {table}_app on {table} for select to bm_app using ({rule})")


def upgrade() -> None:
    op.execute("set local role bm_owner")
    guard_gates()
    make_append_only()
    op.execute(ENSURE_PARTITION)
    op.execute(DROP_PARTITIONS)
    op.execute("select ensure_event_partition(0)")
    op.execute("insert into relay (position, epoch) values (0, 1)")
    grant()
    secure_rows()
    op.execute("reset role")
    op.execute("grant select on alembic_version to bm_system")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
