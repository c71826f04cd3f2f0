"""The recount sees every planted difference, alarms once, and clears the alarm when the books balance again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest

from core.database import Database
from core.ports import WallClock
from core.queries.identities import CHECKS
from core.services.reconcile_stock import Difference, reconcile_stock, recount
from core.services.recount_ledgers import merge, ranges, recount_range
from core.services.seal_ledgers import seal_ledgers
from core.services.verify_ledgers import verify_ledgers
from core.settings import Settings
from core.unit_of_work import UnitOfWork, run_unit_of_work
from workers.commands.audit import audit_report
from workers.job import Cancelled, JobContext
from workers.jobs.reconcile_stock import reconcile_stock as reconcile_job

pytestmark = pytest.mark.anyio

# A sound little world: of SKU 1 12 on hand at A, 6 given to line 1 (2 of them shipped), 4 backordered on supply 1 since its
# customer chose to wait for a coupon, 2 of 5 arrived from B; of SKU 2 5 on hand in lot 1, 2 of them given to line 2, 1 held
# by a cart; of SKU 3 one unit with its number.
WORLD = """
insert into calendar (id, code, name, working_days) values (1, 'C', 'C', '{1,2,3,4,5}');
insert into location (id, code, name, kind, time_zone, calendar_id) values
  (1, 'A', 'A', 'warehouse', 'UTC', 1), (2, 'B', 'B', 'warehouse', 'UTC', 1);
insert into sku (id, code, name, currency, tracks_lots) values (1, 'S', '{"en": "S"}', 'EUR', false),
  (2, 'L', '{"en": "L"}', 'EUR', true);
insert into sku (id, code, name, currency, tracks_serials) values (3, 'N', '{"en": "N"}', 'EUR', true);
insert into sku_gate (sku_id, version, changed_by) select id, 5, '3' from sku;
insert into channel (code, name) values ('web', 'web');
insert into supplier (id, code, name) values (1, 'V', 'V');
insert into supplier_sku (supplier_id, sku_id, vendor_code, price, currency, lead_time_days, lead_time_p80, updated_at)
  values (1, 1, 'v', 1, 'EUR', 10, 14, now() - interval '1 year');
insert into lot (sku_id, id, location_id, code, on_hand, allocated) values (2, 1, 1, 'L1', 5, 2);
insert into goods_receipt (id, number, location_id, actor, received_at) values (1, 'G1', 1, 'x', now());
insert into goods_receipt_line (sku_id, id, goods_receipt_id, quantity, over_delivered) values (1, 1, 1, 0, 12);
insert into stock_movement (sku_id, location_id, lot_id, order_line_id, kind, on_hand_delta, allocated_delta, cause_kind,
  actor, occurred_at, gate_version) values (1, 1, null, null, 'received', 12, 0, 'x', 'x', now(), 1),
  (1, 1, null, 1, 'allocated', 0, 6, 'x', 'x', now(), 1), (1, 1, null, 1, 'shipped', -2, -2, 'x', 'x', now(), 1),
  (1, 2, null, null, 'adjusted', 5, 0, 'x', 'x', now(), 1), (1, 2, null, null, 'allocated', 0, 5, 'x', 'x', now(), 1),
  (1, 2, null, null, 'transfer_out', -5, -5, 'x', 'x', now(), 1),
  (1, 1, null, null, 'transfer_in', 2, 0, 'x', 'x', now(), 1), (2, 1, 1, null, 'adjusted', 5, 0, 'x', 'x', now(), 1),
  (2, 1, 1, 2, 'allocated', 0, 2, 'x', 'x', now(), 1), (3, 1, null, null, 'adjusted', 1, 0, 'x', 'x', now(), 1);
insert into stock_level (sku_id, location_id, on_hand, allocated) values (1, 1, 12, 4), (1, 2, 0, 0), (2, 1, 5, 2),
  (3, 1, 1, 0);
insert into serial_unit (sku_id, id, code, location_id) values (3, 1, 'N1', 1);
insert into serial_movement (sku_id, serial_unit_id, kind, location_id, cause_kind, actor, occurred_at)
  values (3, 1, 'received', 1, 'x', 'x', now());
insert into purchase_order (id, supplier_id, number, location_id, currency) values (1, 1, 'P1', 1, 'EUR');
insert into purchase_order_line (sku_id, id, purchase_order_id, line_number, supplier_id, ordered, accepted,
  over_delivered) values (1, 1, 1, 1, 1, 9, 9, 12);
insert into supply (sku_id, id, location_id, kind, supplier_id, purchase_order_line_id, quantity, pegged, usable_date)
  values (1, 1, 1, 'purchase', 1, 1, 9, 4, current_date + 9);
