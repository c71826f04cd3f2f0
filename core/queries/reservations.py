"""Reservations as their makers and planners see them; what is over is over at the instant of reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

SORT = Sort(
    "reservation-", (SortKey("r.created_at", datetime, "timestamptz"), SortKey("r.group_id::text", str, "text"))
)
_STATE = "case when {0}.state = 'held' and {0}.expires_at <= $1 then 'expired' else {0}.state end"
_ROWS = f"""select r.group_id, r.sku_id, r.id, r.location_id, r.need_date, r.quantity, r.used, r.kind, r.holder, r.channel,
    r.customer_id, r.order_id, r.expires_at, r.hold_until_latest, r.created_at, {_STATE.format("r")} as state,
    r.state = 'held' and r.expires_at > $1 as is_live
from reservation r"""


async def reservation_rows(sql: asyncpg.Connection, group_id: str, now: datetime) -> list[asyncpg.Record]:
    """The held, committed, released or expired rows of one reservation; none for an id that is none."""
    try:
        group = UUID(group_id)
    except ValueError:
        return []
    return await sql.fetch(f"{_ROWS} where r.group_id = $2 order by r.sku_id, r.id", now, group)


async def reservations_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], now: datetime, page: Page
) -> tuple[list[list[asyncpg.Record]], Sequence[asyncpg.Record], bool]:
    """One page of reservations, newest first, as (rows of each, the first row of each, whether more follow)."""
    where = Filter()
    where.add(
        """not exists (select from reservation x where x.group_id = r.group_id
            and (x.sku_id, x.id) < (r.sku_id, r.id)) and ?::timestamptz is not null""",
        now,
    )
    where.add_given("r.kind = ?", given.get("kind"))
    where.add_given("r.holder = ?", given.get("holder"))
    where.add_given("r.channel = ?", given.get("channel"))
    where.add_given("r.customer_id = (select c.id from customer c where c.code = ?)", given.get("customer"))
    where.add_given(
        """exists (select from reservation x join sku k on k.id = x.sku_id
            where x.group_id = r.group_id and k.code = ?)""",
        given.get("sku"),
    )
    where.add_given(
        """exists (select from reservation x where x.group_id = r.group_id and x.state = 'held' and x.expires_at > $1)
            = ?""",
        given.get("is_live"),
    )
    first, more = await fetch_page(sql, "select r.group_id\nfrom reservation r", where, SORT, page)
    groups = [row["group_id"] for row in first]
    found: dict[UUID, list[asyncpg.Record]] = {group: [] for group in groups}
    for row in await sql.fetch(f"{_ROWS} where r.group_id = any($2::uuid[]) order by r.sku_id, r.id", now, groups):
        found[row["group_id"]].append(row)
    return list(found.values()), first, more
