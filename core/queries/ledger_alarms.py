"""What the auditor has found and not, or no longer, found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

SORT = Sort("alarm-", (SortKey("a.id", int, "bigint"),))
_SELECT = """select a.id, a.check_name, a.rows, a.count, a.found_at, a.updated_at, a.cleared_at
from ledger_alarm a"""


async def ledger_alarms_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of alarms, newest first; the role check is the field's."""
    where = Filter()
    where.add_given("a.check_name = ?", given.get("check"))
    where.add_given("(a.cleared_at is null) = ?", given.get("is_open"))
    return await fetch_page(sql, _SELECT, where, SORT, page)
