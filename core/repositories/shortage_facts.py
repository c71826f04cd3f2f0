"""The rows by which the cause of a new shortage is judged, set based for all new backorders of a transaction."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from core.domain.book import SkuBook
from core.domain.causes import (
    BlockedStock,
    Demand,
    LateSupply,
    Reordering,
    ShortageFacts,
    ShortAnswer,
    StockCorrection,
    StockElsewhere,
    UnreceivedDelivery,
)
from core.domain.records import Backorder
from core.ports import Transaction

CORRECTION_DAYS = 14
"""How long a stock correction can explain a shortage."""
DEMAND_DAYS = 56


async def load_shortage_facts(uow: Transaction, new: list[tuple[SkuBook, Backorder]]) -> list[ShortageFacts]:
    """One ShortageFacts per new backorder, in order. Reads what was committed before this transaction's own writes."""
    keys = sorted({book.sku_id for book, _ in new})
    found: dict[str, dict[int, list[Any]]] = {name: defaultdict(list) for name in _QUERIES}
    for name, sql in _QUERIES.items():
        arguments = (keys, uow.now - timedelta(days=_WINDOW[name])) if name in _WINDOW else (keys,)
        for row in await uow.sql.fetch(sql, *arguments):
            found[name][row["sku_id"]].append(row)
    books = {book.sku_id: book for book, _ in new}
    positions = {sku_id: _position(book) for sku_id, book in books.items()}
    return [
        _facts(book, backorder, {name: rows[book.sku_id] for name, rows in found.items()}, positions[book.sku_id], uow)
        for book, backorder in new
    ]


def _position(book: SkuBook) -> int:
    """What is there and comes, without what waits for it."""
    there = sum(level.available for level in book.levels.values()) + sum(s.open for s in book.supplies)
    return there - sum(peg.quantity for peg in book.pegs if peg.kind != "HARD")


_WINDOW = {"corrections": CORRECTION_DAYS, "demand": DEMAND_DAYS, "week": 7}

_QUERIES = {
    "corrections": """select sku_id, id, location_id, kind, on_hand_delta, occurred_at from stock_movement
        where sku_id = any($1::bigint[]) and occurred_at >= $2 and kind in ('counted', 'adjusted', 'scrapped')
        and on_hand_delta < 0 order by id desc""",
    "blocked": """select l.sku_id, l.location_id, l.unsellable, array(select m.id from stock_movement m
            where m.sku_id = l.sku_id and m.location_id = l.location_id and m.kind = 'quarantined'
            order by m.id desc limit 5) as movement_ids
        from stock_level l where l.sku_id = any($1::bigint[]) and l.unsellable > 0""",
    "unreceived": """select s.sku_id, s.id, s.quantity - s.received - s.cancelled as quantity, e.id as event_id,
            e.ship_notice_id, e.occurred_at
        from supply s join ship_notice_line n on n.sku_id = s.sku_id and n.id = s.ship_notice_line_id
        join lateral (select id, ship_notice_id, occurred_at from carrier_event c
            where c.ship_notice_id = n.ship_notice_id and c.status_code in ('D1', 'X1') order by id desc limit 1) e
            on true
        where s.sku_id = any($1::bigint[]) and s.quantity > s.received + s.cancelled""",
    "short_answers": """select sku_id, id, supplier_backordered, rejected from purchase_order_line
        where sku_id = any($1::bigint[]) and supplier_backordered + rejected > 0
        and (supplier_backordered > 0 or updated_at > now() - interval '60 days')""",
    "late": """select s.sku_id, s.id, s.purchase_order_line_id, s.quantity - s.received - s.cancelled as quantity,
            s.usable_date, case when s.date_revision = 0 then s.usable_date else coalesce(l.requested_date, s.paper_date)
                + coalesce((select (value #>> '{}')::int from policy where code = 'receiving_days'), 0) end as first_date
        from supply s left join purchase_order_line l on l.sku_id = s.sku_id and l.id = s.purchase_order_line_id
        where s.sku_id = any($1::bigint[]) and s.quantity > s.received + s.cancelled and s.kind = 'purchase'""",
    "demand": """select sku_id, sum(lines)::bigint as lines, sum(units)::bigint as units,
            (sum(units) / sum(lines))::float8 as mean_line, count(*) as days, sum(units::float8 * units) as squares
        from (select sku_id, count(*) as lines, sum(ordered) as units from order_line
            where sku_id = any($1::bigint[]) and created_at >= $2 group by sku_id, created_at::date) x
        group by sku_id""",
    "week": """select sku_id, sum(ordered) as units, (array_agg(id order by ordered desc))[1:3] as ids from order_line
        where sku_id = any($1::bigint[]) and created_at >= $2 group by sku_id""",
    "sku": """select k.id as sku_id, k.reorder_point, coalesce(min(s.lead_time_days), 30) as lead_time
        from sku k left join supplier_sku s on s.sku_id = k.id where k.id = any($1::bigint[]) group by k.id""",
}


