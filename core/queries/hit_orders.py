"""Which orders of customers rely on a purchase order, and what they were told: what a document about it would hit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

_PARTS = "unanswered, accepted, supplier_backordered, held, in_transit, received, rejected, cancelled"


async def purchase_lines(sql: asyncpg.Connection, order_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Quantities, day and price of every line of these purchase orders, by line id."""
    rows = await sql.fetch(
        f"""select l.id, o.number as purchase_order, l.line_number, k.code as sku, l.promised_date, l.price, l.ordered, {_PARTS}
        from purchase_order_line l join purchase_order o on o.id = l.purchase_order_id join sku k on k.id = l.sku_id
        where l.purchase_order_id = any($1::bigint[]) order by o.number, l.line_number""",
        list(order_ids),
    )
    return {row["id"]: dict(row) for row in rows}


async def order_lines(
    sql: asyncpg.Connection, order_ids: Sequence[int], line_ids: Sequence[int] = ()
) -> dict[int, dict[str, Any]]:
    """Lines of customers' orders that are pegged to these purchase orders (and those named), by line id."""
    rows = await sql.fetch(
        """select l.id, o.number as order_number, l.line_number, c.code as customer, k.code as sku,
            (select max(coalesce(x ->> 'deliveryDate', x ->> 'shipDate'))::date from jsonb_array_elements(p.slices) x)
                as promised, l.backordered, coalesce(x.pegged, 0)::bigint as relies_on
        from order_line l join sales_order o on o.id = l.order_id join sku k on k.id = l.sku_id
        left join customer c on c.id = o.customer_id
        left join promise p on p.sku_id = l.sku_id and p.id = l.current_promise_id
        left join lateral (
            select sum(g.quantity) as pegged from peg g join supply s on s.sku_id = g.sku_id and s.id = g.supply_id
            join purchase_order_line q on q.sku_id = s.sku_id and q.id = s.purchase_order_line_id
            where g.sku_id = l.sku_id and g.order_line_id = l.id and q.purchase_order_id = any($1::bigint[])) x on true
        where l.id = any($2::bigint[]) or (l.sku_id, l.id) in (
            select g.sku_id, g.order_line_id from purchase_order_line q
            join supply s on s.sku_id = q.sku_id and s.purchase_order_line_id = q.id
            join peg g on g.sku_id = s.sku_id and g.supply_id = s.id and g.order_line_id is not null
            where q.purchase_order_id = any($1::bigint[]))
        order by o.number, l.line_number""",
        list(order_ids),
        list(line_ids),
    )
    return {row["id"]: dict(row) for row in rows}
