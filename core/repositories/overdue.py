"""Which supplies are overdue today, and how late their suppliers come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from core.domain.overdue import LateRecord
from core.ports import Transaction
from core.repositories.supplying import NEWEST_RECEIPTS_OF_SUPPLIERS, RECENT_DOCUMENTS, RECENT_RECEIPTS


async def overdue_skus(uow: Transaction, limit: int | None = None) -> list[int]:
    """SKUs with open supply whose day has passed at its location and that nobody has looked at on this day; and those
    with a claim without any source whose day has passed.
    """
    rows = await uow.sql.fetch(
        """select distinct s.sku_id from supply s join location l on l.id = s.location_id
        where s.quantity > s.received + s.cancelled
            and s.usable_date < ($1::timestamptz at time zone l.time_zone)::date
            and (s.overdue_checked_on is null or s.overdue_checked_on < ($1::timestamptz at time zone l.time_zone)::date)
        union
        select p.sku_id from peg p join location l on l.id = p.location_id
        join order_line i on i.sku_id = p.sku_id and i.id = p.order_line_id
        where p.kind = 'OPEN' and p.cause is distinct from 'QUOTA' and i.status <> 'RECEIVED' and i.backordered > 0
            and p.need_date < ($1::timestamptz at time zone l.time_zone)::date
        order by sku_id limit $2""",
        uow.now,
        limit,
    )
    return [row["sku_id"] for row in rows]


async def late_records(uow: Transaction, supplier_ids: Iterable[int]) -> dict[int, LateRecord]:
    """By supplier: how many days after their paper dates its newest deliveries came, and how long the missing are due."""
    wanted = sorted(set(supplier_ids))
    if not wanted:
        return {}
    came: dict[int, list[int]] = defaultdict(list)
    for row in await uow.sql.fetch(
        f"""select s.supplier_id, ((r.received_at at time zone p.time_zone)::date - s.paper_date) as late
        from {NEWEST_RECEIPTS_OF_SUPPLIERS} join supply s on s.sku_id = l.sku_id and s.id = l.supply_id
        where s.paper_date is not null""",
        wanted,
        RECENT_RECEIPTS,
        RECENT_DOCUMENTS,
    ):
        came[row["supplier_id"]].append(row["late"])
    missing: dict[int, list[int]] = defaultdict(list)
    for row in await uow.sql.fetch(
        """select s.supplier_id, (($2::timestamptz at time zone p.time_zone)::date - s.paper_date) as waited
        from supply s join location p on p.id = s.location_id
        where s.supplier_id = any($1::bigint[]) and s.quantity > s.received + s.cancelled
            and s.paper_date < ($2::timestamptz at time zone p.time_zone)::date""",
        wanted,
        uow.now,
    ):
        missing[row["supplier_id"]].append(row["waited"])
    return {key: LateRecord(came[key], missing[key]) for key in wanted}
