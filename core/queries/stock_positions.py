"""What each place has, expects and owes, on which terms it is bought, and who waits there without a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from core.queries.availability import expiring_of, read_curves, timeline_of
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.rebalancing import RENEWED_WITHIN

SORT = Sort(
    "target-",
    (SortKey("t.urgency", int, "integer"), SortKey("t.sku_id", int, "bigint"), SortKey("t.location_id", int, "bigint")),
)
_SELECT = """select t.*
from stock_target t"""
_POSITIONS = """select u.sku_id, u.location_id, k.unit_cost, k.currency, k.code,
    coalesce(s.on_hand - s.unsellable - s.allocated, 0) as free, coalesce(i.units, 0)::int as inbound,
    coalesce(p.units, 0)::int as claimed, coalesce(p.open_units, 0)::int as waiting,
    x.lead_time_days, x.lead_time_p80, x.observed_p50, x.observed_p80, x.moq, x.order_multiple, x.supplier_id, d.bias, d.spread,
    x.price, (select coalesce(jsonb_agg(jsonb_build_array(b.from_quantity, b.price) order by b.from_quantity), '[]'::jsonb)
        from supplier_price_break b where b.supplier_id = x.supplier_id and b.sku_id = x.sku_id) as breaks,
    case when k.tracks_expiry then (select percentile_cont(0.5) within group (order by t.expires_on - t.created_at::date)
        from lot t where t.sku_id = u.sku_id and t.expires_on is not null) - k.min_life_days end as sellable_days,
    (select jsonb_agg(jsonb_build_array(r.from_location_id, r.quantity) order by r.from_location_id) from (
        select o.from_location_id, sum(o.quantity) as quantity from rebalancing_proposal o
        where o.sku_id = u.sku_id and o.to_location_id = u.location_id and o.state = 'OPEN' and o.expires_at > $3
            and o.cost <= o.quantity * coalesce(nullif(x.price, 0), k.unit_cost)
            and not exists (select from rebalancing_proposal e where e.state = 'EXPIRED' and e.sku_id = o.sku_id
                and e.from_location_id = o.from_location_id and e.to_location_id = o.to_location_id
                and e.closed_at > o.created_at - $4::interval)
        group by 1) r) as moves, k.min_life_days,
    coalesce((select sum(v.quantity) from backorder b join backorder_event v on v.sku_id = b.sku_id and v.backorder_id = b.id
            and v.sequence = 1
        where b.sku_id = u.sku_id and b.location_id = u.location_id and b.cause = 'FORECAST_ERROR'
            and b.opened_at > $3::timestamptz - interval '91 days'), 0)::int as missed
from unnest($1::bigint[], $2::bigint[]) as u(sku_id, location_id)
join sku k on k.id = u.sku_id
left join stock_level s on s.sku_id = u.sku_id and s.location_id = u.location_id
left join lateral (select sum(quantity - received - cancelled) as units from supply i
    where i.sku_id = u.sku_id and i.location_id = u.location_id and i.quantity > i.received + i.cancelled) i on true
left join lateral (select sum(quantity) as units, sum(quantity) filter (where kind = 'OPEN') as open_units from peg p
    where p.sku_id = u.sku_id and p.location_id = u.location_id and p.kind <> 'HARD') p on true
left join lateral (select x.* from supplier_sku x where x.sku_id = u.sku_id
    order by x.is_preferred desc, x.lead_time_p80, x.supplier_id limit 1) x on true
left join lateral (select d.bias, d.spread from date_spread d where d.supplier_id = x.supplier_id and d.stage = 'SUPPLY'
    and d.observations >= 20 order by d.observations desc limit 1) d on true"""
_WAITING = """select p.sku_id, p.location_id, b.id as backorder_id, sum(p.quantity)::int as units
from peg p join backorder b on b.sku_id = p.sku_id and b.order_line_id = p.order_line_id and b.closed_at is null
where p.kind = 'OPEN' and p.sku_id = any($1::bigint[]) group by 1, 2, 3 order by 3"""


_IDLE = """select s.sku_id, s.location_id, greatest(0, floor(extract(epoch from $1::timestamptz - max(m.occurred_at)) / 604800))::int
    as idle_weeks
