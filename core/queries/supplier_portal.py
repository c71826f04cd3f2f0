"""What suppliers and planners see of each other: messages, requests, hints, packs, terms, expected purchases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.domain.sequences import sequence_at
from core.domain.supplier_forecast import expected_purchases
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_supplier

REQUEST_SORT = Sort("rq-", (SortKey("r.id", int, "bigint"),))
_REQUEST = """select r.id, r.number, r.supplier_id, r.kind, r.sku_id, r.purchase_order_id, r.quantity, r.need_date, r.note,
    r.state, r.answer_quantity, r.answer_date, r.answer_note, r.answered_at, r.created_at
from supplier_request r"""
_HINT = """select r.supplier_id, r.sku_id, r.as_of, r.available, r.capacity_per_week, r.next_date, r.next_quantity
from (select distinct on (x.supplier_id, x.sku_id) x.* from supplier_stock_report x
    order by x.supplier_id, x.sku_id, x.as_of desc, x.id desc) r"""
_TERMS = """select x.supplier_id, x.sku_id, x.vendor_code, x.price as price_minor, x.currency, x.moq, x.order_multiple,
    x.lead_time_days, coalesce(x.agreed_lead_time_p80, x.lead_time_p80) as agreed_lead_time_p80, x.lead_time_p80,
    x.observed_p50, x.observed_p80, x.observed_count, x.is_preferred, x.is_approved, x.expedite_days, x.expedite_fee,
    x.expedite_unit_fee, (select coalesce(jsonb_agg(jsonb_build_array(b.from_quantity, b.price) order by b.from_quantity),
        '[]'::jsonb) from supplier_price_break b where b.supplier_id = x.supplier_id and b.sku_id = x.sku_id) as breaks
