"""How many days a supplier's deliveries took, by SKU: what lead times are calibrated on."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from core.domain.lead_times import Agreed

LONGEST_DAYS = 366
"""Lines sent so long before the window still count when they arrive in it."""

_TAKEN = """
select line.sku_id, $3::date - line.sent_on as missing, line.wanted - coalesce(sum(c.units), 0) > 0 as is_open,
    coalesce(array_agg(c.day - line.sent_on order by c.day) filter (where c.day >= $2::date), '{}') as days
from (
    select l.sku_id, l.id, l.ordered - l.cancelled as wanted, (o.sent_at at time zone p.time_zone)::date as sent_on
    from purchase_order_line l join purchase_order o on o.id = l.purchase_order_id join location p on p.id = o.location_id
    where l.supplier_id = $1 and o.sent_at >= $4::date - 1 and o.sent_at < $3::date + 2
) line
left join (
    select s.sku_id, s.purchase_order_line_id as line_id, g.quantity + g.over_delivered as units,
        (r.received_at at time zone q.time_zone)::date as day
    from supply s join goods_receipt_line g on g.sku_id = s.sku_id and g.supply_id = s.id
    join goods_receipt r on r.id = g.goods_receipt_id join location q on q.id = r.location_id
    where s.purchase_order_line_id is not null
) c on c.sku_id = line.sku_id and c.line_id = line.id
group by line.sku_id, line.id, line.sent_on, line.wanted
order by line.sent_on, line.sku_id, line.id
"""


async def days_taken(
    sql: Any, supplier_id: int, agreed: dict[int, Agreed], from_day: date, today: date, receiving: int
) -> dict[int, list[int]]:
    """Days from sending to usable stock of each delivery since `from_day`, by SKU, `receiving` days included.

    A line that is still missing after its agreed P80 counts with the days it is missing already.
    """
    since = from_day - timedelta(days=LONGEST_DAYS)
    found: dict[int, list[int]] = {}
    for row in await sql.fetch(_TAKEN, supplier_id, from_day, today, since):
        days = [day + receiving for day in row["days"]]
        missing = row["missing"] + receiving
        terms = agreed.get(row["sku_id"])
        if terms is not None and row["is_open"] and missing > terms.p80:
            days.append(missing)
        found.setdefault(row["sku_id"], []).extend(days)
    return found


async def agreed_lead_times(sql: Any, supplier_id: int) -> dict[int, Agreed]:
    """What was agreed with the supplier, by SKU."""
    rows = await sql.fetch(
        """select sku_id, lead_time_days, coalesce(agreed_lead_time_p80, lead_time_p80) as p80 from supplier_sku
        where supplier_id = $1""",
        supplier_id,
    )
    return {row["sku_id"]: Agreed(row["lead_time_days"], row["p80"]) for row in rows}
