"""What a day of the curve rests on: the supply that comes then, for answers that name their sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import asyncpg


async def dated_sources(
    sql: asyncpg.Connection, wanted: Sequence[tuple[int, int, date]], now: datetime
) -> list[asyncpg.Record | Any]:
    """For each (SKU, location, day) the supply usable last by that day: `source`, `basis`; both null without one.

    What was moved there for others names nothing.
    """
    return await sql.fetch(
        """select case when x.ship_notice_line_id is not null then 'SHIP_NOTICE' when x.kind = 'purchase' then 'PURCHASE_ORDER'
            else upper(x.kind) end as source, x.date_basis as basis
        from unnest($1::bigint[], $2::bigint[], $3::date[]) with ordinality as u(sku_id, location_id, day, n)
        join location w on w.id = u.location_id
        cross join lateral (select ($4::timestamptz at time zone w.time_zone)::date as today) t
        left join lateral (select s.*, case when s.usable_date < t.today then t.today + s.overdue_days else s.usable_date end as comes
            from supply s where s.sku_id = u.sku_id and s.location_id = u.location_id
                and s.quantity > s.received + s.cancelled + case when s.kind = 'transfer' then s.pegged else 0 end
                and case when s.usable_date < t.today then t.today + s.overdue_days else s.usable_date end <= u.day
            order by comes desc, s.id desc limit 1) x on true
        order by u.n""",
        [sku_id for sku_id, _, _ in wanted],
        [location_id for _, location_id, _ in wanted],
        [day for _, _, day in wanted],
        now,
    )
