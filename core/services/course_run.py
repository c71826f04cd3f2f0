"""One run of the automatic course over the backorders of some SKUs: what it knows, and what it has decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from core.domain.book import SkuBook
from core.domain.course import MARK
from core.domain.network import Network
from core.domain.offering import note
from core.domain.options import OptionSet, SubstituteOffer
from core.domain.promising import Demand, propose
from core.domain.quotas import Asker, allowances_for
from core.domain.records import Backorder, Line
from core.domain.states import CourseStep
from core.ports import Transaction
from core.repositories.course_facts import CourseOrder, CourseRow, SubstituteRow
from core.repositories.customer_notices import NoticeDraft
from core.repositories.option_offers import Key, Offer
from core.services.substitute_line import SubstituteLine

ASK_AGAIN = timedelta(hours=1)
"""What was asked for and refused, because somebody was faster, is asked for again after this time."""


@dataclass(slots=True)
class CourseRun:
    """One run over the backorders of some SKUs."""

    uow: Transaction
    network: Network
    policies: dict[str, Any]
    orders: dict[int, CourseOrder]
    rows: dict[Key, CourseRow]
    offers: dict[Key, Offer]
    prices: dict[int, tuple[int, str]]
    substitutes: dict[int, list[SubstituteRow]]
    substitute_books: dict[int, SkuBook]
    lead_days: dict[int, int]
    rules: list[Any]
    compensated: set[Key]
    """Backorders whose customer has been compensated."""
    uncovered: dict[int, int] = field(default_factory=dict)
    """Units without a source before the run, by backorder."""
    gained: dict[int, int] = field(default_factory=dict)
    """Units that the search of other places brought earlier, by backorder."""
    is_searched: bool = False
    """Other places were searched for everybody before the first step: nobody would gain any more."""
    to_buy: set[int] = field(default_factory=set)
    to_ship: set[int] = field(default_factory=set)
    wanted: list[SubstituteLine] = field(default_factory=list)
    offered: list[tuple[Key, OptionSet, int, date | None, str, str, str | None]] = field(default_factory=list)
    withdrawn: list[Key] = field(default_factory=list)
    notices: list[NoticeDraft] = field(default_factory=list)


def wait_days(book: SkuBook, backorder: Backorder) -> int | None:
    """Days from the day the goods were wanted (else the opening) to the expected day; None without one."""
    if backorder.expected_date is None:
        return None
    return (backorder.expected_date - (backorder.line.requested_date or backorder.opened_at.date())).days


def record(
    run: CourseRun, book: SkuBook, backorder: Backorder, row: CourseRow, step: CourseStep, outcome: str, of: Any = None
) -> None:
    """Keep the outcome of a step and say it once: the same outcome of the same facts is no news."""
    known = row.steps.get(step)
    if known is not None and (known["outcome"], known["of"]) == (outcome, of):
        return
    row.steps = {**row.steps, str(step): {"at": run.uow.now.isoformat(), "outcome": outcome, "of": of}}
    row.is_changed = True
    if backorder.closed_at is None:
        note(book, backorder, "COURSE_STEP", f"{MARK}{step}:{outcome}")


def substitute_offers(
    run: CourseRun, book: SkuBook, backorder: Backorder, order: CourseOrder
) -> tuple[SubstituteOffer, ...]:
    """What the substitutes of a line could give now, by which day; only an estimate, their gates are not held.

    It asks as `replace_short_part` will: with the line's way, its class, the quotas of who ordered and the life that
    lots must have left.
    """
    if not takes_substitutes(backorder.line):
        return ()
    network, line = run.network, backorder.line
    sources = network.sources(order.destination_id, order.allowed_locations) or network.sources(None)
    asker = Asker(line.channel, line.customer_id, order.tier)
    found = []
    for row in run.substitutes.get(book.sku_id, ()):
        other = run.substitute_books.get(row.substitute_sku_id)
        if other is None or not sources:
            continue
        demand = Demand(
            backorder.quantity * row.ratio,
            order.destination_id,
            line.requested_date,
            sources,
            demand_class=line.demand_class,
            min_life=other.min_life(line),
            allowances=allowances_for(other, asker, sources),
        )
        proposal = propose(other, demand, network, run.uow.now)
        days = [part.delivery_date or part.ship_date for part in proposal.slices if part.kind == "ON_HAND"]
        found.append(
            SubstituteOffer(
                row.substitute_sku_id,
                row.ratio,
                row.unit_price,
                row.currency,
                proposal.available_now,
                max(days, default=None),
                row.needs_consent,
                row.rank,
            )
        )
    return tuple(found)


def repeat_step(row: CourseRow, step: CourseStep, outcome: str) -> None:
    """The same step of the same facts once more: it is no news."""
    row.steps = {**row.steps, str(step): {**row.steps[step], "outcome": outcome}}
    row.is_changed = True


def may_ask_again(run: CourseRun, row: CourseRow, step: CourseStep) -> bool:
    """Was the step taken so long ago that what became of it is over? It is no news, but may be taken again."""
    if run.uow.now - datetime.fromisoformat(row.steps[step]["at"]) < ASK_AGAIN:
        return False
    row.steps = {**row.steps, str(step): {**row.steps[step], "at": run.uow.now.isoformat()}}
    row.is_changed = True
    return True


def takes_substitutes(line: Line) -> bool:
    """A component is replaced with its whole kit or not at all."""
    return line.substitutes_allowed and line.kit is None
