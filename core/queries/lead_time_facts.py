"""How many days suppliers' deliveries took, by SKU: what lead times are calibrated on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from core.domain.lead_times import Agreed

LONGEST_DAYS = 366
"""Lines sent so long before the window still count when they arrive in it."""

_CAME = """
select s.supplier_id, g.sku_id, array_agg(
    (r.received_at at time zone q.time_zone)::date - (o.sent_at at time zone p.time_zone)::date
        order by r.received_at, g.id) as days
from goods_receipt r join location q on q.id = r.location_id
join goods_receipt_line g on g.goods_receipt_id = r.id
join supply s on s.sku_id = g.sku_id and s.id = g.supply_id
join purchase_order_line l on l.sku_id = s.sku_id and l.id = s.purchase_order_line_id
join purchase_order o on o.id = l.purchase_order_id join location p on p.id = o.location_id
where s.supplier_id = any($1::bigint[]) and (r.received_at at time zone q.time_zone)::date >= $2::date
    and r.received_at >= $2::date - 1 and o.sent_at >= $3::date - 1
group by s.supplier_id, g.sku_id
"""

_MISSING = """
select l.supplier_id, l.sku_id, array_agg($2::date - (o.sent_at at time zone p.time_zone)::date order by o.sent_at, l.id) as days
from purchase_order_line l join purchase_order o on o.id = l.purchase_order_id join location p on p.id = o.location_id
where l.supplier_id = any($1::bigint[]) and o.sent_at >= $3::date - 1 and o.sent_at < $2::date + 2
    and l.unanswered + l.accepted + l.supplier_backordered + l.held + l.in_transit > 0
group by l.supplier_id, l.sku_id
"""

Taken = dict[int, dict[int, list[int]]]


async def days_taken(
    sql: Any, agreed: Mapping[int, Mapping[int, Agreed]], from_day: date, today: date, receiving: int
) -> Taken:
    """Days from sending to usable stock of each delivery since `from_day`, by supplier and SKU, `receiving` days included.

    A line of which units are still to come after its agreed P80 counts with the days it is missing already; what the
    supplier refused is not missing.
    """
    since = from_day - timedelta(days=LONGEST_DAYS)
    found: Taken = {supplier_id: {} for supplier_id in agreed}
    for row in await sql.fetch(_CAME, list(agreed), from_day, since):
        found[row["supplier_id"]][row["sku_id"]] = [day + receiving for day in row["days"]]
    for row in await sql.fetch(_MISSING, list(agreed), today, since):
        terms = agreed[row["supplier_id"]].get(row["sku_id"])
        if terms is not None:
            days = found[row["supplier_id"]].setdefault(row["sku_id"], [])
            days += [day + receiving for day in row["days"] if day + receiving > terms.p80]
    return found


async def agreed_lead_times(sql: Any, supplier_ids: Sequence[int]) -> dict[int, dict[int, Agreed]]:
    """What was agreed with each of the suppliers, by SKU."""
    rows = await sql.fetch(
        """select supplier_id, sku_id, lead_time_days, coalesce(agreed_lead_time_p80, lead_time_p80) as p80 from supplier_sku
        where supplier_id = any($1::bigint[])""",
        list(supplier_ids),
    )
    found: dict[int, dict[int, Agreed]] = {supplier_id: {} for supplier_id in supplier_ids}
    for row in rows:
        found[row["supplier_id"]][row["sku_id"]] = Agreed(row["lead_time_days"], row["p80"])
    return found
