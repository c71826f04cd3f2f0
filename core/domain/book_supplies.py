"""Operations on the supplies and pegs of a book beyond its core: moved needs, transfers under way, lost stock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from core.domain.backorder import path
from core.domain.backorder_life import end_delay
from core.domain.book import SkuBook, claim_order
from core.domain.network import Network
from core.domain.records import BackorderFact, Line, Lot, Movement, Peg, Supply, Transfer
from core.domain.states import BackorderState, OrderLineStatus, PegKind
from core.errors import IllegalTransition, QuantityExceeded


@dataclass(frozen=True, slots=True)
class Portion:
    """Part of what a supplier still owes: `usable_date` is the P80 after receiving, None keeps the supply's own date."""

    quantity: int
    usable_date: date | None
    paper_date: date | None
    basis: str
    overdue_days: int = 1


def move_need(book: SkuBook, peg: Peg, need_date: date, cause: str) -> Peg:
    """Let a claim of a line take another day on the timeline; what the line was promised must follow."""
    return resource(book, peg, peg.supply, need_date, cause)


def resource(book: SkuBook, peg: Peg, supply: Supply | None, need_date: date, cause: str, quantity: int = 0) -> Peg:
    """Give `quantity` (default: all) of a line's claim another source and day: FIRM on `supply`, OPEN without one."""
    quantity, line = quantity or peg.quantity, peg.line
    kind = PegKind.OPEN if supply is None else PegKind.FIRM
    book.drop_peg(peg, quantity)
    moved = book.add_peg(peg.location_id, need_date, quantity, kind, line=line, supply=supply, cause=cause)
    assert moved is not None
    return moved


def reshape(
    book: SkuBook, supplies: list[Supply], portions: list[Portion], sequence: str | None
) -> tuple[list[Supply], list[Supply]]:
    """Make the open quantities of `supplies` (one PO line, not shipped) say what the supplier says now.

    Portions and supplies are laid side by side by date, so that the claims served first keep the early part. Returns
    (all supplies that now stand for the portions, those of them that come later than they did before).
    """
    parts = sorted(portions, key=lambda p: p.usable_date or date.min)
    left = [part.quantity for part in parts]
    kept: list[Supply] = []
    later: list[Supply] = []
    index = 0
    for supply in sorted(supplies, key=lambda s: (s.usable_date, s.id or 0)):
        before, room, cuts = supply.usable_date, supply.open, []
        while room:
            take = min(room, left[index])
            if take:
                cuts.append((parts[index], take))
                left[index] -= take
                room -= take
            if not left[index]:
                index += 1
        for portion, quantity in reversed(cuts[1:]):
            day = portion.usable_date or before
            part = book.split_supply(supply, quantity, day, portion.basis, sequence)
            part.paper_date, part.overdue_days = portion.paper_date, portion.overdue_days
            kept.append(part)
            if day > before:
                later.append(part)
        if cuts:
            first = cuts[0][0]
            if first.usable_date is not None:
                supply.paper_date = first.paper_date
                book.redate_supply(supply, first.usable_date, first.basis, sequence)
            elif sequence:
                supply.last_sequence, supply.is_changed = sequence, True
            kept.append(supply)
            if supply.usable_date > before:
                later.append(supply)
    return kept, later


def beside_standing(portions: list[Portion], standing: list[Supply]) -> list[Portion]:
    """Units ordered on top may come before those that stand: an undated portion that is all of these has their days."""
    units = sum(supply.open for supply in standing)
    whole = next((p for p in portions if p.usable_date is None and p.quantity == units), None)
    if whole is None or len(portions) == 1:
        return portions
    days = [Portion(s.open, s.usable_date, s.paper_date, s.date_basis, s.overdue_days) for s in standing]
    return [p for p in portions if p is not whole] + days


def separate(book: SkuBook, supply: Supply, quantity: int) -> Supply:
    """Make `supply` stand for just `quantity` of its open part; the rest goes to a supply of its own, same date.

    Claims that are served first stay. Returns `supply`.
    """
    rest = supply.open - quantity
    if rest > 0:
        book.split_supply(supply, rest, supply.usable_date, supply.date_basis, supply.last_sequence)
    return supply


