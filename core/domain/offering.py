"""What offering, withdrawing and answering options does to a backorder in its book; the options are rows elsewhere."""

from __future__ import annotations

from core.domain.backorder import path
from core.domain.backorder_life import state_of_pegs, step
from core.domain.book import SkuBook
from core.domain.book_supplies import move_need
from core.domain.cancelling import Planned, give_up
from core.domain.network import Network
from core.domain.records import Backorder, BackorderFact, Line, LineFact
from core.domain.states import BackorderState, PegKind, PromiseReason

MAY_OFFER = frozenset(
    {
        BackorderState.PROVISIONAL,
        BackorderState.SOURCING,
        BackorderState.AWAITING_SUPPLY,
        BackorderState.PEGGED,
        BackorderState.DELAYED,
    }
)


def walk(book: SkuBook, backorder: Backorder, target: BackorderState, reason: str, last: str = "STATE_CHANGED") -> None:
    """Take every legal step to `target`, one fact each, the last of the kind `last`. Raises IllegalTransition."""
    states = path(str(backorder.id), backorder.state, target, backorder.held_from_state)
    for index, state in enumerate(states, start=1):
        book.backorder_facts.append(step(backorder, state, reason, last if index == len(states) else "STATE_CHANGED"))
    backorder.line.is_changed = book.is_changed = True


def note(book: SkuBook, backorder: Backorder, kind: str, reason: str) -> None:
    """Say something about a backorder whose state stays."""
    fact = BackorderFact(backorder, kind, backorder.state, backorder.state, backorder.quantity, reason)
    book.backorder_facts.append(fact)
    backorder.is_changed = backorder.line.is_changed = book.is_changed = True


def settle_state(book: SkuBook, backorder: Backorder, reason: str, last: str = "STATE_CHANGED") -> None:
    """Put a backorder into the state that its claims speak for."""
    waiting = [peg for peg in book.pegs_of(backorder.line) if peg.kind != PegKind.HARD]
    walk(book, backorder, state_of_pegs(waiting), reason, last)


def offer(book: SkuBook, backorder: Backorder, reason: str) -> None:
    """The customer has a choice from now on."""
    walk(book, backorder, BackorderState.OPTION_OFFERED, reason, "OPTION_OFFERED")


def withdraw(book: SkuBook, backorder: Backorder, reason: str) -> None:
    """The choice is gone before anybody chose."""
    note(book, backorder, "OPTION_WITHDRAWN", reason)
    if backorder.state is not BackorderState.OPTION_OFFERED:
        return
    before, expected = backorder.delayed_from, backorder.expected_date
    settle_state(book, backorder, reason)
    if before is None or (expected is not None and expected <= before):
        return
    if backorder.state is BackorderState.PEGGED:  # nobody has agreed to the later day
        walk(book, backorder, BackorderState.DELAYED, reason)
    if backorder.state is BackorderState.DELAYED:
        backorder.delayed_from = before


def accept_wait(book: SkuBook, network: Network, backorder: Backorder, reason: str) -> None:
    """The customer agrees to the day the goods are expected: late claims take that day, and nothing is delayed."""
    line = backorder.line
    for peg in [peg for peg in book.pegs_of(line) if peg.supply is not None and peg.kind != PegKind.HARD]:
        assert peg.supply is not None
        day = network.ship_day_from(peg.location_id, peg.supply.effective_date(book.today[peg.location_id]))
        if day > peg.need_date:
            move_need(book, peg, day, str(PromiseReason.OPTION_CHOSEN))
    book.settle(line, reason)
    settle_state(book, backorder, reason)
    backorder.delayed_from = None


def give_up_for_substitute(book: SkuBook, backorder: Backorder, planned: Planned, reason: str) -> Planned:
    """The short part of the line is cancelled because another SKU takes its place; the backorder is SUBSTITUTED.

    Returns what has to come off planned shipments (nothing: late claims go first).
    """
    line: Line = backorder.line
    units = backorder.quantity
    off = give_up(book, line, units, planned, reason)
    line.cancelled += units
    backorder.quantity = 0
    walk(book, backorder, BackorderState.SUBSTITUTED, reason, "CLOSED")
    backorder.held_from_state = backorder.delayed_from = None
    backorder.closed_at = book.now
    book.settle(line, reason)
    book.line_facts.append(LineFact(line, "LINE_CHANGED", units, reason=str(PromiseReason.SUBSTITUTED)))
    return off