insert into sales_order (id, number, channel, currency, placed_at, external_number, status)
  values (1, 'SO00000001', 'web', 'EUR', now(), 'X1', 'VALIDATED');
insert into order_line (sku_id, id, order_id, line_number, ordered, allocated, backordered, shipped, current_promise_id,
  promise_sequence, promised_date, status) values (1, 1, 1, 1, 10, 4, 4, 2, 1, 1, current_date + 9, 'BACKORDERED'),
  (2, 2, 1, 2, 2, 2, 0, 0, 2, 1, '2026-11-01', 'ALLOCATED');
insert into peg (sku_id, id, location_id, order_line_id, need_date, quantity, kind, supply_id, lot_id) values
  (1, 1, 1, 1, current_date, 4, 'HARD', null, null), (1, 2, 1, 1, current_date + 9, 4, 'FIRM', 1, null),
  (2, 3, 1, 2, current_date, 2, 'HARD', null, 1);
insert into shipment (id, number, order_id, location_id, status, shipped_at) values (1, 'H1', 1, 1, 'SHIPPED', now());
insert into shipment_line (sku_id, shipment_id, order_line_id, location_id, quantity) values (1, 1, 1, 1, 2);
insert into promise (sku_id, id, order_line_id, sequence, quantity, complete, cause_kind, slices, actor) values
  (1, 1, 1, 1, 10, true, 'PLACED', jsonb_build_array(
    jsonb_build_object('quantity', 6, 'source', 'ON_HAND', 'shipDate', '2026-11-01', 'location', 1),
    jsonb_build_object('quantity', 4, 'source', 'PURCHASE_ORDER', 'shipDate', current_date + 9, 'location', 1)), 'x'),
  (2, 2, 2, 1, 2, true, 'PLACED', '[{"quantity": 2, "source": "ON_HAND", "shipDate": "2026-11-01", "location": 1}]', 'x');
insert into backorder (sku_id, id, order_line_id, quantity, state, cause, opened_at)
  values (1, 1, 1, 4, 'PEGGED', 'DEMAND_SPIKE', now());
insert into backorder_event (sku_id, backorder_id, sequence, from_state, to_state, quantity, actor, created_at) values
  (1, 1, 1, null, 'PROVISIONAL', 4, 'x', '2026-10-01'), (1, 1, 2, 'PROVISIONAL', 'OPTION_OFFERED', 4, 'x', '2026-10-02'),
  (1, 1, 3, 'OPTION_OFFERED', 'PEGGED', 4, 'x', '2026-10-03');
insert into outbox (topic, kind, key, order_id, payload, occurred_at)
  select 'backorder', 'STATE_CHANGED', 'backorder:1', 1, jsonb_build_object('state', to_state, 'quantity', quantity,
    'version', 1, 'expected', null), created_at from backorder_event order by sequence;
insert into outbox (topic, kind, key, order_id, payload) values
  ('order', 'PLACED', 'order:1', 1, '{"orderNumber": "SO00000001", "status": "VALIDATED", "version": 1}'),
  ('purchase_order', 'DRAFT', 'purchase_order:1', null,
  '{"purchaseOrderNumber": "P1", "status": "DRAFT", "version": 1}');
insert into option_offer (sku_id, id, backorder_id, quantity, deadline, offered_at, state, chosen_option_id, closed_at)
  values (1, 1, 1, 4, '2026-10-05', '2026-10-02', 'CHOSEN', 2, '2026-10-03');
insert into resolution_option (sku_id, id, backorder_id, offer_id, kind, quantity, deadline, is_default, compensation,
  currency, chosen_at) values (1, 1, 1, 1, 'WAIT', 4, '2026-10-05', true, null, 'EUR', null),
  (1, 2, 1, 1, 'COMPENSATE', 4, '2026-10-05', false, 7, 'EUR', '2026-10-03');
insert into entitlement (sku_id, backorder_id, offer_id, order_id, kind, amount, currency)
  values (1, 1, 1, 1, 'COUPON', 7, 'EUR');
insert into transfer (sku_id, id, from_location_id, to_location_id, quantity, shipped, received, state)
  values (1, 1, 2, 1, 5, 5, 2, 'in_transit');
insert into supply (sku_id, id, location_id, kind, transfer_id, quantity, received, usable_date)
  values (1, 2, 1, 'transfer', 1, 5, 2, current_date + 9);
insert into supply_history (sku_id, supply_id, location_id, supplier_id, kind, open_quantity, usable_date, recorded_at)
  select sku_id, id, location_id, supplier_id, kind, quantity - received - cancelled, usable_date, now() from supply;