def mark_delayed(book: SkuBook, line: Line, reason: str, previous: date | None = None) -> None:
    """The date of the line's backorder has moved past its promise (`previous`): it is DELAYED.

    It ends when the goods are there, when they are expected by that day again, or when the customer agrees to wait. One
    that is on hold comes back to it.
    """
    backorder = book.backorder_of(line)
    if backorder is None:
        return
    if backorder.state is BackorderState.ON_HOLD and backorder.held_from_state is BackorderState.PEGGED:
        backorder.held_from_state, backorder.delayed_from = BackorderState.DELAYED, previous
        backorder.is_changed = line.is_changed = book.is_changed = True
    if backorder.state is not BackorderState.PEGGED:
        return
    backorder.delayed_from = previous
    for state in path(str(backorder.id or "of this line"), backorder.state, BackorderState.DELAYED):
        book.backorder_facts.append(
            BackorderFact(backorder, "STATE_CHANGED", backorder.state, state, backorder.quantity, reason)
        )
        backorder.state = state
    backorder.is_changed = book.is_changed = True


def refresh_expected(book: SkuBook, line: Line, network: Network, previous: date | None, reason: str) -> None:
    """Say on the line's backorder when its last part is expected to reach the customer, whatever was promised."""
    backorder = book.backorder_of(line)
    if backorder is None:
        return
    days = []
    for peg in book.pegs_of(line):
        if peg.kind == PegKind.HARD:
            continue
        ship = peg.need_date
        if peg.supply is not None:
            usable = peg.supply.effective_date(book.today[peg.location_id])
            ship = network.ship_day_from(peg.location_id, usable)
        days.append(network.delivery_date(peg.location_id, line.destination_id, ship) or ship)
    expected = max(days, default=None)
    if backorder.expected_date != expected:
        backorder.expected_date = expected
        backorder.is_changed = line.is_changed = book.is_changed = True
    waiting = [peg for peg in book.pegs_of(line) if peg.kind != PegKind.HARD]
    if (fact := end_delay(backorder, waiting, reason)) is not None:
        book.backorder_facts.append(fact)
        line.is_changed = book.is_changed = True
    if expected != previous and not backorder.is_new:
        book.backorder_facts.append(
            BackorderFact(
                backorder,
                "EXPECTED_MOVED",
                backorder.state,
                backorder.state,
                backorder.quantity,
                reason,
                expected,
                previous,
            )
        )


def expected_of(book: SkuBook, line: Line) -> date | None:
    """What the line's backorder expects at present."""
    backorder = book.backorder_of(line)
    return backorder.expected_date if backorder is not None else None


def free_by_loss(
    book: SkuBook, location_id: int, quantity: int, cause_kind: str, planned: Mapping[int, int], lot: Lot | None = None
) -> list[tuple[Line, int]]:
    """Make `quantity` units at a location free by taking stock from lines, least claim first, planned shipments last.

    `planned` is what of each line (by id) stands on planned shipments from this very location; `ready` falls by what
    is taken of it, and the shipments shrink when the book is saved. `lot` narrows to the units of one lot. Returns what
    each line lost; the caller covers it again.
    Units of planned transfers are not taken.
    Raises QuantityExceeded when lines do not have as much.
    """
    missing = quantity - (book.level(location_id).available if lot is None else lot.available)
    lost: dict[int, tuple[Line, int]] = {}
    held = [
        p
        for p in book.pegs
        if p.kind == PegKind.HARD
        and p.location_id == location_id
        and p.line is not None
        and p.transfer is None
        and (lot is None or p.lot is lot)
    ]
    held.sort(key=claim_order, reverse=True)
    left = {line_id: units - book.off_shipments.get((line_id, location_id), 0) for line_id, units in planned.items()}
    for is_planned in (False, True):
        for peg in held:
            line = peg.line
            if line is None or not peg.quantity:
                continue
            spare = peg.quantity
            if not is_planned:
                bound = min(left.get(line.id or 0, 0), spare)
                left[line.id or 0] = left.get(line.id or 0, 0) - bound
                spare -= bound
            part = min(missing, spare)
            if part <= 0:
                continue
            book.release(peg, part, cause_kind)
            if is_planned:
                line.ready -= part
                key = (line.id or 0, location_id)
                book.off_shipments[key] = book.off_shipments.get(key, 0) + part
            lost[id(line)] = (line, lost.get(id(line), (line, 0))[1] + part)
            missing -= part
    if missing > 0:
        raise QuantityExceeded(f"of SKU {book.sku} can be taken at this location", quantity, quantity - missing)
    return sorted(lost.values(), key=lambda pair: (-pair[0].priority, pair[0].id or 0))


