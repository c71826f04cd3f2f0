"""Claims whose day has come although they had units before: pre-orders on their release day, windows of quotas."""

from __future__ import annotations

from core.ports import Transaction


async def due_claim_skus(uow: Transaction) -> list[int]:
    """SKUs with claims of a quota whose window has begun, or whose release day has come, still waiting.

    However long ago: whoever was not looked at on the day itself, for an outage or for want of stock, is not forgotten.
    Where quotas leave stock over, a new window may have room for claims that were promised for a later one.
    """
    rows = await uow.sql.fetch(
        """select distinct p.sku_id from peg p join location l on l.id = p.location_id join sku k on k.id = p.sku_id
        cross join lateral (select ($1::timestamptz at time zone l.time_zone)::date as today) t
        where p.kind = 'OPEN' and ((p.cause = 'QUOTA' and p.need_date <= t.today)
                or (k.status = 'PREORDER' and k.available_from <= t.today))
            or p.kind in ('OPEN', 'FIRM') and p.order_line_id is not null
                and exists (select from quota q where q.sku_id = p.sku_id)
                and exists (select from stock_level s where s.sku_id = p.sku_id and s.on_hand > s.unsellable + s.allocated)
        order by p.sku_id""",
        uow.now,
    )
    return [row["sku_id"] for row in rows]
