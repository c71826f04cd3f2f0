"""Which customers: the filtered list, and what is known of the persons behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.page import Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_customer

SORT = Sort("customer+", (SortKey('c.code collate "C"', str, "text"),), descending=False)
_SELECT = """select c.id, c.code, c.tier, c.language
from customer c"""


async def customers_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the customers by code."""
    where = scoped_to_customer(principal, "c.id")
    where.add_given("c.code = any(?::text[])", given.get("codes"))
    where.add_given("c.tier = any(?::text[])", given.get("tiers"))
    where.add_given(
        "exists (select from customer_person p where p.customer_id = c.id and lower(p.email) = lower(?))",
        given.get("email"),
    )
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def persons_by_customer_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """The personal fields of these customers, as far as the caller may see them."""
    where = scoped_to_customer(principal, "p.customer_id")
    where.add("p.customer_id = any(?::bigint[])", list(ids))
    return await sql.fetch(
        f"""select p.customer_id, p.name, p.email, p.phone, p.address ->> 'country' as country,
            p.address ->> 'postalCode' as postal_code, p.address ->> 'line1' as line1, p.address ->> 'city' as city
        from customer_person p where {" and ".join(where.conditions)}""",
        *where.arguments,
    )
