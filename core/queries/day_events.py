"""What moves the curve of a (SKU, location) on given days: the claims, supplies, holds and protections behind a limit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg

from core.domain.binding import BindingKind, DayEvent, Spot

_EVENTS = """
with k as materialized (
  select u.n, u.s, u.l, array[u.d1, u.d2] as days, ($7::timestamptz at time zone w.time_zone)::date as today,
    case when exists (select from protected_stock p where p.sku_id = u.s and p.location_id = u.l and p.demand_class = u.c)
      then u.c else '' end as c
  from unnest($1::int[], $2::bigint[], $3::bigint[], $4::text[], $5::date[], $6::date[]) u(n, s, l, c, d1, d2)
  join location w on w.id = u.l),
event as (
  select k.n, 'STOCK' as kind, k.today as d, (x.on_hand - x.unsellable - x.allocated) as q, null::bigint as supply_id,
      null::bigint as order_line_id
    from k join stock_level x on x.sku_id = k.s and x.location_id = k.l
  union all
  select k.n, case x.kind when 'transfer' then 'TRANSFER' else 'SUPPLY' end,
      case when x.usable_date < k.today then k.today + x.overdue_days else x.usable_date end,
      x.quantity - x.received - x.cancelled, x.id, null
    from k join supply x on x.sku_id = k.s and x.location_id = k.l where x.quantity > x.received + x.cancelled
  union all
  select k.n, 'LATER_PROMISE', greatest(x.need_date, k.today), -x.quantity, null, x.order_line_id
    from k join peg x on x.sku_id = k.s and x.location_id = k.l where x.kind <> 'HARD'
  union all
  select k.n, 'HOLD', greatest(x.need_date, k.today), -x.quantity, null, null
    from k join reservation x on x.sku_id = k.s and x.location_id = k.l where x.state = 'held' and x.expires_at > $7
  union all
  select k.n, 'PROTECTED_STOCK', greatest(x.from_date, k.today), x.before - x.quantity, null, null
    from k cross join lateral (select p.from_date, p.quantity, lag(p.quantity, 1, 0) over (order by p.from_date) as before
      from protected_stock p where p.sku_id = k.s and p.location_id = k.l and p.demand_class = k.c) x)
select event.* from event join k using (n) where event.d = any(k.days) and event.q <> 0"""


async def read_day_events(
    sql: asyncpg.Connection, spots: Sequence[tuple[int, Spot]], now: datetime
) -> list[list[DayEvent]]:
    """The events of each (SKU id, spot) on the spot's days, in one statement; as `events_on` finds them in a book."""
    found: list[list[DayEvent]] = [[] for _ in spots]
    wanted = [(n, sku_id, spot) for n, (sku_id, spot) in enumerate(spots) if spot.days]
    if not wanted:
        return found
    rows = await sql.fetch(
        _EVENTS,
        [n for n, _, _ in wanted],
        [sku_id for _, sku_id, _ in wanted],
        [spot.location_id for _, _, spot in wanted],
        [spot.demand_class for _, _, spot in wanted],
        [spot.days[0] for _, _, spot in wanted],
        [spot.days[-1] for _, _, spot in wanted],
        now,
    )
    for row in rows:
        day: date = row["d"]
        event = DayEvent(BindingKind(row["kind"]), day, row["q"], row["supply_id"], row["order_line_id"])
        found[row["n"]].append(event)
    return found
