"""Who was refused what, by the minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

SORT = Sort(
    "minute-",
    (
        SortKey("d.minute", datetime, "timestamptz"),
        SortKey("d.principal", str, "text"),
        SortKey("d.role", str, "text"),
        SortKey("d.operation", str, "text"),
    ),
)
_SELECT = """select d.principal, d.role, d.operation, d.minute, d.denials
from access_denial d"""


async def access_denials_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of denials, newest minute first; the role check is the field's."""
    where = Filter()
    where.add_given("d.principal = ?", given.get("principal"))
    where.add_given("d.operation = ?", given.get("operation"))
    where.add_given("d.minute >= ?", given.get("minute_from"))
    where.add_given("d.minute < ?", given.get("minute_before"))
    return await fetch_page(sql, _SELECT, where, SORT, page)
