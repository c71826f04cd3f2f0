"""The audit trail: who did what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

SORT = Sort("audit-", (SortKey("a.id", int, "bigint"),))
_SELECT = """select a.id, a.at, a.actor, a.operation, a.object, a.before, a.after, a.request_id, a.seal_number
from audit_entry a"""


async def audit_entries_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the trail, newest first; the role check is the field's."""
    where = Filter()
    where.add_given("a.actor = ?", given.get("actor"))
    where.add_given("a.operation = ?", given.get("operation"))
    where.add_given("a.object = ?", given.get("object"))
    where.add_given("a.object = ?", given.get("node"))
    where.add_given("a.request_id = ?", given.get("request_id"))
    where.add_given("a.at >= ?", given.get("at_from"))
    where.add_given("a.at < ?", given.get("at_before"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def audit_entries_by_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """These entries."""
    return await sql.fetch(f"{_SELECT} where a.id = any($1::bigint[])", list(ids))
