"""Search of other places for the late part of a line: taken only where it brings the goods earlier."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from core.domain.book import SkuBook
from core.domain.conclude import conclude
from core.domain.network import Network
from core.domain.promising import Demand, Proposal, ProposedSlice, commit, propose
from core.domain.quotas import may_serve, move_use
from core.domain.records import Line, Peg
from core.domain.states import PegKind, PromiseReason
from core.domain.trial import Trial


class SiteSearch:
    """The search in one book. What was tried in vain is not tried again before the book changes by a find.

    Whoever changes the book otherwise makes a new one.
    """

    def __init__(self, book: SkuBook, network: Network) -> None:
        self.book, self.network = book, network
        self._trial: Trial | None = None
        self._in_vain: set[tuple[object, ...]] = set()
        self._early: dict[int, date] | None = None

    def search(self, line: Line, demand: Demand) -> int:
        """Cover late claims of a line anew from every place that can serve it; returns the units that come earlier.

        `demand.quantity` is ignored. Claims that nothing better is found for keep their source and day; promises of
        others, holds and protected stock stay untouched. Each claim is judged against what the line's other claims
        leave: a line that took its own sources from itself would never come to rest.
        """
        book, network = self.book, self.network
        places = {*demand.sources, *(donor for place in demand.sources for donor in network.donors(place))}
        gained = 0
        for peg in sorted(_late(book, line), key=lambda peg: (peg.kind == PegKind.OPEN, peg.need_date), reverse=True):
            may_gain = peg.quantity > 0 and self._may_gain(places, peg)
            parts = self._better_parts(line, peg, demand) if may_gain else []
            if parts:
                _take(book, line, peg, parts)
                gained += sum(part.quantity for part in parts)
                self._trial = self._early = None
                self._in_vain.clear()
        if gained:
            conclude(book, network, [line], PromiseReason.ALLOCATED)
        return gained

    def _may_gain(self, places: set[int], peg: Peg) -> bool:
        """Could units that nobody claims be there before its day: what can never be needs no trial.

        What nobody claims may come later, if somebody else can wait for it. Its own supply does not count: whether that pulls
        its day in is said by the policy of moves (`late_pegs.MovePolicy`).
        """
        book = self.book
        if any(book.level(place).available > 0 for place in places):
            return True
        early = self._early = _early(book) if self._early is None else self._early
        days = [
            min(supply.effective_date(book.today[supply.location_id]), early.get(supply.location_id, date.max))
            for supply in book.supplies
            if supply.unpegged > 0 and supply.location_id in places
        ]
        first = min(days, default=None)
        return first is not None and (first < peg.need_date or (peg.kind == PegKind.OPEN and first == peg.need_date))

    def _better_parts(self, line: Line, peg: Peg, demand: Demand) -> list[ProposedSlice]:
        """What should take the place of a claim, tried in a copy; nothing that would leave units without a source."""
        question = (
            peg.location_id, peg.need_date, peg.quantity, peg.kind, id(peg.supply), demand.destination_id,
            demand.requested_date, tuple(demand.sources), demand.lead_time_days, demand.demand_class, demand.min_life,
        )  # fmt: skip
        if question in self._in_vain:
            return []
        tried = self._trial = self._trial or Trial(self.book)
        trial, of_line, claim = tried.book, tried.of(line), tried.of(peg)
        supply, units = claim.supply, claim.quantity
        trial.drop_peg(claim)
        proposal = propose(trial, replace(demand, quantity=units), self.network, self.book.now)
        better = _better(peg, [part for part in proposal.slices if part.kind != "LEAD_TIME"])
        if not better:
            self._in_vain.add(question)
        parts = _allowed(self.book, peg, better)
        cause = claim.cause
        back = trial.add_peg(peg.location_id, peg.need_date, units, peg.kind, line=of_line, supply=supply, cause=cause)
        assert back is not None
        if not parts and back.quantity == units:
            tried.stands_for(peg, back)
            return []
        self._trial = None
        before = _unsourced(trial, of_line) - (sum(part.quantity for part in parts) if peg.kind == PegKind.OPEN else 0)
        _take(trial, of_line, back, parts)
        return parts if _unsourced(trial, of_line) <= before else []


def _take(book: SkuBook, line: Line, peg: Peg, parts: list[ProposedSlice]) -> None:
    book.drop_peg(peg, sum(part.quantity for part in parts))
    commit(book, line, Proposal(parts, line.location_id, line.ship_by), PromiseReason.ALLOCATED)
    for part in parts:
        move_use(book, line, _day(book, part))


def _allowed(book: SkuBook, peg: Peg, parts: list[ProposedSlice]) -> list[ProposedSlice]:
    """As much of the parts, the first first, as the quotas of their line let it have before the day of the claim."""
    found, left = [], peg.quantity
    for part in parts:
        left = min(left, may_serve(book, peg, _day(book, part)) - sum(other.quantity for other in found))
        if left > 0:
            found.append(replace(part, quantity=min(left, part.quantity)))
    return found


def _day(book: SkuBook, part: ProposedSlice) -> date:
    """The day that a part claims."""
    return book.today[part.location_id] if part.kind == "ON_HAND" else part.ship_date


def _unsourced(book: SkuBook, line: Line) -> int:
    return sum(peg.quantity for peg in book.pegs_of(line) if peg.kind == PegKind.OPEN)


def _late(book: SkuBook, line: Line) -> list[Peg]:
    waiting = [peg for peg in book.pegs_of(line) if peg.kind != PegKind.HARD and not book.waits_for_quota(peg)]
    return [peg for peg in waiting if book.is_late(line, peg)]


def _early(book: SkuBook) -> dict[int, date]:
    """By place, the first day on which units come that who has them could wait for."""
    found: dict[int, date] = {}
    for peg in book.pegs:
        if peg.supply is not None:
            day = peg.supply.effective_date(book.today[peg.location_id])
            if day < peg.need_date:
                found[peg.location_id] = min(day, found.get(peg.location_id, day))
    return found


def _better(peg: Peg, parts: list[ProposedSlice]) -> list[ProposedSlice]:
    """The parts of a proposal that come before the day of the claim; any source by that day is better than none."""
    is_open = peg.kind == PegKind.OPEN
    return [part for part in parts if part.ship_date < peg.need_date or (is_open and part.ship_date == peg.need_date)]
