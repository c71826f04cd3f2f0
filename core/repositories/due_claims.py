"""Claims whose day has come although they had units before: pre-orders on their release day, windows of quotas."""

from __future__ import annotations

from core.ports import Transaction


async def due_claim_skus(uow: Transaction) -> list[int]:
    """SKUs with claims of a quota whose window has begun, or whose release day is today or yesterday, still waiting."""
    rows = await uow.sql.fetch(
        """select distinct p.sku_id from peg p join location l on l.id = p.location_id join sku k on k.id = p.sku_id
        cross join lateral (select ($1::timestamptz at time zone l.time_zone)::date as today) t
        where p.kind = 'OPEN' and ((p.cause = 'QUOTA' and p.need_date between t.today - 1 and t.today)
            or (k.status = 'PREORDER' and k.available_from between t.today - 1 and t.today))
        order by p.sku_id""",
        uow.now,
    )
    return [row["sku_id"] for row in rows]
