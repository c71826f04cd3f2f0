"""Read what speaks for waiting lines, and write what becomes of their rank: under the gate, set based."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import asyncpg

from core.domain.book import SkuBook
from core.domain.priority import PriorityWeights, Standing, margin_of, priority_weights
from core.domain.ranking import rank_lines
from core.ports import Transaction

POLICY = "priority"

_STANDING = """select l.id, o.placed_at, coalesce(c.tier, 'STANDARD') as tier, o.channel, o.ship_to ->> 'country' as country,
    k.unit_price, k.unit_cost, k.status = 'PREORDER' as is_preorder,
    not exists (select from order_line x where x.order_id = l.order_id and x.id <> l.id and x.open + x.backordered > 0)
        as completes_order
from order_line l join sales_order o on o.id = l.order_id join sku k on k.id = l.sku_id
left join customer c on c.id = o.customer_id
where l.sku_id = any($1::bigint[]) and l.id = any($2::bigint[]) and l.open + l.backordered > 0"""


async def read_weights(sql: asyncpg.Connection) -> PriorityWeights:
    """What planners have decided about ranks; the defaults where they have not."""
    return priority_weights(await sql.fetchval("select value from policy where code = $1", POLICY))


async def rank_waiting(sql: asyncpg.Connection, now: datetime, books: Iterable[SkuBook]) -> None:
    """Rank the waiting lines of these books as of now. It only reads: a rank is stored with the decision it makes."""
    found = [book for book in books if any(x.open + x.backordered for x in book.lines.values())]
    if not found:
        return
    weights = await read_weights(sql)
    rows = await sql.fetch(
        _STANDING,
        [book.sku_id for book in found],
        [x.id for book in found for x in book.lines.values() if x.open + x.backordered],
    )
    standings = {
        row["id"]: Standing(
            row["placed_at"],
            row["tier"],
            row["channel"],
            row["country"],
            margin_of(row["unit_price"], row["unit_cost"]),
            row["is_preorder"],
            row["completes_order"],
        )
        for row in rows
    }
    for book in found:
        rank_lines(book, standings, weights, now)


async def write_bumps(uow: Transaction, books: Iterable[SkuBook]) -> None:
    """Count for each line how often a younger one was served before it; no version of line or order changes."""
    rows = [(book.sku_id, line.id, line.times_bumped) for book in books for line in book.bumped if line.id is not None]
    if rows:
        await uow.sql.execute(
            """update order_line l set times_bumped = u.times from unnest($1::bigint[], $2::bigint[], $3::int[])
                as u(sku_id, id, times) where l.sku_id = u.sku_id and l.id = u.id""",
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
        )


async def set_manual(uow: Transaction, sku_id: int, line_id: int, is_manual: bool) -> None:
    """From now on a line keeps the score a planner gave it (or no longer does)."""
    await uow.sql.execute(
        "update order_line set is_priority_manual = $3 where sku_id = $1 and id = $2", sku_id, line_id, is_manual
    )
