"""What moves the curve of any number of (SKU, location) pairs, day by day, in one statement and hence one snapshot.

The curve itself (cumulative ATP with look-ahead) is made of these days by `core.domain.availability.Timeline`, the
same rule that places orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import asyncpg

from core.domain.availability import Timeline

_CURVES = """
with k as materialized (
  select u.s, w.id as l, ($3::timestamptz at time zone w.time_zone)::date as today,
    case when exists (select from protected_stock p where p.sku_id = u.s and p.location_id = w.id
      and p.demand_class = $4::text) then $4::text else '' end as c,
    exists (select from protected_stock p where p.sku_id = u.s and p.location_id = w.id and p.demand_class <> '') as split
  from unnest($1::bigint[]) u(s) cross join location w where w.id = any($2::bigint[])),
waiting as (  -- claims without a source, of a class that keeps off another protected stock than the asker's
  select k.s, k.l, y.c, greatest(x.need_date, k.today) as d, x.quantity, x.id
    from k join peg x on x.sku_id = k.s and x.location_id = k.l and x.kind = 'OPEN'
    join order_line i on i.sku_id = x.sku_id and i.id = x.order_line_id
    join sales_order o on o.id = i.order_id join channel h on h.code = o.channel
    cross join lateral (select case when exists (select from protected_stock p where p.sku_id = k.s
      and p.location_id = k.l and p.demand_class = h.protected_class) then h.protected_class else '' end as c) y
    where k.split and y.c <> k.c),
event as (
  select k.s, k.l, k.today as d, (x.on_hand - x.unsellable - x.allocated)::bigint as q
    from k join stock_level x on x.sku_id = k.s and x.location_id = k.l
  union all
  select k.s, k.l, case when x.usable_date < k.today then k.today + x.overdue_days else x.usable_date end,
      x.quantity - x.received - x.cancelled
    from k join supply x on x.sku_id = k.s and x.location_id = k.l where x.quantity > x.received + x.cancelled
  union all
  select k.s, k.l, greatest(x.need_date, k.today), -x.quantity
    from k join peg x on x.sku_id = k.s and x.location_id = k.l where x.kind <> 'HARD'
      and not (k.split and x.kind = 'OPEN' and exists (select from waiting y where y.s = k.s and y.l = k.l and y.id = x.id))
  union all
  select k.s, k.l, greatest(x.need_date, k.today), -x.quantity
    from k join reservation x on x.sku_id = k.s and x.location_id = k.l where x.state = 'held' and x.expires_at > $3
  union all
  select k.s, k.l, greatest(x.from_date, k.today), -(x.quantity - x.before) from k cross join lateral
    (select p.from_date, p.quantity, lag(p.quantity, 1, 0) over (order by p.from_date) as before from protected_stock p
      where p.sku_id = k.s and p.location_id = k.l and p.demand_class = k.c) x),
day as (select s, l, d, sum(q)::bigint as net from event group by s, l, d),
curve as (select s, l, array_agg(d order by d) as days, array_agg(net order by d) as nets from day where net <> 0
  group by s, l),
kept as (
  select k.s, k.l, n.c, greatest(p.from_date, k.today) as d,
      (p.quantity - lag(p.quantity, 1, 0) over (partition by k.s, k.l, n.c, p.demand_class order by p.from_date))
        * case when p.demand_class = n.c then 1 else -1 end as rise
    from k join (select distinct s, l, c from waiting) n on n.s = k.s and n.l = k.l
    join protected_stock p on p.sku_id = k.s and p.location_id = k.l and p.demand_class in (n.c, k.c)),
other as (select s, l, jsonb_agg(jsonb_build_array(kind, c, d, q)) as others from (
    select s, l, 'wait' as kind, c, d, quantity as q from waiting
    union all select s, l, 'keep', c, d, rise from kept) x group by s, l),
hold as (select x.sku_id as s, x.location_id as l, sum(x.quantity)::int as reserved, min(x.expires_at) as next_expiry
  from reservation x where x.sku_id = any($1) and x.location_id = any($2) and x.state = 'held' and x.expires_at > $3
  group by 1, 2),
coming as (select x.sku_id as s, x.location_id as l, sum(x.quantity - x.received - x.cancelled)::int as on_order
  from supply x where x.sku_id = any($1) and x.location_id = any($2) and x.quantity > x.received + x.cancelled
  group by 1, 2)
select k.s as sku_id, k.l as location_id, k.today, g.version, c.days, c.nets, r.others, coalesce(v.on_hand, 0) as on_hand,
  coalesce(v.allocated, 0) as allocated, coalesce(v.unsellable, 0) as unsellable,
  coalesce(h.reserved, 0) as reserved, h.next_expiry,
  coalesce(o.on_order, 0) as on_order,
  coalesce((select p.quantity from protected_stock p where p.sku_id = k.s and p.location_id = k.l
    and p.demand_class = k.c and p.from_date <= k.today order by p.from_date desc limit 1), 0) as safety_stock
from k join sku_gate g on g.sku_id = k.s
left join curve c on c.s = k.s and c.l = k.l
left join other r on r.s = k.s and r.l = k.l
left join stock_level v on v.sku_id = k.s and v.location_id = k.l
left join hold h on h.s = k.s and h.l = k.l
left join coming o on o.s = k.s and o.l = k.l
order by k.s, k.l"""


def timeline_of(row: Any) -> Timeline:
    """The curve of one row of `read_curves`."""
    curve = Timeline(row["today"], zip(row["days"] or (), row["nets"] or (), strict=True))
    for kind, demand_class, day, quantity in row["others"] or ():
        move = curve.wait if kind == "wait" else curve.keep_from
        move(demand_class, date.fromisoformat(day), quantity)
    return curve


async def read_curves(
    sql: asyncpg.Connection, sku_ids: Sequence[int], location_ids: Sequence[int], now: datetime, demand_class: str
) -> list[asyncpg.Record]:
    """One row per pair: gate version, net change per day (`days`, `nets`, base units), counters, next hold expiry.

    Live holds are those with `expires_at > now`; overdue supply slides to today + `overdue_days`, overdue demand
    counts today; protected stock enters as the differences of its steps: those of `demand_class` where it has any at the
    location (a step of 0 exempts it), else those of the default class ''. `others`: claims without a source of classes
    that keep off another protected stock.
    """
    return await sql.fetch(_CURVES, list(sku_ids), list(location_ids), now, demand_class)


async def sellable_skus(sql: asyncpg.Connection, codes: Sequence[str]) -> list[asyncpg.Record]:
    """Id, status, low-stock limit and lead time (P80, calendar days) of those of the SKUs that exist."""
    return await sql.fetch(
        """select k.id, k.code, k.status, k.low_stock_at, coalesce(s.lead_time_p80, 30) as lead_time
        from sku k left join lateral (select lead_time_p80 from supplier_sku x where x.sku_id = k.id
            order by x.is_preferred desc, x.lead_time_p80, x.supplier_id limit 1) s on true
        where k.code = any($1::text[])""",
        list(codes),
    )


async def selling_channel(sql: asyncpg.Connection, code: str) -> asyncpg.Record | None:
    """The channel's own locations (null for all), how much it shows, and its protected class."""
    return await sql.fetchrow("select location_ids, max_shown, protected_class from channel where code = $1", code)
