"""What was known of every SKU at every location at an instant: only rows recorded by then are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from core.queries.date_residuals import SUPPLIED

FIGURES = (
    "on_hand", "in_transit", "lead_time_weeks", "forecast_3", "forecast_6", "forecast_9", "sales_1", "sales_3", "sales_6",
    "sales_9", "minimum_stock", "past_due", "on_time_6", "on_time_12", "backordered",
)  # fmt: skip
"""The figures that the 34 features are made of, in the order of the columns of `risk_snapshot`."""
MASTER_DATA = ("lead_time_weeks",)
"""Figures that are read as they stand today: who sets them sets them for good."""
ON_TIME_DAYS = timedelta(days=365)

AS_OF = f"""
with place as materialized (
    select id, ($1::timestamptz at time zone time_zone)::date as today from location where kind in ('dc', 'warehouse', 'store')),
stock as (
    select m.sku_id, m.location_id, sum(m.on_hand_delta - m.unsellable_delta - m.allocated_delta)::float8 as on_hand
    from stock_movement m
    where m.occurred_at <= $1::timestamptz and ($3::bigint[] is null or m.sku_id = any($3::bigint[]))
    group by m.sku_id, m.location_id),
demand as (
    select p.sku_id, (s.part ->> 'location')::bigint as location_id,
        coalesce(sum((s.part ->> 'quantity')::int) filter (where o.placed_at > $1::timestamptz - interval '30 days'), 0)::float8
            as sales_1,
        coalesce(sum((s.part ->> 'quantity')::int) filter (where o.placed_at > $1::timestamptz - interval '90 days'), 0)::float8
            as sales_3,
        coalesce(sum((s.part ->> 'quantity')::int) filter (where o.placed_at > $1::timestamptz - interval '180 days'), 0)::float8
            as sales_6,
        sum((s.part ->> 'quantity')::int)::float8 as sales_9
    from promise p
    join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
    join sales_order o on o.id = l.order_id
    cross join lateral jsonb_array_elements(p.slices) as s(part)
    where p.sequence = 1 and p.created_at <= $1::timestamptz and o.placed_at <= $1::timestamptz
        and o.placed_at > $1::timestamptz - interval '270 days' and ($3::bigint[] is null or p.sku_id = any($3::bigint[]))
    group by 1, 2),
supply_then as (
    select distinct on (h.sku_id, h.supply_id) h.sku_id, h.location_id, h.open_quantity, h.paper_date
    from supply_history h
    where h.recorded_at <= $1::timestamptz and ($3::bigint[] is null or h.sku_id = any($3::bigint[]))
    order by h.sku_id, h.supply_id, h.id desc),
inbound as (
    select s.sku_id, s.location_id, sum(s.open_quantity)::float8 as in_transit,
        coalesce(sum(s.open_quantity) filter (where s.paper_date < p.today), 0)::float8 as past_due
    from supply_then s join place p on p.id = s.location_id where s.open_quantity > 0 group by s.sku_id, s.location_id),
short as (
    select b.sku_id, b.location_id,
        sum(case when b.updated_at <= $1::timestamptz then b.quantity else coalesce(e.quantity, 0) end)::float8 as backordered
    from backorder b
    left join lateral (select v.quantity from backorder_event v where v.sku_id = b.sku_id and v.backorder_id = b.id
        and v.created_at <= $1::timestamptz order by v.sequence desc limit 1) e on true
    where b.opened_at <= $1::timestamptz and (b.closed_at is null or b.closed_at > $1::timestamptz)
        and ($3::bigint[] is null or b.sku_id = any($3::bigint[]))
    group by b.sku_id, b.location_id),
pair as (
    select sku_id, location_id from stock union select sku_id, location_id from demand
    union select sku_id, location_id from inbound union select sku_id, location_id from short),
offer as (
    select distinct on (x.sku_id) x.sku_id, x.supplier_id, x.lead_time_days / 7.0 as lead_time_weeks from supplier_sku x
    where x.created_at <= $1::timestamptz and ($3::bigint[] is null or x.sku_id = any($3::bigint[]))
    order by x.sku_id, x.is_preferred desc, x.lead_time_p80, x.supplier_id),
delivered as (
    select d.supplier_id, avg((d.came <= d.stated)::int)::float8 as on_time_12,
        avg((d.came <= d.stated)::int) filter (where d.came > ($1::timestamptz)::date - 182)::float8 as on_time_6
    from (select distinct on (r.sku_id, r.supplier_id, r.came, r.quantity) r.* from ({SUPPLIED.replace("$3", "$4")}) r
        where r.came is not null order by r.sku_id, r.supplier_id, r.came, r.quantity, r.stated_at) d
    group by d.supplier_id),
