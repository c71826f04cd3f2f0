"""Deadlines of suppliers as tasks, and the backorders that a late answer puts at risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.domain.scorecards import confidence_when_silent
from core.queries.order_lines import Key
from core.queries.page import Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_supplier
from core.queries.supplier_facts import supplier_lines

SORT = Sort("due+", (SortKey("d.due_epoch", int, "bigint"), SortKey("d.id", int, "bigint")), descending=False)
_SELECT = """select d.id, d.purchase_order_id, d.supplier_id, d.kind, d.state, d.warn_at, d.due_at, d.escalate_at, d.changed_at,
    d.chased_by, d.chased_at, d.chase_note
from (select x.*, extract(epoch from x.due_at)::bigint as due_epoch from supplier_deadline x) d"""
RECORD_DAYS = 365


async def deadlines_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[Any], bool]:
    """One page of the deadlines the caller may see, soonest first."""
    where = scoped_to_supplier(principal, "d.supplier_id")
    where.add_given("d.state = any(?::text[])", given.get("state"))
    where.add_given("d.kind = ?", given.get("kind"))
    where.add_given("d.supplier_id = (select s.id from supplier s where s.code = ?)", given.get("supplier"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def deadlines_by_order_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[Any]:
    """Deadlines of these purchase orders, soonest first."""
    where = scoped_to_supplier(principal, "d.supplier_id")
    where.add("d.purchase_order_id = any(?::bigint[])", list(ids))
    return await sql.fetch(
        f"{_SELECT} where {' and '.join(where.conditions)} order by d.due_at, d.id", *where.arguments
    )


async def orders_waiting(sql: asyncpg.Connection, ids: Sequence[int]) -> dict[int, int]:
    """How many order lines rely on each of these purchase orders. Reads everybody's pegs."""
    rows = await sql.fetch(
        """select l.purchase_order_id as id, count(distinct p.order_line_id)::int as lines from purchase_order_line l
        join supply s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id
        join peg p on p.sku_id = s.sku_id and p.supply_id = s.id and p.order_line_id is not null
        where l.purchase_order_id = any($1::bigint[]) group by 1""",
        list(ids),
    )
    return {row["id"]: row["lines"] for row in rows}


async def risks_by_backorder_keys(sql: asyncpg.Connection, keys: Sequence[Key], today: date) -> list[dict[str, Any]]:
    """Breached deadlines behind the supplies that these backorders rely on, and how far their days can be believed."""
    rows = await sql.fetch(
        """select b.sku_id, b.id as backorder_id, o.id as purchase_order_id, o.number, o.supplier_id, d.kind, d.state,
            d.due_at, o.sent_at, sum(p.quantity)::int as quantity
        from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
        join backorder b on b.sku_id = u.sku_id and b.id = u.id
        join peg p on p.sku_id = b.sku_id and p.order_line_id = b.order_line_id
        join supply s on s.sku_id = p.sku_id and s.id = p.supply_id
        join purchase_order_line l on l.sku_id = s.sku_id and l.id = s.purchase_order_line_id
        join purchase_order o on o.id = l.purchase_order_id
        join supplier_deadline d on d.purchase_order_id = o.id and d.state in ('BREACHED', 'ESCALATED')
            and (d.kind in ('ACKNOWLEDGEMENT', 'FUNCTIONAL_ACKNOWLEDGEMENT') and l.unanswered > 0
                or d.kind = 'SHIP_NOTICE' and l.accepted > 0 and s.ship_notice_line_id is null)
        where b.closed_at is null group by 1, 2, 3, 4, 5, 6, 7, 8, 9 order by d.due_at""",
        [key[0] for key in keys],
        [key[1] for key in keys],
    )
    records = {
        supplier_id: await supplier_lines(sql, supplier_id, today - timedelta(days=RECORD_DAYS), today)
        for supplier_id in {row["supplier_id"] for row in rows}
    }
    found = []
    for row in rows:
        lines = records[row["supplier_id"]]
        silent = (row["due_at"] - row["sent_at"]).total_seconds() / 3600
        confidence = confidence_when_silent(lines, silent, today - timedelta(days=RECORD_DAYS), today)
        found.append({**row, "confidence": confidence.value, "cases": confidence.count})
    return found
