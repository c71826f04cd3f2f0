"""Purchase orders, their lines and what suppliers have dated of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.order_lines import Key, by_keys
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_supplier

SORT = Sort("po-", (SortKey("p.id", int, "bigint"),))
_SELECT = """select p.id, p.supplier_id, p.location_id, p.number, p.status, p.requested_date, p.sent_at, p.acknowledged_at,
    p.created_at, p.version, p.cause as cause_facts
from purchase_order p"""
_LINE = """select l.sku_id, l.id, l.purchase_order_id, l.line_number, l.ordered, l.accepted as confirmed,
    l.supplier_backordered as backordered, l.rejected, l.held, l.in_transit, l.received, l.cancelled, l.unanswered,
    l.over_delivered, l.requested_date, l.promised_date, l.price as price_minor, p.currency
from purchase_order_line l join purchase_order p on p.id = l.purchase_order_id"""


def _scoped(principal: Principal, column: str = "p.supplier_id") -> Filter:
    """A supplier sees its orders from the moment they are sent."""
    where = scoped_to_supplier(principal, column)
    if where.conditions:
        where.add("p.sent_at is not null")
    return where


def _filter(principal: Principal, given: Mapping[str, Any]) -> Filter:
    where = _scoped(principal)
    where.add_given("p.status = any(?::text[])", given.get("status"))
    where.add_given("p.number = ?", given.get("number"))
    where.add_given("p.supplier_id = (select s.id from supplier s where s.code = ?)", given.get("supplier"))
    where.add_given("p.location_id = (select w.id from location w where w.code = ?)", given.get("location"))
    where.add_given(
        """exists (select from purchase_order_line l join sku s on s.id = l.sku_id
            where l.purchase_order_id = p.id and s.code = ?)""",
        given.get("sku"),
    )
    return where


async def purchase_orders_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the purchase orders the caller may see, newest first."""
    return await fetch_page(sql, _SELECT, _filter(principal, given), SORT, page)


async def purchase_order_by_number(sql: asyncpg.Connection, principal: Principal, number: str) -> asyncpg.Record | None:
    """The purchase order with this number, when the caller may see it."""
    where = _filter(principal, {"number": number})
    return await sql.fetchrow(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)


async def purchase_orders_by_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Those of the purchase orders that the caller may see."""
    where = _filter(principal, {})
    where.add("p.id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)


async def lines_by_purchase_order_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Lines of these purchase orders by number."""
    where = _scoped(principal, "l.supplier_id")
    where.add("l.purchase_order_id = any(?::bigint[])", list(ids))
    return await sql.fetch(
        f"{_LINE} where {' and '.join(where.conditions)} order by l.purchase_order_id, l.line_number, l.id",
        *where.arguments,
    )


async def lines_by_keys(sql: asyncpg.Connection, principal: Principal, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """Those of the purchase order lines that the caller may see."""
    where = _scoped(principal, "l.supplier_id")
    by_keys(where, "l", keys)
    return await sql.fetch(f"{_LINE} where {' and '.join(where.conditions)}", *where.arguments)


async def approvals_by_order_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Approvals of these purchase orders, oldest first; the caller sees that only staff asks."""
    return await sql.fetch(
        """select purchase_order_id, approver, in_place_of, created_at from purchase_approval
        where purchase_order_id = any($1::bigint[]) order by id""",
        list(ids),
    )


async def waiting_by_line_keys(sql: asyncpg.Connection, keys: Sequence[Key]) -> dict[Key, asyncpg.Record]:
    """How many order lines rely on each purchase order line, how many units of them late, and since when needed.

    Reads everybody's pegs; the caller must be allowed to see the purchase order lines.
    """
    rows = await sql.fetch(
        """select s.sku_id, s.purchase_order_line_id as id, count(distinct p.order_line_id)::int as orders_waiting,
            coalesce(sum(p.quantity) filter (where s.usable_date > p.need_date), 0)::int as late_quantity,
            min(p.need_date) filter (where s.usable_date > p.need_date) as late_need_date
        from supply s join peg p on p.sku_id = s.sku_id and p.supply_id = s.id
        where (s.sku_id, s.purchase_order_line_id) in (select * from unnest($1::bigint[], $2::bigint[]))
        group by s.sku_id, s.purchase_order_line_id""",
        [key[0] for key in keys],
        [key[1] for key in keys],
    )
    return {(row["sku_id"], row["id"]): row for row in rows}


async def schedules_by_line_keys(
    sql: asyncpg.Connection, principal: Principal, keys: Sequence[Key]
) -> list[asyncpg.Record]:
    """The dated parts of these purchase order lines, by day."""
    where = scoped_to_supplier(principal, "s.supplier_id")
    by_keys(where, "s", keys, "purchase_order_line_id")
    return await sql.fetch(
        f"""select s.sku_id, s.id, s.purchase_order_line_id, s.quantity, s.received, s.cancelled, s.pegged, s.paper_date,
            s.usable_date, s.date_basis as basis
        from supply s where {" and ".join(where.conditions)} order by s.usable_date, s.id""",
        *where.arguments,
    )


_NOTICE = """select n.id, n.number, n.shipped_on, n.expected_date, n.carrier, n.tracking_number
from ship_notice n"""


async def ship_notices_by_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Those of the ship notices that the caller may see."""
    where = scoped_to_supplier(principal, "n.supplier_id")
    where.add("n.id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_NOTICE} where {' and '.join(where.conditions)}", *where.arguments)


async def ship_notice_by_number(
    sql: asyncpg.Connection, principal: Principal, supplier_id: int, number: str
) -> asyncpg.Record | None:
    """The supplier's notice with this number, when the caller may see it."""
    where = scoped_to_supplier(principal, "n.supplier_id")
    where.add("n.supplier_id = ? and n.number = ?", supplier_id, number)
    return await sql.fetchrow(f"{_NOTICE} where {' and '.join(where.conditions)}", *where.arguments)