insert into reservation (sku_id, id, group_id, location_id, need_date, quantity, holder, expires_at, hold_until_latest)
  values (2, 1, '11111111-1111-1111-1111-111111111111', 1, current_date, 1, 'x', now() + interval '1 hour',
  now() + interval '1 hour');
"""


async def as_owner(database_url: str, *statements: str) -> None:
    """Behind the product's back: no trigger, no gate."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("set session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await as_owner(database_url, WORLD)
    async with Database(Settings(database_url=database_url, pool_size=3)) as database:
        yield database


async def checks(database: Database) -> list[str]:
    return sorted(difference.check for difference in await run_unit_of_work(database, recount))


async def test_a_sound_world_has_no_difference(database: Database) -> None:
    assert await run_unit_of_work(database, recount) == []


def without(table: str, *constraints: str) -> str:
    """The statement that takes a CHECK away, as the owner of the server could."""
    return "; ".join(f"alter table {table} drop constraint {table}_{name}" for name in constraints)


FAULTS: list[tuple[str, str, dict, set[str]]] = [
    # (what somebody did, the check that must name it, its row (part of it), other checks that see it too)
    ("update stock_level set on_hand = 13 where (sku_id, location_id) = (1, 1)", "counters_equal_movements",
     {"sku_id": 1, "location_id": 1, "on_hand": 13, "moved_on_hand": 12}, set()),
    ("delete from stock_movement where kind = 'shipped'", "counters_equal_movements",
     {"sku_id": 1, "location_id": 1, "allocated": 4, "moved_allocated": 6},
     {"line_equals_movements", "units_have_a_document"}),
    (without("stock_level", "not_over_allocated") + "; update stock_level set allocated = 13 where sku_id = 1"
     " and location_id = 1", "stock_not_over_allocated", {"sku_id": 1, "location_id": 1, "allocated": 13},
     {"allocated_equals_hard_pegs", "counters_equal_movements", "timeline_covers_its_claims"}),
    ("update stock_level set allocated = 5 where (sku_id, location_id) = (1, 1)", "allocated_equals_hard_pegs",
     {"sku_id": 1, "location_id": 1, "allocated": 5, "hard": 4}, {"counters_equal_movements"}),
    ("update lot set on_hand = 4", "lots_equal_on_hand", {"sku_id": 2, "location_id": 1, "on_hand": 5, "in_lots": 4},
     {"lots_equal_movements"}),
    ("update lot set allocated = 1", "lots_equal_hard_pegs", {"sku_id": 2, "lot_id": 1, "allocated": 1, "hard": 2},
     {"lots_equal_on_hand", "lots_equal_movements"}),
    ("update stock_movement set lot_id = null where sku_id = 2", "lots_equal_movements",
     {"sku_id": 2, "lot_id": 1, "on_hand": 5, "moved_on_hand": None}, {"movement_names_its_lot"}),
    ("update sku set tracks_serials = true where id = 1", "serials_equal_on_hand", {"sku_id": 1, "serials": 0}, set()),
    ("update order_line set kit_sku_id = 2, kit_line_number = 1, kit_quantity = 3 where id = 1",
     "kit_lines_keep_their_ratio", {"order_id": 1, "kit_line_number": 1}, set()),
    ("insert into stock_movement (sku_id, location_id, kind, on_hand_delta, cause_kind, actor, occurred_at, gate_version)"
     " values (1, 1, 'received', 3, 'x', 'x', now(), 1); update stock_level set on_hand = 15 where sku_id = 1 and"
     " location_id = 1", "units_have_a_document",
     {"sku_id": 1, "location_id": 1, "kind": "received", "moved": 15, "documented": 12}, set()),
    (without("order_line", "order_line_quantities".removeprefix("order_line_")) + "; update order_line set ordered = 11"
     " where id = 1", "line_balances", {"sku_id": 1, "order_line_id": 1, "ordered": 11}, set()),
    ("delete from peg where id = 1", "line_equals_pegs", {"sku_id": 1, "order_line_id": 1, "allocated": 4, "hard": None},
     {"allocated_equals_hard_pegs", "dated_promise_has_pegs"}),
    ("update peg set quantity = 3 where id = 2", "line_equals_pegs",
     {"sku_id": 1, "order_line_id": 1, "uncovered": 4, "waiting": 3},
     {"backordered_is_what_comes_late", "dated_promise_has_pegs", "supply_equals_pegs"}),
    ("update shipment set status = 'PLANNED'", "shipped_equals_shipments",
     {"sku_id": 1, "order_line_id": 1, "shipped": 2, "left_us": None, "planned": 2},
     {"shipment_is_of_its_order", "units_have_a_document"}),
    ("update backorder set quantity = 3", "backorder_equals_line",
     {"sku_id": 1, "order_line_id": 1, "backordered": 4, "quantity": 3, "ids": [1]},
     {"backorder_is_as_told"}),
    ("delete from backorder", "backorder_equals_line", {"order_line_id": 1, "backordered": 4, "quantity": None},
     {"backorder_is_its_last_event", "entitlement_is_what_was_chosen"}),
    (without("backorder", "closed_is_empty") + "; insert into backorder (sku_id, id, order_line_id, quantity, state,"
     " cause, opened_at, closed_at) values (1, 2, 1, 5, 'FILLED', 'QUALITY', now(), now()); insert into backorder_event"
     " (sku_id, backorder_id, sequence, to_state, quantity, actor) values (1, 2, 1, 'FILLED', 0, 'x')",
     "backorder_closed_is_empty", {"sku_id": 1, "backorder_id": 2, "quantity": 5}, {"history_is_what_was_told"}),
    ("update backorder set state = 'ON_HOLD'", "backorder_is_its_last_event",
     {"sku_id": 1, "backorder_id": 1, "state": "ON_HOLD", "to_state": "PEGGED"},
     {"backorder_is_as_told", "held_backorder_has_a_hold"}),
    ("update backorder_event set from_state = 'SOURCING' where sequence = 1", "backorder_is_its_last_event",
     {"sku_id": 1, "backorder_id": 1, "state": "PEGGED", "broken_at": 1}, set()),
    ("insert into backorder_event (sku_id, backorder_id, sequence, to_state, quantity, actor) values"
     " (1, 2, 1, 'PEGGED', 4, 'x')", "backorder_is_its_last_event",
     {"sku_id": 1, "backorder_id": 2, "state": None, "to_state": "PEGGED"},
     {"history_is_what_was_told"}),
    ("update option_offer set state = 'OPEN', chosen_option_id = null, closed_at = null; update resolution_option set"
     " chosen_at = null; delete from entitlement", "offered_has_one_open_choice",
     {"sku_id": 1, "backorder_id": 1, "state": "PEGGED", "open_offers": 1}, set()),
    ("update order_line set status = 'DELIVERED' where id = 2", "line_status_is_what_it_has",
     {"sku_id": 2, "order_line_id": 2, "status": "DELIVERED", "should_be": "ALLOCATED"}, set()),
    ("update sales_order set status = 'CANCELLED'", "order_shows_its_least_advanced_line",
     {"order_id": 1, "number": "SO00000001", "status": "CANCELLED", "should_be": "VALIDATED"},
     {"order_is_as_told"}),
    ("update order_line set order_id = 7 where id = 2", "line_has_its_order",
     {"sku_id": 2, "order_line_id": 2, "order_id": 7}, set()),
    ("update shipment_line set location_id = 2", "shipment_line_leaves_from_its_shipment",
     {"sku_id": 1, "shipment_id": 1, "location_id": 2, "shipment_location_id": 1}, {"units_have_a_document"}),
    ("update reservation set expires_at = now() - interval '11 minutes'", "hold_is_swept",
     {"sku_id": 2, "reservation_id": 1, "quantity": 1}, set()),
    ("update reservation set used = 2, state = 'committed', order_id = 1", "hold_is_used_within_its_size",
     {"sku_id": 2, "reservation_id": 1, "used": 2}, set()),
    (without("supply", "not_over_pegged") + "; update supply set pegged = 10 where id = 1", "supply_balances",
     {"sku_id": 1, "supply_id": 1, "pegged": 10}, {"supply_equals_pegs"}),
    ("update supply set pegged = 5 where id = 1", "supply_equals_pegs",
     {"sku_id": 1, "supply_id": 1, "pegged": 5, "quantity": 4}, set()),
    ("update supply set received = 1 where id = 1; update purchase_order_line set received = 1, accepted = 8",
     "received_equals_receipts", {"sku_id": 1, "supply_id": 1, "received": 1, "receipts": 0},
     {"supply_is_as_recorded"}),
    (without("purchase_order_line", "quantities") + "; update purchase_order_line set unanswered = 1",
     "purchase_line_balances", {"sku_id": 1, "purchase_order_line_id": 1, "unanswered": 1}, set()),
    ("update supply set quantity = 8 where id = 1", "purchase_line_equals_supplies",
     {"sku_id": 1, "purchase_order_line_id": 1, "ordered": 9, "quantity": 8}, {"supply_is_as_recorded"}),
    ("update purchase_order_line set id = 7", "purchase_line_equals_supplies",
     {"sku_id": 1, "purchase_order_line_id": 1, "ordered": None, "quantity": 9}, set()),
    ("update purchase_order_line set over_delivered = 11", "over_deliveries_equal_receipts",
     {"sku_id": 1, "over_delivered": 11, "receipts": 12}, set()),
    ("update transfer set received = 3", "transfer_balances",
     {"sku_id": 1, "transfer_id": 1, "received": 3, "supply_received": 2}, {"units_have_a_document"}),
    ("delete from transfer", "transfer_balances", {"sku_id": 1, "transfer_id": 1, "quantity": None, "supply": 5},
     {"units_have_a_document"}),
    ("update transfer set lost = 1", "transfer_balances", {"sku_id": 1, "transfer_id": 1, "lost": 1}, set()),
    ("update peg set location_id = 2 where id = 2", "peg_is_where_its_supply_is",
     {"sku_id": 1, "peg_id": 2, "supply_id": 1, "location_id": 2, "supply_location_id": 1},
     {"claim_stands_as_promised", "timeline_covers_its_claims"}),
    ("update supply set usable_date = current_date + 20 where id = 1", "peg_is_not_before_its_supply",
     {"sku_id": 1, "peg_id": 2, "order_line_id": 1, "supply_id": 1, "state": "PEGGED"},
     {"supply_is_as_recorded"}),
    ("update promise set sequence = 2 where id = 1", "promise_sequence_has_no_gap",
     {"sku_id": 1, "order_line_id": 1, "promises": 1, "newest": 2}, {"current_promise_is_the_newest"}),
    ("update order_line set current_promise_id = null where id = 1", "current_promise_is_the_newest",
     {"sku_id": 1, "order_line_id": 1, "current_promise_id": None, "newest": 1},
     {"claim_stands_as_promised"}),
    ("update order_line set promise_sequence = 2 where id = 2", "current_promise_is_the_newest",
     {"sku_id": 2, "order_line_id": 2, "promise_sequence": 2, "sequence": 1}, set()),
    ("update order_line set promised_date = promised_date - 1 where id = 2", "current_promise_is_the_newest",
     {"sku_id": 2, "order_line_id": 2, "promised_date": "2026-10-31", "promised": "2026-11-01"}, set()),
    ("update promise set quantity = 9 where id = 1", "promise_is_the_sum_of_its_slices",
     {"sku_id": 1, "promise_id": 1, "quantity": 9, "in_slices": 10}, set()),
    ("update peg set kind = 'OPEN', supply_id = null, created_at = now() - interval '1 day',"
     " updated_at = now() - interval '1 day' where id = 2", "dated_promise_has_pegs",
     {"sku_id": 1, "order_line_id": 1, "promised": 10, "covered": 6}, {"supply_equals_pegs"}),
    ("""update promise set slices = jsonb_build_array(jsonb_build_object('quantity', 4, 'source', 'LEAD_TIME',
     'shipDate', current_date + 9, 'location', 1)) where id = 1""", "lead_time_promise_is_not_too_early",
     {"sku_id": 1, "order_line_id": 1, "sequence": 1, "quantity": 4}, {"promise_is_the_sum_of_its_slices"}),
    ("update reservation set quantity = 4", "timeline_covers_its_claims",
     {"sku_id": 2, "location_id": 1, "projected": -1, "protected": 0}, set()),
    ("insert into protected_stock (sku_id, location_id, demand_class, from_date, quantity, updated_at) values"
     " (2, 1, '', current_date - 9, 3, now() - interval '9 days')", "timeline_covers_its_claims",
     {"sku_id": 2, "location_id": 1, "projected": 2, "protected": 3}, set()),
    ("insert into event (position, topic, kind, occurred_at) values (2, 'x', 'x', now() - interval '1 day'); delete from"
     " outbox", "order_has_its_event", {"order_id": 1, "number": "SO00000001"}, set()),
    ("alter table sales_order drop constraint sales_order_channel_external_number_key; insert into sales_order (id,"
     " number, channel, currency, placed_at, external_number) values (2, 'O2', 'web', 'EUR', now(), 'X1')",
     "order_key_is_used_once", {"channel": "web", "external_number": "X1", "order_id": 1, "orders": 2},
     {"order_number_is_its_own"}),
    ("update stock_movement set kind = 'quarantined' where sku_id = 3", "movement_is_of_its_kind",
     {"sku_id": 3, "kind": "quarantined", "on_hand_delta": 1}, set()),
    ("update stock_movement set lot_id = 9 where sku_id = 2 and kind = 'allocated'", "movement_names_its_lot",
     {"sku_id": 2, "kind": "allocated", "lot_id": 9}, {"lots_equal_movements"}),
    ("update stock_movement set order_line_id = null where kind = 'shipped'", "line_equals_movements",
     {"sku_id": 1, "order_line_id": 1, "shipped": 2, "moved_shipped": None, "moved_allocated": 6}, set()),
    ("update serial_unit set location_id = 2", "serial_is_where_it_went_last",
     {"sku_id": 3, "serial_unit_id": 1, "code": "N1", "location_id": 2, "moved_to": 1}, set()),
    ("update serial_unit set state = 'quarantined'; update serial_movement set kind = 'unquarantined'",
     "serial_is_where_it_went_last", {"serial_unit_id": 1, "state": "quarantined"}, {"serials_equal_on_hand"}),
    ("update serial_unit set state = 'quarantined'", "serials_equal_on_hand",
     {"sku_id": 3, "unsellable": 0, "quarantined": 1}, set()),
    ("update order_line set status = 'RECEIVED' where id = 1; update peg set need_date = need_date + 1 where id = 2",
     "claim_stands_as_promised", {"sku_id": 1, "peg_id": 2}, {"line_status_is_what_it_has",
      "order_shows_its_least_advanced_line", "backordered_is_what_comes_late"}),
    ("update sku_gate set version = 0 where sku_id = 2", "gate_is_not_behind", {"sku_id": 2, "version": 0, "newest": 1},
     set()),
    ("update order_line set ship_by = current_date + 20 where id = 1", "backordered_is_what_comes_late",
     {"sku_id": 1, "order_line_id": 1, "backordered": 4, "late": 0}, set()),
    ("insert into order_hold (order_id, reason, placed_by, placed_at) values (1, 'FRAUD', 'x', now())",
     "held_backorder_has_a_hold", {"sku_id": 1, "backorder_id": 1, "state": "PEGGED", "order_id": 1}, set()),
    ("update order_line set substituted_for_line_id = 1 where id = 2", "substitute_stands_for_its_line",
     {"sku_id": 2, "order_line_id": 2, "substituted_for_line_id": 1}, set()),
    ("insert into order_return (id, number, order_id, order_line_id, sku_id, location_id, quantity) values"
     " (1, 'R1', 2, 1, 1, 1, 1)", "return_is_of_its_order", {"sku_id": 1, "order_return_id": 1, "order_id": 2},
     {"line_equals_movements", "units_have_a_document"}),
    ("insert into quota_use (sku_id, quota_id, order_line_id, day, quantity) values (1, 1, 1, current_date, 11)",
     "quota_is_used_by_what_was_ordered", {"sku_id": 1, "quota_id": 1, "order_line_id": 1, "used": 11, "ordered": 10},
     set()),
    ("update peg set need_date = need_date + 1 where id = 2", "claim_stands_as_promised",
     {"sku_id": 1, "peg_id": 2, "order_line_id": 1, "kind": "FIRM", "sequence": 1}, set()),
    ("update order_line set promise_sequence = 0, current_promise_id = null, promised_date = null where id = 2;"
     " delete from promise where id = 2", "line_has_a_promise", {"sku_id": 2, "order_line_id": 2}, set()),
    ("update backorder set expected_date = '2026-12-24'", "backorder_is_as_told",
     {"sku_id": 1, "backorder_id": 1, "expected_date": "2026-12-24", "told_expected": None}, set()),
    ("update backorder set version = 2", "backorder_is_as_told", {"version": 2, "told_version": "1"}, set()),
    ("update backorder_event set quantity = 5 where sequence = 1", "history_is_what_was_told",
     {"sku_id": 1, "backorder_id": 1, "sequence": 1, "quantity": 5}, set()),
    ("update option_offer set quantity = 3; update resolution_option set quantity = 3", "offer_is_of_its_backorder",
     {"sku_id": 1, "offer_id": 1, "backorder_id": 1, "quantity": 3}, set()),
    ("update resolution_option set quantity = 3 where id = 1", "options_are_one_set",
     {"sku_id": 1, "offer_id": 1, "quantity": 4, "option_ids": [1, 2]}, set()),
    ("update resolution_option set is_default = true", "options_are_one_set", {"sku_id": 1, "offer_id": 1}, set()),
    ("update resolution_option set offer_id = 8 where id = 1", "options_are_one_set",
     {"sku_id": 1, "offer_id": 8, "option_ids": [1]}, set()),
    ("update entitlement set amount = 70", "entitlement_is_what_was_chosen",
     {"sku_id": 1, "backorder_id": 1, "kind": "COUPON", "amount": 70, "compensation": 7}, set()),
    ("update supply set usable_date = usable_date - 3 where id = 2", "supply_is_as_recorded",
     {"sku_id": 1, "supply_id": 2, "open": 3, "recorded_open": 3}, set()),
    ("delete from supply where id = 2; delete from transfer; delete from stock_movement where kind like 'transfer%'"
     " or location_id = 2; delete from stock_level where location_id = 2", "supply_is_as_recorded",
     {"supply_id": 2, "usable_date": None, "recorded_open": 3}, {"counters_equal_movements"}),
    ("update purchase_order set supplier_id = 7", "supply_comes_where_it_was_sent",
     {"sku_id": 1, "supply_id": 1, "supplier_id": 1, "ordered_from": 7}, set()),
    ("update purchase_order_line set in_transit = 9, accepted = 0", "in_transit_equals_ship_notices",
     {"sku_id": 1, "purchase_order_line_id": 1, "in_transit": 9, "announced": 0}, set()),
    ("insert into ship_notice_line (sku_id, id, ship_notice_id, line_number, quantity) values (1, 1, 1, 1, 3)",
     "ship_notice_line_equals_supplies", {"sku_id": 1, "ship_notice_line_id": 1, "quantity": 3, "supplies": None}, set()),
    ("update sales_order set number = 'SO00000002'", "order_number_is_its_own", {"order_id": 1, "number": "SO00000002"},
     {"order_is_as_told"}),
    ("update sales_order set version = 3", "order_is_as_told", {"order_id": 1, "version": 3, "told_version": "1"}, set()),
    ("update shipment set shipped_at = null", "shipment_is_of_its_order",
     {"order_id": 1, "shipment_id": 1, "status": "SHIPPED", "shipped_at": None}, set()),
    ("update shipment set order_id = 2", "shipment_is_of_its_order",
     {"order_id": 1, "shipment_id": 1, "shipment_order_id": 2}, set()),
    ("update order_line set customer_id = 7 where id = 2", "line_is_of_its_customer",
     {"order_id": 1, "order_line_id": 2, "customer_id": None, "customer_of_line": 7}, set()),
    ("update purchase_order set status = 'PARTIALLY_RECEIVED'", "purchase_order_shows_its_lines",
     {"purchase_order_id": 1, "number": "P1", "status": "PARTIALLY_RECEIVED", "received": 0, "open": 9},
     {"purchase_order_is_as_told"}),
    ("update purchase_order set number = 'P2'", "purchase_order_is_as_told",
     {"purchase_order_id": 1, "number": "P2", "told_number": "P1"}, set()),
    ("insert into repromising_run (id, state, policy, summary) values (1, 'proposed', '{}', '{\"gained\": 1, \"lost\": 0}')",
     "run_says_what_it_proposes", {"run_id": 1, "gained": 1, "proposed_gained": 0}, set()),
    ("insert into repromising_run (id, state, policy, summary) values (1, 'published', '{}', '{\"published\":"
     " {\"applied\": 1}}')", "run_says_what_it_published", {"run_id": 1, "counted": "{}"}, set()),
]  # fmt: skip


