"""A purchase order as its documents need it: lines with their articles, and the place the goods go to."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from core.edi.documents import Party
from core.ports import Transaction


class OrderPaper(NamedTuple):
    """`zone` is that of the place, whose day is the day of the document."""

    currency: str
    requested_date: Any
    ordered_at: Any
    ship_to: Party
    zone: ZoneInfo
    lines: list[Any]


async def read_paper(uow: Transaction, purchase_order_id: int) -> OrderPaper:
    """The order, with all of its lines by number."""
    order = await uow.sql.fetchrow(
        """select o.currency, o.requested_date, o.created_at, l.code, l.name, l.time_zone from purchase_order o
        join location l on l.id = o.location_id where o.id = $1""",
        purchase_order_id,
    )
    rows = await uow.sql.fetch(
        """select l.*, k.code, k.unit, k.name, k.gtin, x.vendor_code from purchase_order_line l join sku k on k.id = l.sku_id
        left join supplier_sku x on x.sku_id = l.sku_id and x.supplier_id = l.supplier_id
        where l.purchase_order_id = $1 order by l.line_number""",
        purchase_order_id,
    )
    ship_to = Party(order["name"] or order["code"], order["code"])
    zone = ZoneInfo(order["time_zone"])
    return OrderPaper(order["currency"], order["requested_date"], order["created_at"], ship_to, zone, rows)


async def parts_to_come(uow: Transaction, purchase_order_id: int) -> dict[int, list[tuple[int, date | None]]]:
    """(units, agreed day) of what has not left the supplier, by line number; without a day where none was agreed."""
    rows = await uow.sql.fetch(
        """select l.line_number, s.paper_date, sum(s.quantity - s.received - s.cancelled)::int as units
        from purchase_order_line l
        join supply s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id and s.ship_notice_line_id is null
            and s.quantity > s.received + s.cancelled
        where l.purchase_order_id = $1 group by l.line_number, s.paper_date order by l.line_number, s.paper_date""",
        purchase_order_id,
    )
    parts: dict[int, list[tuple[int, date | None]]] = {}
    for row in rows:
        parts.setdefault(row["line_number"], []).append((row["units"], row["paper_date"]))
    return parts
