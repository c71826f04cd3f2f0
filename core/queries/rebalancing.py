"""What rebalancing looks at, set based, and the proposals that were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from core.domain.awaited_moves import AwaitedMove
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

DEMAND_DAYS = 28
RENEWED_WITHIN = timedelta(days=2)
"""A proposal of a move that expired no longer before is the same one again: the looks are daily, one may be missed."""

SORT = Sort("rebalancing-", (SortKey("p.urgency", int, "integer"), SortKey("p.id", int, "bigint")))
_SELECT = """select p.id, p.sku_id, p.from_location_id, p.to_location_id, p.quantity, p.urgency, p.cost, p.carbon_g,
    p.currency, p.arrives_on, p.reason, p.state, p.transfer_id, p.expires_at, p.closed_at, p.created_at
from rebalancing_proposal p"""

_DEMAND = """select l.sku_id, l.location_id,
    coalesce(sum(l.ordered - l.cancelled) filter (where o.placed_at > $2::timestamptz - $3::interval), 0)::int as recent,
    coalesce(sum(l.ordered - l.cancelled) filter (where o.placed_at between $2::timestamptz - interval '1 year' - $3::interval
        and $2::timestamptz - interval '1 year'), 0)::int as same_weeks,
    coalesce(sum(l.ordered - l.cancelled) filter (where o.placed_at between $2::timestamptz - interval '1 year'
        and $2::timestamptz - interval '1 year' + $3::interval), 0)::int as next_weeks
from order_line l join sales_order o on o.id = l.order_id
where l.sku_id = any($1::bigint[]) and l.location_id is not null
    and (o.placed_at > $2::timestamptz - $3::interval or o.placed_at between
        $2::timestamptz - interval '1 year' - $3::interval and $2::timestamptz - interval '1 year' + $3::interval)
    and o.placed_at <= $2::timestamptz
group by l.sku_id, l.location_id"""


_MOVABLE = """with sold as (
    select l.sku_id, l.location_id, sum(l.ordered - l.cancelled) as units
    from sales_order o join order_line l on l.order_id = o.id
    where o.placed_at > $1::timestamptz - $2::interval and o.placed_at <= $1 and l.location_id is not null group by 1, 2
),
wanted as (
    select p.sku_id from peg p where p.kind = 'OPEN'
    union select r.sku_id from rebalancing_proposal r where r.state = 'OPEN'
    union select d.sku_id from sold d join sku k on k.id = d.sku_id
        left join stock_level s on s.sku_id = d.sku_id and s.location_id = d.location_id
    where d.units > 0 and (k.tracks_lots or k.status = 'PREORDER' or coalesce(s.on_hand - s.unsellable - s.allocated, 0)
        - coalesce((select sum(p.quantity) from peg p where p.sku_id = d.sku_id and p.location_id = d.location_id
            and p.kind <> 'HARD'), 0)
        - coalesce((select sum(r.quantity) from reservation r where r.sku_id = d.sku_id and r.location_id = d.location_id
            and r.state = 'held'), 0)
        - coalesce((select sum(y.quantity) from protected_stock y where y.sku_id = d.sku_id
            and y.location_id = d.location_id), 0) < d.units * $3::float8)
)
select w.sku_id from wanted w where exists (select from stock_level s where s.sku_id = w.sku_id
        and s.on_hand - s.unsellable - s.allocated > 0)
    or exists (select from supply s where s.sku_id = w.sku_id and s.quantity > s.received + s.cancelled)
    or exists (select from rebalancing_proposal r where r.sku_id = w.sku_id and r.state = 'OPEN')
order by w.sku_id"""


async def skus_to_balance(sql: asyncpg.Connection, now: datetime, cover: float) -> list[int]:
    """SKUs for which some place may be short and another may have something, and those with a proposal to look at again.

    `cover`: a place may be short whose free units, less every claim and all that is protected, are below this many times
    its sales of 28 days. Never too few SKUs: what a place can really promise is never less than that.
    """
    rows = await sql.fetch(_MOVABLE, now, timedelta(days=DEMAND_DAYS), cover)
    return [row["sku_id"] for row in rows]


async def skus_waiting(sql: asyncpg.Connection, sku_ids: Sequence[int]) -> list[int]:
    """Those of the SKUs for which some line waits without a source."""
    rows = await sql.fetch(
        "select distinct sku_id from peg where sku_id = any($1::bigint[]) and kind = 'OPEN'", list(sku_ids)
    )
    return [row["sku_id"] for row in rows]


async def awaited_moves(sql: asyncpg.Connection, sku_ids: Sequence[int], now: datetime) -> dict[int, list[AwaitedMove]]:
    """By SKU, moves that wait for a planner's word for the first time.

    One that was proposed anew because nobody took the same move in time is awaited no longer.
    """
    rows = await sql.fetch(
        """select p.sku_id, p.from_location_id, p.to_location_id, p.quantity, p.expires_at from rebalancing_proposal p
        where p.state = 'OPEN' and p.expires_at > $2 and p.sku_id = any($1::bigint[])
            and not exists (select from rebalancing_proposal e where e.state = 'EXPIRED' and e.sku_id = p.sku_id
                and e.from_location_id = p.from_location_id and e.to_location_id = p.to_location_id
                and e.closed_at > p.created_at - $3::interval)
        order by p.id""",
        list(sku_ids),
        now,
        RENEWED_WITHIN,
    )
    found: dict[int, list[AwaitedMove]] = {}
    for sku_id, *move in rows:
        found.setdefault(sku_id, []).append(AwaitedMove(*move))
    return found


async def demand_by_place(
    sql: asyncpg.Connection, sku_ids: Sequence[int], now: datetime
) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Units ordered per (SKU, location): in the last 28 days, in the same days a year ago, and in the 28 after those."""
    rows = await sql.fetch(_DEMAND, list(sku_ids), now, timedelta(days=DEMAND_DAYS))
    return {(r["sku_id"], r["location_id"]): (r["recent"], r["same_weeks"], r["next_weeks"]) for r in rows}


async def goods_of(sql: asyncpg.Connection, sku_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Weight, price and currency, with the version of the gate."""
    return await sql.fetch(
        """select k.id, k.weight_g, k.unit_price, k.currency, g.version from sku k join sku_gate g on g.sku_id = k.id
        where k.id = any($1::bigint[]) and k.status in ('ACTIVE', 'PREORDER')""",
        list(sku_ids),
    )


async def proposals_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the proposals, the most urgent first; only for callers that work with stock."""
    where = Filter()
    where.add_given("p.state = any(?::text[])", given.get("state"))
    where.add_given("p.sku_id = (select k.id from sku k where k.code = ?)", given.get("sku"))
    where.add_given("p.from_location_id = (select f.id from location f where f.code = ?)", given.get("from_location"))
    where.add_given("p.to_location_id = (select t.id from location t where t.code = ?)", given.get("to_location"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def proposals_by_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """These proposals; only for callers that work with stock."""
    return await sql.fetch(f"{_SELECT} where p.id = any($1::bigint[])", list(ids))