from supplier_sku x"""
DEMAND_DAYS = 28
MOST_SKUS = 500


async def messages_by_order_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[Any]:
    """Messages about these purchase orders, oldest first."""
    where = scoped_to_supplier(principal, "m.supplier_id")
    where.add("m.purchase_order_id = any(?::bigint[])", list(ids))
    return await sql.fetch(
        f"""select m.purchase_order_id, m.is_from_supplier, m.author, m.body, m.created_at from purchase_order_message m
        where {" and ".join(where.conditions)} order by m.id""",
        *where.arguments,
    )


async def requests_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[Any], bool]:
    """One page of the urgent requests the caller may see, newest first."""
    where = scoped_to_supplier(principal, "r.supplier_id")
    where.add_given("r.state = any(?::text[])", given.get("state"))
    where.add_given("r.supplier_id = (select s.id from supplier s where s.code = ?)", given.get("supplier"))
    where.add_given("r.sku_id = (select k.id from sku k where k.code = ?)", given.get("sku"))
    where.add_given(
        "r.purchase_order_id = (select o.id from purchase_order o where o.number = ?)", given.get("purchase_order")
    )
    return await fetch_page(sql, _REQUEST, where, REQUEST_SORT, page)


async def request_by_number(sql: asyncpg.Connection, principal: Principal, number: str) -> Any:
    """The request, when the caller may see it."""
    where = scoped_to_supplier(principal, "r.supplier_id")
    where.add("r.number = ?", number)
    return await sql.fetchrow(f"{_REQUEST} where {' and '.join(where.conditions)}", *where.arguments)


async def packs_by_notice_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[Any]:
    """Packs of these ship notices, by SSCC."""
    where = scoped_to_supplier(principal, "p.supplier_id")
    where.add("p.ship_notice_id = any(?::bigint[])", list(ids))
    return await sql.fetch(
        f"""select p.ship_notice_id, p.sscc, p.kind, p.contents from ship_notice_pack p
        where {" and ".join(where.conditions)} order by p.sscc""",
        *where.arguments,
    )


async def hints_of(sql: asyncpg.Connection, principal: Principal, supplier_id: int) -> list[Any]:
    """The newest stock hint of the supplier for each SKU."""
    return await sql.fetch(*_of_supplier(principal, _HINT, "r", supplier_id))


async def terms_of(sql: asyncpg.Connection, principal: Principal, supplier_id: int) -> list[Any]:
    """What the supplier offers, by SKU."""
    return await sql.fetch(*_of_supplier(principal, _TERMS, "x", supplier_id))


def _of_supplier(principal: Principal, select: str, table: str, supplier_id: int) -> tuple[Any, ...]:
    where: Filter = scoped_to_supplier(principal, f"{table}.supplier_id")
    where.add(f"{table}.supplier_id = ?", supplier_id)
    text = f"{select} where {' and '.join(where.conditions)} order by {table}.sku_id limit {MOST_SKUS}"
    return text, *where.arguments


async def forecast_of(sql: asyncpg.Connection, supplier_id: int, weeks: int, now: datetime) -> list[dict[str, Any]]:
    """What we expect to buy from a supplier, of the SKUs for which it is the preferred source.

    Reads everybody's stock and demand and answers with sums; the caller must be allowed to see the supplier.
    """
    rows = await sql.fetch(
        """select x.sku_id, x.moq, x.order_multiple, k.reorder_point, k.reorder_quantity,
            coalesce(s.units, 0) + coalesce(i.units, 0) - coalesce(c.units, 0) as position, coalesce(i.proposed, 0) as proposed,
            coalesce(d.units, 0)::float8 * 7 / $3 as weekly
        from supplier_sku x join sku k on k.id = x.sku_id
        left join lateral (select sum(on_hand - unsellable - allocated)::bigint as units from stock_level
            where sku_id = x.sku_id) s on true
        left join lateral (select sum(y.quantity - y.received - y.cancelled)::bigint as units,
                sum(y.quantity - y.received - y.cancelled) filter (where o.supplier_id = $1 and o.sent_at is null)::bigint
                    as proposed
            from supply y left join purchase_order_line l on l.sku_id = y.sku_id and l.id = y.purchase_order_line_id
            left join purchase_order o on o.id = l.purchase_order_id
            where y.sku_id = x.sku_id and y.quantity > y.received + y.cancelled) i on true
        left join lateral (select sum(quantity)::bigint as units from peg where sku_id = x.sku_id and kind <> 'HARD') c on true
        left join lateral (select sum(l.ordered - l.cancelled)::bigint as units from order_line l
            join sales_order o on o.id = l.order_id
            where l.sku_id = x.sku_id and o.placed_at > $2::timestamptz - $4::interval and o.placed_at <= $2) d on true
        where x.supplier_id = $1 and x.is_approved and k.status in ('ACTIVE', 'PREORDER') and not exists (
            select from supplier_sku y where y.sku_id = x.sku_id and y.is_approved and y.supplier_id <> x.supplier_id
                and (y.is_preferred, -y.lead_time_p80, -y.supplier_id) > (x.is_preferred, -x.lead_time_p80, -x.supplier_id))
        order by x.sku_id limit 500""",
        supplier_id,
        now,
        DEMAND_DAYS,
        timedelta(days=DEMAND_DAYS),
    )
    found = []
    for r in rows:
        expected = expected_purchases(
            r["position"],
            r["weekly"],
            r["reorder_point"],
            r["reorder_quantity"],
            r["moq"],
            r["order_multiple"],
            weeks,
        )
        if expected or r["proposed"]:
            found.append(
                {
                    "sku_id": r["sku_id"],
                    "weekly_demand": r["weekly"],
                    "proposed": r["proposed"],
                    "weeks": [(now.date() + timedelta(weeks=week), units) for week, units in expected],
                }
            )
    return found


async def sequence_now(
    sql: asyncpg.Connection, now: datetime, *, supplier_id: int | None = None, order: str | None = None
) -> str:
    """Sorts what a supplier (or that of an order) says through the portal now among its documents."""
    zone = await sql.fetchval(
        """select s.time_zone from supplier s where s.id = coalesce($1::bigint,
            (select o.supplier_id from purchase_order o where o.number = $2))""",
        supplier_id,
        order,
    )
    return sequence_at(now, zone or "UTC")
