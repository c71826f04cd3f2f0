"""Supplies that are still to come, by the document that announces them."""

from __future__ import annotations

import asyncpg


async def open_supplies(
    sql: asyncpg.Connection,
    *,
    purchase_order: str | None = None,
    line_number: int | None = None,
    ship_notice: str | None = None,
    supplier: str | None = None,
) -> list[asyncpg.Record]:
    """(sku_id, id) of the open supplies of a purchase order, of one of its lines, or of a ship notice, by number.

    Ship notice numbers are the suppliers' own: `supplier` (a code) says whose, when two use the same.
    """
    if ship_notice is not None:
        return await sql.fetch(
            """select s.sku_id, s.id from ship_notice n join ship_notice_line l on l.ship_notice_id = n.id
            join supply s on s.sku_id = l.sku_id and s.ship_notice_line_id = l.id
            where n.number = $1 and ($2::text is null or n.supplier_id = (select id from supplier where code = $2))
                and s.quantity > s.received + s.cancelled order by 1, 2""",
            ship_notice,
            supplier,
        )
    return await sql.fetch(
        """select s.sku_id, s.id from purchase_order p join purchase_order_line l on l.purchase_order_id = p.id
        join supply s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id
        where p.number = $1 and ($2::int is null or l.line_number = $2) and s.quantity > s.received + s.cancelled
        order by 1, 2""",
        purchase_order,
        line_number,
    )