def transfer_pegs(book: SkuBook, transfer: Transfer) -> list[Peg]:
    """The HARD pegs by which a planned transfer holds its units, one per lot."""
    return [p for p in book.pegs if p.transfer is transfer and p.quantity]


def ship_transfer(book: SkuBook, transfer: Transfer) -> None:
    """The units of a planned transfer leave their location: peg and allocation end there."""
    if transfer.state != "planned":
        raise IllegalTransition("transfer", str(transfer.id), transfer.state, "in_transit")
    for peg in transfer_pegs(book, transfer):
        units = peg.quantity
        book.drop_peg(peg)
        book.move(
            Movement(
                transfer.from_location_id,
                "transfer_out",
                on_hand=-units,
                allocated=-units,
                cause_kind="transfer",
                cause_id=transfer.id,
                transfer=transfer,
                lot=peg.lot,
            )
        )
    transfer.shipped, transfer.state, transfer.is_changed = transfer.quantity, "in_transit", True
    book.is_changed = True


def receive_transfer(book: SkuBook, supply: Supply, quantity: int, damaged: int, lot: Lot | None = None) -> list[Line]:
    """Units of a transfer arrive (in `lot`); the lines pegged to it get them.

    Raises IllegalTransition before it was shipped.
    """
    transfer = supply.transfer
    assert transfer is not None
    if transfer.state != "in_transit":
        raise IllegalTransition("transfer", str(transfer.id), transfer.state, "received")
    touched = book.receive(supply, quantity, damaged, "transfer", transfer.id, lot)
    transfer.received += quantity
    _close_transfer(transfer)
    return touched


def lose_transfer(book: SkuBook, supply: Supply, quantity: int, cause: str) -> list[Line]:
    """Units of a transfer that will never arrive: their pegs become OPEN. Returns the lines that lost them."""
    transfer = supply.transfer
    assert transfer is not None
    if transfer.state != "in_transit":
        raise IllegalTransition("transfer", str(transfer.id), transfer.state, "lost")
    losers = book.cancel_supply(supply, quantity, cause)
    transfer.lost += quantity
    _close_transfer(transfer)
    return losers


def _close_transfer(transfer: Transfer) -> None:
    transfer.is_changed = True
    if transfer.received + transfer.lost == transfer.shipped:
        transfer.state = "received"


def cover_open(book: SkuBook, network: Network, lead_days: int, reason: str) -> dict[int, tuple[Line, bool]]:
    """Use unpegged inbound for OPEN pegs, by priority then age, where it is in time or better than ordering anew.

    What others have pegged and could wait for something later is exchanged for that. Returns the lines that gained a source by
    id(), with whether the day of one of their claims moved.
    """
    gained: dict[int, tuple[Line, bool]] = {}
    in_vain: dict[int, date] = {}  # what no exchange covers by a day none covers by an earlier one, now or later
    if not any(s.unpegged > 0 for s in book.supplies):
        return gained
    for peg in book.waiting(PegKind.OPEN):
        line, location_id = peg.line, peg.location_id
        if line is None or line.status == OrderLineStatus.RECEIVED or book.waits_for_quota(peg):
            continue
        today = book.today[location_id]
        supplies = [s for s in book.supplies if s.location_id == location_id and s.unpegged > 0]
        if supplies and peg.need_date > in_vain.get(location_id, date.min):
            if book.source(peg, reason):
                gained.setdefault(id(line), (line, False))
            if not peg.quantity:
                continue
            in_vain[location_id] = peg.need_date
        limit = max(peg.need_date, network.ship_day_from(location_id, today + timedelta(days=lead_days)))
        for supply in sorted(supplies, key=lambda s: s.effective_date(today)):
            part = min(peg.quantity, supply.unpegged)
            if part <= 0 or supply.effective_date(today) > limit:
                continue
            day = max(peg.need_date, network.ship_day_from(location_id, supply.effective_date(today)))
            resource(book, peg, supply, day, reason, part)
            gained[id(line)] = (line, day != peg.need_date or gained.get(id(line), (line, False))[1])
            if not peg.quantity:
                break
    left = [peg.line for peg in book.waiting(PegKind.OPEN) if peg.line is not None] if gained else []
    book.bump([line for line, _ in gained.values()], left)
    return gained
