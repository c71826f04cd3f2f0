"""Trading partners, their guides and samples, alerts about their traffic, and invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.page import Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_supplier

SORT = Sort("partner-alert-", (SortKey("a.id", int, "bigint"),))
_ALERT = """select a.id, a.id as number, a.kind, a.message, a.raised_at, a.cleared_at, a.cleared_by, p.code as partner
from partner_alert a join partner p on p.id = a.partner_id"""


async def trading_partners(sql: asyncpg.Connection, code: str | None = None) -> list[asyncpg.Record]:
    """Active partners by code, at most 500; only this one when named."""
    return await sql.fetch(
        """select id as partner_id, code, supplier_id, qualifier, interchange_id, our_qualifier, our_interchange_id
        from partner where is_active and ($1::text is null or code = $1) order by code limit 500""",
        code,
    )


async def guides_by_partner_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Versions of the guides of these partners, newest first."""
    return await sql.fetch(
        """select partner_id, version, state, guide, active_from, created_at from partner_guide
        where partner_id = any($1::bigint[]) order by partner_id, version desc""",
        list(ids),
    )


async def samples_by_partner_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Names of the samples of these partners."""
    return await sql.fetch(
        "select partner_id, name from guide_sample where partner_id = any($1::bigint[]) order by partner_id, name",
        list(ids),
    )


async def partner_alerts_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the alerts, newest first."""
    where = scoped_to_supplier(principal, "a.supplier_id")
    where.add_given("p.code = ?", given.get("partner"))
    where.add_given("a.kind = any(?::text[])", given.get("kind"))
    if given.get("is_open") is not None:
        where.add("(a.cleared_at is null) = ?", given["is_open"])
    return await fetch_page(sql, _ALERT, where, SORT, page)


async def partner_alerts_by_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Those of the alerts that the caller may see."""
    where = scoped_to_supplier(principal, "a.supplier_id")
    where.add("a.id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_ALERT} where {' and '.join(where.conditions)} order by a.id", *where.arguments)


async def invoices_by_order_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Invoices of these purchase orders, oldest first."""
    where = scoped_to_supplier(principal, "i.supplier_id")
    where.add("i.purchase_order_id = any(?::bigint[])", list(ids))
    return await sql.fetch(
        f"""select i.purchase_order_id, i.number, i.invoiced_on, i.total, i.currency, i.lines, i.findings, i.created_at
        from supplier_invoice i where {" and ".join(where.conditions)} order by i.id""",
        *where.arguments,
    )
