"""Search of other places for the late part of a line: taken only where it brings the goods earlier."""

from __future__ import annotations

import copy
from dataclasses import replace

from core.domain.book import SkuBook
from core.domain.conclude import conclude
from core.domain.network import Network
from core.domain.promising import Demand, Proposal, ProposedSlice, commit, propose
from core.domain.records import Line, Peg
from core.domain.states import PegKind, PromiseReason


def search_sites(book: SkuBook, network: Network, line: Line, demand: Demand) -> int:
    """Cover late claims of a line anew from every place that can serve it; returns the units that come earlier.

    `demand.quantity` is ignored. Claims that nothing better is found for keep their source and day; promises of others,
    holds and protected stock stay untouched.
    """
    late = _late(book, line)
    if not late or not _may_gain(book, network, demand):
        return 0
    asked = replace(demand, quantity=sum(peg.quantity for peg in late))
    trial, of_line = copy.deepcopy((book, line))
    for peg in _late(trial, of_line):
        trial.drop_peg(peg)
    proposal = propose(trial, asked, network, book.now)
    better = _better(late, [part for part in proposal.slices if part.kind != "LEAD_TIME"])
    if not better:
        return 0
    for peg, part in better:
        book.drop_peg(peg, part.quantity)
    parts = [part for _, part in better]
    commit(book, line, Proposal(parts, line.location_id, line.ship_by), PromiseReason.ALLOCATED)
    conclude(book, network, [line], PromiseReason.ALLOCATED)
    return sum(part.quantity for part in parts)


def _late(book: SkuBook, line: Line) -> list[Peg]:
    return [peg for peg in book.pegs_of(line) if peg.kind != PegKind.HARD and book.is_late(line, peg)]


def _may_gain(book: SkuBook, network: Network, demand: Demand) -> bool:
    places = {*demand.sources, *(donor for place in demand.sources for donor in network.donors(place))}
    return any(book.level(place).available > 0 for place in places) or any(
        supply.unpegged > 0 and supply.location_id in places for supply in book.supplies
    )


def _better(late: list[Peg], parts: list[ProposedSlice]) -> list[tuple[Peg, ProposedSlice]]:
    """Which claim each part of a proposal takes the place of: the least certain and latest first, never for a later day."""
    claims = sorted(late, key=lambda peg: (peg.kind == PegKind.OPEN, peg.need_date), reverse=True)
    left = [peg.quantity for peg in claims]
    found: list[tuple[Peg, ProposedSlice]] = []
    for part in sorted(parts, key=lambda part: part.ship_date):
        rest = part.quantity
        for index, peg in enumerate(claims):
            is_better = part.ship_date < peg.need_date or (peg.kind == PegKind.OPEN and part.ship_date <= peg.need_date)
            units = min(rest, left[index]) if is_better else 0
            if units > 0:
                found.append((peg, replace(part, quantity=units)))
                left[index] -= units
                rest -= units
    return found