async def test_every_planted_fault_is_found_and_named(database: Database, database_url: str) -> None:
    """One world for all: each fault is planted in a transaction of its own, counted, and taken back."""
    connection, wrong = await asyncpg.connect(database_url), []
    for statement, check, row, others in FAULTS:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(f"set local session_replication_role = replica; {statement}")
        uow = cast(UnitOfWork, SimpleNamespace(sql=connection, now=datetime.now(UTC)))
        found = {difference.check: difference.rows for difference in await recount(uow)}
        await transaction.rollback()
        if found.keys() != {check, *others} or not any(row.items() <= r.items() for r in found[check]):
            wrong.append((statement, check, found))
    await connection.close()
    assert wrong == []


def test_every_check_has_a_fault_that_it_must_find() -> None:
    assert {check for _, check, _, _ in FAULTS} == CHECKS.keys()


async def test_the_alarm_is_raised_once_renewed_and_cleared(database: Database, database_url: str) -> None:
    spoil = "update stock_level set on_hand = {} where (sku_id, location_id) = (1, 1)"
    row = {
        "sku_id": 1,
        "location_id": 1,
        "on_hand": 13,
        "moved_on_hand": 12,
        "unsellable": 0,
        "moved_unsellable": 0,
        "allocated": 4,
        "moved_allocated": 4,
    }
    await as_owner(database_url, spoil.format(13))
    for _ in range(2):
        assert await run_unit_of_work(database, reconcile_stock) == [Difference("counters_equal_movements", [row], 1)]
    await as_owner(database_url, spoil.format(14))
    await run_unit_of_work(database, reconcile_stock)
    (alarm,) = await database.system.fetch("select * from ledger_alarm")
    assert (alarm["check_name"], alarm["rows"], alarm["count"], alarm["cleared_at"]) == (
        "counters_equal_movements",
        [{**row, "on_hand": 14}],
        1,
        None,
    )
    await as_owner(database_url, spoil.format(12))
    assert await run_unit_of_work(database, reconcile_stock) == []
    alarms = await database.system.fetch("select check_name, cleared_at is null as open from ledger_alarm")
    assert [tuple(row) for row in alarms] == [("counters_equal_movements", False)]
    told = await database.system.fetch("select kind, payload from outbox where topic = 'alarm' order by id")
    assert [(row["kind"], [r["on_hand"] for r in row["payload"].get("first", [])]) for row in told] == [
        ("LEDGER_DIFFERENCE", [13]),
        ("LEDGER_DIFFERENCE", [14]),
        ("LEDGER_CLEARED", []),
    ]
    assert await database.system.fetchval("select on_hand from stock_level where on_hand > 5") == 12