def _facts(
    book: SkuBook, backorder: Backorder, rows: dict[str, list[Any]], position: int, uow: Transaction
) -> ShortageFacts:
    line, today = backorder.line, book.today[backorder.location_id or next(iter(book.today))]
    demand = rows["demand"][0] if rows["demand"] else None
    week = rows["week"][0] if rows["week"] else None
    known = demand is not None and demand["days"] >= 20
    mean = demand["units"] / DEMAND_DAYS if demand is not None and known else None
    deviation = None
    if demand is not None and mean is not None:
        deviation = max(0.0, demand["squares"] / DEMAND_DAYS - mean * mean) ** 0.5
    sku = rows["sku"][0]
    return ShortageFacts(
        sku_id=book.sku_id,
        location_id=backorder.location_id,
        order_line_id=line.id,
        shortage=backorder.quantity,
        demand=Demand(
            line_quantity=line.ordered,
            units_last_7_days=(week["units"] if week else 0) + (line.ordered if line.is_new else 0),
            daily_mean=mean,
            daily_sd=deviation,
            mean_line_quantity=demand["mean_line"] if demand is not None and demand["lines"] >= 5 else None,
            recent_line_ids=tuple(week["ids"]) if week else (),
        ),
        reordering=Reordering(
            inventory_position=position,
            reorder_point=sku["reorder_point"],
            lead_time_days=sku["lead_time"],
            supply_ids=tuple(s.id for s in book.supplies if s.id is not None),
        ),
        corrections=tuple(
            StockCorrection(r["id"], r["location_id"], r["kind"], r["on_hand_delta"], r["occurred_at"].date())
            for r in rows["corrections"]
        )
        + tuple(
            StockCorrection(0, m.location_id, m.kind, m.on_hand, today)
            for m in book.movements
            if m.kind in ("counted", "adjusted", "scrapped") and m.on_hand < 0
        ),
        blocked=tuple(
            BlockedStock(r["location_id"], r["unsellable"], tuple(r["movement_ids"])) for r in rows["blocked"]
        ),
        unreceived=tuple(
            UnreceivedDelivery(r["id"], r["quantity"], r["occurred_at"].date(), r["ship_notice_id"], r["event_id"])
            for r in rows["unreceived"]
        ),
        short_answers=tuple(
            ShortAnswer(r["id"], r["supplier_backordered"], r["rejected"]) for r in rows["short_answers"]
        ),
        late=tuple(
            LateSupply(r["id"], r["purchase_order_line_id"], r["quantity"], days, max(r["usable_date"], today))
            for r in rows["late"]
            if (days := (max(r["usable_date"], today) - (r["first_date"] or r["usable_date"])).days) > 0
        ),
        elsewhere=tuple(_elsewhere(book, backorder)),
    )


def _elsewhere(book: SkuBook, backorder: Backorder) -> list[StockElsewhere]:
    """Sellable stock that a protection keeps from this line."""
    found = []
    for location_id, level in book.levels.items():
        kept = book.protected_at(location_id, backorder.line.demand_class, book.today[location_id])
        kept = min(kept, max(level.available, 0))
        if kept > 0:
            found.append(StockElsewhere(location_id, protected=kept, allocated=0))
    return found
