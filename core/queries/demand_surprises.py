"""Places where more has been asked for since the newest forecast than it expected of four weeks at the most."""

from __future__ import annotations

import asyncpg

_SURPRISES = """with newest as (
    select f.sku_id, f.location_id, f.made_at, f.p90_horizon from demand_forecast f
    where f.actual is null and f.made_on = (select max(made_on) from demand_forecast where actual is null)),
asked as (
    select p.sku_id, (s.part ->> 'location')::bigint as location_id, sum((s.part ->> 'quantity')::int) as units
    from promise p join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
    join sales_order o on o.id = l.order_id cross join lateral jsonb_array_elements(p.slices) as s(part)
    where p.sequence = 1 and o.placed_at > (select min(made_at) from newest) group by 1, 2)
select count(*)::int from asked a left join newest n using (sku_id, location_id)
where a.units > coalesce(n.p90_horizon, 0)"""


async def surprised_places(sql: asyncpg.Connection) -> int:
    """How many; a place that nobody forecast and that sells is one. 0 while nothing was ever forecast."""
    return await sql.fetchval(_SURPRISES) or 0
