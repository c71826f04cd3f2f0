"""Which deliveries to unload first, and of which SKUs one supplier alone decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

MOST = 200


async def inbound_priority(sql: asyncpg.Connection, location: str, days: int, now: datetime) -> list[Any]:
    """Deliveries that are on their way or due within so many days, those first on which most units wait that are late.

    Units without any source at this location count as waiting too, as far as the delivery has free units of their SKU.
    """
    return await sql.fetch(
        """with place as (select id, ($3::timestamptz at time zone time_zone)::date as today from location where code = $1),
        due as (
            select s.*, l.purchase_order_id, n.ship_notice_id, w.today from place w join supply s on s.location_id = w.id
            left join purchase_order_line l on l.sku_id = s.sku_id and l.id = s.purchase_order_line_id
            left join ship_notice_line n on n.sku_id = s.sku_id and n.id = s.ship_notice_line_id
            where s.quantity > s.received + s.cancelled and s.kind = 'purchase'
                and (s.ship_notice_line_id is not null or coalesce(s.paper_date, s.usable_date) <= w.today + $2::int)
        ),
        claimed as (
            select d.sku_id, d.id, sum(p.quantity) as waiting, sum(p.quantity) filter (where p.need_date <= d.today) as late,
                count(distinct p.order_line_id) as lines, max(i.priority_score) as priority
            from due d join peg p on p.sku_id = d.sku_id and p.supply_id = d.id
            left join order_line i on i.sku_id = p.sku_id and i.id = p.order_line_id group by d.sku_id, d.id
        ),
        unsourced as (
            select p.sku_id, p.location_id, sum(p.quantity) as units from peg p join place w on w.id = p.location_id
            where p.kind = 'OPEN' group by p.sku_id, p.location_id
        )
        select d.purchase_order_id, d.ship_notice_id, min(coalesce(d.paper_date, d.usable_date)) as expected_date,
            sum(d.quantity - d.received - d.cancelled)::int as units,
            (coalesce(sum(c.waiting), 0) + coalesce(sum(least(u.units, d.quantity - d.received - d.cancelled - d.pegged)), 0))::int
                as units_waiting,
            coalesce(sum(c.late), 0)::int as units_late, coalesce(sum(c.lines), 0)::int as orders_waiting,
            coalesce(max(c.priority), 0)::bigint as priority
        from due d left join claimed c on c.sku_id = d.sku_id and c.id = d.id
        left join unsourced u on u.sku_id = d.sku_id and u.location_id = d.location_id
        group by d.purchase_order_id, d.ship_notice_id
        order by units_late desc, units_waiting desc, priority desc, expected_date, d.purchase_order_id limit $4""",
        location,
        days,
        now,
        MOST,
    )


EXPOSURE_SORT = Sort("exposure-", (SortKey("e.exposure", int, "bigint"), SortKey("e.sku_id", int, "bigint")))
_EXPOSURE = """select e.sku_id, e.supplier_id, e.approved_sources, e.other_sources, e.weekly_units, e.units_waiting, e.lead_time_p80,
    e.exposure as exposure_minor, e.currency
from exposed e"""


async def single_sources_page(sql: asyncpg.Connection, now: datetime, page: Page) -> tuple[Sequence[Any], bool]:
    """SKUs with at most one approved source, the dearest exposure first: what would be sold, at its price, until a new
    order could come, and what waits already."""
    where = Filter()
    where.add("?::timestamptz is not null and ?::interval is not null", now, timedelta(days=28))
    table = """(select k.id as sku_id, a.supplier_id, coalesce(a.approved, 0)::int as approved_sources,
            coalesce(a.others, 0)::int as other_sources, coalesce(d.units, 0)::float8 / 4 as weekly_units,
            coalesce(w.units, 0)::int as units_waiting, coalesce(a.lead, 30)::int as lead_time_p80, k.currency,
            round((coalesce(d.units, 0)::numeric / 28 * coalesce(a.lead, 30) + coalesce(w.units, 0)) * k.unit_price)::bigint
                as exposure
        from sku k
        left join lateral (select count(*) filter (where x.is_approved) as approved,
                count(*) filter (where not x.is_approved) as others, min(x.supplier_id) filter (where x.is_approved) as supplier_id,
                min(x.lead_time_p80) filter (where x.is_approved) as lead
            from supplier_sku x where x.sku_id = k.id) a on true
        left join lateral (select sum(l.ordered - l.cancelled) as units from order_line l join sales_order o on o.id = l.order_id
            where l.sku_id = k.id and o.placed_at > $1::timestamptz - $2::interval and o.placed_at <= $1) d on true
        left join lateral (select sum(p.quantity) as units from peg p where p.sku_id = k.id and p.kind <> 'HARD'
            and p.order_line_id is not null) w on true
        where k.status in ('ACTIVE', 'PREORDER') and coalesce(a.approved, 0) <= 1)"""
    select = _EXPOSURE.replace("\nfrom exposed e", f"\nfrom {table} e")
    return await fetch_page(sql, select, where, EXPOSURE_SORT, page)


async def absences(sql: asyncpg.Connection, now: datetime) -> list[Any]:
    """Absences of approvers that are not over."""
    return await sql.fetch(
        """select person, substitute, from_day, until_day from approver_absence where until_day >= $1::date - 1
        order by from_day, person limit 1000""",
        now,
    )
