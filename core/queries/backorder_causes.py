"""Why lines went short, ranked: how many, how many units and days, how much money, and where it happens again and again."""

from __future__ import annotations

from datetime import datetime

import asyncpg

_BACKORDERS = """with short as (
    select b.sku_id, b.id, b.order_line_id, b.cause, k.unit_price, k.currency,
        (select max(e.quantity) from backorder_event e where e.sku_id = b.sku_id and e.backorder_id = b.id) as units,
        greatest(0, floor(extract(epoch from coalesce(b.closed_at, $3) - b.opened_at) / 86400))::bigint as days,
        (select x.supplier_id from supplier_sku x where x.sku_id = b.sku_id
            order by x.is_preferred desc, x.lead_time_p80, x.supplier_id limit 1) as supplier_id
    from backorder b join sku k on k.id = b.sku_id where b.opened_at >= $1 and b.opened_at < $2
) """


async def cause_totals(
    sql: asyncpg.Connection, opened_from: datetime, opened_before: datetime, now: datetime
) -> list[asyncpg.Record]:
    """One row per cause and currency of backorders opened in the period, whole days open until `now` or their end."""
    return await sql.fetch(
        _BACKORDERS
        + """select cause, currency, count(*) as backorders, count(distinct order_line_id) as lines,
            coalesce(sum(units), 0)::bigint as units, sum(days)::bigint as days, coalesce(sum(days * units), 0)::bigint as unit_days,
            coalesce(sum(units * unit_price), 0)::bigint as value
        from short group by cause, currency order by cause, currency""",
        opened_from,
        opened_before,
        now,
    )


async def recurring_causes(
    sql: asyncpg.Connection, opened_from: datetime, opened_before: datetime, now: datetime, limit: int
) -> list[asyncpg.Record]:
    """Up to `limit` rows per cause: SKUs (with their preferred supplier) that went short for it more than once, the
    most unit days first."""
    return await sql.fetch(
        _BACKORDERS
        + """select * from (
            select cause, sku_id, supplier_id, count(*) as backorders, coalesce(sum(units), 0)::bigint as units,
                sum(days)::bigint as days, coalesce(sum(days * units), 0)::bigint as unit_days,
                row_number() over (partition by cause
                    order by sum(days * units) desc nulls last, count(*) desc, sku_id) as place
            from short group by cause, sku_id, supplier_id having count(*) > 1
        ) x where place <= $4 order by cause, place""",
        opened_from,
        opened_before,
        now,
        limit,
    )
