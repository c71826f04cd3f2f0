"""The three roles, and the tables of the business, owned by bm_owner; the next revision puts the walls around them.

Revision: spine, the first. CACHE 1 of every identity is meant: the order of events relies on it.
"""
# ruff: noqa: E501

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from core.tables.columns import Xid8

revision = "spine"
down_revision = None
branch_labels = None
depends_on = None

ROLES = """
do $$
declare wanted text;
begin
  foreach wanted in array array['bm_owner', 'bm_app', 'bm_system'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin', wanted);
      exception when duplicate_object or unique_violation then null;  -- another database of this server was faster
      end;
    end if;
    if exists (select from pg_roles where rolname = wanted and (rolsuper or rolbypassrls)) then
      raise exception 'role % bypasses row-level security', wanted using errcode = '55000';
    end if;
  end loop;
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('grant bm_owner, bm_app, bm_system to %I', current_user);
  end if;
end $$
"""


def upgrade() -> None:
    op.execute(ROLES)
    op.execute("revoke create on schema public from public")
    op.execute("grant usage, create on schema public to bm_owner")
    op.execute("grant usage on schema public to bm_app, bm_system")
    op.execute("set local role bm_owner")
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("seal_number", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_entry_pkey")),
    )
    op.create_index("audit_entry_object_idx", "audit_entry", ["object", "id"], unique=False)
    op.create_index(
        "audit_entry_seal_idx",
        "audit_entry",
        ["seal_number", "id"],
        unique=False,
        postgresql_where=sa.text("seal_number is not null"),
    )
    op.create_index(
        "audit_entry_unsealed", "audit_entry", ["id"], unique=False, postgresql_where=sa.text("seal_number is null")
    )
    op.create_table(
        "audit_seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("format", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("audit_seal_pkey")),
    )
    op.create_table(
        "availability_curve",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("demand_class", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dates", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column("quantities", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("sku_id", "location_id", "demand_class", name=op.f("availability_curve_pkey")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "calendar",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("working_days", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("country", sa.CHAR(length=2), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "working_days <@ array[1,2,3,4,5,6,7] and cardinality(working_days) > 0", name=op.f("calendar_working_days")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("calendar_pkey")),
        sa.UniqueConstraint("code", name=op.f("calendar_code_key")),
    )
    op.create_table(
        "channel",
        sa.Column("code", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("default_language", sa.Text(), server_default=sa.text("'en'"), nullable=False),
        sa.Column("location_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("max_shown", sa.Integer(), nullable=True),
        sa.Column("protected_class", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("channel_pkey")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), server_default=sa.text("'STANDARD'"), nullable=False),
        sa.Column("language", sa.Text(), server_default=sa.text("'en'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("customer_pkey")),
        sa.UniqueConstraint("code", name=op.f("customer_code_key")),
    )
    op.create_table(
        "edi_raw",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("edi_raw_pkey")),
        sa.UniqueConstraint("sha256", name=op.f("edi_raw_sha256_key")),
    )
    op.create_table(
        "event",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("supplier_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("job", sa.Text(), nullable=True),
        sa.Column("job_key", sa.Text(), nullable=True),
        sa.Column("job_queue", sa.Text(), nullable=True),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("event_pkey")),
        postgresql_partition_by="RANGE (position)",
    )
    op.create_index(
        "event_customer_idx",
        "event",
        ["customer_id", "position"],
        unique=False,
        postgresql_where=sa.text("customer_id is not null"),
    )
    op.create_index("event_key_idx", "event", ["topic", "key", "position"], unique=False)
    op.create_index(
        "event_order_idx",
        "event",
        ["order_id", "position"],
        unique=False,
        postgresql_where=sa.text("order_id is not null"),
    )
    op.create_index(
        "event_supplier_idx",
        "event",
        ["supplier_id", "position"],
        unique=False,
        postgresql_where=sa.text("supplier_id is not null"),
    )
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("operation", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("principal", "operation", "key", name=op.f("idempotency_pkey")),
    )
    op.create_index("idempotency_age_idx", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "job_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("function", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), server_default=sa.text("'fast'"), nullable=False),
        sa.Column("key", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "input", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.Column("requests", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("seen", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("progress", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('waiting', 'queued', 'running', 'done', 'failed', 'dead', 'cancelled')",
            name=op.f("job_run_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("job_run_pkey")),
    )
    op.create_index(
        "job_run_due",
        "job_run",
        ["queue", "run_after"],
        unique=False,
        postgresql_where=sa.text("state in ('waiting','queued')"),
    )
    op.create_index(
        "job_run_live",
        "job_run",
        ["function", "key"],
        unique=True,
        postgresql_where=sa.text("state in ('waiting','queued','running')"),
    )
    op.create_index(
        "job_run_running", "job_run", ["heartbeat_at"], unique=False, postgresql_where=sa.text("state = 'running'")
    )
    op.create_table(
        "ledger_alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("ledger_alarm_pkey")),
    )
    op.create_index(
        "ledger_alarm_open",
        "ledger_alarm",
        ["check_name"],
        unique=False,
        postgresql_where=sa.text("cleared_at is null"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("supplier_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("job", sa.Text(), nullable=True),
        sa.Column("job_key", sa.Text(), nullable=True),
        sa.Column("job_queue", sa.Text(), nullable=True),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
    )
    op.create_table(
        "policy",
        sa.Column("code", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("policy_pkey")),
    )
    op.create_table(
        "promise_seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("format", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("promise_seal_pkey")),
    )
    op.create_table(
        "relay",
        sa.Column("id", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id", name=op.f("relay_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("relay_pkey")),
        postgresql_with={"fillfactor": 40},
    )
    op.create_table(
        "repromising_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'computing'"), nullable=False),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("budget", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("seed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("snapshot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('computing', 'proposed', 'approved', 'publishing', 'published', 'cancelled', 'failed')",
            name=op.f("repromising_run_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("repromising_run_pkey")),
    )
    op.create_table(
        "reservation",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("need_date", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'cart'"), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_until_latest", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'held'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('cart', 'quote', 'preorder', 'pool')", name=op.f("reservation_kind")),
        sa.CheckConstraint("state in ('held', 'committed', 'released', 'expired')", name=op.f("reservation_state")),
        sa.CheckConstraint("expires_at <= hold_until_latest", name=op.f("reservation_not_over_cap")),
        sa.CheckConstraint("quantity > 0", name=op.f("reservation_quantity")),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("reservation_pkey")),
    )
    op.create_index(
        "reservation_expiry_idx",
        "reservation",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index("reservation_group_idx", "reservation", ["group_id"], unique=False)
    op.create_index(
        "reservation_live",
        "reservation",
        ["sku_id", "location_id"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
        postgresql_include=["need_date", "quantity", "expires_at"],
    )
    op.create_table(
        "simulation_clock",
        sa.Column("id", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("simulated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id", name=op.f("simulation_clock_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("simulation_clock_pkey")),
    )
    op.create_table(
        "sku",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unit", sa.Text(), server_default=sa.text("'EA'"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'ACTIVE'"), nullable=False),
        sa.Column("tracks_lots", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tracks_serials", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tracks_expiry", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("weight_g", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unit_cost", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("low_stock_at", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.Column("reorder_point", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reorder_quantity", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('ACTIVE', 'PREORDER', 'BLOCKED', 'DISCONTINUED')", name=op.f("sku_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("sku_pkey")),
        sa.UniqueConstraint("code", name=op.f("sku_code_key")),
    )
    op.create_table(
        "calendar_exception",
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("is_working", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("calendar_exception_calendar_id_fkey")),
        sa.PrimaryKeyConstraint("calendar_id", "day", name=op.f("calendar_exception_pkey")),
    )
    op.create_table(
        "customer_person",
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("address", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("customer_person_customer_id_fkey")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("customer_person_pkey")),
    )
    op.create_table(
        "location",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=True),
        sa.Column("cutoff_time", sa.Time(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind in ('dc', 'warehouse', 'store', 'destination', 'supplier')", name=op.f("location_kind")
        ),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("location_calendar_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("location_pkey")),
        sa.UniqueConstraint("code", name=op.f("location_code_key")),
    )
    op.create_table(
        "sku_gate",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("changed_by", Xid8(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("sku_gate_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", name=op.f("sku_gate_pkey")),
        postgresql_with={"fillfactor": 40},
    )
    op.create_table(
        "sku_pack",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("sku_pack_units")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("sku_pack_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "code", name=op.f("sku_pack_pkey")),
    )
    op.create_table(
        "substitute",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("substitute_sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ratio", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("rank", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("needs_consent", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("ratio > 0", name=op.f("substitute_ratio")),
        sa.CheckConstraint("sku_id <> substitute_sku_id", name=op.f("substitute_not_itself")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("substitute_sku_id_fkey")),
        sa.ForeignKeyConstraint(["substitute_sku_id"], ["sku.id"], name=op.f("substitute_substitute_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "substitute_sku_id", name=op.f("substitute_pkey")),
    )
    op.create_table(
        "delivery_zone",
        sa.Column("country", sa.CHAR(length=2), autoincrement=False, nullable=False),
        sa.Column("postal_prefix", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("delivery_zone_location_id_fkey")),
        sa.PrimaryKeyConstraint("country", "postal_prefix", name=op.f("delivery_zone_pkey")),
    )
    op.create_table(
        "lane",
        sa.Column("from_location_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("to_location_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transit_days", sa.Integer(), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=True),
        sa.Column("cost", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("carbon_g_per_kg", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("from_location_id <> to_location_id", name=op.f("lane_not_itself")),
        sa.CheckConstraint("transit_days >= 0", name=op.f("lane_transit_days")),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("lane_calendar_id_fkey")),
        sa.ForeignKeyConstraint(["from_location_id"], ["location.id"], name=op.f("lane_from_location_id_fkey")),
        sa.ForeignKeyConstraint(["to_location_id"], ["location.id"], name=op.f("lane_to_location_id_fkey")),
        sa.PrimaryKeyConstraint("from_location_id", "to_location_id", name=op.f("lane_pkey")),
    )
    op.create_index("lane_to_idx", "lane", ["to_location_id"], unique=False)
    op.create_table(
        "lot",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'sellable'"), nullable=False),
        sa.Column("on_hand", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("allocated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('sellable', 'inspection', 'quarantined', 'damaged', 'expired')", name=op.f("lot_state")
        ),
        sa.CheckConstraint("0 <= allocated and allocated <= on_hand", name=op.f("lot_not_over_allocated")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("lot_location_id_fkey")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("lot_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("lot_pkey")),
        sa.UniqueConstraint("sku_id", "location_id", "code", name=op.f("lot_sku_id_location_id_code_key")),
    )
    op.create_table(
        "protected_stock",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("demand_class", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("from_date", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("protected_stock_quantity")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("protected_stock_location_id_fkey")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("protected_stock_sku_id_fkey")),
        sa.PrimaryKeyConstraint(
            "sku_id", "location_id", "demand_class", "from_date", name=op.f("protected_stock_pkey")
        ),
    )
    op.create_table(
        "sales_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("external_number", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'RECEIVED'"), nullable=False),
        sa.Column("ship_to", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ship_complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("payment_state", sa.Text(), nullable=True),
        sa.Column("destination_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status in ('RECEIVED', 'VALIDATED', 'ALLOCATED', 'SHIPMENT_RESERVED', 'SHIPPED', 'DELIVERED', 'CANCELLED')",
            name=op.f("sales_order_status"),
        ),
        sa.ForeignKeyConstraint(["channel"], ["channel.code"], name=op.f("sales_order_channel_fkey")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("sales_order_customer_id_fkey")),
        sa.ForeignKeyConstraint(["destination_id"], ["location.id"], name=op.f("sales_order_destination_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sales_order_pkey")),
        sa.UniqueConstraint("channel", "external_number", name=op.f("sales_order_channel_external_number_key")),
        sa.UniqueConstraint("number", name=op.f("sales_order_number_key")),
    )
    op.create_index("sales_order_customer_idx", "sales_order", ["customer_id", "id"], unique=False)
    op.create_index("sales_order_placed_idx", "sales_order", ["placed_at", "id"], unique=False)
    op.create_index("sales_order_status_idx", "sales_order", ["status", "id"], unique=False)
    op.create_table(
        "stock_level",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("on_hand", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unsellable", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("allocated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("allocated + unsellable <= on_hand", name=op.f("stock_level_not_over_allocated")),
        sa.CheckConstraint("allocated >= 0", name=op.f("stock_level_allocated")),
        sa.CheckConstraint("on_hand >= 0", name=op.f("stock_level_on_hand")),
        sa.CheckConstraint("unsellable >= 0", name=op.f("stock_level_unsellable")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("stock_level_location_id_fkey")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("stock_level_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "location_id", name=op.f("stock_level_pkey")),
        postgresql_with={"fillfactor": 40},
    )
    op.create_index("stock_level_location_idx", "stock_level", ["location_id"], unique=False)
    op.create_table(
        "supplier",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=True),
        sa.Column("location_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("supplier_calendar_id_fkey")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("supplier_location_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("supplier_pkey")),
        sa.UniqueConstraint("code", name=op.f("supplier_code_key")),
    )
    op.create_table(
        "transfer",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("from_location_id", sa.BigInteger(), nullable=False),
        sa.Column("to_location_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("shipped", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lost", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'planned'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state in ('planned', 'in_transit', 'received', 'cancelled')", name=op.f("transfer_state")),
        sa.CheckConstraint("from_location_id <> to_location_id", name=op.f("transfer_not_itself")),
        sa.CheckConstraint(
            "least(shipped, received, lost) >= 0 and shipped <= quantity and received + lost <= shipped",
            name=op.f("transfer_balance"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("transfer_quantity")),
        sa.ForeignKeyConstraint(["from_location_id"], ["location.id"], name=op.f("transfer_from_location_id_fkey")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("transfer_sku_id_fkey")),
        sa.ForeignKeyConstraint(["to_location_id"], ["location.id"], name=op.f("transfer_to_location_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("transfer_pkey")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column(
            "scope", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("supplier_id", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "role in ('STOREFRONT', 'CUSTOMER', 'SUPPLIER', 'WAREHOUSE', 'PLANNER', 'ADMIN', 'AUDITOR')",
            name=op.f("api_key_role"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("api_key_customer_id_fkey")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("api_key_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_key_pkey")),
        sa.UniqueConstraint("prefix", name=op.f("api_key_prefix_key")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("backorder_id", sa.BigInteger(), nullable=True),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default=sa.text("'en'"), nullable=False),
        sa.Column(
            "facts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('pending', 'sent', 'read', 'failed')", name=op.f("notice_state")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("notice_customer_id_fkey")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("notice_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("notice_pkey")),
        sa.UniqueConstraint("dedupe_key", name=op.f("notice_dedupe_key_key")),
    )
    op.create_index("notice_customer_idx", "notice", ["customer_id", "id"], unique=False)
    op.create_index("notice_order_idx", "notice", ["order_id"], unique=False)
    op.create_index("notice_pending_idx", "notice", ["id"], unique=False, postgresql_where=sa.text("state = 'pending'"))
    op.create_table(
        "order_hold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("release_deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("on_deadline", sa.Text(), server_default=sa.text("'ESCALATE'"), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("on_deadline in ('RELEASE', 'CANCEL', 'ESCALATE')", name=op.f("order_hold_on_deadline")),
        sa.CheckConstraint(
            "reason in ('PAYMENT', 'ADDRESS', 'FRAUD', 'CREDIT', 'DUPLICATE', 'SKU_NOT_SELLABLE', 'CUSTOMER_REQUEST', 'MANUAL')",
            name=op.f("order_hold_reason"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("order_hold_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("order_hold_pkey")),
    )
    op.create_index(
        "order_hold_deadline_idx",
        "order_hold",
        ["release_deadline"],
        unique=False,
        postgresql_where=sa.text("released_at is null"),
    )
    op.create_index("order_hold_order_idx", "order_hold", ["order_id"], unique=False)
    op.create_table(
        "order_line",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=True),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("open", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("allocated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("backordered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("shipped", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("ready", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("delivered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("requested_date", sa.Date(), nullable=True),
        sa.Column("ship_by", sa.Date(), nullable=True),
        sa.Column("ship_policy", sa.Text(), server_default=sa.text("'PARTIAL_BACKORDER_REST'"), nullable=False),
        sa.Column("substitutes_allowed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("priority_score", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("current_promise_id", sa.BigInteger(), nullable=True),
        sa.Column("promise_sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("promised_date", sa.Date(), nullable=True),
        sa.Column("substituted_for_line_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'RECEIVED'"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "ship_policy in ('COMPLETE', 'PARTIAL_BACKORDER_REST', 'PARTIAL_CANCEL_REST')",
            name=op.f("order_line_ship_policy"),
        ),
        sa.CheckConstraint(
            "status in ('RECEIVED', 'VALIDATED', 'BACKORDERED', 'ALLOCATED', 'READY_TO_SHIP', 'SHIPPED', 'DELIVERED', 'CANCELLED')",
            name=op.f("order_line_status"),
        ),
        sa.CheckConstraint("delivered >= 0 and delivered <= shipped", name=op.f("order_line_not_over_delivered")),
        sa.CheckConstraint(
            "ordered = open + allocated + backordered + shipped + cancelled and least(open, allocated, backordered, shipped, cancelled) >= 0",
            name=op.f("order_line_quantities"),
        ),
        sa.CheckConstraint("ordered > 0", name=op.f("order_line_ordered")),
        sa.CheckConstraint("ready >= 0 and ready <= allocated", name=op.f("order_line_not_over_ready")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("order_line_order_id_fkey")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("order_line_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("order_line_pkey")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("order_line_customer_idx", "order_line", ["customer_id"], unique=False)
    op.create_index("order_line_number", "order_line", ["order_id", "line_number"], unique=True)
    op.create_table(
        "partner",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=True),
        sa.Column("qualifier", sa.Text(), nullable=False),
        sa.Column("interchange_id", sa.Text(), nullable=False),
        sa.Column("our_qualifier", sa.Text(), nullable=False),
        sa.Column("our_interchange_id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("our_group_id", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("partner_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("partner_pkey")),
        sa.UniqueConstraint("code", name=op.f("partner_code_key")),
    )
    op.create_index("partner_interchange_idx", "partner", ["qualifier", "interchange_id"], unique=False)
    op.create_index("partner_supplier_idx", "partner", ["supplier_id"], unique=False)
    op.create_table(
        "purchase_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'DRAFT'"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("requested_date", sa.Date(), nullable=True),
        sa.Column("approval", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("cause", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status in ('DRAFT', 'AWAITING_APPROVAL', 'APPROVED', 'SENT', 'ACKNOWLEDGED', 'PARTIALLY_RECEIVED', 'RECEIVED', 'CLOSED', 'CANCELLED')",
            name=op.f("purchase_order_status"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("purchase_order_location_id_fkey")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("purchase_order_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("purchase_order_pkey")),
        sa.UniqueConstraint("number", name=op.f("purchase_order_number_key")),
    )
    op.create_index("purchase_order_status_idx", "purchase_order", ["status", "id"], unique=False)
    op.create_index("purchase_order_supplier_idx", "purchase_order", ["supplier_id", "id"], unique=False)
    op.create_table(
        "shipment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'PLANNED'"), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("planned_ship_date", sa.Date(), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('PLANNED', 'SHIPPED', 'DELIVERED', 'CANCELLED')", name=op.f("shipment_status")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("shipment_location_id_fkey")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("shipment_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("shipment_pkey")),
        sa.UniqueConstraint("number", name=op.f("shipment_number_key")),
    )
    op.create_index("shipment_customer_idx", "shipment", ["customer_id", "id"], unique=False)
    op.create_index("shipment_order_idx", "shipment", ["order_id"], unique=False)
    op.create_index(
        "shipment_planned_idx",
        "shipment",
        ["location_id", "planned_ship_date"],
        unique=False,
        postgresql_where=sa.text("status = 'PLANNED'"),
    )
    op.create_table(
        "stock_movement",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_hand_delta", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unsellable_delta", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("allocated_delta", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.BigInteger(), nullable=True),
        sa.Column("order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gate_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind in ('received', 'allocated', 'released', 'shipped', 'adjusted', 'counted', 'transfer_out', 'transfer_in', 'quarantined', 'unquarantined', 'returned', 'scrapped')",
            name=op.f("stock_movement_kind"),
        ),
        sa.CheckConstraint(
            "on_hand_delta <> 0 or unsellable_delta <> 0 or allocated_delta <> 0",
            name=op.f("stock_movement_moves_something"),
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "lot_id"], ["lot.sku_id", "lot.id"], name=op.f("stock_movement_sku_id_lot_id_fkey")
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("stock_movement_pkey")),
    )
    op.create_index(
        "stock_movement_line_idx",
        "stock_movement",
        ["sku_id", "order_line_id"],
        unique=False,
        postgresql_where=sa.text("order_line_id is not null"),
    )
    op.create_index(
        "stock_movement_place_idx", "stock_movement", ["sku_id", "location_id", "occurred_at"], unique=False
    )
    op.create_table(
        "supplier_sku",
        sa.Column("supplier_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vendor_code", sa.Text(), nullable=True),
        sa.Column("price", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("moq", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("order_multiple", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=False),
        sa.Column("lead_time_p80", sa.Integer(), nullable=False),
        sa.Column("is_preferred", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("moq > 0 and order_multiple > 0", name=op.f("supplier_sku_multiples")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("supplier_sku_sku_id_fkey")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("supplier_sku_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("supplier_id", "sku_id", name=op.f("supplier_sku_pkey")),
    )
    op.create_index("supplier_sku_sku_idx", "supplier_sku", ["sku_id", "supplier_id"], unique=False)
    op.create_index("supplier_sku_vendor_code_idx", "supplier_sku", ["supplier_id", "vendor_code"], unique=False)
    op.create_table(
        "backorder",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("location_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'PROVISIONAL'"), nullable=False),
        sa.Column("held_from_state", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("expected_date", sa.Date(), nullable=True),
        sa.Column("priority", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "cause in ('FORECAST_ERROR', 'DEMAND_SPIKE', 'SUPPLIER_DELAY', 'SUPPLIER_SHORT', 'RECEIVING_DELAY', 'QUALITY', 'STOCK_RECORD_ERROR', 'ALLOCATION_CHOICE')",
            name=op.f("backorder_cause"),
        ),
        sa.CheckConstraint(
            "state in ('PROVISIONAL', 'SOURCING', 'AWAITING_SUPPLY', 'PEGGED', 'DELAYED', 'OPTION_OFFERED', 'ON_HOLD', 'CANCEL_PENDING', 'FILLED', 'SUBSTITUTED', 'CANCELLED')",
            name=op.f("backorder_state"),
        ),
        sa.CheckConstraint("(closed_at is null) = (quantity > 0)", name=op.f("backorder_closed_is_empty")),
        sa.CheckConstraint("quantity >= 0", name=op.f("backorder_quantity")),
        sa.ForeignKeyConstraint(
            ["sku_id", "order_line_id"],
            ["order_line.sku_id", "order_line.id"],
            name=op.f("backorder_sku_id_order_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("backorder_pkey")),
    )
    op.create_index("backorder_customer_idx", "backorder", ["customer_id", "id"], unique=False)
    op.create_index("backorder_line_idx", "backorder", ["sku_id", "order_line_id"], unique=False)
    op.create_index(
        "backorder_one_open",
        "backorder",
        ["sku_id", "order_line_id"],
        unique=True,
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_index(
        "backorder_open_age_idx",
        "backorder",
        ["opened_at", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_index(
        "backorder_open_state_idx",
        "backorder",
        ["state", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_table(
        "edi_counter",
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("direction", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("next", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("edi_counter_partner_id_fkey")),
        sa.PrimaryKeyConstraint("partner_id", "direction", "level", name=op.f("edi_counter_pkey")),
    )
    op.create_table(
        "edi_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("raw_id", sa.BigInteger(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("transport_id", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("edi_delivery_partner_id_fkey")),
        sa.ForeignKeyConstraint(["raw_id"], ["edi_raw.id"], name=op.f("edi_delivery_raw_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("edi_delivery_pkey")),
        sa.UniqueConstraint("transport", "transport_id", name=op.f("edi_delivery_transport_transport_id_key")),
    )
    op.create_index("edi_delivery_raw_idx", "edi_delivery", ["raw_id"], unique=False)
    op.create_table(
        "edi_group",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("raw_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("group_control", sa.Text(), nullable=False),
        sa.Column("functional_id", sa.Text(), nullable=False),
        sa.Column("sets", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledgement_raw", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("edi_group_partner_id_fkey")),
        sa.ForeignKeyConstraint(["raw_id"], ["edi_raw.id"], name=op.f("edi_group_raw_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("edi_group_pkey")),
        sa.UniqueConstraint("raw_id", "position", name=op.f("edi_group_raw_id_position_key")),
    )
    op.create_index(
        "edi_group_unanswered_idx",
        "edi_group",
        ["id"],
        unique=False,
        postgresql_where=sa.text("acknowledged_at is null"),
    )
    op.create_table(
        "edi_identity",
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("usage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("content_sha256", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("first_document_id", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("edi_identity_partner_id_fkey")),
        sa.PrimaryKeyConstraint(
            "partner_id", "usage", "level", "identity", "content_sha256", name=op.f("edi_identity_pkey")
        ),
    )
    op.create_table(
        "edi_outbound",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("interchange_control", sa.Text(), nullable=True),
        sa.Column("group_control", sa.Text(), nullable=True),
        sa.Column("set_control", sa.Text(), nullable=True),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("due", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('pending', 'written', 'acknowledged', 'rejected')", name=op.f("edi_outbound_state")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("edi_outbound_partner_id_fkey")),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("edi_outbound_purchase_order_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("edi_outbound_pkey")),
        sa.UniqueConstraint("file_name", name=op.f("edi_outbound_file_name_key")),
    )
    op.create_index("edi_outbound_control_idx", "edi_outbound", ["partner_id", "group_control"], unique=False)
    op.create_index("edi_outbound_order_idx", "edi_outbound", ["purchase_order_id"], unique=False)
    op.create_index(
        "edi_outbound_pending_idx", "edi_outbound", ["id"], unique=False, postgresql_where=sa.text("state = 'pending'")
    )
    op.create_table(
        "order_return",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("order_return_quantity")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("order_return_location_id_fkey")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("order_return_order_id_fkey")),
        sa.ForeignKeyConstraint(
            ["sku_id", "order_line_id"],
            ["order_line.sku_id", "order_line.id"],
            name=op.f("order_return_sku_id_order_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("order_return_pkey")),
        sa.UniqueConstraint("number", name=op.f("order_return_number_key")),
    )
    op.create_index("order_return_order_idx", "order_return", ["order_id"], unique=False)
    op.create_table(
        "partner_guide",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("guide", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state in ('draft', 'active', 'retired')", name=op.f("partner_guide_state")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("partner_guide_partner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("partner_guide_pkey")),
        sa.UniqueConstraint("partner_id", "version", name=op.f("partner_guide_partner_id_version_key")),
    )
    op.create_table(
        "promise",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.BigInteger(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("slices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("seal_number", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "cause_kind in ('PLACED', 'ALLOCATED', 'LINE_CHANGED', 'HOLD_RELEASED', 'SUPPLY_DATED', 'SUPPLY_ADVANCED', 'SUPPLY_DELAYED', 'SUPPLY_LOST', 'SUPPLIER_BACKORDERED', 'STOCK_CORRECTED', 'REPROMISED', 'SUBSTITUTED', 'OPTION_CHOSEN', 'REPRIORITISED')",
            name=op.f("promise_cause_kind"),
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("promise_quantity")),
        sa.CheckConstraint("sequence > 0", name=op.f("promise_sequence")),
        sa.ForeignKeyConstraint(
            ["sku_id", "order_line_id"],
            ["order_line.sku_id", "order_line.id"],
            name=op.f("promise_sku_id_order_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("promise_pkey")),
        sa.UniqueConstraint(
            "sku_id", "order_line_id", "sequence", name=op.f("promise_sku_id_order_line_id_sequence_key")
        ),
    )
    op.create_index("promise_customer_idx", "promise", ["customer_id"], unique=False)
    op.create_index(
        "promise_seal_idx",
        "promise",
        ["seal_number", "id"],
        unique=False,
        postgresql_where=sa.text("seal_number is not null"),
    )
    op.create_index(
        "promise_unsealed", "promise", ["id"], unique=False, postgresql_where=sa.text("seal_number is null")
    )
    op.create_table(
        "purchase_order_line",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("accepted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("supplier_backordered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("held", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("in_transit", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rejected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("over_delivered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("price", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("requested_date", sa.Date(), nullable=True),
        sa.Column("promised_date", sa.Date(), nullable=True),
        sa.Column("last_sequence", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "ordered = unanswered + accepted + supplier_backordered + held + in_transit + received + rejected + cancelled and least(unanswered, accepted, supplier_backordered, held, in_transit, received, rejected, cancelled, over_delivered) >= 0",
            name=op.f("purchase_order_line_quantities"),
        ),
        sa.CheckConstraint("ordered > 0", name=op.f("purchase_order_line_ordered")),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("purchase_order_line_purchase_order_id_fkey")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("purchase_order_line_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("purchase_order_line_pkey")),
        sa.UniqueConstraint(
            "sku_id",
            "purchase_order_id",
            "line_number",
            name=op.f("purchase_order_line_sku_id_purchase_order_id_line_number_key"),
        ),
    )
    op.create_index(
        "purchase_order_line_order_idx", "purchase_order_line", ["purchase_order_id", "line_number"], unique=False
    )
    op.create_table(
        "repromising_diff",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("gate_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('proposed', 'applied', 'recomputed', 'dropped')", name=op.f("repromising_diff_state")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["repromising_run.id"], name=op.f("repromising_diff_run_id_fkey")),
        sa.ForeignKeyConstraint(
            ["sku_id", "order_line_id"],
            ["order_line.sku_id", "order_line.id"],
            name=op.f("repromising_diff_sku_id_order_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("repromising_diff_pkey")),
    )
    op.create_index("repromising_diff_run_idx", "repromising_diff", ["run_id", "sku_id", "id"], unique=False)
    op.create_table(
        "serial_unit",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=True),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'in_stock'"), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('in_stock', 'allocated', 'quarantined', 'shipped', 'returned', 'scrapped')",
            name=op.f("serial_unit_state"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("serial_unit_location_id_fkey")),
        sa.ForeignKeyConstraint(
            ["sku_id", "lot_id"], ["lot.sku_id", "lot.id"], name=op.f("serial_unit_sku_id_lot_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "order_line_id"],
            ["order_line.sku_id", "order_line.id"],
            name=op.f("serial_unit_sku_id_order_line_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("serial_unit_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("serial_unit_pkey")),
        sa.UniqueConstraint("sku_id", "code", name=op.f("serial_unit_sku_id_code_key")),
    )
    op.create_table(
        "shipment_line",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("shipment_line_quantity")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("shipment_line_shipment_id_fkey")),
        sa.ForeignKeyConstraint(
            ["sku_id", "lot_id"], ["lot.sku_id", "lot.id"], name=op.f("shipment_line_sku_id_lot_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "order_line_id"],
            ["order_line.sku_id", "order_line.id"],
            name=op.f("shipment_line_sku_id_order_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("shipment_line_pkey")),
    )
    op.create_index("shipment_line_line_idx", "shipment_line", ["sku_id", "order_line_id"], unique=False)
    op.create_index("shipment_line_shipment_idx", "shipment_line", ["shipment_id"], unique=False)
    op.create_table(
        "backorder_event",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("backorder_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "from_state in ('PROVISIONAL', 'SOURCING', 'AWAITING_SUPPLY', 'PEGGED', 'DELAYED', 'OPTION_OFFERED', 'ON_HOLD', 'CANCEL_PENDING', 'FILLED', 'SUBSTITUTED', 'CANCELLED')",
            name=op.f("backorder_event_from_state"),
        ),
        sa.CheckConstraint(
            "to_state in ('PROVISIONAL', 'SOURCING', 'AWAITING_SUPPLY', 'PEGGED', 'DELAYED', 'OPTION_OFFERED', 'ON_HOLD', 'CANCEL_PENDING', 'FILLED', 'SUBSTITUTED', 'CANCELLED')",
            name=op.f("backorder_event_to_state"),
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "backorder_id"],
            ["backorder.sku_id", "backorder.id"],
            name=op.f("backorder_event_sku_id_backorder_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("backorder_event_pkey")),
        sa.UniqueConstraint(
            "sku_id", "backorder_id", "sequence", name=op.f("backorder_event_sku_id_backorder_id_sequence_key")
        ),
    )
    op.create_table(
        "edi_document",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("raw_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("supplier_id", sa.BigInteger(), nullable=True),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("usage", sa.Text(), server_default=sa.text("'P'"), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=True),
        sa.Column("validation", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("delivery", sa.Text(), server_default=sa.text("'received'"), nullable=False),
        sa.Column("acknowledgement", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("guide_version", sa.Integer(), nullable=True),
        sa.Column(
            "faults", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("quarantine_state", sa.Text(), nullable=True),
        sa.Column("quarantine_reason", sa.Text(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "acknowledgement in ('not_required', 'pending', 'accepted', 'accepted_with_errors', 'partially_accepted', 'rejected')",
            name=op.f("edi_document_acknowledgement"),
        ),
        sa.CheckConstraint(
            "delivery in ('received', 'applied', 'stale', 'repeated', 'quarantined', 'ignored')",
            name=op.f("edi_document_delivery"),
        ),
        sa.CheckConstraint(
            "quarantine_state in ('new', 'assigned', 'fixed', 'replayed', 'ignored')",
            name=op.f("edi_document_quarantine_state"),
        ),
        sa.CheckConstraint(
            "validation in ('pending', 'valid', 'valid_with_errors', 'invalid')", name=op.f("edi_document_validation")
        ),
        sa.ForeignKeyConstraint(["group_id"], ["edi_group.id"], name=op.f("edi_document_group_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("edi_document_partner_id_fkey")),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("edi_document_purchase_order_id_fkey")
        ),
        sa.ForeignKeyConstraint(["raw_id"], ["edi_raw.id"], name=op.f("edi_document_raw_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("edi_document_pkey")),
    )
    op.create_index("edi_document_business_idx", "edi_document", ["partner_id", "kind", "business_key"], unique=False)
    op.create_index("edi_document_purchase_order_idx", "edi_document", ["purchase_order_id"], unique=False)
    op.create_index(
        "edi_document_quarantine_idx",
        "edi_document",
        ["quarantine_state", "id"],
        unique=False,
        postgresql_where=sa.text("quarantine_state is not null"),
    )
    op.create_index("edi_document_raw_idx", "edi_document", ["raw_id", "position"], unique=False)
    op.create_index("edi_document_supplier_idx", "edi_document", ["supplier_id", "id"], unique=False)
    op.create_index(
        "edi_document_unapplied_idx",
        "edi_document",
        ["id"],
        unique=False,
        postgresql_where=sa.text("delivery = 'received'"),
    )
    op.create_table(
        "resolution_option",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("backorder_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("compensation", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=True),
        sa.Column("substitute_sku_id", sa.BigInteger(), nullable=True),
        sa.Column("expected_date", sa.Date(), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind in ('WAIT', 'PART_SHIP', 'SUBSTITUTE', 'CANCEL', 'COMPENSATE')", name=op.f("resolution_option_kind")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "backorder_id"],
            ["backorder.sku_id", "backorder.id"],
            name=op.f("resolution_option_sku_id_backorder_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["substitute_sku_id"], ["sku.id"], name=op.f("resolution_option_substitute_sku_id_fkey")
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("resolution_option_pkey")),
    )
    op.create_index("resolution_option_backorder_idx", "resolution_option", ["sku_id", "backorder_id"], unique=False)
    op.create_index(
        "resolution_option_deadline_idx",
        "resolution_option",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text("chosen_at is null"),
    )
    op.create_table(
        "ship_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("shipped_on", sa.Date(), nullable=True),
        sa.Column("expected_date", sa.Date(), nullable=True),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("edi_document_id", sa.BigInteger(), nullable=True),
        sa.Column("last_sequence", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["edi_document_id"], ["edi_document.id"], name=op.f("ship_notice_edi_document_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("ship_notice_purchase_order_id_fkey")
        ),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("ship_notice_supplier_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("ship_notice_pkey")),
        sa.UniqueConstraint("supplier_id", "number", name=op.f("ship_notice_supplier_id_number_key")),
    )
    op.create_index("ship_notice_tracking_idx", "ship_notice", ["carrier", "tracking_number"], unique=False)
    op.create_table(
        "carrier_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=False),
        sa.Column("ship_notice_id", sa.BigInteger(), nullable=True),
        sa.Column("status_code", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("estimated_date", sa.Date(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edi_document_id", sa.BigInteger(), nullable=True),
        sa.Column("applied", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["edi_document_id"], ["edi_document.id"], name=op.f("carrier_event_edi_document_id_fkey")
        ),
        sa.ForeignKeyConstraint(["ship_notice_id"], ["ship_notice.id"], name=op.f("carrier_event_ship_notice_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("carrier_event_pkey")),
        sa.UniqueConstraint(
            "carrier",
            "tracking_number",
            "status_code",
            "occurred_at",
            name=op.f("carrier_event_carrier_tracking_number_status_code_occurred_at_key"),
        ),
    )
    op.create_index("carrier_event_notice_idx", "carrier_event", ["ship_notice_id"], unique=False)
    op.create_table(
        "goods_receipt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("ship_notice_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("goods_receipt_location_id_fkey")),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("goods_receipt_purchase_order_id_fkey")
        ),
        sa.ForeignKeyConstraint(["ship_notice_id"], ["ship_notice.id"], name=op.f("goods_receipt_ship_notice_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("goods_receipt_pkey")),
        sa.UniqueConstraint("number", name=op.f("goods_receipt_number_key")),
    )
    op.create_table(
        "ship_notice_line",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("ship_notice_id", sa.BigInteger(), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("purchase_order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ship_notice_line_quantity")),
        sa.ForeignKeyConstraint(
            ["ship_notice_id"], ["ship_notice.id"], name=op.f("ship_notice_line_ship_notice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "purchase_order_line_id"],
            ["purchase_order_line.sku_id", "purchase_order_line.id"],
            name=op.f("ship_notice_line_sku_id_purchase_order_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("ship_notice_line_pkey")),
    )
    op.create_index("ship_notice_line_notice_idx", "ship_notice_line", ["ship_notice_id", "line_number"], unique=False)
    op.create_table(
        "supply",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=True),
        sa.Column("purchase_order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("ship_notice_line_id", sa.BigInteger(), nullable=True),
        sa.Column("transfer_id", sa.BigInteger(), nullable=True),
        sa.Column("split_from_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pegged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("paper_date", sa.Date(), nullable=True),
        sa.Column("usable_date", sa.Date(), nullable=False),
        sa.Column("overdue_days", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("date_basis", sa.Text(), nullable=True),
        sa.Column("date_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_sequence", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "date_basis in ('ON_HAND', 'TRANSFER', 'SHIP_NOTICE', 'CARRIER', 'CONFIRMED_ORDER', 'LEAD_TIME')",
            name=op.f("supply_date_basis"),
        ),
        sa.CheckConstraint("kind in ('purchase', 'transfer', 'return', 'production')", name=op.f("supply_kind")),
        sa.CheckConstraint("num_nonnulls(purchase_order_line_id, transfer_id) <= 1", name=op.f("supply_one_source")),
        sa.CheckConstraint("overdue_days >= 0", name=op.f("supply_overdue_days")),
        sa.CheckConstraint(
            "pegged >= 0 and pegged <= quantity - received - cancelled", name=op.f("supply_not_over_pegged")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("supply_quantity")),
        sa.CheckConstraint(
            "received >= 0 and cancelled >= 0 and received + cancelled <= quantity",
            name=op.f("supply_not_over_received"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("supply_location_id_fkey")),
        sa.ForeignKeyConstraint(
            ["sku_id", "purchase_order_line_id"],
            ["purchase_order_line.sku_id", "purchase_order_line.id"],
            name=op.f("supply_sku_id_purchase_order_line_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "ship_notice_line_id"],
            ["ship_notice_line.sku_id", "ship_notice_line.id"],
            name=op.f("supply_sku_id_ship_notice_line_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "split_from_id"], ["supply.sku_id", "supply.id"], name=op.f("supply_sku_id_split_from_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "transfer_id"], ["transfer.sku_id", "transfer.id"], name=op.f("supply_sku_id_transfer_id_fkey")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("supply_sku_id_fkey")),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("supply_pkey")),
    )
    op.create_index(
        "supply_open",
        "supply",
        ["sku_id", "location_id", "usable_date"],
        unique=False,
        postgresql_where=sa.text("quantity > received + cancelled"),
    )
    op.create_index("supply_purchase_order_line_idx", "supply", ["sku_id", "purchase_order_line_id"], unique=False)
    op.create_index(
        "supply_supplier_idx",
        "supply",
        ["supplier_id", "usable_date"],
        unique=False,
        postgresql_where=sa.text("quantity > received + cancelled"),
    )
    op.create_table(
        "goods_receipt_line",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("goods_receipt_id", sa.BigInteger(), nullable=False),
        sa.Column("supply_id", sa.BigInteger(), nullable=True),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("damaged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("over_delivered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "least(quantity, damaged, over_delivered) >= 0 and damaged <= quantity + over_delivered",
            name=op.f("goods_receipt_line_quantities"),
        ),
        sa.ForeignKeyConstraint(
            ["goods_receipt_id"], ["goods_receipt.id"], name=op.f("goods_receipt_line_goods_receipt_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "lot_id"], ["lot.sku_id", "lot.id"], name=op.f("goods_receipt_line_sku_id_lot_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "supply_id"],
            ["supply.sku_id", "supply.id"],
            name=op.f("goods_receipt_line_sku_id_supply_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("goods_receipt_line_pkey")),
    )
    op.create_index("goods_receipt_line_receipt_idx", "goods_receipt_line", ["goods_receipt_id"], unique=False)
    op.create_index("goods_receipt_line_supply_idx", "goods_receipt_line", ["sku_id", "supply_id"], unique=False)
    op.create_table(
        "peg",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("transfer_id", sa.BigInteger(), nullable=True),
        sa.Column("need_date", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("supply_id", sa.BigInteger(), nullable=True),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(kind in ('FIRM','SOFT')) = (supply_id is not null)", name=op.f("peg_source")),
        sa.CheckConstraint("kind in ('HARD', 'FIRM', 'SOFT', 'OPEN')", name=op.f("peg_kind")),
        sa.CheckConstraint("num_nonnulls(order_line_id, transfer_id) = 1", name=op.f("peg_owner")),
        sa.CheckConstraint("quantity > 0", name=op.f("peg_quantity")),
        sa.ForeignKeyConstraint(["sku_id", "lot_id"], ["lot.sku_id", "lot.id"], name=op.f("peg_sku_id_lot_id_fkey")),
        sa.ForeignKeyConstraint(
            ["sku_id", "order_line_id"],
            ["order_line.sku_id", "order_line.id"],
            name=op.f("peg_sku_id_order_line_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "supply_id"], ["supply.sku_id", "supply.id"], name=op.f("peg_sku_id_supply_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "transfer_id"], ["transfer.sku_id", "transfer.id"], name=op.f("peg_sku_id_transfer_id_fkey")
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("peg_pkey")),
    )
    op.create_index("peg_line", "peg", ["sku_id", "order_line_id"], unique=False)
    op.create_index(
        "peg_supply", "peg", ["sku_id", "supply_id"], unique=False, postgresql_where=sa.text("supply_id is not null")
    )
    op.create_index(
        "peg_transfer",
        "peg",
        ["sku_id", "transfer_id"],
        unique=False,
        postgresql_where=sa.text("transfer_id is not null"),
    )
    op.create_index(
        "peg_waiting",
        "peg",
        ["sku_id", "location_id", "need_date"],
        unique=False,
        postgresql_where=sa.text("kind <> 'HARD'"),
        postgresql_include=["quantity"],
    )
    op.create_table(
        "inspection_result",
        sa.Column("sku_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cache=1), nullable=False),
        sa.Column("goods_receipt_line_id", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("inspected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "accepted >= 0 and rejected >= 0 and accepted + rejected > 0", name=op.f("inspection_result_quantities")
        ),
        sa.ForeignKeyConstraint(
            ["sku_id", "goods_receipt_line_id"],
            ["goods_receipt_line.sku_id", "goods_receipt_line.id"],
            name=op.f("inspection_result_sku_id_goods_receipt_line_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("sku_id", "id", name=op.f("inspection_result_pkey")),
    )
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