from stock_level s
join stock_movement m on m.sku_id = s.sku_id and m.location_id = s.location_id and m.on_hand_delta > 0
    and m.occurred_at <= $1::timestamptz
where s.on_hand > 0 and not exists (select from unnest($2::bigint[], $3::bigint[]) as u(sku_id, location_id)
    where u.sku_id = s.sku_id and u.location_id = s.location_id)
group by 1, 2 order by 1, 2"""


async def idle_stock(sql: asyncpg.Connection, wanted: Sequence[tuple[int, int]], at: datetime) -> list[dict[str, Any]]:
    """Stock where nothing of it is asked for: what lies elsewhere than at the `wanted` (SKU, location), with the weeks since any
    of it came."""
    return [dict(row) for row in await sql.fetch(_IDLE, at, [key[0] for key in wanted], [key[1] for key in wanted])]


async def positions(sql: asyncpg.Connection, keys: Sequence[tuple[int, int]], at: datetime) -> list[dict[str, Any]]:
    """One row per key, in their order: free stock, inbound, claims without stock, terms of the usual supplier and how far
    its dates are off (days; null below twenty deliveries), prices by quantity, and how long goods of a SKU that expires can
    usually be sold (days; null where nothing expires); units that went short for a wrong forecast in the last quarter;
    `transferable`: of what moves that planners may still accept would bring, as much as their givers can part with now."""
    rows = await sql.fetch(_POSITIONS, [key[0] for key in keys], [key[1] for key in keys], at, RENEWED_WITHIN)
    found = {(row["sku_id"], row["location_id"]): dict(row) for row in rows}
    ordered = [found[key] for key in keys]
    await _add_transferable(sql, ordered, at)
    return ordered


async def _add_transferable(sql: asyncpg.Connection, rows: Sequence[dict[str, Any]], at: datetime) -> None:
    """Say how much proposed moves may bring to each row: never what their givers have promised, hold or protect."""
    moving = [row for row in rows if row["moves"]]
    givers = sorted({giver for row in moving for giver, _ in row["moves"]})
    skus = {row["sku_id"]: row["min_life_days"] for row in moving}
    spare: dict[tuple[int, int], int] = {}
    for row in await read_curves(sql, sorted(skus), givers, at, "") if moving else ():
        curve = timeline_of(row)
        lots, claims = expiring_of(row)
        kept = timedelta(days=skus[row["sku_id"]] - 1)
        curve.expire([(day - kept, units) for day, units in lots if day is not None], claims)
        available = row["on_hand"] - row["unsellable"] - row["allocated"]
        spare[row["sku_id"], row["location_id"]] = max(0, min(curve.atp(), available))
    for row in rows:
        row["transferable"] = 0
        for giver, units in row.pop("moves") or ():
            taken = min(units, spare.get((row["sku_id"], giver), 0))
            spare[row["sku_id"], giver] = spare.get((row["sku_id"], giver), 0) - taken
            row["transferable"] += taken


async def waiting_backorders(sql: asyncpg.Connection, sku_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Backorders of which some units wait without a source: (sku_id, location_id, backorder_id, units)."""
    return await sql.fetch(_WAITING, list(sku_ids))


async def targets_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the targets, the most urgent first."""
    where = Filter()
    where.add_given("t.flags && ?::text[]", given.get("flags"))
    where.add_given("t.sku_id = (select k.id from sku k where k.code = ?)", given.get("sku"))
    where.add_given("t.location_id = (select l.id from location l where l.code = ?)", given.get("location"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def newest_faults(sql: asyncpg.Connection, limit: int) -> list[asyncpg.Record]:
    """Broken figures, newest first."""
    return await sql.fetch("select * from input_fault order by found_at desc, id desc limit $1", limit)
