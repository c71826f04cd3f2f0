"""Locations, customers and suppliers by id or code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_customer, scoped_to_supplier

_SUPPLIER = """select s.id, s.code, s.name, s.time_zone as timezone, s.location_id
from supplier s"""
SUPPLIERS = Sort("supplier+", (SortKey('s.code collate "C"', str, "text"),), descending=False)


async def locations_by_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """These locations."""
    return await sql.fetch(
        """select l.id, l.code, l.name, l.kind, l.time_zone as timezone, to_char(l.cutoff_time, 'HH24:MI') as cutoff_time,
            c.code as calendar, l.is_active from location l left join calendar c on c.id = l.calendar_id
        where l.id = any($1::bigint[])""",
        list(ids),
    )


async def calendars(sql: asyncpg.Connection) -> list[asyncpg.Record]:
    """Calendars by code, with their exceptions from the first day on."""
    return await sql.fetch(
        """select c.code, c.name, c.working_days, c.country, (select coalesce(jsonb_agg(jsonb_build_object('day', x.day,
            'isWorking', x.is_working) order by x.day), '[]') from calendar_exception x where x.calendar_id = c.id) as exceptions
        from calendar c order by c.code"""
    )


async def lanes(sql: asyncpg.Connection, origin: str | None, target: str | None) -> list[asyncpg.Record]:
    """Lanes by the codes of their ends; from or to one location where it is named."""
    return await sql.fetch(
        """select x.from_location_id, x.to_location_id, x.transit_days, c.code as calendar, x.cost, x.carbon_g_per_kg
        from lane x join location f on f.id = x.from_location_id join location t on t.id = x.to_location_id
        left join calendar c on c.id = x.calendar_id
        where ($1::text is null or f.code = $1) and ($2::text is null or t.code = $2) order by f.code, t.code""",
        origin,
        target,
    )


async def customers_by_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Those of the customers that the caller may see."""
    where = scoped_to_customer(principal, "c.id")
    where.add("c.id = any(?::bigint[])", list(ids))
    return await sql.fetch(
        f"select c.id, c.code, c.tier, c.language from customer c where {' and '.join(where.conditions)}",
        *where.arguments,
    )


async def customer_code_by_email(sql: asyncpg.Connection, email: str) -> str | None:
    """The code of the customer with this address; the newest when several share it."""
    return await sql.fetchval(
        """select c.code from customer c join customer_person p on p.customer_id = c.id
        where lower(p.email) = lower($1) order by c.id desc limit 1""",
        email,
    )


async def suppliers_by_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Those of the suppliers that the caller may see."""
    return await _suppliers(sql, principal, "s.id = any(?::bigint[])", list(ids))


async def suppliers_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the suppliers that the caller may see, by code."""
    where: Filter = scoped_to_supplier(principal, "s.id")
    where.add_given("s.code = any(?::text[])", given.get("codes"))
    where.add_given(
        "exists (select from supplier_sku x join sku k on k.id = x.sku_id where x.supplier_id = s.id and k.code = ?)",
        given.get("sku"),
    )
    return await fetch_page(sql, _SUPPLIER, where, SUPPLIERS, page)


async def supplier_by_code(sql: asyncpg.Connection, principal: Principal, code: str) -> asyncpg.Record | None:
    """The supplier with this code, when the caller may see it."""
    return next(iter(await _suppliers(sql, principal, "s.code = ?", code)), None)


async def _suppliers(sql: asyncpg.Connection, principal: Principal, condition: str, value: Any) -> list[asyncpg.Record]:
    where: Filter = scoped_to_supplier(principal, "s.id")
    where.add(condition, value)
    return await sql.fetch(f"{_SUPPLIER} where {' and '.join(where.conditions)}", *where.arguments)
