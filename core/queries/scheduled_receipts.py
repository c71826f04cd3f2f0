"""What is on order and when it becomes usable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.page import Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_supplier

SORT = Sort(
    "usable+",
    (SortKey("s.usable_date", date, "date"), SortKey("s.sku_id", int, "bigint"), SortKey("s.id", int, "bigint")),
    descending=False,
)
_SELECT = """select s.sku_id, s.id, s.location_id, s.purchase_order_line_id, s.quantity - s.received - s.cancelled as quantity,
    s.pegged, s.paper_date, s.usable_date, s.date_basis as basis,
    case when s.ship_notice_line_id is not null then 'SHIP_NOTICE' when s.kind = 'purchase' then 'PURCHASE_ORDER'
        else upper(s.kind) end as kind
from supply s"""


async def scheduled_receipts_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the open supplies the caller may see, soonest first."""
    where = scoped_to_supplier(principal, "s.supplier_id")
    if where.conditions:  # a supplier sees its orders from the moment they are sent
        where.add(
            """exists (select from purchase_order_line l join purchase_order p on p.id = l.purchase_order_id
                where l.sku_id = s.sku_id and l.id = s.purchase_order_line_id and p.sent_at is not null)"""
        )
    where.add("s.quantity > s.received + s.cancelled")
    where.add_given("s.sku_id = (select k.id from sku k where k.code = ?)", given.get("sku"))
    where.add_given("s.location_id = (select w.id from location w where w.code = ?)", given.get("location"))
    where.add_given("s.supplier_id = (select v.id from supplier v where v.code = ?)", given.get("supplier"))
    where.add_given("s.usable_date >= ?", given.get("usable_from"))
    where.add_given("s.usable_date < ?", given.get("usable_before"))
    return await fetch_page(sql, _SELECT, where, SORT, page)
