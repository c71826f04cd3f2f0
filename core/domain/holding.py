"""What a hold on an order does to its backorders, and how a line is validated when the last hold is gone."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from core.domain.backorder import PARKED, path
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.promising import Demand, Proposal, commit, promise, propose
from core.domain.records import BackorderFact, Line, LineFact
from core.domain.states import BackorderState, OrderLineStatus, PegKind, PromiseReason, ShipPolicy


def park(book: SkuBook, line: Line, reason: str) -> None:
    """Put the line's backorder ON_HOLD; no quantity moves."""
    backorder = book.backorder_of(line)
    if backorder is None or backorder.state in PARKED:
        return
    _move(book, line, BackorderState.ON_HOLD, reason)
    backorder.held_from_state = book.backorder_facts[-1].from_state


def unpark(book: SkuBook, line: Line, reason: str) -> None:
    """Put a backorder that is ON_HOLD back into the state before the hold, and on to what its claims say by now."""
    backorder = book.backorder_of(line)
    if backorder is None or backorder.state != BackorderState.ON_HOLD or backorder.held_from_state is None:
        return
    _move(book, line, backorder.held_from_state, reason)
    backorder.held_from_state = None
    book.settle(line, reason)


def _move(book: SkuBook, line: Line, target: BackorderState, reason: str) -> None:
    backorder = book.backorder_of(line)
    assert backorder is not None
    for state in path(str(backorder.id), backorder.state, target, backorder.held_from_state):
        fact = BackorderFact(backorder, "STATE_CHANGED", backorder.state, state, backorder.quantity, reason)
        book.backorder_facts.append(fact)
        backorder.state = state
    backorder.is_changed = line.is_changed = book.is_changed = True


def give_up_places(book: SkuBook, line: Line) -> None:
    """Drop the claims of a line that stood without stock; it is covered anew in the same change."""
    for peg in book.pegs_of(line):
        if peg.kind != PegKind.HARD:
            book.drop_peg(peg)


def validate(book: SkuBook, line: Line, demand: Demand, network: Network, now: datetime) -> None:
    """Validate a line that was RECEIVED: give up the places it kept, propose and commit anew.

    `demand.quantity` is ignored: what is asked for is what the line still waits for. The customer is told
    (HOLD_RELEASED) only when the day moves.
    """
    give_up_places(book, line)
    line.status = OrderLineStatus.VALIDATED
    remaining = line.ordered - line.allocated - line.shipped - line.cancelled
    asked = replace(
        demand,
        quantity=remaining,
        requested_date=line.requested_date,
        held=[],
        demand_class=line.demand_class,
        min_life=book.min_life(line),
    )
    proposal = propose(book, asked, network, now)
    if line.ship_policy == ShipPolicy.PARTIAL_CANCEL_REST:
        proposal = cancel_rest(book, line, proposal)
    commit(book, line, proposal, PromiseReason.HOLD_RELEASED)
    promise(
        book,
        line,
        network,
        now,
        PromiseReason.HOLD_RELEASED,
        cause_kind=PromiseReason.HOLD_RELEASED,
        cause_id=line.order_id,
        only_if_moved=True,
    )


def cancel_rest(book: SkuBook, line: Line, proposal: Proposal) -> Proposal:
    """Cancel of a PARTIAL_CANCEL_REST line what cannot leave now, as a fact; returns the part that it keeps."""
    kept = [part for part in proposal.slices if part.kind == "ON_HAND"]
    rest = proposal.quantity - sum(part.quantity for part in kept)
    if rest:
        line.cancelled += rest
        book.line_facts.append(LineFact(line, "CANCELLED", rest, reason=str(line.ship_policy)))
    return replace(proposal, slices=kept)
