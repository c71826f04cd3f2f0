"""What was asked for, week by week, per SKU and location: as it was asked for, whatever became of it afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg

WEEKS = 78

_ASKED = """select p.sku_id, (s.part ->> 'location')::bigint as location_id, o.placed_at, (s.part ->> 'quantity')::int as units,
    l.id as order_line_id
from promise p
join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
join sales_order o on o.id = l.order_id
cross join lateral jsonb_array_elements(p.slices) as s(part)
where p.sequence = 1 and p.created_at <= $1::timestamptz and o.placed_at <= $1::timestamptz
    and o.placed_at > $1::timestamptz - make_interval(weeks => $2::int)"""
_WEEKLY = f"""with asked as materialized ({_ASKED}),
usual as (select sku_id, percentile_cont(0.5) within group (order by units) as median, count(*) as lines
    from asked group by sku_id)
select a.sku_id, a.location_id, floor(extract(epoch from $1::timestamptz - a.placed_at) / 604800)::int as weeks_ago,
    sum(a.units)::bigint as units, count(*)::int as lines,
    jsonb_agg(jsonb_build_object('line', a.order_line_id, 'units', a.units, 'median', u.median,
        'day', a.placed_at::date)) filter (where u.lines >= 10 and a.units > 50 * u.median) as odd
from asked a join usual u using (sku_id) group by 1, 2, 3"""
_OUT = """with levels as (
    select m.sku_id, m.location_id, m.occurred_at as since,
        lead(m.occurred_at, 1, $1::timestamptz) over w as until,
        sum(m.on_hand_delta - m.unsellable_delta - m.allocated_delta) over w as level
    from stock_movement m where m.occurred_at <= $1::timestamptz
    window w as (partition by m.sku_id, m.location_id order by m.occurred_at, m.id)),
out as (select * from levels where level <= 0 and until > since
    and until > $1::timestamptz - make_interval(weeks => $2::int))
select o.sku_id, o.location_id, w as weeks_ago,
    sum(extract(epoch from least(o.until, $1::timestamptz - make_interval(weeks => w))
        - greatest(o.since, $1::timestamptz - make_interval(weeks => w + 1))) / 604800)::float8 as share
from out o cross join lateral generate_series(floor(extract(epoch from $1::timestamptz - o.until) / 604800)::int,
    least($2::int - 1, floor(extract(epoch from $1::timestamptz - o.since) / 604800)::int)) as w
where least(o.until, $1::timestamptz - make_interval(weeks => w))
    > greatest(o.since, $1::timestamptz - make_interval(weeks => w + 1))
group by 1, 2, 3"""


async def weekly_demand(sql: asyncpg.Connection, at: datetime, weeks: int = WEEKS) -> list[dict[str, Any]]:
    """(sku_id, location_id, weeks_ago, units, lines, odd): weeks of seven days before `at`; weeks without demand are absent.

    `odd` are lines of more than fifty times what is usual for the SKU, for those who judge inputs.
    """
    return [dict(row) for row in await sql.fetch(_WEEKLY, at, weeks)]


async def weeks_out_of_stock(sql: asyncpg.Connection, at: datetime, weeks: int = WEEKS) -> list[dict[str, Any]]:
    """(sku_id, location_id, weeks_ago, share): which share of a week nothing could be sold from the shelf there."""
    return [dict(row) for row in await sql.fetch(_OUT, at, weeks)]


async def demand_accuracy(sql: asyncpg.Connection) -> list[asyncpg.Record]:
    """Per method: forecasts whose four weeks have passed, their bias, mean absolute error over mean demand, P90 coverage, and
    the backorders opened in their weeks, under the newest forecast there was, because it was too low."""
    return await sql.fetch(
        """select method, count(*)::int as judged, (sum(weekly_mean * 4 - actual) / nullif(sum(actual), 0))::float8 as bias,
            (sum(abs(weekly_mean * 4 - actual)) / nullif(sum(actual), 0))::float8 as error,
            avg((actual <= p90_horizon)::int)::float8 as coverage, coalesce(sum(b.count), 0)::int as backorders
        from demand_forecast f
        left join (select o.sku_id, o.location_id, t.made_on, count(*) from backorder o
            join lateral (select n.made_on from demand_forecast n where n.sku_id = o.sku_id and n.location_id = o.location_id
                and n.made_at <= o.opened_at and n.made_at + interval '28 days' > o.opened_at
                order by n.made_on desc limit 1) t on true
            where o.cause = 'FORECAST_ERROR' group by 1, 2, 3) b using (sku_id, location_id, made_on)
        where f.actual is not null group by method order by count(*) desc, method"""
    )
