"""What needed a person's eye: the alarms in the event log, as long as the log keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

SORT = Sort("raised-", (SortKey("e.position", int, "bigint"),))
_SELECT = """select e.position, e.kind, e.payload, e.occurred_at
from event e"""


async def alarms_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of alarms, newest first; the role check is the field's."""
    where = Filter()
    where.add("e.topic = 'alarm'")
    where.add_given("e.kind = any(?::text[])", given.get("kind"))
    where.add_given("e.occurred_at >= ?", given.get("raised_from"))
    where.add_given("e.occurred_at < ?", given.get("raised_before"))
    return await fetch_page(sql, _SELECT, where, SORT, page)
