"""Every source from which a SKU may be bought, with what choosing between them needs to know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.domain.supplier_choice import Offer

FRESH_REPORT = timedelta(days=14)
"""A stock hint that is older bounds nothing."""
RELIABILITY_PRIOR = 10
"""Finished lines that "all but two of a hundred units come" weighs as much as. What we cancelled by a line's due day (as
scorecards have it) was not needed; what was cancelled later had not come."""
USUAL_RELIABILITY = 0.98

_SOURCES = """
select x.*, s.code, s.name, s.location_id, r.available, r.capacity_per_week, r.as_of, h.lines, h.share,
    (select coalesce(jsonb_agg(jsonb_build_array(b.from_quantity, b.price) order by b.from_quantity), '[]'::jsonb)
        from supplier_price_break b where b.supplier_id = x.supplier_id and b.sku_id = x.sku_id) as breaks
from supplier_sku x join supplier s on s.id = x.supplier_id
left join lateral (select r.available, r.capacity_per_week, r.as_of from supplier_stock_report r
    where r.supplier_id = x.supplier_id and r.sku_id = x.sku_id and r.as_of >= $2
    order by r.as_of desc, r.id desc limit 1) r on true
left join lateral (select count(*)::int as lines, sum(least(l.received, d.needed))::float8 / sum(d.needed) as share
    from purchase_order_line l cross join lateral (select l.ordered - case when l.cancelled = 0 then 0 else (
        select coalesce(max(y.cancelled), 0) from purchase_line_history y
        join purchase_order o on o.id = l.purchase_order_id join location p on p.id = o.location_id
        where y.sku_id = l.sku_id and y.purchase_order_line_id = l.id and (y.at at time zone p.time_zone)::date <= coalesce(
            (select z.promised_date from purchase_line_history z where z.sku_id = l.sku_id
            and z.purchase_order_line_id = l.id and z.promised_date is not null order by z.id limit 1),
            l.requested_date, 'infinity')) end as needed) d
    where l.supplier_id = x.supplier_id and d.needed > 0
        and l.received + l.rejected + l.cancelled = l.ordered and l.updated_at >= $3) h on true
where x.sku_id = any($1::bigint[]) and x.is_approved
order by x.sku_id, x.is_preferred desc, x.lead_time_p80, x.supplier_id
"""


@dataclass(frozen=True, slots=True)
class Source:
    """An approved supplier of a SKU. Money in minor units of `currency`, lead times in calendar days until usable.

    `rate` turns its money into that in which sources are compared; offers are in the latter.
    """

    supplier_id: int
    code: str
    name: str
    sku_id: int
    currency: str
    price: int
    breaks: tuple[tuple[int, int], ...]
    moq: int
    multiple: int
    p50: int
    p80: int
    observations: int
    expedite_days: int | None
    expedite_fee: int
    expedite_unit_fee: int
    reliability: float
    finished_lines: int
    is_preferred: bool
    location_id: int | None
    available: int | None = None
    capacity_per_week: int | None = None
    reported_at: datetime | None = None
    agreed_p80: int | None = None
    rate: float = 1.0

    def prices(self, *, expedited: bool = False) -> list[tuple[int, int]]:
        """(from quantity, unit price), in its own money."""
        more = self.expedite_unit_fee if expedited else 0
        return [(start, price + more) for start, price in ((1, self.price), *self.breaks)]

    def price_at(self, quantity: int) -> int:
        """What one unit is ordered at when so many are, in its own money; expediting is a fee on top."""
        return next(price for start, price in reversed(self.prices()) if quantity >= start)

    def _compared(self, amount: int) -> float:
        return amount if self.rate == 1.0 else amount * self.rate

    def offers(self, *, expedited: bool) -> list[Offer]:
        """What can be chosen: the usual pace, and the expedited one where there is one."""
        plain = Offer(
            self.code,
            tuple((start, self._compared(price)) for start, price in self.prices()),
            self.p50,
            self.p80,
            self.moq,
            self.multiple,
            self.reliability,
            most=self._most(self.p80),
        )
        days = self.expedite_days
        if not expedited or days is None or days >= self.p50:
            return [plain]
        dearer = tuple((start, self._compared(price)) for start, price in self.prices(expedited=True))
        fee = self._compared(self.expedite_fee)
        most = self._most(days)
        return [
            plain,
            Offer(self.code, dearer, days, days, self.moq, self.multiple, self.reliability, fee, True, most),
        ]

    def _most(self, days: int) -> int | None:
        """What the supplier says it can give within the lead time; None where it says nothing of its capacity."""
        if self.capacity_per_week is None:
            return None
        return (self.available or 0) + self.capacity_per_week * days // 7


async def load_sources(sql: Any, sku_ids: Iterable[int], now: datetime) -> dict[int, list[Source]]:
    """Approved sources by SKU, the preferred one first; SKUs nobody supplies are absent."""
    found: dict[int, list[Source]] = defaultdict(list)
    rows = await sql.fetch(_SOURCES, sorted(set(sku_ids)), now - FRESH_REPORT, now - timedelta(days=365))
    for r in rows:
        lines = r["lines"] or 0
        kept = ((r["share"] or 0) * lines + USUAL_RELIABILITY * RELIABILITY_PRIOR) / (lines + RELIABILITY_PRIOR)
        found[r["sku_id"]].append(
            Source(
                r["supplier_id"],
                r["code"],
                r["name"],
                r["sku_id"],
                r["currency"],
                r["price"],
                tuple((start, price) for start, price in r["breaks"]),
                r["moq"],
                r["order_multiple"],
                max(1, min(r["observed_p50"] or r["lead_time_days"], r["lead_time_p80"])),
                max(1, r["lead_time_p80"]),
                r["observed_count"],
                r["expedite_days"],
                r["expedite_fee"],
                r["expedite_unit_fee"],
                max(0.01, kept),
                lines,
                r["is_preferred"],
                r["location_id"],
                r["available"],
                r["capacity_per_week"],
                r["as_of"],
                r["agreed_lead_time_p80"],
            )
        )
    return dict(found)


async def selling_prices(sql: Any, sku_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Price of one unit and its currency, by SKU."""
    rows = await sql.fetch(
        "select id, unit_price, currency from sku where id = any($1::bigint[])", sorted(set(sku_ids))
    )
    return {row["id"]: (row["unit_price"], row["currency"]) for row in rows}
