"""A proposal carried out on the book, and the promise that tells the customer how a line is covered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from core.domain.allowance import WaitsFor
from core.domain.binding import Binding, BindingKind, DayEvent, events_on, name_binding
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.proposals import Proposal
from core.domain.quotas import use_quotas
from core.domain.records import Line, LineFact, Peg, PromiseDraft, Supply
from core.domain.states import PegKind, PromiseReason


def commit(book: SkuBook, line: Line, proposal: Proposal, reason: PromiseReason, *, validated: bool = True) -> None:
    """Carry a proposal out for a line whose quantity is not covered yet.

    A line that is not validated takes its place on the timeline (SOFT and OPEN pegs) but no stock and no transfer.
    """
    line.location_id, line.ship_by = proposal.home_id, proposal.ship_by
    if (spot := proposal.spot) is not None:
        line.binding = name_binding(spot, events_on(book, spot.location_id, spot.days, spot.demand_class)).as_json()
    use_quotas(book, line, proposal)
    for part in proposal.slices:
        if part.kind == "ON_HAND" and validated:
            book.allocate(line, part.location_id, part.quantity, "order_line", line.order_id)
        elif part.kind == "TRANSFER" and validated:
            assert part.donor_id is not None
            assert part.arrival_date is not None
            supply = book.plan_transfer(
                part.donor_id, part.location_id, part.quantity, part.arrival_date, "order_line", line
            )
            book.add_peg(
                part.location_id, part.ship_date, part.quantity, PegKind.FIRM, line=line, supply=supply, cause=reason
            )
        elif part.waits_for == WaitsFor.QUOTA:
            day, cause = part.ship_date, str(part.waits_for)
            book.add_peg(part.location_id, day, part.quantity, PegKind.OPEN, line=line, cause=cause)
        elif part.kind == "DATED":
            book.peg_dated(line, part.location_id, part.ship_date, part.quantity, reason)
        else:
            book.add_peg(part.location_id, part.ship_date, part.quantity, PegKind.OPEN, line=line, cause=reason)
    book.settle(line, reason)


_SOURCE = {"purchase": "PURCHASE_ORDER", "transfer": "TRANSFER", "return": "RETURN", "production": "PRODUCTION"}


def slices_of(
    book: SkuBook, line: Line, network: Network, now: datetime
) -> tuple[list[dict[str, Any]], list[Supply | None]]:
    """The line's present coverage as promise slices, by ship day; the second list names each slice's supply."""
    rows: list[tuple[date, dict[str, Any], Supply | None]] = []
    pegs = book.pegs_of(line)
    for peg in pegs:
        ship, supply = peg.need_date, peg.supply
        if peg.kind == PegKind.HARD:
            ship, parts = network.first_ship_day(peg.location_id, now), [(peg.quantity, "ON_HAND", "ON_HAND")]
        elif supply is None:
            parts = _unpegged(book, line, peg, pegs)
        else:
            source, basis = _named(supply)
            parts = [(peg.quantity, source, basis)]
        delivery = network.delivery_date(peg.location_id, line.destination_id, ship)
        waits_for = _waits_for(book, peg, network)
        for units, source, basis in parts:
            row: dict[str, Any] = {
                "location": peg.location_id,
                "quantity": units,
                "source": source,
                "basis": basis,
                "shipDate": ship.isoformat(),
                "deliveryDate": delivery.isoformat() if delivery else None,
                "p50": None,
                "p80": None,
                "p95": None,
                "supply": None,
            }
            if supply is None and source != "LEAD_TIME" and peg.kind != PegKind.HARD:
                row["isUnpegged"] = True  # units that are there for it, none of them its own
            if waits_for is not None:
                row["waitsFor"] = str(waits_for)
            rows.append((ship, row, supply))
    rows.sort(key=lambda row: (row[0], row[1]["location"]))
    return [row[1] for row in rows], [row[2] for row in rows]


def _waits_for(book: SkuBook, peg: Peg, network: Network) -> WaitsFor | None:
    """What keeps a claim from its units; then its day is no lead time's: they may well be there."""
    if peg.kind == PegKind.HARD:
        return None
    if book.waits_for_quota(peg):
        return WaitsFor.QUOTA
    place, release = peg.location_id, book.available_from
    if release is not None and book.is_preorder(place) and peg.need_date == network.ship_day_from(place, release):
        return WaitsFor.RELEASE_DATE
    return None


def _named(supply: Supply) -> tuple[str, str]:
    """(source, basis) of what a supply covers."""
    return "SHIP_NOTICE" if supply.ship_notice_line_id else _SOURCE[supply.kind], supply.date_basis