async def test_ranges_cover_everything_once(database: Database, database_url: str) -> None:
    await as_owner(
        database_url,
        """insert into sku (id, code, name, currency) select n, 'N' || n, '{}', 'EUR' from generate_series(6, 40, 3) n""",
        "insert into sku_gate (sku_id, version, changed_by) select n, 5, '3' from generate_series(6, 40, 3) n",
        """insert into stock_level (sku_id, location_id, on_hand)
        select n, 1, 1 from generate_series(6, 40, 3) n""",
    )

    async def count(uow):
        parts = await ranges(uow, {"sku": 4, "sales_order": 10})
        return parts, merge([found for part in parts for found in await recount_range(uow, part)])

    parts, found = await run_unit_of_work(database, count)
    assert [(part.of, part.first) for part in parts] == [
        ("sku", 0), ("sku", 9), ("sku", 21), ("sku", 33), ("sales_order", 0),
    ]  # fmt: skip
    assert [part.last + 1 for part in parts[:3]] == [part.first for part in parts[1:4]]
    assert [(difference.check, difference.count) for difference in found] == [("counters_equal_movements", 12)]
    assert [row["sku_id"] for row in found[0].rows] == list(range(6, 40, 3))


async def test_the_job_counts_range_by_range_and_tells(database: Database, database_url: str) -> None:
    await as_owner(database_url, "update lot set on_hand = 4")
    context = JobContext(database, Settings(database_url=database_url), WallClock())
    result = await reconcile_job(context, {})
    difference, other = sorted(result["differences"], key=lambda found: found["check"], reverse=True)
    assert (result["ranges"], difference["check"], difference["rows"]) == (4, "lots_equal_on_hand", 1)
    assert {"sku_id": 2, "location_id": 1, "on_hand": 5, "in_lots": 4}.items() <= difference["first"][0].items()
    assert other["check"] == "lots_equal_movements"
    assert await database.system.fetchval("select count(*) from ledger_alarm where cleared_at is null") == 2


