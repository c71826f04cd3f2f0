"""Which backorders: by key, the open one of a line, and the sorted, filtered list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.order_lines import Key, by_keys
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_customer

_ID = SortKey("b.id", int, "bigint")
_OPENED = SortKey("b.opened_at", datetime, "timestamptz")
SORTS = {
    "OPENED_AT_DESC": Sort("opened-", (_OPENED, _ID)),
    "OPENED_AT_ASC": Sort("opened+", (_OPENED, _ID), descending=False),
    "EXPECTED_ASC": Sort(
        "expected+", (SortKey("coalesce(b.expected_date, date '9999-12-31')", date, "date"), _ID), descending=False
    ),
    "PRIORITY_DESC": Sort("priority-", (SortKey("l.priority_score", int, "bigint"), _ID)),
}
_SELECT = """select b.sku_id, b.id, b.order_line_id, b.quantity, b.state, b.cause, b.evidence, b.priority, b.opened_at,
    b.closed_at, b.version, b.expected_date, l.priority_score, l.times_bumped, coalesce(w.time_zone, 'UTC') as timezone,
    case b.state when 'PROVISIONAL' then 'LEAD_TIME' when 'SOURCING' then 'LEAD_TIME' when 'AWAITING_SUPPLY' then 'LEAD_TIME'
        when 'FILLED' then 'ON_HAND' else coalesce(p.slices -> -1 ->> 'basis', 'LEAD_TIME') end as basis,
    (select max(coalesce(s ->> 'deliveryDate', s ->> 'shipDate'))::date from jsonb_array_elements(p.slices) s)
        as promised_date
from backorder b
join order_line l on l.sku_id = b.sku_id and l.id = b.order_line_id
left join promise p on p.sku_id = l.sku_id and p.id = l.current_promise_id
left join location w on w.id = coalesce(b.location_id, l.location_id)"""


def _filter(principal: Principal, given: Mapping[str, Any]) -> Filter:
    where = scoped_to_customer(principal, "b.customer_id")
    where.add_given("b.state = any(?::text[])", given.get("state"))
    where.add_given("b.cause = any(?::text[])", given.get("cause"))
    where.add_given("b.sku_id = (select s.id from sku s where s.code = ?)", given.get("sku"))
    where.add_given("b.customer_id = (select c.id from customer c where c.code = ?)", given.get("customer"))
    where.add_given("l.order_id = (select o.id from sales_order o where o.number = ?)", given.get("order_number"))
    where.add_given("b.opened_at >= ?", given.get("opened_from"))
    where.add_given("b.opened_at < ?", given.get("opened_before"))
    if given.get("is_open") is not None:
        where.add("b.closed_at is null" if given["is_open"] else "b.closed_at is not null")
    return where


async def backorders_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], sort: Sort, page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the backorders the caller may see."""
    return await fetch_page(sql, _SELECT, _filter(principal, given), sort, page)


async def backorders_by_keys(
    sql: asyncpg.Connection, principal: Principal, keys: Sequence[Key]
) -> list[asyncpg.Record]:
    """Those of the backorders that the caller may see."""
    where = scoped_to_customer(principal, "b.customer_id")
    by_keys(where, "b", keys)
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)


async def open_backorders_by_line_keys(
    sql: asyncpg.Connection, principal: Principal, keys: Sequence[Key]
) -> list[asyncpg.Record]:
    """The open backorder of each of these lines."""
    where = scoped_to_customer(principal, "b.customer_id")
    where.add("b.closed_at is null")
    by_keys(where, "b", keys, "order_line_id")
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)


_OPTION = """select o.sku_id, o.id, o.backorder_id, o.kind, o.price as price_minor, o.compensation as compensation_minor,
    o.currency, o.substitute_sku_id, o.expected_date, o.deadline, o.is_default, coalesce(w.time_zone, 'UTC') as timezone,
    o.quantity, o.ratio, o.price_difference as price_difference_minor, f.state as offer_state,
    o.chosen_at is not null as is_chosen
from resolution_option o join backorder b on b.sku_id = o.sku_id and b.id = o.backorder_id
join option_offer f on f.sku_id = o.sku_id and f.id = o.offer_id
left join location w on w.id = b.location_id"""


async def options_by_backorder_keys(sql: asyncpg.Connection, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """Options that are open for these backorders, the default first.

    The caller must be allowed to see the backorders; row-level security says so once more.
    """
    where = Filter(["f.state = 'OPEN'"])
    by_keys(where, "o", keys, "backorder_id")
    return await sql.fetch(
        f"{_OPTION} where {' and '.join(where.conditions)} order by not o.is_default, o.id", *where.arguments
    )


async def courses_by_backorder_keys(sql: asyncpg.Connection, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """How far the automatic course of these backorders has come; for staff."""
    where = Filter([])
    by_keys(where, "c", keys, "backorder_id")
    return await sql.fetch(
        f"""select c.sku_id, c.backorder_id, c.is_paused, c.paused_reason, c.steps from backorder_course c
        where {" and ".join(where.conditions)}""",
        *where.arguments,
    )


async def entitlements_by_backorder_keys(sql: asyncpg.Connection, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """What customers have a right to because of these backorders, oldest first; the caller must be allowed to see them."""
    where = Filter([])
    by_keys(where, "e", keys, "backorder_id")
    return await sql.fetch(
        f"""select e.sku_id, e.backorder_id, e.kind, e.amount, e.currency, e.created_at from entitlement e
        where {" and ".join(where.conditions)} order by e.id""",
        *where.arguments,
    )


async def options_by_keys(sql: asyncpg.Connection, principal: Principal, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """Those of the options that the caller may see."""
    where = scoped_to_customer(principal, "b.customer_id")
    by_keys(where, "o", keys)
    return await sql.fetch(f"{_OPTION} where {' and '.join(where.conditions)}", *where.arguments)
