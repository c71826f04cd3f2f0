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

_PARTS = """
k as materialized (
  select u.s, w.id as l, w.time_zone as zone, ($3::timestamptz at time zone w.time_zone)::date as today,
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
  group by 1, 2),
old as (  -- of SKUs that expire: free units by their last day, and who claims units without stock on which day
  select k.s, k.l, jsonb_build_object('lots', (select coalesce(jsonb_agg(jsonb_build_array(y.expires_on, y.units)), '[]') from (
      select x.expires_on, sum(x.on_hand - x.unsellable - x.allocated)::int as units from lot x
      where x.sku_id = k.s and x.location_id = k.l and x.on_hand > x.unsellable + x.allocated group by 1) y),
    'claims', (select coalesce(jsonb_agg(jsonb_build_array(y.d, y.units)), '[]') from (
      select z.d, sum(z.quantity)::int as units from (
        select greatest(x.need_date, k.today) as d, x.quantity from peg x
          where x.sku_id = k.s and x.location_id = k.l and x.kind <> 'HARD'
        union all select greatest(x.need_date, k.today), x.quantity from reservation x
          where x.sku_id = k.s and x.location_id = k.l and x.state = 'held' and x.expires_at > $3) z group by 1) y))
    as expiring
  from k join sku i on i.id = k.s where i.tracks_expiry)"""

_PAIRS = """select k.s as sku_id, k.l as location_id, k.today, g.version,
  coalesce(c.days, '{}') as days, coalesce(c.nets, '{}') as nets, r.others, e.expiring, coalesce(v.on_hand, 0) as on_hand,
  coalesce(v.allocated, 0) as allocated, coalesce(v.unsellable, 0) as unsellable,
  coalesce(h.reserved, 0) as reserved, h.next_expiry, least(h.next_expiry, (k.today + 1)::timestamp at time zone k.zone) as valid_until,
  coalesce(o.on_order, 0) as on_order,
  coalesce((select p.quantity from protected_stock p where p.sku_id = k.s and p.location_id = k.l
    and p.demand_class = k.c and p.from_date <= k.today order by p.from_date desc limit 1), 0) as safety_stock
from k join sku_gate g on g.sku_id = k.s
left join curve c on c.s = k.s and c.l = k.l
left join other r on r.s = k.s and r.l = k.l
left join stock_level v on v.sku_id = k.s and v.location_id = k.l
left join hold h on h.s = k.s and h.l = k.l
left join coming o on o.s = k.s and o.l = k.l
left join old e on e.s = k.s and e.l = k.l"""


_READ = f"with {_PARTS} {_PAIRS} order by k.s, k.l"

_COLUMNS = """version, valid_until, today, days, nets, others, expiring, on_hand, allocated, unsellable, reserved, on_order, safety_stock,
    next_expiry"""

_SAVE = f"""with {_PARTS}, found as ({_PAIRS}),
saved as (insert into availability_curve (sku_id, location_id, demand_class, {_COLUMNS})
  select sku_id, location_id, $4::text, {_COLUMNS} from found order by sku_id, location_id
  on conflict (sku_id, location_id, demand_class) do update set version = excluded.version,
    valid_until = excluded.valid_until, today = excluded.today, days = excluded.days, nets = excluded.nets,
    others = excluded.others, expiring = excluded.expiring, on_hand = excluded.on_hand, allocated = excluded.allocated,
    unsellable = excluded.unsellable, reserved = excluded.reserved, on_order = excluded.on_order,
    safety_stock = excluded.safety_stock, next_expiry = excluded.next_expiry
  where availability_curve.version < excluded.version
    or (availability_curve.version = excluded.version and availability_curve.valid_until < excluded.valid_until))
select * from found order by sku_id, location_id"""


Steps = list[tuple[date | None, int]]


def expiring_of(row: Any) -> tuple[Steps, list[tuple[date, int]]]:
    """(free units by last day of life, None: without one; claims by day) of one row; nothing for a SKU that never expires."""
    kept = row["expiring"] or {"lots": (), "claims": ()}
    lots: Steps = [(None if day is None else date.fromisoformat(day), units) for day, units in kept["lots"]]
    return lots, [(date.fromisoformat(day), units) for day, units in kept["claims"]]


def timeline_of(row: Any) -> Timeline:
    """The curve of one row of `read_curves`, before anything expires."""
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
    return await sql.fetch(_READ, list(sku_ids), list(location_ids), now, demand_class)


async def save_curves(
    sql: asyncpg.Connection, sku_ids: Sequence[int], location_ids: Sequence[int], now: datetime, demand_class: str
) -> list[asyncpg.Record]:
    """As `read_curves`, and the same statement keeps the rows for the next reader (`availability_curve`).

    A kept row is valid for its gate version until `valid_until`: the next expiry of a hold it counts, or the location's
    next midnight. It gives way only to a higher version, or to a later instant of the same one.
    """
    return await sql.fetch(_SAVE, list(sku_ids), list(location_ids), now, demand_class)


