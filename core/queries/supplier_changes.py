"""Changes that suppliers ask for, as far as the caller may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_supplier

SORT = Sort("supplier-change-", (SortKey("c.id", int, "bigint"),))
_SELECT = """select c.id, c.purchase_order_id, c.supplier_id, c.source, c.state, c.lines, c.note, c.reason, c.decided_by,
    c.decided_at, c.version, c.created_at, c.edi_document_id, o.number
from supplier_change c join purchase_order o on o.id = c.purchase_order_id"""


def _filter(principal: Principal, given: Mapping[str, Any]) -> Filter:
    where = scoped_to_supplier(principal, "c.supplier_id")
    where.add_given("c.state = any(?::text[])", given.get("state"))
    where.add_given("o.number = ?", given.get("purchase_order"))
    return where


async def supplier_changes_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page, newest first."""
    return await fetch_page(sql, _SELECT, _filter(principal, given), SORT, page)


async def supplier_changes_by_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Those of the changes that the caller may see."""
    where = _filter(principal, {})
    where.add("c.id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)} order by c.id", *where.arguments)
