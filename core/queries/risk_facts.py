"""What may be done about places at risk: who supplies, who has units to spare, who waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from core.domain.risk_actions import Situation, Source, Spare, Waiting

KEEP_WEEKS = 6
"""A location gives only what it has beyond so many weeks of its own demand."""
_FREE = """s.on_hand - s.unsellable - s.allocated - coalesce(kept.quantity, 0) - coalesce(held.units, 0)
    - coalesce(claimed.units, 0)"""
_KEPT = """left join lateral (select p.quantity from protected_stock p where p.sku_id = s.sku_id and p.location_id = s.location_id
    and p.demand_class = '' and p.from_date <= $3::timestamptz::date order by p.from_date desc limit 1) kept on true
left join lateral (select sum(r.quantity) as units from reservation r where r.sku_id = s.sku_id
    and r.location_id = s.location_id and r.state = 'held' and r.expires_at > $3) held on true
left join lateral (select sum(p.quantity) as units from peg p where p.sku_id = s.sku_id and p.location_id = s.location_id
    and p.kind = 'OPEN') claimed on true"""
"""What of a shelf is not free: protected, held, or claimed for a later day without a supply of its own."""
_HERE = f"""select s.sku_id, s.location_id, greatest(0, {_FREE})::int as units
from unnest($1::bigint[], $2::bigint[]) as u(sku_id, location_id) join stock_level s using (sku_id, location_id) {_KEPT}"""
_SPARE = f"""select u.sku_id, u.location_id as target, f.code, ln.transit_days,
    floor({_FREE} - greatest(coalesce(fc.weekly_mean, 0), 0) * $4::int)::int as units
from unnest($1::bigint[], $2::bigint[]) as u(sku_id, location_id)
join stock_level s on s.sku_id = u.sku_id and s.location_id <> u.location_id
join location f on f.id = s.location_id and f.is_active and f.kind in ('dc', 'warehouse', 'store')
join lane ln on ln.from_location_id = s.location_id and ln.to_location_id = u.location_id
{_KEPT}
left join lateral (select d.weekly_mean from demand_forecast d where d.sku_id = u.sku_id and d.location_id = s.location_id
    order by d.made_on desc limit 1) fc on true
where s.on_hand - s.unsellable - s.allocated > 0"""
_SOURCES = """select x.sku_id, p.code, x.lead_time_days, x.moq, x.order_multiple, x.is_preferred
from supplier_sku x join supplier p on p.id = x.supplier_id where x.sku_id = any($1::bigint[])
order by x.sku_id, x.is_preferred desc, x.lead_time_p80, p.code"""
_WAITING = """select b.sku_id, b.location_id, b.id, l.priority_score, l.is_priority_manual, exists (select from resolution_option r
        join option_offer o on o.sku_id = r.sku_id and o.id = r.offer_id and o.state = 'OPEN'
        where r.sku_id = b.sku_id and r.backorder_id = b.id and r.kind = 'SUBSTITUTE' and r.chosen_at is null) as may_substitute
from backorder b join order_line l on l.sku_id = b.sku_id and l.id = b.order_line_id
where b.closed_at is null and b.sku_id = any($1::bigint[]) order by l.priority_score desc, b.opened_at, b.id"""


async def situations(
    sql: asyncpg.Connection, figures: Sequence[Mapping[str, Any]], at: datetime
) -> dict[tuple[int, int], Situation]:
    """One per row of `figures` (rows of `core/queries/risk_snapshot.py:figures_as_of`), set based, with what is free at `at`."""
    keys = [(row["sku_id"], row["location_id"]) for row in figures]
    skus = sorted({sku_id for sku_id, _ in keys})
    codes = {r["id"]: r["code"] for r in await sql.fetch("select id, code from sku where id = any($1::bigint[])", skus)}
    places = {r["id"]: r["code"] for r in await sql.fetch("select id, code from location")}
    spares: dict[tuple[int, int], list[Spare]] = defaultdict(list)
    wanted = ([k[0] for k in keys], [k[1] for k in keys], at)
    free = {(row["sku_id"], row["location_id"]): row["units"] for row in await sql.fetch(_HERE, *wanted)}
    for row in await sql.fetch(_SPARE, *wanted, KEEP_WEEKS):
        if row["units"] > 0:
            spares[row["sku_id"], row["target"]].append(Spare(row["code"], row["units"], row["transit_days"]))
    sources: dict[int, list[Source]] = defaultdict(list)
    for row in await sql.fetch(_SOURCES, skus):
        sources[row["sku_id"]].append(
            Source(row["code"], row["lead_time_days"], row["moq"], row["order_multiple"], row["is_preferred"])
        )
    waiting: dict[tuple[int, int], list[Waiting]] = defaultdict(list)
    for row in await sql.fetch(_WAITING, skus):
        waiting[row["sku_id"], row["location_id"]].append(
            Waiting(row["sku_id"], row["id"], row["priority_score"], row["may_substitute"], row["is_priority_manual"])
        )
    return {
        key: Situation(
            codes[key[0]],
            places[key[1]],
            int(row["on_hand"]),
            int(row["in_transit"]),
            int(row["past_due"]),
            int(row["backordered"]),
            int(row["minimum_stock"]),
            (row["forecast_3"] if row["forecast_3"] is not None else row["sales_3"]) / 13,
            row["day"],
            sources[key[0]],
            spares[key],
            waiting[key],
            free=free.get(key, 0),
        )
        for key, row in zip(keys, figures, strict=True)
    }