_ASK = f"""
with channel_asked as (select code, location_ids, max_shown, protected_class from channel where code = $4),
asked as (
  select k.id, k.code, k.status, k.low_stock_at, k.tracks_expiry, k.min_life_days, g.version as gate_version,
    case when k.status = 'PREORDER' then k.available_from end as available_from,
    coalesce(x.lead_time_p80, 30) as lead_time, q.quotas,
    (select m.days from minimum_life m where m.sku_id = k.id and m.customer_id = $5) as life_of_customer,
    (select m.days from minimum_life m where m.sku_id = k.id and m.channel = $4) as life_of_channel,
    (select jsonb_object_agg(c.code, n.quantity) from kit_component n join sku c on c.id = n.component_sku_id
      where n.kit_sku_id = k.id) as parts
  from sku k join sku_gate g on g.sku_id = k.id
  left join lateral (select lead_time_p80 from supplier_sku x where x.sku_id = k.id
    order by x.is_preferred desc, x.lead_time_p80, x.supplier_id limit 1) x on true
  left join lateral (select jsonb_agg(to_jsonb(y) || jsonb_build_object('used', (
      select jsonb_object_agg(u.day, u.units) from (
        select n.day, sum(greatest(0, least(n.quantity, l.ordered - l.cancelled - n.prior)))::int as units from (
          select z.day, z.quantity, z.order_line_id, sum(z.quantity) over (partition by z.order_line_id
            order by z.day, z.id) - z.quantity as prior from quota_use z where z.sku_id = k.id and z.quota_id = y.id) n
        join order_line l on l.sku_id = k.id and l.id = n.order_line_id group by n.day) u)) order by y.id) as quotas
    from quota y where y.sku_id = k.id) q on true
  where k.code = any($1::text[])),
place as (select id, ($3::timestamptz at time zone time_zone)::date as today from location where id = any($2::bigint[])),
pair as (
  select asked.*, place.id as location_id, {", ".join("a." + name.strip() for name in _COLUMNS.split(","))}
  from asked cross join place
  left join availability_curve a on a.sku_id = asked.id and a.location_id = place.id and a.version = asked.gate_version
    and a.demand_class = coalesce((select protected_class from channel_asked), '')
    and a.valid_until > $3 and a.today = place.today and (a.expiring is not null or not asked.tracks_expiry))
select one.stamp, hashtextextended(one.stamp, 0) as network, h.code as channel, h.location_ids, h.max_shown,
  coalesce(h.protected_class, '') as protected_class,
  (select (value #>> '{{}}')::int from policy where code = 'promise_horizon_days') as horizon_days,
  (select tier from customer where id = $5) as tier, pair.*
from (select ($STAMP) as stamp) one left join channel_asked h on true left join pair on true
order by pair.id, pair.location_id"""


async def ask(
    sql: asyncpg.Connection,
    codes: Sequence[str],
    location_ids: Sequence[int],
    now: datetime,
    channel: str | None,
    customer_id: int | None,
    stamp: str,
) -> list[asyncpg.Record]:
    """Everything an answer needs, in one statement: the network's stamp (`stamp` is its SQL), the channel, the SKUs that exist,
    their quotas, and per (SKU, location) the kept curve when its version is the SKU's gate version and it is still valid.

    At least one row, with `id` null when no SKU exists; `version` is null where no valid curve is kept.
    """
    statement = _ASK.replace("$STAMP", stamp)
    return await sql.fetch(statement, list(codes), list(location_ids), now, channel, customer_id)


async def stale_pairs(sql: asyncpg.Connection, now: datetime, limit: int) -> list[asyncpg.Record]:
    """(demand class, SKU id, location ids) of kept curves that a change of the SKU or time has made invalid."""
    return await sql.fetch(
        """select a.demand_class, a.sku_id, array_agg(a.location_id) as location_ids
        from availability_curve a join sku_gate g on g.sku_id = a.sku_id
        where a.version <> g.version or a.valid_until <= $1 group by a.demand_class, a.sku_id order by 1, 2 limit $2""",
        now,
        limit,
    )


async def drop_curves(sql: asyncpg.Connection, before: datetime, now: datetime) -> None:
    """Forget curves first kept before an instant that are not valid at `now`; rows another reader holds are left."""
    await sql.execute(
        """delete from availability_curve a using (select c.sku_id, c.location_id, c.demand_class from availability_curve c
            where c.created_at < $1 and c.valid_until <= $2 for update skip locked) x
        where a.sku_id = x.sku_id and a.location_id = x.location_id and a.demand_class = x.demand_class""",
        before,
        now,
    )
