"""Apply a supplier's answer to a purchase order: what is accepted, backordered, rejected or held, and when it comes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from core.domain.book import SkuBook
from core.domain.book_supplies import Portion, beside_standing, cover_open, reshape
from core.domain.buying import lead_time_day, open_pegs
from core.domain.conclude import conclude
from core.domain.eta import usable_date
from core.domain.late_pegs import Cause, MovePolicy, repair
from core.domain.network import Network
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS
from core.domain.purchasing import PurchaseLine, answer, raised
from core.domain.records import Line, Supply
from core.domain.sequences import is_older
from core.domain.states import DateBasis, PromiseReason
from core.errors import InvalidInput, VersionConflict, refused_at
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.purchase_orders import (
    PurchaseOrderHead,
    PurchaseOrderLine,
    find_orders,
    read_lines,
    refresh_orders,
    save_lines,
)
from core.repositories.save_book import save_books
from core.repositories.supplier_changes import priced_at
from core.repositories.supplying import load_lateness, load_offers, load_policies, move_policy
from core.services.create_purchase_order import PurchaseOrderChange
from core.services.follow_up import request_allocation, request_purchase, request_shipments

UNDATED_OVERDUE_DAYS = 7
"""Supply without a date that is overdue counts this many days after today."""


class AnsweredPart(NamedTuple):
    """Units of a line and the day they come to our dock (None: not said); `is_ship_date`: the day they leave there."""

    quantity: int
    date: date | None = None
    is_ship_date: bool = False


@dataclass(frozen=True, slots=True)
class AcknowledgeLine:
    """What the supplier says about one line, in base units; plain (quantity, date) pairs will do.

    A change that was agreed may order `added` units more (the parts speak of them too), or at another `price` (minor
    units); a line that states a price and no units leaves the units as they are.
    """

    line_number: int
    accepted: Sequence[AnsweredPart | tuple[int, date | None]] = ()
    backordered: Sequence[AnsweredPart | tuple[int, date | None]] = ()
    rejected: int = 0
    held: int = 0
    added: int = 0
    price: int | None = None

    @property
    def is_price_alone(self) -> bool:
        """Does it leave the units as they are."""
        return self.price is not None and not (self.accepted or self.backordered or self.rejected or self.held)


@dataclass(frozen=True, slots=True)
class AcknowledgePurchaseOrder:
    """An answer to order `number`. Answers are ordered by `sequence`: an older one is kept but not applied."""

    number: str
    supplier_id: int | None
    lines: Sequence[AcknowledgeLine]
    sequence: str = ""
    document_id: int | None = None
    expected_version: int | None = None


@dataclass(slots=True)
class _Context:
    network: Network
    head: PurchaseOrderHead
    lateness: dict[tuple[int, str], int]
    receiving_days: int
    lead_days: dict[int, int]
    supplier_location_id: int | None
    policy: MovePolicy
    sequence: str
    today: date
    touched: list[Line] = field(default_factory=list)


async def apply_acknowledgement(uow: Transaction, request: AcknowledgePurchaseOrder) -> PurchaseOrderChange:
    """Replace what was known of each answered line's unshipped part; outcome `stale` when every line knew better.

    Accepted units are dated as confirmed, backordered ones split off with their later day, rejected ones are gone:
    claims by priority keep the early part, the rest follow and are promised anew. Raises NotFound,
    InvalidInput for an unknown line or an answer that does not add up to the open quantity, VersionConflict.
    """
    head = (await find_orders(uow, [request.number], request.supplier_id, only_approved=True))[request.number]
    numbers = {line.line_number for line in request.lines}
    known = {line.line_number: line for line in (await read_lines(uow, [head.id])).values()}
    _check_lines(head.number, request.lines, known)
    versions = await take_gates(uow, {known[number].sku_id for number in numbers})
    lines = {line.line_number: line for line in (await read_lines(uow, [head.id])).values()}
    head = (await find_orders(uow, [request.number], request.supplier_id, only_approved=True))[request.number]
    if request.expected_version is not None and request.expected_version != head.version:
        raise VersionConflict("purchase order", head.number, request.expected_version, head.version)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    policies = await load_policies(uow)
    offers = await load_offers(uow, head.supplier_id, versions)
    context = _Context(
        network,
        head,
        await load_lateness(uow, [head.supplier_id]),
        int(policies.get("receiving_days", 0)),
        {sku_id: offer.lead_time_p80 for sku_id, offer in offers.items()},
        next((offer.supplier_location_id for offer in offers.values()), None),
        move_policy(policies),
        request.sequence,
        network.today(head.location_id, uow.now),
    )
    priced = await priced_at(uow, head.id) if any(said.price is not None for said in request.lines) else {}
    applied = []
    rejected: set[int] = set()
    for index, said in enumerate(request.lines):
        line = lines[said.line_number]
        if is_older(request.sequence, line.last_sequence):
            continue
        price = None if is_older(request.sequence, priced.get(line.line_number)) else said.price
        if price is not None:
            line.price, line.is_changed = price, True
        if price is not None or not said.is_price_alone:
            applied.append(line.line_number)
        if said.is_price_alone:
            continue
        if said.added:
            _order_more(books[line.sku_id], line, said.added, context)
        with refused_at("input", "lines", str(index), subject=f"Line {said.line_number}"):
            lost = _apply(books[line.sku_id], line, said, context)
        if lost:
            rejected.add(line.sku_id)
        if said.added:
            context.touched += _offer(books[line.sku_id], context)
    await save_books(uow, books.values())
    await save_lines(uow, lines.values())
    uow.audit(
        "purchaseOrderAcknowledge",
        f"purchase_order:{head.id}",
        None,
        {"lines": applied, "sequence": request.sequence, "documentId": request.document_id},
    )
    if not applied:
        return PurchaseOrderChange(head.id, head.number, head.version, str(head.status), "stale")
    after = (await refresh_orders(uow, [head.id], acknowledged_at=uow.now))[head.id]
    if rejected:
        request_allocation(uow, rejected)
    request_purchase(uow, {sku_id for sku_id, book in books.items() if open_pegs(book)})
    request_shipments(uow, {line.order_id for line in context.touched if line.allocated > line.ready})
    return PurchaseOrderChange(head.id, head.number, after.version, str(after.status))


def _check_lines(number: str, said: Sequence[AcknowledgeLine], known: Collection[int]) -> None:
    """Raise InvalidInput for a line that the order does not have, or of which the units are told twice."""
    told: set[int] = set()
    for index, line in enumerate(said):
        problem = "" if line.line_number in known else f"Purchase order {number!r} has no line {line.line_number}."
        if line.line_number in told and not line.is_price_alone:
            problem = f"Line {line.line_number} is named twice."
        if problem:
            path = ("input", "lines", str(index), "lineNumber")
            raise InvalidInput(problem, path=path, field="lineNumber", value=line.line_number)
        if not line.is_price_alone:
            told.add(line.line_number)


def _order_more(book: SkuBook, line: PurchaseOrderLine, units: int, context: _Context) -> None:
    line.parts, line.is_changed = raised(line.parts, units), True
    lead = context.lead_days.get(book.sku_id, DEFAULT_LEAD_TIME_DAYS)
    book.add_supply(
        Supply(
            None,
            context.head.location_id,
            "purchase",
            units,
            lead_time_day(context.network, context.head.location_id, context.today, lead),
            date_basis=str(DateBasis.LEAD_TIME),
            supplier_id=line.supplier_id,
            purchase_order_line_id=line.id,
        )
    )


def _offer(book: SkuBook, context: _Context) -> list[Line]:
    """What was ordered on top goes to those who wait without a source."""
    lead = context.lead_days.get(book.sku_id, DEFAULT_LEAD_TIME_DAYS)
    gained = cover_open(book, context.network, lead, str(PromiseReason.SUPPLY_DATED))
    return conclude(book, context.network, (line for line, _ in gained.values()), PromiseReason.SUPPLY_DATED)


def _apply(book: SkuBook, line: PurchaseOrderLine, said: AcknowledgeLine, context: _Context) -> int:
    """Apply one line; the units rejected by it."""
    accepted = [_part(part) for part in said.accepted]
    backordered = [_part(part) for part in said.backordered]
    for part in (*accepted, *backordered):
        if part.quantity < 1:
            raise InvalidInput("An answered part must be positive.", field="quantity", value=part.quantity)
    accepted, rejected = _unshipped(line.parts, accepted, backordered, said)
    line.parts = answer(
        line.parts,
        accepted=sum(p.quantity for p in accepted),
        supplier_backordered=sum(p.quantity for p in backordered),
        held=said.held,
        rejected=rejected,
    )
    line.is_changed = True
    line.last_sequence = context.sequence or line.last_sequence
    supplies = [
        s for s in book.supplies if s.purchase_order_line_id == line.id and s.ship_notice_line_id is None and s.open > 0
    ]
    was_estimate = all(s.date_basis == DateBasis.LEAD_TIME for s in supplies if not s.is_new)
    losers: list[Line] = []
    left = rejected
    for supply in sorted(supplies, key=lambda s: (s.usable_date, s.id or 0), reverse=True):
        part = min(left, supply.open)
        if part:
            losers += book.cancel_supply(supply, part, str(PromiseReason.SUPPLY_LOST))
            left -= part
    context.touched += conclude(book, context.network, losers, PromiseReason.SUPPLY_LOST, cause_id=line.id)
    portions = [_accepted(p, context) for p in accepted]
    portions += [_backordered(p, book, context) for p in backordered]
    if said.held:
        portions.append(Portion(said.held, None, None, str(DateBasis.LEAD_TIME)))
    known = [p.paper_date for p in portions if p.paper_date is not None]
    if known and all(p.date is not None for p in accepted):
        line.promised_date = max(known)
    if said.added:
        portions = beside_standing(portions, [s for s in supplies if not s.is_new and s.open > 0])
    kept, later = reshape(book, [s for s in supplies if s.open > 0], portions, context.sequence or None)
    split = {id(s) for s in later if s.is_new}
    reason = PromiseReason.SUPPLY_DATED if was_estimate else PromiseReason.SUPPLY_DELAYED
    if backordered:
        _repair(book, [s for s in kept if id(s) in split], PromiseReason.SUPPLIER_BACKORDERED, line, context)
        if not accepted:
            reason = PromiseReason.SUPPLIER_BACKORDERED
    _repair(book, [s for s in kept if id(s) not in split or not backordered], reason, line, context)
    return rejected


def _part(part: AnsweredPart | tuple[int, date | None]) -> AnsweredPart:
    return part if isinstance(part, AnsweredPart) else AnsweredPart(part[0], part[1])


def _repair(
    book: SkuBook, supplies: list[Supply], reason: PromiseReason, line: PurchaseOrderLine, context: _Context
) -> None:
    evidence = {"purchaseOrder": context.head.number, "line": line.line_number}
    cause = Cause(reason, certain=True, id=line.id, evidence=evidence)
    context.touched += repair(book, context.network, supplies, cause, context.policy)


def _unshipped(
    parts: PurchaseLine, accepted: list[AnsweredPart], backordered: Iterable[AnsweredPart], said: AcknowledgeLine
) -> tuple[list[AnsweredPart], int]:
    """What the answer says of the part that is not shipped: one that restates the whole order repeats what left
    already as accepted, and what was rejected before as rejected."""
    stated = sum(p.quantity for p in [*accepted, *backordered]) + said.held + said.rejected
    over = stated - parts.not_shipped
    rejected = said.rejected
    if over > 0 and over in (parts.rejected, parts.rejected + parts.in_transit + parts.received):
        repeated = min(parts.rejected, rejected)
        rejected, over = rejected - repeated, over - repeated
    gone = parts.in_transit + parts.received
    if over <= 0 or over != gone:
        return accepted, rejected
    kept: list[AnsweredPart] = []
    for part in sorted(accepted, key=lambda p: p.date or date.min):
        taken = min(over, part.quantity)
        over -= taken
        if part.quantity > taken:
            kept.append(part._replace(quantity=part.quantity - taken))
    return kept, rejected


def _accepted(part: AnsweredPart, context: _Context) -> Portion:
    """A confirmed day; without one the supply keeps the day it has: a date is never invented."""
    paper = _dock(part, context)
    basis = DateBasis.CONFIRMED_ORDER
    if paper is None:
        return Portion(part.quantity, None, None, str(basis))
    return Portion(part.quantity, _usable(paper, basis, context), paper, str(basis))


def _backordered(part: AnsweredPart, book: SkuBook, context: _Context) -> Portion:
    paper = _dock(part, context)
    if paper is not None:
        basis = DateBasis.CONFIRMED_ORDER
        return Portion(part.quantity, _usable(paper, basis, context), paper, str(basis))
    lead = context.lead_days.get(book.sku_id, DEFAULT_LEAD_TIME_DAYS)
    day = lead_time_day(context.network, context.head.location_id, context.today, lead)
    return Portion(part.quantity, day, None, str(DateBasis.LEAD_TIME), UNDATED_OVERDUE_DAYS)


def _dock(part: AnsweredPart, context: _Context) -> date | None:
    if part.date is None or not part.is_ship_date:
        return part.date
    lane = context.network.lanes.get((context.supplier_location_id or 0, context.head.location_id))
    return context.network.arrive(lane, part.date) if lane is not None else part.date


def _usable(paper: date, basis: DateBasis, context: _Context) -> date:
    calendar = context.network.locations[context.head.location_id].calendar
    late = context.lateness.get((context.head.supplier_id, str(basis)), 0)
    return usable_date(paper, basis, late, context.receiving_days, calendar)
