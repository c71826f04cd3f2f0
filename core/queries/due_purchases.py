"""Which SKUs have something to buy: lines without a source, or an inventory position at the reorder point."""

from __future__ import annotations

from typing import Any

_DUE = """
with stock as (select sku_id, sum(on_hand - unsellable - allocated) as units from stock_level group by sku_id),
inbound as (select sku_id, sum(quantity - received - cancelled) as units from supply
    where quantity > received + cancelled group by sku_id),
claims as (select sku_id, sum(quantity) as units, bool_or(kind = 'OPEN') as has_open from peg where kind <> 'HARD'
    group by sku_id)
select k.id from sku k left join stock s on s.sku_id = k.id left join inbound i on i.sku_id = k.id
    left join claims c on c.sku_id = k.id
where k.status in ('ACTIVE', 'PREORDER') and exists (select from supplier_sku x where x.sku_id = k.id)
    and (coalesce(c.has_open, false) or (k.reorder_quantity > 0 and
        coalesce(s.units, 0) + coalesce(i.units, 0) - coalesce(c.units, 0) <= k.reorder_point))
order by k.id
"""


async def due_purchases(sql: Any) -> list[int]:
    """SKU ids, sorted. Inventory position = usable on hand - allocated + on order - claims without stock."""
    return [row["id"] for row in await sql.fetch(_DUE)]
