"""How many days after the stated day things really came: the one place where suppliers and lanes are measured from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

SUPPLY, RECEIVE, SHELF, SHIP, CARRY = "SUPPLY", "RECEIVE", "SHELF", "SHIP", "CARRY"
"""Stages of a date: until goods are booked at our dock; of that, from the carrier's delivery to the booking; until all of them
are inspected and put away; until they leave; until they are with the customer."""

UNLOADED = ("D1", "21")
"""Statuses by which a carrier says that goods are at our dock (214, IFTSTA)."""

_RECEIVED = """select distinct on (l.sku_id, l.id, h.date_basis) h.date_basis as basis, s.supplier_id, s.location_id, l.sku_id,
    h.paper_date as stated, (g.received_at at time zone p.time_zone)::date as came, h.recorded_at as stated_at,
    l.quantity + l.over_delivered as quantity
from goods_receipt g
join location p on p.id = g.location_id
join goods_receipt_line l on l.goods_receipt_id = g.id
join supply s on s.sku_id = l.sku_id and s.id = l.supply_id and s.supplier_id is not null
join supply_history h on h.sku_id = s.sku_id and h.supply_id = s.id and h.recorded_at <= g.received_at
    and h.paper_date is not null and h.date_basis is not null
where g.received_at <= $1::timestamptz and g.received_at > $1::timestamptz - $2::interval
    and ($3::bigint[] is null or s.supplier_id = any($3::bigint[]))
order by l.sku_id, l.id, h.date_basis, h.id"""

_AWAITED = """select distinct on (h.sku_id, h.supply_id) h.date_basis as basis, h.supplier_id, h.location_id, h.sku_id,
    h.paper_date as stated, null::date as came, h.recorded_at as stated_at, h.open_quantity as quantity
from supply_history h
where h.recorded_at <= $1::timestamptz and h.supplier_id is not null
    and ($3::bigint[] is null or h.supplier_id = any($3::bigint[]))
order by h.sku_id, h.supply_id, h.id desc"""

SUPPLIED = f"""select r.*, 'SUPPLY' as stage from ({_RECEIVED}) r
union all
select a.*, 'SUPPLY' as stage from ({_AWAITED}) a
where a.quantity > 0 and a.stated is not null and a.basis is not null and a.stated_at > $1::timestamptz - $2::interval"""

_SHIPPED = """select s.location_id, o.destination_id, s.planned_ship_date as planned,
    (s.shipped_at at time zone f.time_zone)::date as shipped, s.shipped_at,
    case when s.delivered_at <= $1::timestamptz then (s.delivered_at at time zone coalesce(t.time_zone, f.time_zone))::date end
        as delivered,
    (select max((x.part ->> 'deliveryDate')::date - (x.part ->> 'shipDate')::date) from (
        select jsonb_array_elements(p.slices) as part from promise p
        join shipment_line l on l.sku_id = p.sku_id and l.order_line_id = p.order_line_id
        where l.shipment_id = s.id and p.created_at <= s.shipped_at) x
        where x.part ->> 'deliveryDate' is not null and (x.part ->> 'location')::bigint = s.location_id) as planned_transit
from shipment s
join sales_order o on o.id = s.order_id
join location f on f.id = s.location_id
left join location t on t.id = o.destination_id
where s.shipped_at <= $1::timestamptz and s.shipped_at > $1::timestamptz - $2::interval"""

_RECEIVING = """select 'RECEIVE' as stage, s.location_id, (c.unloaded at time zone p.time_zone)::date as stated,
    (min(g.received_at) at time zone p.time_zone)::date as came
from (select ship_notice_id, min(occurred_at) as unloaded from carrier_event
    where status_code = any($3::text[]) and ship_notice_id is not null and occurred_at <= $1::timestamptz
        and occurred_at > $1::timestamptz - $2::interval group by ship_notice_id) c
join ship_notice_line n on n.ship_notice_id = c.ship_notice_id
join supply s on s.sku_id = n.sku_id and s.ship_notice_line_id = n.id
join location p on p.id = s.location_id
left join goods_receipt_line l on l.sku_id = s.sku_id and l.supply_id = s.id
left join goods_receipt g on g.id = l.goods_receipt_id and g.received_at <= $1::timestamptz
where s.received > 0 or s.quantity > s.received + s.cancelled
group by n.ship_notice_id, s.location_id, s.id, s.sku_id, c.unloaded, p.time_zone"""

_SHELVED = """select 'SHELF' as stage, g.location_id, (g.received_at at time zone p.time_zone)::date as stated,
    case when l.damaged = 0 then (g.received_at at time zone p.time_zone)::date
        when coalesce(i.judged, 0) >= l.damaged then (i.last at time zone p.time_zone)::date
        else (u.gone at time zone p.time_zone)::date end as came
from goods_receipt g
join location p on p.id = g.location_id
join goods_receipt_line l on l.goods_receipt_id = g.id
left join lateral (select sum(x.accepted + x.rejected) as judged, max(x.inspected_at) as last from inspection_result x
    where x.sku_id = l.sku_id and x.goods_receipt_line_id = l.id and x.inspected_at <= $1::timestamptz) i on true
left join lateral (select min(w.occurred_at) as gone from (
        select m.occurred_at, m.unsellable_delta, sum(m.unsellable_delta) over (order by m.occurred_at, m.id) as level
        from stock_movement m where m.sku_id = l.sku_id and m.location_id = g.location_id and m.unsellable_delta <> 0
            and m.occurred_at <= $1::timestamptz) w
    where w.level <= 0 and w.unsellable_delta < 0 and w.occurred_at >= g.received_at) u on l.damaged > coalesce(i.judged, 0)
where g.received_at <= $1::timestamptz and g.received_at > $1::timestamptz - $2::interval"""


async def handling_residuals(sql: asyncpg.Connection, at: datetime, back_days: int) -> list[asyncpg.Record]:
    """How long goods take at our own places: (stage RECEIVE or SHELF, location_id, stated, came).

    RECEIVE: per supply of a ship notice, from the day its carrier said it was unloaded to its first receipt. SHELF: per
    receipt line, from the receipt to the day all its units were judged fit to sell or not, or none of the SKU was unsellable
    there any more (put right by an adjustment); units that arrive sound are there at once. What is not done by `at` has no
    `came`.
    """
    back = timedelta(days=back_days)
    return [*await sql.fetch(_RECEIVING, at, back, list(UNLOADED)), *await sql.fetch(_SHELVED, at, back)]


async def supply_residuals(
    sql: asyncpg.Connection, at: datetime, back_days: int, supplier_ids: Sequence[int] | None = None
) -> list[asyncpg.Record]:
    """Deliveries of suppliers as known at `at`: (basis, supplier_id, location_id, sku_id, stated, came, stated_at, quantity).

    One row per receipt line and kind of statement (`basis`): the first day that was stated so, against the day of the
    receipt in the zone of its location. What is still open has no `came`. Only rows recorded by `at`, not older than
    `back_days`.
    """
    return await sql.fetch(
        SUPPLIED, at, timedelta(days=back_days), None if supplier_ids is None else list(supplier_ids)
    )


async def shipment_residuals(sql: asyncpg.Connection, at: datetime, back_days: int) -> list[asyncpg.Record]:
    """Shipments that had left by `at`: (location_id, destination_id, planned, shipped, delivered, planned_transit in days).

    `delivered` is null while they are under way; `planned_transit` is what the promise allowed, null without a lane.
    """
    return await sql.fetch(_SHIPPED, at, timedelta(days=back_days))
