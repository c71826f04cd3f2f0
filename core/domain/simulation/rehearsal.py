"""A re-promising run inside a scenario: what decides and publishes live, on the books as the scenario has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.repromising.books import Gathered
from core.domain.repromising.effects import Effect
from core.domain.repromising.plan import make_plan
from core.domain.repromising.proposal import Change, Plan, summary_of
from core.domain.repromising.publish import apply, moved_parts
from core.domain.repromising.segments import NO_DAY, Facts
from core.domain.repromising.snapshot import Ints
from core.domain.repromising.variant import Variant
from core.domain.simulation.overlay import PriorityRule, Scenario
from core.domain.states import BackorderState

NO_RUN = 0
"""Nothing of it is kept, so that it needs no number."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a variant asks of the open lines of the snapshot."""

    facts: Facts
    location_ids: Ints
    line_location: Ints
    line_destination: Ints
    spared_orders: Sequence[int]


class Rehearsal:
    """Look at every book under the scenario, decide over all of them, then carry the proposal out book by book."""

    def __init__(self, scenario: Scenario, variant: Variant, read: Read, sku_ids: Sequence[int]) -> None:
        self._scenario, self._variant, self._spared = scenario, variant, read.spared_orders
        facts = replace(read.facts, promised=read.facts.promised.copy(), is_late=read.facts.is_late.copy())
        if facts.standings is not None:
            facts.standings = replace(
                facts.standings, given=_scored(scenario, facts), is_delayed=facts.standings.is_delayed.copy()
            )
        self._facts = facts
        self._gathered = Gathered(sku_ids, facts, read.location_ids, read.line_location, read.line_destination)
        self._changes: dict[int, list[Change]] = defaultdict(list)
        self.summary: dict[str, Any] = {}

    def look(self, book: SkuBook, lead_days: int, supplier_id: int | None) -> None:
        """Take in a book over which the scenario has been laid."""
        self._gathered.add(book, max(0, lead_days + self._scenario.lead_days(book.sku_id, supplier_id)))
        facts, row_of = self._facts, self._gathered.line_row
        for line in book.lines.values():
            row = row_of.get(line.id or 0)
            if row is None:
                continue
            told = line.promised.toordinal() if line.promised is not None else NO_DAY
            facts.promised[row] = told
            asked = int(facts.requested[row]) or facts.today
            facts.is_late[row] = told > 0 and told > asked
        if facts.standings is not None:
            for backorder in book.backorders:
                row = row_of.get(backorder.line.id or 0)
                if row is not None and backorder.closed_at is None and backorder.state == BackorderState.DELAYED:
                    facts.standings.is_delayed[row] = True

    def decide(self, network: Network, seed: int) -> None:
        """What the run would propose over everything it has looked at, within its budget."""
        raw = self._gathered.raw()
        spared = np.array(sorted(self._spared), np.int64)
        plan: Plan = make_plan(raw, self._variant, network, spared_orders=spared, seed=seed)
        for change in plan.changes(raw, self._variant):
            if not change.is_dropped and change.effect is not Effect.EXCEPTION:
                self._changes[change.sku_id].append(change)
        self.summary = summary_of(plan)
        del self._gathered

    def carry_out(self, book: SkuBook, network: Network) -> None:
        """Publish on a book what was decided for its SKU."""
        mine: Collection[Change] = self._changes.get(book.sku_id, ())
        if mine:
            apply(
                book,
                network,
                NO_RUN,
                {c.line_id: moved_parts(c.before, c.after) for c in mine},
                {c.line_id: {"effect": str(c.effect), "why": str(c.why)} for c in mine},
                reallocates=self._variant.reallocates,
            )


def _scored(scenario: Scenario, facts: Facts) -> Ints:
    """Scores of planners, with those that the scenario gives to grades of customers."""
    assert facts.standings is not None
    given, grades = facts.standings.given.copy(), [name.upper() for name in facts.standings.grades]
    for change in scenario.changes:
        if isinstance(change, PriorityRule):
            chosen = np.array([name == change.grade.upper() for name in grades] or [False])
            given[chosen[facts.standings.grade]] = change.score
    return given
