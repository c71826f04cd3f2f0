"""The rank of the lines of a book: what is known of each line, joined with how it is covered at this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from core.domain.book import SkuBook
from core.domain.priority import Priority, PriorityFacts, PriorityWeights, Standing, score
from core.domain.records import Line, Peg
from core.domain.states import BackorderState, PegKind


def rank_lines(book: SkuBook, standings: dict[int, Standing], weights: PriorityWeights, now: datetime) -> None:
    """Give lines of the book their priority; `standings` by line id, lines that are not named keep theirs."""
    book.weights = weights
    for line in book.lines.values():
        if (standing := standings.get(line.id or 0)) is not None:
            line.standing = standing
    rank_again(book, [line for line in book.lines.values() if line.standing is not None], now)


def rank_again(book: SkuBook, lines: Iterable[Line], now: datetime) -> None:
    """Bring the priority of lines in step with how they are covered by now."""
    wanted = [line for line in lines if line.standing is not None]
    if not wanted or book.weights is None:
        return
    waiting: dict[int, list[Peg]] = defaultdict(list)
    for peg in book.pegs:
        if peg.line is not None and peg.quantity and peg.kind != PegKind.HARD:
            waiting[id(peg.line)].append(peg)
    delayed = {id(b.line) for b in book.backorders if b.closed_at is None and b.state == BackorderState.DELAYED}
    for line in wanted:
        line.rank = _rank(book, line, waiting[id(line)], id(line) in delayed, now)
        line.priority = line.rank.score


def _rank(book: SkuBook, line: Line, waiting: list[Peg], is_delayed: bool, now: datetime) -> Priority:
    standing, weights = line.standing, book.weights
    assert standing is not None
    assert weights is not None
    units = sum(peg.quantity for peg in waiting)
    unsure = sum(peg.quantity for peg in waiting if _is_unsure(book, peg))
    here = book.today.get(line.location_id or 0, now.date())
    facts = PriorityFacts(
        placed_at=standing.placed_at,
        grade=standing.grade,
        due=line.ship_by or here,
        breach_on=_breach(standing, weights) if units else None,
        is_at_risk=is_delayed or any(is_at_risk(book, peg, weights.at_risk_days) for peg in waiting),
        margin=standing.margin,
        is_preorder=standing.is_preorder,
        completes_order=standing.completes_order,
        times_bumped=line.times_bumped,
        supplier_risk=unsure / units if units else 0.0,
        manual=line.priority if line.is_priority_manual else None,
        today=here,
    )
    return score(facts, weights, now)


def is_at_risk(book: SkuBook, peg: Peg, days: int) -> bool:
    """Does the promise behind this claim fail as things stand?

    Its supply comes after the day it claims, or nothing covers it and that day is `days` away or nearer.
    """
    today = book.today[peg.location_id]
    if peg.supply is not None:
        return peg.supply.effective_date(today) > peg.need_date
    return peg.kind == PegKind.OPEN and (peg.need_date - today).days <= days


def _is_unsure(book: SkuBook, peg: Peg) -> bool:
    """No source, one that is late for the claim, or one that is overdue already."""
    supply, today = peg.supply, book.today[peg.location_id]
    return supply is None or supply.usable_date < today or supply.effective_date(today) > peg.need_date


def _breach(standing: Standing, weights: PriorityWeights) -> date | None:
    """The earliest day on which a contract (by grade) or a law (by country) is broken."""
    days = [
        limit
        for limit in (
            weights.grade_deadline_days.get(standing.grade.upper()),
            weights.country_deadline_days.get((standing.country or "").upper()),
        )
        if limit is not None
    ]
    return (standing.placed_at + timedelta(days=min(days))).date() if days else None


def keep_ranks(books: Iterable[SkuBook], now: datetime) -> None:
    """Store with every backorder that is written the rank its line has now, and what that is made of."""
    for book in books:
        changed = [b for b in book.backorders if b.is_new or b.is_changed]
        rank_again(book, [b.line for b in changed], now)
        for backorder in changed:
            if backorder.line.rank is not None:
                said = {name: backorder.priority[name] for name in _SAID if name in backorder.priority}
                backorder.priority = {**said, **backorder.line.rank.as_json(), "at": now.isoformat()}


_SAID = ("reason", "by", "previous")
"""What a planner's own score brings along."""
