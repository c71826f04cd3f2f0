"""Documents received from trading partners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal, Role
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import NOBODY, scoped_to_supplier

SORT = Sort("edi-", (SortKey("d.id", int, "bigint"),))
_SELECT = """select d.id, d.supplier_id, p.code as partner, d.standard, d.kind, d.identity, d.business_key, d.validation,
    d.delivery, d.acknowledgement, d.quarantine_state, d.quarantine_reason, d.faults, d.created_at as received_at, d.applied_at,
    d.purchase_order_id, d.assigned_to, d.guide_version, d.result
from edi_document d left join partner p on p.id = d.partner_id"""


def _filter(principal: Principal, given: Mapping[str, Any]) -> Filter:
    where = scoped_to_supplier(principal, "d.supplier_id")
    if principal.role is Role.WAREHOUSE:  # prices and terms are talked about there: the desk's, not the dock's
        where.add("d.id = ?", NOBODY)
    where.add_given("p.code = ?", given.get("partner"))
    where.add_given("d.kind = any(?::text[])", given.get("kind"))
    where.add_given("d.delivery = any(?::text[])", given.get("delivery"))
    where.add_given("d.quarantine_state = any(?::text[])", given.get("quarantine_state"))
    where.add_given("d.business_key = ?", given.get("business_key"))
    where.add_given("d.created_at >= ?", given.get("received_from"))
    where.add_given("d.created_at < ?", given.get("received_before"))
    return where


async def edi_documents_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the documents the caller may see, newest first."""
    return await fetch_page(sql, _SELECT, _filter(principal, given), SORT, page)


async def documents_by_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Those of the documents that the caller may see."""
    where = _filter(principal, {})
    where.add("d.id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)} order by d.id", *where.arguments)


async def documents_by_raw_id(sql: asyncpg.Connection, principal: Principal, raw_id: int) -> list[asyncpg.Record]:
    """The documents read from one stored file, in its order."""
    where = _filter(principal, {})
    where.add("d.raw_id = ?", raw_id)
    return await sql.fetch(
        f"{_SELECT} where {' and '.join(where.conditions)} order by d.position, d.id", *where.arguments
    )


async def documents_by_purchase_order_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Documents about these purchase orders, oldest first."""
    where = _filter(principal, {})
    where.add("d.purchase_order_id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)} order by d.id", *where.arguments)


async def partner_is_visible(sql: asyncpg.Connection, principal: Principal, code: str) -> bool:
    """Is there a partner with this code whose files the caller may hand in."""
    where = scoped_to_supplier(principal, "p.supplier_id")
    where.add("p.code = ?", code)
    return bool(
        await sql.fetchval(f"select true from partner p where {' and '.join(where.conditions)}", *where.arguments)
    )


async def document_in_full(sql: asyncpg.Connection, principal: Principal, id: int) -> asyncpg.Record | None:
    """One document with its file, reason, result and the numbers of its purchase order; None when it may not be seen."""
    where = _filter(principal, {})
    where.add("d.id = ?", id)
    return await sql.fetchrow(
        f"""select d.*, p.code as partner, o.number as purchase_order, g.group_control, g.functional_id,
            octet_length(r.bytes) as file_bytes, encode(r.sha256, 'hex') as file_sha256, r.received_at as file_received_at
        from edi_document d join edi_raw r on r.id = d.raw_id left join partner p on p.id = d.partner_id
        left join edi_group g on g.id = d.group_id left join purchase_order o on o.id = d.purchase_order_id
        where {" and ".join(where.conditions)}""",
        *where.arguments,
    )
