"""What has to be bought for a SKU: waiting lines without a source, and the reorder point; never the same need twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from core.domain.book import SkuBook
from core.domain.book_supplies import resource
from core.domain.eta import should_move
from core.domain.late_pegs import MovePolicy
from core.domain.network import Network
from core.domain.purchasing import order_quantity
from core.domain.records import Line, Peg, Supply
from core.domain.replenishment import suggest
from core.domain.states import OrderLineStatus, PegKind, PromiseReason


@dataclass(slots=True)
class Need:
    """Units of one SKU to order for one location, and the OPEN pegs they are for (served first comes first)."""

    location_id: int
    quantity: int
    waiting: int
    pegs: list[Peg] = field(default_factory=list)


def open_pegs(book: SkuBook) -> list[Peg]:
    """OPEN pegs of validated lines, in the order in which they are served."""
    return [p for p in book.waiting(PegKind.OPEN) if p.line is not None and p.line.status != OrderLineStatus.RECEIVED]


def needs(
    book: SkuBook,
    main_location_id: int,
    reorder_point: int,
    reorder_quantity: int,
    moq: int,
    order_multiple: int,
    left_out: Collection[int] = (),
    awaited: Mapping[int, int] | None = None,
) -> list[Need]:
    """What to order, per location. Call it after unpegged inbound was used for OPEN pegs.

    Stock that is free for the waiting lines is not bought again. When the inventory position (stock and inbound less
    every claim, over all locations) is at or below the reorder point, at least the reorder quantity is ordered; both
    needs overlap, so the surplus goes to the main location. Lines in `left_out` are not bought for, nor are the units that
    a proposed transfer may bring (`awaited`, by id() of the peg: `core.domain.awaited_moves.awaited_units`).
    """
    awaited = awaited or {}
    pegs = [peg for peg in open_pegs(book) if peg.line_id not in left_out]
    found: dict[int, Need] = {}
    for peg in pegs:
        need = found.setdefault(peg.location_id, Need(peg.location_id, 0, 0))
        need.pegs.append(peg)
    for need in found.values():
        short = zip(need.pegs, _free_for(book, need), strict=True)
        need.waiting = sum(max(peg.quantity - free - awaited.get(id(peg), 0), 0) for peg, free in short)
        need.pegs.sort(key=lambda peg: id(peg) in awaited)  # what is bought is for those that await nothing
    position = sum(level.available for level in book.levels.values())
    position += sum(s.open for s in book.supplies) - sum(p.quantity for p in book.pegs if p.kind != PegKind.HARD)
    total = sum(need.waiting for need in found.values())
    surplus = suggest(position, reorder_point, reorder_quantity, 1, 1) - total
    if surplus > 0:
        main = found.setdefault(main_location_id, Need(main_location_id, 0, 0))
        main.quantity += surplus
    for need in found.values():
        need.quantity = order_quantity(need.quantity + need.waiting, moq, order_multiple)
    return [need for need in found.values() if need.quantity > 0]


def to_buy(book: SkuBook, pegs: Collection[Peg]) -> int:
    """Units of OPEN pegs of one line to buy: what waits for its quota only as far as stock and inbound do not cover it."""
    units = sum(peg.quantity for peg in pegs)
    for place in {peg.location_id for peg in pegs}:
        later = [peg for peg in pegs if peg.location_id == place and book.waits_for_quota(peg)]
        units -= sum(_free_for(book, Need(place, 0, 0, later)))
    return units


def _free_for(book: SkuBook, need: Need) -> list[int]:
    """Units that each of its claims may have once they are served, by what its demand class may touch.

    They come from stock; for what waits for its quota also from inbound, however late: it is not bought again.
    """
    place, given = need.location_id, []
    classes = {book.protection_class(place, peg.line.demand_class) for peg in need.pegs if peg.line is not None}
    curves = {name: book.timeline_without(place, need.pegs, name) for name in classes}
    today = book.today[place]
    inbound = sorted({s.effective_date(today) for s in book.supplies if s.location_id == place})
    for peg in need.pegs:
        assert peg.line is not None
        left, days = peg.quantity, [today]
        if book.waits_for_quota(peg):
            days = [peg.need_date, *(day for day in inbound if day > peg.need_date)]
        for day in days:
            curve = curves[book.protection_class(place, peg.line.demand_class)]
            if book.lots is not None:  # what is too old for this one is no stock of its
                curve = curve.keeping(book.lots.expiring(place, book.lots.keep_of(place, peg.line)))
            units = min(left, curve.atp(day))
            for curve in curves.values():
                curve.add(day, -units)
            left -= units
        given.append(peg.quantity - left)
    return given


def lead_time_day(network: Network, location_id: int, today: date, lead_time_p80: int) -> date:
    """The day from which goods ordered today can leave the location: the P80 lead time includes receiving them."""
    return network.ship_day_from(location_id, today + timedelta(days=lead_time_p80))


def dock_day(network: Network, location_id: int, usable: date, receiving_days: int) -> date:
    """The day on which goods must be at the dock to be usable on `usable`."""
    calendar = network.locations[location_id].calendar
    return calendar.add_working_days(usable, -receiving_days) if receiving_days else usable


def peg_new_supplies(
    book: SkuBook, network: Network, supplies: Sequence[Supply], pegs: Sequence[Peg], policy: MovePolicy
) -> list[Line]:
    """Put OPEN pegs on the supplies that were just ordered for them; their day moves only when it must.

    In their order, each takes the latest supply that comes by its day, so that the sooner ones are left for who needs
    them; where none does, the soonest. Returns the lines. A claim keeps its day when the supply comes no more than the
    hysteresis later; one that waits for its quota takes its source when its day has come.
    """
    lines: list[Line] = []
    by_day = sorted(
        ((network.ship_day_from(s.location_id, s.effective_date(book.today[s.location_id])), s) for s in supplies),
        key=lambda item: item[0],
    )
    for peg in pegs:
        if peg.line is None or book.waits_for_quota(peg):
            continue
        in_time = [item for item in reversed(by_day) if item[0] <= peg.need_date]
        for day, supply in [*in_time, *by_day[len(in_time) :]]:
            part = min(peg.quantity, supply.unpegged)
            if part <= 0:
                continue
            late = day > peg.need_date and should_move(peg.need_date, day, policy.hysteresis_days, certain=False)
            lines.append(peg.line)
            resource(book, peg, supply, day if late else peg.need_date, _reason(peg), part)
    return lines


def _reason(peg: Peg) -> str:
    return str(PromiseReason.SUPPLY_LOST if peg.cause == PromiseReason.SUPPLY_LOST else PromiseReason.SUPPLY_DATED)