kept_back as (
    select distinct on (p.sku_id, p.location_id) p.sku_id, p.location_id, p.quantity::float8 as quantity
    from protected_stock p join place l on l.id = p.location_id
    where p.demand_class = '' and p.from_date <= l.today and p.created_at <= $1::timestamptz
    order by p.sku_id, p.location_id, p.from_date desc),
foreseen as (
    select distinct on (f.sku_id, f.location_id) f.sku_id, f.location_id, f.weekly_mean from demand_forecast f
    where f.made_at <= $1::timestamptz and ($3::bigint[] is null or f.sku_id = any($3::bigint[]))
    order by f.sku_id, f.location_id, f.made_on desc)
select pair.sku_id, pair.location_id, place.today as day,
    coalesce(stock.on_hand, 0) as on_hand, coalesce(inbound.in_transit, 0) as in_transit,
    offer.lead_time_weeks::float8 as lead_time_weeks,
    foreseen.weekly_mean * 13 as forecast_3, foreseen.weekly_mean * 26 as forecast_6, foreseen.weekly_mean * 39 as forecast_9,
    coalesce(demand.sales_1, 0) as sales_1, coalesce(demand.sales_3, 0) as sales_3, coalesce(demand.sales_6, 0) as sales_6,
    coalesce(demand.sales_9, 0) as sales_9, coalesce(kept_back.quantity, 0) as minimum_stock,
    coalesce(inbound.past_due, 0) as past_due, delivered.on_time_6, delivered.on_time_12,
    coalesce(short.backordered, 0) as backordered
from pair
join place on place.id = pair.location_id
join sku k on k.id = pair.sku_id
left join stock using (sku_id, location_id)
left join demand using (sku_id, location_id)
left join inbound using (sku_id, location_id)
left join short using (sku_id, location_id)
left join kept_back using (sku_id, location_id)
left join foreseen using (sku_id, location_id)
left join offer on offer.sku_id = pair.sku_id
left join delivered on delivered.supplier_id = offer.supplier_id
order by pair.sku_id, pair.location_id"""


async def figures_as_of(
    sql: asyncpg.Connection, at: datetime, sku_ids: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """One row per SKU and location that had stock, demand, inbound or a backorder by `at`: keys, `day` and FIGURES.

    Demand is what was asked for when it was asked (the first promise of each line), so that a later cancellation says
    nothing to the past; supply is read from its history.
    """
    return [dict(row) for row in await sql.fetch(AS_OF, at, ON_TIME_DAYS, _ids(sku_ids), None)]


async def hindsight(sql: asyncpg.Connection, taken_at: datetime, limit: int = 20) -> dict[str, list[dict[str, Any]]]:
    """Figures of the snapshot taken at `taken_at` that would be others if they were taken as of then today.

    Such a figure reads something that was recorded later, or something that can be changed afterwards: a leak. By
    figure, at most `limit` examples each; empty when all hold.
    """
    today = {(row["sku_id"], row["location_id"]): row for row in await figures_as_of(sql, taken_at)}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await sql.fetch("select * from risk_snapshot where taken_at = $1", taken_at):
        now = today.get((row["sku_id"], row["location_id"]))
        for name in FIGURES:
            then, again = row[name], None if now is None else now[name]
            if name not in MASTER_DATA and _differ(then, again):
                examples = found.setdefault(name, [])
                if len(examples) < limit:
                    examples.append(
                        {"skuId": row["sku_id"], "locationId": row["location_id"], "then": then, "now": again}
                    )
    return found


async def snapshot_days(sql: asyncpg.Connection, before: datetime, after: datetime) -> list[datetime]:
    """Instants of the snapshots taken in (after, before]."""
    rows = await sql.fetch(
        "select distinct taken_at from risk_snapshot where taken_at > $2 and taken_at <= $1 order by taken_at",
        before,
        after,
    )
    return [row["taken_at"] for row in rows]


async def labelled_snapshots(sql: asyncpg.Connection, since: datetime | None = None) -> list[dict[str, Any]]:
    """Snapshots whose outcome is known, oldest first: keys, day, FIGURES, probability, model_id, went_short."""
    rows = await sql.fetch(
        """select * from risk_snapshot where went_short is not null and ($1::timestamptz is null or taken_at >= $1)
        order by taken_at, sku_id, location_id""",
        since,
    )
    return [dict(row) for row in rows]


async def recent_figures(sql: asyncpg.Connection, since: datetime) -> list[dict[str, Any]]:
    """Snapshots of what was not short, taken since."""
    rows = await sql.fetch("select * from risk_snapshot where taken_at > $1 and backordered = 0", since)
    return [dict(row) for row in rows]


def _ids(sku_ids: Sequence[int] | None) -> list[int] | None:
    return None if sku_ids is None else list(sku_ids)


def _differ(then: float | None, now: float | None) -> bool:
    if then is None or now is None:
        return then is not now
    return abs(then - now) > 1e-6 * max(1.0, abs(then))
