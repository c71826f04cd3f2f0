"""Supplies that are still to come, by the document that announces them, and the order lines that hang on them."""

from __future__ import annotations

import asyncpg

_OF_NOTICE = """select s.sku_id, s.id from ship_notice n join ship_notice_line l on l.ship_notice_id = n.id
    join supply s on s.sku_id = l.sku_id and s.ship_notice_line_id = l.id
    where n.number = $1 and ($2::text is null or n.supplier_id = (select id from supplier where code = $2))
        and s.quantity > s.received + s.cancelled"""
_OF_ORDER = """select s.sku_id, s.id from purchase_order p join purchase_order_line l on l.purchase_order_id = p.id
    join supply s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id
    where p.number = $1 and ($2::int is null or l.line_number = $2) and s.quantity > s.received + s.cancelled"""
_LINES = """select l.sku_id, l.id, l.order_id, o.customer_id, sum(p.quantity)::int as quantity, l.promised_date, l.backordered
    from ({supplies}) s
    left join peg p on p.sku_id = s.sku_id and p.supply_id = s.id and p.order_line_id is not null
    left join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
    left join sales_order o on o.id = l.order_id
    group by l.sku_id, l.id, l.order_id, o.customer_id, l.promised_date, l.backordered"""


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
        return await sql.fetch(f"{_OF_NOTICE} order by 1, 2", ship_notice, supplier)
    return await sql.fetch(f"{_OF_ORDER} order by 1, 2", purchase_order, line_number)


async def lines_on_supplies(
    sql: asyncpg.Connection,
    *,
    purchase_order: str | None = None,
    line_number: int | None = None,
    ship_notice: str | None = None,
    supplier: str | None = None,
) -> list[asyncpg.Record] | None:
    """The order lines that hang on these supplies, with the units they expect; None when nothing is still to come.

    One statement, whatever hangs on them.
    """
    if ship_notice is not None:
        rows = await sql.fetch(_LINES.format(supplies=_OF_NOTICE), ship_notice, supplier)
    else:
        rows = await sql.fetch(_LINES.format(supplies=_OF_ORDER), purchase_order, line_number)
    return [row for row in rows if row["id"] is not None] if rows else None