async def test_a_cancelled_recount_clears_no_alarm(database: Database, database_url: str) -> None:
    await as_owner(database_url, "update lot set on_hand = 4")
    context = JobContext(database, Settings(database_url=database_url), WallClock())
    await reconcile_job(context, {})
    await as_owner(database_url, "update lot set on_hand = 5")
    with pytest.raises(Cancelled):
        await reconcile_job(Stopped(database, Settings(database_url=database_url), WallClock()), {})
    assert await database.system.fetchval("select count(*) from ledger_alarm where cleared_at is null") == 2


class Stopped(JobContext):
    """A run that somebody cancels after its first range."""

    async def progress(self, done: int, total: int) -> None:
        raise Cancelled


async def test_promises_are_sealed_and_their_change_is_found(database: Database, database_url: str) -> None:
    heads = await run_unit_of_work(database, lambda uow: seal_ledgers(uow, key=b"k"))
    assert [(head.ledger, head.entries) for head in heads] == [("promise", 2)]
    await as_owner(database_url, "update promise set slices = '[]'")
    reports = await run_unit_of_work(database, lambda uow: verify_ledgers(uow, heads, key=b"k"))
    assert [(report.ledger, [fault.kind for fault in report.faults]) for report in reports] == [
        ("audit", []),
        ("promise", ["ROWS_ALTERED"]),
    ]


async def test_the_audit_command_reports(database: Database, database_url: str, tmp_path) -> None:
    settings = Settings(database_url=database_url, data_dir=tmp_path, pool_size=2, seal_key="k")  # type: ignore[arg-type]
    report = await audit_report(settings, verify=True)
    assert (report["ok"], report["differences"], [ledger["unsealed_entries"] for ledger in report["ledgers"]]) == (
        True,
        [],
        [0, 2],
    )
    await as_owner(database_url, "update stock_level set on_hand = 13 where sku_id = 1")
    assert (await audit_report(settings, verify=False))["ok"] is False
