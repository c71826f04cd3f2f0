"""Why a line went short: the one cause whose rows explain the shortage best, with the rows that prove it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.domain.states import BackorderCause

LARGE_LINE_FACTOR = 3.0
"""A line of at least this many times the usual line is a spike of its own."""
SPIKE_DEVIATIONS = 2.0
"""A week at least this many standard deviations above the usual week is a spike,"""
SPIKE_GROWTH = 1.5
"""when it also has at least so many times its units."""


@dataclass(frozen=True, slots=True)
class StockCorrection:
    """A count or adjustment since the SKU was last in order; `delta` is its on-hand change, negative."""

    movement_id: int
    location_id: int
    kind: str
    delta: int
    happened_on: date


@dataclass(frozen=True, slots=True)
class LateSupply:
    """An inbound quantity that is overdue, or whose date has slipped by `days_late` against its first date."""

    supply_id: int
    purchase_order_line_id: int | None
    open_quantity: int
    days_late: int
    expected: date


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """A PO line the supplier did not fully accept: backordered or rejected quantities."""

    purchase_order_line_id: int
    supplier_backordered: int
    rejected: int


@dataclass(frozen=True, slots=True)
class UnreceivedDelivery:
    """Goods the carrier delivered that nobody has received yet."""

    supply_id: int
    quantity: int
    delivered_on: date
    ship_notice_id: int | None = None
    carrier_event_id: int | None = None


@dataclass(frozen=True, slots=True)
class BlockedStock:
    """Units on hand that may not be sold: in quarantine, inspection, or damaged."""

    location_id: int
    quantity: int
    movement_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand before this line, in base units: 56 days where they are known, else only the mean line.

    `units_last_7_days` includes this line when it is new; `daily_sd` is over the units of each day; `recent_line_ids` are
    its largest lines.
    """

    line_quantity: int
    units_last_7_days: int
    daily_mean: float | None = None
    daily_sd: float | None = None
    mean_line_quantity: float | None = None
    recent_line_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StockElsewhere:
    """Sellable stock kept from this line by a choice: protected for a class, or allocated to lines that rank lower."""

    location_id: int
    protected: int
    allocated: int
    order_line_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reordering:
    """What reordering assumed: position and reorder point before this line, agreed and observed lead time in days."""

    inventory_position: int
    reorder_point: int
    lead_time_days: int
    observed_lead_time_days: int | None = None
    supply_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ShortageFacts:
    """Everything `classify` judges by; empty tuples mean that no such rows were found. Quantities are base units.

    `order_line_id` is None while the line has no id yet.
    """

    sku_id: int
    location_id: int | None
    order_line_id: int | None
    shortage: int
    demand: Demand
    reordering: Reordering
    corrections: tuple[StockCorrection, ...] = ()
    blocked: tuple[BlockedStock, ...] = ()
    unreceived: tuple[UnreceivedDelivery, ...] = ()
    short_answers: tuple[ShortAnswer, ...] = ()
    late: tuple[LateSupply, ...] = ()
    elsewhere: tuple[StockElsewhere, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """The verdict. `evidence` is plain JSON: `shortage`, `explained` (units its rows account for), and the rows."""

    kind: BackorderCause
    evidence: dict[str, Any]


_Finding = tuple[int, dict[str, Any]]
"""Units explained, and the rows that show it; 0 units: not this cause."""


def _stock_record_error(facts: ShortageFacts) -> _Finding:
    rows = [row for row in facts.corrections if row.delta < 0]
    return -sum(row.delta for row in rows), {
        "stockMovements": [
            {
                "id": row.movement_id,
                "locationId": row.location_id,
                "kind": row.kind,
                "delta": row.delta,
                "happenedOn": row.happened_on.isoformat(),
            }
            for row in rows
        ]
    }


def _quality(facts: ShortageFacts) -> _Finding:
    rows = [row for row in facts.blocked if row.quantity > 0]
    return sum(row.quantity for row in rows), {
        "blockedStock": [
            {"locationId": row.location_id, "quantity": row.quantity, "stockMovements": list(row.movement_ids)}
            for row in rows
        ]
    }


def _receiving_delay(facts: ShortageFacts) -> _Finding:
    rows = [row for row in facts.unreceived if row.quantity > 0]
    return sum(row.quantity for row in rows), {
        "unreceived": [
            {
                "supplyId": row.supply_id,
                "shipNoticeId": row.ship_notice_id,
                "carrierEventId": row.carrier_event_id,
                "quantity": row.quantity,
                "deliveredOn": row.delivered_on.isoformat(),
            }
            for row in rows
        ]
    }


def _supplier_short(facts: ShortageFacts) -> _Finding:
    return _short(row for row in facts.short_answers if row.supplier_backordered + row.rejected > 0)


def _short(answers: Iterable[ShortAnswer]) -> _Finding:
    rows = list(answers)
    return sum(row.supplier_backordered + row.rejected for row in rows), {
        "purchaseOrderLines": [
            {
                "id": row.purchase_order_line_id,
                "supplierBackordered": row.supplier_backordered,
                "rejected": row.rejected,
            }
            for row in rows
        ]
    }


def _supplier_delay(facts: ShortageFacts) -> _Finding:
    rows = [row for row in facts.late if row.open_quantity > 0 and row.days_late > 0]
    return sum(row.open_quantity for row in rows), {
        "supplies": [
            {
                "id": row.supply_id,
                "purchaseOrderLineId": row.purchase_order_line_id,
                "quantity": row.open_quantity,
                "daysLate": row.days_late,
                "expected": row.expected.isoformat(),
            }
            for row in rows
        ]
    }


def _demand_spike(facts: ShortageFacts) -> _Finding:
    demand = facts.demand
    large = 0
    if demand.mean_line_quantity and demand.line_quantity >= LARGE_LINE_FACTOR * demand.mean_line_quantity:
        large = demand.line_quantity - math.ceil(demand.mean_line_quantity)
    week, limit = 0, None
    if demand.daily_mean:
        usual = 7 * demand.daily_mean
        limit = max(usual + SPIKE_DEVIATIONS * math.sqrt(7) * (demand.daily_sd or 0.0), SPIKE_GROWTH * usual)
        if demand.units_last_7_days >= limit:
            week = demand.units_last_7_days - math.ceil(usual)
    return max(large, week, 0), {
        "orderLines": _line_ids(facts, demand.recent_line_ids),
        "lineQuantity": demand.line_quantity,
        "meanLineQuantity": _figure(demand.mean_line_quantity),
        "unitsLast7Days": demand.units_last_7_days,
        "spikeFromUnits": None if limit is None else math.ceil(limit),
        "dailyMean": _figure(demand.daily_mean),
        "dailySd": _figure(demand.daily_sd),
    }


def _allocation_choice(facts: ShortageFacts) -> _Finding:
    rows = [row for row in facts.elsewhere if row.protected + row.allocated > 0]
    return sum(row.protected + row.allocated for row in rows), {
        "stockElsewhere": [
            {
                "locationId": row.location_id,
                "protected": row.protected,
                "allocated": row.allocated,
                "orderLines": list(row.order_line_ids),
            }
            for row in rows
        ]
    }


def _forecast_error(facts: ShortageFacts) -> _Finding:
    """What is left: reordering expected less demand, or a shorter lead time, than came."""
    reordering, demand = facts.reordering, facts.demand
    lead_time = reordering.observed_lead_time_days or reordering.lead_time_days
    return facts.shortage, {
        "skuId": facts.sku_id,
        "locationId": facts.location_id,
        "orderLines": _line_ids(facts),
        "supplies": list(reordering.supply_ids),
        "inventoryPosition": reordering.inventory_position,
        "reorderPoint": reordering.reorder_point,
        "leadTimeDays": reordering.lead_time_days,
        "observedLeadTimeDays": reordering.observed_lead_time_days,
        "dailyMean": _figure(demand.daily_mean),
        "leadTimeDemand": None if demand.daily_mean is None else math.ceil(demand.daily_mean * lead_time),
    }


def _line_ids(facts: ShortageFacts, others: tuple[int, ...] = ()) -> list[int]:
    own = [] if facts.order_line_id is None else [facts.order_line_id]
    return [*own, *(line_id for line_id in others if line_id != facts.order_line_id)]


def _figure(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


ORDER_OF_JUDGEMENT: tuple[tuple[BackorderCause, Callable[[ShortageFacts], _Finding]], ...] = (
    (BackorderCause.STOCK_RECORD_ERROR, _stock_record_error),
    (BackorderCause.QUALITY, _quality),
    (BackorderCause.RECEIVING_DELAY, _receiving_delay),
    (BackorderCause.SUPPLIER_SHORT, _supplier_short),
    (BackorderCause.SUPPLIER_DELAY, _supplier_delay),
    (BackorderCause.DEMAND_SPIKE, _demand_spike),
    (BackorderCause.ALLOCATION_CHOICE, _allocation_choice),
    (BackorderCause.FORECAST_ERROR, _forecast_error),
)
"""Hard facts about our own stock first, then facts about supply, then demand, then our own choices."""


FOUND_LATER = frozenset(
    {
        BackorderCause.STOCK_RECORD_ERROR,
        BackorderCause.QUALITY,
        BackorderCause.RECEIVING_DELAY,
        BackorderCause.SUPPLIER_SHORT,
        BackorderCause.SUPPLIER_DELAY,
    }
)
"""Causes that rows written after the opening can prove; what demand or a choice had to do with it does not change."""

HISTORY = 20
"""Earlier verdicts that are kept with the evidence."""


def rejudge(present: BackorderCause, evidence: dict[str, Any], facts: ShortageFacts, day: date) -> Cause | None:
    """Another verdict after facts have changed, or None when the present one stands.

    A hard fact takes the place of a soft cause, and of a hard one that it precedes in the order of judgement or that no
    row shows any more. The evidence keeps the earlier verdicts under `previous`, newest first.
    """
    if facts.shortage <= 0:
        return None
    found = next(
        ((kind, *judge(facts)) for kind, judge in ORDER_OF_JUDGEMENT if kind in FOUND_LATER and judge(facts)[0] > 0),
        None,
    )
    if found is None or found[0] is present:
        return None
    kind, explained, rows = found
    order = [cause for cause, _ in ORDER_OF_JUDGEMENT]
    still = dict(ORDER_OF_JUDGEMENT)[present](facts)[0] > 0
    if present in FOUND_LATER and still and order.index(present) < order.index(kind):
        return None
    last = {name: value for name, value in evidence.items() if name != "previous"}
    earlier = [{"cause": str(present), "until": day.isoformat(), "evidence": last}, *evidence.get("previous", ())]
    return Cause(
        kind,
        {
            "shortage": facts.shortage,
            "explained": min(explained, facts.shortage),
            **rows,
            "previous": earlier[:HISTORY],
        },
    )


def short_by(answer: ShortAnswer, shortage: int) -> Cause:
    """The verdict where this very answer opens the shortage."""
    explained, rows = _short([answer])
    return Cause(BackorderCause.SUPPLIER_SHORT, {"shortage": shortage, "explained": min(explained, shortage), **rows})


def classify(facts: ShortageFacts) -> Cause:
    """The first cause, in the order of judgement, whose rows explain at least one unit of the shortage.

    Raises ValueError when nothing is short.
    """
    if facts.shortage <= 0:
        raise ValueError("nothing is short, so nothing is to blame")
    for kind, judge in ORDER_OF_JUDGEMENT:
        explained, rows = judge(facts)
        if explained > 0:
            evidence = {"shortage": facts.shortage, "explained": min(explained, facts.shortage), **rows}
            return Cause(kind, evidence)
    raise AssertionError("FORECAST_ERROR explains every shortage")
