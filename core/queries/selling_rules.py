"""The rules planners set that bound what a SKU may be promised: quotas and protected stock."""

from __future__ import annotations

import asyncpg

MOST = 1000
"""Rows of one answer."""


async def quotas(sql: asyncpg.Connection, sku: str | None = None) -> list[asyncpg.Record]:
    """Quotas by SKU, then the order they were made in; of one SKU by code, or the first MOST of all."""
    return await sql.fetch(
        f"""select k.code as sku, q.channel, c.code as customer, q.tier, q.period, q.from_day, q.until_day, q.quantity
        from quota q join sku k on k.id = q.sku_id left join customer c on c.id = q.customer_id
        where $1::text is null or k.code = $1 order by k.code, q.id limit {MOST}""",
        sku,
    )


async def protected_stock(sql: asyncpg.Connection, sku: str | None = None) -> list[asyncpg.Record]:
    """Steps of protected stock by SKU, location, class and day; of one SKU by code, or the first MOST of all."""
    return await sql.fetch(
        f"""select k.code as sku, l.code as location, p.demand_class, p.from_date as from_day, p.quantity
        from protected_stock p join sku k on k.id = p.sku_id join location l on l.id = p.location_id
        where $1::text is null or k.code = $1
        order by k.code, l.code, p.demand_class, p.from_date limit {MOST}""",
        sku,
    )