def _unpegged(book: SkuBook, line: Line, peg: Peg, pegs: Sequence[Peg]) -> list[tuple[int, str, str]]:
    """(units, source, basis) of a claim without a supply of its own: what is there by its day, and what is lacking then.

    Stock that waits for the release of a pre-order, for a quota, or for protection to end, is no estimate. What was moved here for
    others names nothing.
    """
    place, lacking = peg.location_id, peg.quantity
    if book.is_whole:
        mine = [p for p in pegs if p.kind == PegKind.OPEN and p.location_id == place]
        later = [(p.need_date, p.quantity) for p in mine if p.need_date > peg.need_date]
        curve = book.timeline(place, line.demand_class)
        if book.lots is not None:  # what is too old for this one is not there for it
            curve = curve.keeping(book.lots.expiring(place, book.lots.keep_of(place, line)))
        lacking = min(lacking, curve.lacking(peg.need_date, later))
    found = [(lacking, "LEAD_TIME", "LEAD_TIME")] if lacking else []
    if lacking == peg.quantity:
        return found
    today = book.today[place]
    there = [
        (day, supply.id or 0, supply)
        for supply in book.supplies
        if supply.location_id == place
        and (supply.unpegged if supply.kind == "transfer" else supply.open) > 0
        and (day := supply.effective_date(today)) <= peg.need_date
    ]
    source, basis = _named(max(there, key=lambda row: row[:2])[2]) if there else ("ON_HAND", "ON_HAND")
    return [(peg.quantity - lacking, source, basis), *found]


def complete_date(slices: list[dict[str, Any]]) -> date | None:
    """When the last slice reaches the customer (its ship day where no delivery date is known)."""
    days = [date.fromisoformat(s["deliveryDate"] or s["shipDate"]) for s in slices]
    return max(days, default=None)


def promise(
    book: SkuBook,
    line: Line,
    network: Network,
    now: datetime,
    reason: PromiseReason,
    *,
    cause_kind: str,
    cause_id: int | None = None,
    evidence: dict[str, Any] | None = None,
    only_if_moved: bool = False,
) -> bool:
    """Append a promise that says how the line is covered now; True when one was written.

    With `only_if_moved` a coverage that keeps the promised day, and puts no part on a day or at a place that was not told,
    writes nothing. A day that moves is a PROMISE_MOVED fact with its reason; the first promise is not.
    """
    slices, supplies = slices_of(book, line, network, now)
    if not slices:
        return False
    promised, previous = complete_date(slices), line.promised
    waiting = [peg for peg in book.pegs_of(line) if peg.kind != PegKind.HARD]
    claims = frozenset((peg.location_id, peg.need_date) for peg in waiting)
    if only_if_moved and promised == previous and claims <= _told(line, waiting):
        return False
    line.told_claims = claims
    line.promise_sequence += 1
    line.promised = promised
    line.is_changed = book.is_changed = True
    quantity = sum(s["quantity"] for s in slices)
    binding = line.binding or _binding_of(slices, supplies).as_json()
    line.binding = None
    book.promises.append(
        PromiseDraft(
            line,
            line.promise_sequence,
            quantity,
            quantity == line.ordered - line.cancelled - line.shipped,
            slices,
            supplies,
            cause_kind,
            cause_id,
            {"reason": str(reason), **(evidence or {}), "binding": binding},
        )
    )
    if line.promise_sequence > 1 and promised != previous:
        book.line_facts.append(
            LineFact(line, "PROMISE_MOVED", quantity, promised=promised, previous_promised=previous, reason=str(reason))
        )
    backorder = book.backorder_of(line)
    if backorder is not None:
        backorder.expected_date = promised
        backorder.is_changed = True
    return True


def _told(line: Line, waiting: Sequence[Peg]) -> frozenset[tuple[int, date]]:
    """Places and days of claims that the line's last promise speaks of: those that are stored were told with it."""
    if line.told_claims is not None:
        return line.told_claims
    return line.dropped_claims | {(peg.location_id, peg.need_date) for peg in waiting if peg.id is not None}


_KINDS = {"ON_HAND": BindingKind.NONE, "LEAD_TIME": BindingKind.LEAD_TIME, "TRANSFER": BindingKind.TRANSFER}


def _binding_of(slices: list[dict[str, Any]], supplies: list[Supply | None]) -> Binding:
    """What limits a promise that follows from pegs alone: the source of its last part."""
    last, supply = max(zip(slices, supplies, strict=True), key=lambda pair: pair[0]["shipDate"])
    kind, day = _KINDS.get(last["source"], BindingKind.SUPPLY), date.fromisoformat(last["shipDate"])
    if "waitsFor" in last:
        kind = BindingKind(last["waitsFor"])
    events = []
    if supply is not None:
        events.append(DayEvent(kind, supply.usable_date, supply.open, supply_id=supply.id))
    return Binding(kind, day, last["location"], 0, events)
