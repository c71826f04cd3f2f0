"""What suppliers' lines have gone through, as facts: sent, said, received, inspected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from core.domain.calendars import local_day
from core.domain.scorecards import LineFacts, LineReceipt, LineStep, OpenPart

EARLIER_DAYS = 366
"""Lines sent so long before a window still count when they come due or arrive in it."""

_LINES = """
select l.sku_id, l.id, l.ordered, l.price, l.requested_date, l.promised_date, l.unanswered, l.cancelled, o.sent_at,
    o.acknowledged_at, p.time_zone
from purchase_order_line l join purchase_order o on o.id = l.purchase_order_id join location p on p.id = o.location_id
where l.supplier_id = $1 and o.sent_at >= $2::date - 1 and o.sent_at < $3::date + 2
    and ($4::bigint[] is null or l.sku_id = any($4::bigint[]))
order by o.sent_at, l.sku_id, l.id
"""
_STEPS = """
select h.sku_id, h.purchase_order_line_id as line_id, h.at, h.promised_date, h.unanswered, h.cancelled
from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
join purchase_line_history h on h.sku_id = u.sku_id and h.purchase_order_line_id = u.id
order by h.at, h.id
"""
_RECEIPTS = """
select s.sku_id, s.purchase_order_line_id as line_id, r.received_at, p.time_zone, l.quantity + l.over_delivered as units,
    least(l.quantity + l.over_delivered, coalesce(i.rejected + greatest(0, l.damaged - i.accepted - i.rejected), l.damaged))
        as bad, case when s.date_basis <> 'LEAD_TIME' then s.paper_date end as paper_date, s.usable_date
from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
join supply s on s.sku_id = u.sku_id and s.purchase_order_line_id = u.id
join goods_receipt_line l on l.sku_id = s.sku_id and l.supply_id = s.id
join goods_receipt r on r.id = l.goods_receipt_id join location p on p.id = r.location_id
left join lateral (select sum(x.accepted)::int as accepted, sum(x.rejected)::int as rejected from inspection_result x
    where x.sku_id = l.sku_id and x.goods_receipt_line_id = l.id having count(*) > 0) i on true
order by r.received_at, l.id
"""

_MISSING = """
select s.sku_id, s.purchase_order_line_id as line_id, s.paper_date, s.usable_date
from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
join supply s on s.sku_id = u.sku_id and s.purchase_order_line_id = u.id
where s.quantity > s.received + s.cancelled and s.paper_date is not null and s.date_basis <> 'LEAD_TIME'
order by s.paper_date, s.id
"""


async def supplier_lines(
    sql: Any, supplier_id: int, from_day: date, to_day: date, sku_ids: Sequence[int] | None = None
) -> list[LineFacts]:
    """Facts of a supplier's lines that a scorecard of these days needs, days in the zone of the receiving location.

    Reads everybody's receipts; the caller must be allowed to see the supplier.
    """
    since = from_day - timedelta(days=max(EARLIER_DAYS, (to_day - from_day).days + 1))
    rows = await sql.fetch(_LINES, supplier_id, since, to_day, None if sku_ids is None else list(sku_ids))
    keys = ([row["sku_id"] for row in rows], [row["id"] for row in rows])
    steps: dict[tuple[int, int], list[LineStep]] = defaultdict(list)
    zones = {(row["sku_id"], row["id"]): row["time_zone"] for row in rows}
    for row in await sql.fetch(_STEPS, *keys):
        key = row["sku_id"], row["line_id"]
        day = local_day(row["at"], zones[key])
        steps[key].append(LineStep(day, row["at"], row["promised_date"], row["unanswered"], row["cancelled"]))
    receipts: dict[tuple[int, int], list[LineReceipt]] = defaultdict(list)
    for row in await sql.fetch(_RECEIPTS, *keys):
        receipts[row["sku_id"], row["line_id"]].append(
            LineReceipt(
                local_day(row["received_at"], row["time_zone"]),
                row["units"],
                row["bad"],
                row["paper_date"],
                row["usable_date"],
            )
        )
    missing: dict[tuple[int, int], list[OpenPart]] = defaultdict(list)
    for row in await sql.fetch(_MISSING, *keys):
        missing[row["sku_id"], row["line_id"]].append(OpenPart(row["paper_date"], row["usable_date"]))
    places = [(row["sku_id"], row["id"]) for row in rows]
    return [_line(row, steps[at], receipts[at], missing[at]) for row, at in zip(rows, places, strict=True)]


def _line(row: Any, steps: list[LineStep], receipts: list[LineReceipt], missing: list[OpenPart]) -> LineFacts:
    if not steps and row["acknowledged_at"] is not None:  # answered before histories were kept
        day = local_day(row["acknowledged_at"], row["time_zone"])
        known = LineStep(day, row["acknowledged_at"], row["promised_date"], row["unanswered"], row["cancelled"])
        steps = [known]
    return LineFacts(
        row["sku_id"],
        row["sent_at"],
        local_day(row["sent_at"], row["time_zone"]),
        row["ordered"],
        row["price"],
        row["requested_date"],
        steps,
        receipts,
        missing,
    )
