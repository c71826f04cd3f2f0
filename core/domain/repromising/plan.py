"""A run's proposal: who gains, who loses, by how many days and why, within the churn budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.network import Network
from core.domain.repromising.arrays import Solution, solve_arrays
from core.domain.repromising.budget import charge
from core.domain.repromising.columns import Claims, Market, stable_order
from core.domain.repromising.effects import Effect, Why
from core.domain.repromising.moves import farthest
from core.domain.repromising.proposal import EFFECTS, WHYS, Plan
from core.domain.repromising.rooms import Rooms
from core.domain.repromising.segments import rank_of, segment_of, strategy_of
from core.domain.repromising.snapshot import Ints, Problem, Ranking, Raw, at_risk_lines, build
from core.domain.repromising.standings import scores
from core.domain.repromising.stepwise import solve_steps
from core.domain.repromising.strategies import CODE, STRATEGIES, Reaction, Strategy
from core.domain.repromising.variant import Variant

Solver = Callable[[Claims, Market, Ranking, Reaction], Solution]
MAX_TURNS = 6
"""Rounds of deciding again after lines had to be spared; what is over the budget even then is given up."""


@dataclass(slots=True)
class _Answer:
    """The present state of the decision: new steps of the claims that change."""

    is_changed: NDArray[np.bool_]
    is_exception: NDArray[np.bool_]
    step_claim: Ints
    step_day: Ints
    step_quantity: Ints
    active: int = 0

    def take_over(self, found: Solution, rows: Ints) -> None:
        """Replace what was found for the claims `rows`, which have been decided again; `found` speaks of their places."""
        is_first = len(rows) == len(self.is_changed)
        changed, exceptions = rows[found.changed], rows[found.exceptions]
        step_claim = rows[found.step_claim]
        self.is_changed[rows] = False
        self.is_exception[rows] = False
        self.is_changed[changed] = True
        self.is_exception[exceptions] = True
        if is_first:
            self.step_claim, self.step_day, self.step_quantity = step_claim, found.step_day, found.step_quantity
        else:
            decided = np.zeros(len(self.is_changed), bool)
            decided[rows] = True
            stays = ~decided[self.step_claim]
            self.step_claim = np.concatenate([self.step_claim[stays], step_claim])
            self.step_day = np.concatenate([self.step_day[stays], found.step_day])
            self.step_quantity = np.concatenate([self.step_quantity[stays], found.step_quantity])
        self.active = max(self.active, found.active_pools)


def make_plan(
    raw: Raw,
    variant: Variant,
    network: Network,
    *,
    spared_orders: Ints | None = None,
    allowed: int | None = -1,
    seed: int = 0,
    solver: Solver = solve_arrays,
) -> Plan:
    """Decide a snapshot under a variant.

    `spared_orders`: those a run has worsened within the window. `allowed`: orders that may still be worsened (None: any
    number; -1: the share of the budget of the orders in this snapshot). Equal inputs and seed give an equal plan.
    """
    facts = raw.facts
    segments = segment_of(facts, variant)
    strategy = strategy_of(segments, variant)
    problem = build(raw, strategy, network, reallocates=variant.reallocates)
    if spared_orders is not None and len(spared_orders):
        spared = np.isin(facts.order[problem.claim_line], spared_orders)
        _spare(problem, spared)
    empty = np.empty(0, np.int64)
    count = len(problem.claim_line)
    answer = _Answer(np.zeros(count, bool), np.zeros(count, bool), empty, empty, empty)
    turns, limit = 0, variant.budget.max_days
    part, market, rows = problem.claims, problem.market, np.arange(count)
    rank = facts_rank(raw, variant, segments, problem)
    while True:
        turns += 1
        found = _decide(raw, problem, part, market, rows, rank, variant.reaction, solver)
        answer.take_over(found, rows)
        far = np.empty(0, np.int64) if limit is None else _too_far(part, found, problem.is_forced[rows], limit)
        if not len(far) or turns == MAX_TURNS:
            break
        mine = np.zeros(count, bool)
        mine[rows[far]] = True
        _spare(problem, mine)
        pools = np.zeros(market.pools, bool)
        pools[part.pool[far]] = True
        pools = _with_their_skus(raw, pools)
        local = np.flatnonzero(pools[part.pool])  # who is decided again is among those who were decided last
        part, market, rows = part.of(local), market.of(pools), rows[local]
        part.strategy = problem.claims.strategy[rows]
    plan = _compare(raw, problem, answer, strategy, segments)
    over = np.zeros(len(plan.line), bool)
    if limit is not None:
        over = (plan.effect == EFFECTS.index(Effect.LOST)) & ~plan.is_forced & (plan.days > limit)
        over &= plan.why != WHYS.index(Why.FREED)
    plan.turns, plan.active_pools = turns, answer.active
    charge(plan, raw, strategy, variant, allowed, seed, over)
    return plan


_INSTEAD = {
    Strategy.LOSE: (Strategy.SKIP, Strategy.SKIP),
    Strategy.FILL: (Strategy.SKIP, Strategy.FILL),  # never gains, spared or not
    **dict.fromkeys((Strategy.IMPROVE, Strategy.REDISTRIBUTE), (Strategy.GAIN, Strategy.IMPROVE)),
}
_SPARED = np.array([[CODE[_INSTEAD.get(s, (s, s))[forced]] for s in STRATEGIES] for forced in (0, 1)], np.int8)
"""Strategy of a line that may not be worsened, by whether its promise is lost anyway and its strategy."""


def facts_rank(raw: Raw, variant: Variant, segments: NDArray[np.int16], problem: Problem) -> Ranking:
    """Places of claim rows by the sorters of the variant."""
    facts, standings = raw.facts, raw.facts.standings
    at_risk = None if standings is None else at_risk_lines(raw, standings.weights.at_risk_days)

    def points(lines: Ints) -> Ints:
        assert standings is not None
        assert at_risk is not None
        where = raw.line_location[lines]
        here = np.where(where < 0, standings.now.date().toordinal(), raw.today[where])
        return scores(standings, lines, raw.line_sku[lines], facts.wanted[lines], at_risk[lines], here)

    def rank(rows: Ints) -> Ints:
        return rank_of(facts, variant, segments, problem.claim_line[rows], points)

    return rank


def _with_their_skus(raw: Raw, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """These pools, and of SKUs with quotas all pools: a quota counts over all locations."""
    found, places = wanted.copy(), len(raw.location_ids)
    for row in raw.rooms:
        mine = slice(row * places, (row + 1) * places)
        found[mine] = wanted[mine].any()
    return found


def _bound_pools(raw: Raw, market: Market) -> NDArray[np.bool_] | None:
    """Pools with quotas, or with protected stock that is not the same for all; None when there are none."""
    if not raw.rooms and not len(market.classed.pool):
        return None
    found, places = np.zeros(market.pools, bool), len(raw.location_ids)
    found[market.classed.pool] = True
    for row in raw.rooms:
        found[row * places : (row + 1) * places] = True
    return found


def _spare(problem: Problem, claims: NDArray[np.bool_]) -> None:
    """These may not be worsened: what they have is theirs. One whose promise is lost anyway keeps what it can."""
    now = problem.claims.strategy
    rows = np.flatnonzero(claims)
    spared = _SPARED[problem.is_forced[rows].astype(np.int64), now[rows]]
    problem.claims.strategy = now.copy()
    problem.claims.strategy[rows] = spared


def _decide(
    raw: Raw,
    problem: Problem,
    claims: Claims,
    market: Market,
    rows: Ints,
    rank: Ranking,
    reaction: Reaction,
    solver: Solver,
) -> Solution:
    """Decide whole pools (`rows` of the problem): those with rules of their own step by step, others by `solver`."""
    bound = _bound_pools(raw, market)

    def ranked(some: Ints) -> Ints:
        return rank(rows[some])

    if bound is None:
        return solver(claims, market, ranked, reaction)
    lines, parts = raw.facts.line[problem.claim_line[rows]], []
    for pools in (bound, ~bound):
        mine = np.flatnonzero(pools[claims.pool])
        part, there = claims.of(mine), market.of(pools)

        def of_part(some: Ints, mine: Ints = mine) -> Ints:
            return ranked(mine[some])

        if pools is bound:
            found = solve_steps(part, there, of_part, reaction, _rooms_by_pool(raw), lines[mine])
        else:
            found = solver(part, there, of_part, reaction)
        parts.append((mine, found))
    return Solution(
        np.concatenate([mine[found.changed] for mine, found in parts]),
        np.concatenate([mine[found.step_claim] for mine, found in parts]),
        np.concatenate([found.step_day for _, found in parts]),
        np.concatenate([found.step_quantity for _, found in parts]),
        np.sort(np.concatenate([mine[found.exceptions] for mine, found in parts])),
        sum(found.active_pools for _, found in parts),
    )


def _rooms_by_pool(raw: Raw) -> dict[int, Rooms]:
    """Fresh ones, shared by the pools of a SKU."""
    places = len(raw.location_ids)
    fresh = {row: rooms.copy() for row, rooms in raw.rooms.items()}
    return {row * places + place: rooms for row, rooms in fresh.items() for place in range(places)}


def _too_far(claims: Claims, found: Solution, is_forced: NDArray[np.bool_], limit: int) -> Ints:
    """Claims that would move back by more days than the budget allows, though their promise could be kept."""
    changed = np.sort(found.changed)
    rows = changed[~is_forced[changed] & (claims.strategy[changed] != CODE[Strategy.LOSE])]
    chosen = np.zeros(len(claims.pool), bool)
    chosen[rows] = True
    old, new = np.flatnonzero(chosen[claims.step_claim]), np.flatnonzero(chosen[found.step_claim])
    old_place, new_place = np.searchsorted(rows, claims.step_claim[old]), np.searchsorted(rows, found.step_claim[new])
    covered = np.bincount(new_place, found.step_quantity[new], len(rows)).astype(np.int64)
    every = np.arange(len(rows))
    before = (
        np.concatenate([old_place, every]),
        np.concatenate([claims.step_day[old], claims.open_day[rows]]),
        np.concatenate([claims.step_quantity[old], claims.open[rows]]),
    )
    after = (
        np.concatenate([new_place, every]),
        np.concatenate([found.step_day[new], claims.fallback[rows]]),
        np.concatenate([found.step_quantity[new], claims.quantity[rows] - covered]),
    )
    return rows[farthest(before, after, len(rows))[0] > limit]


def _compare(
    raw: Raw,
    problem: Problem,
    answer: _Answer,
    strategy: NDArray[np.int8],
    segments: NDArray[np.int16],
) -> Plan:
    """Lines that change or are exceptions, with all their claims before and after."""
    claims = problem.claims
    touched = np.zeros(len(raw.facts), bool)
    touched[problem.claim_line[answer.is_changed | answer.is_exception]] = True
    lines = np.flatnonzero(touched)
    number = raw.facts.line[lines]
    lines = lines[np.argsort(raw.line_sku[lines] * (int(number.max(initial=0)) + 1) + number)]
    entry_of = np.full(len(raw.facts), -1, np.int64)
    entry_of[lines] = np.arange(len(lines))
    rows = np.flatnonzero(touched[problem.claim_line])
    steps = np.flatnonzero(touched[problem.step_line])
    is_changed = answer.is_changed[rows]

    old_claim, old_open = claims.step_claim[steps], rows[claims.open[rows] > 0]
    stays, open_stays = ~answer.is_changed[old_claim], ~answer.is_changed[old_open]
    place = np.empty(len(claims.pool), np.int64)
    place[rows] = np.arange(len(rows))
    covered = np.bincount(place[answer.step_claim], answer.step_quantity, len(rows)).astype(np.int64)
    left = claims.quantity[rows] - covered
    new_open = np.flatnonzero(is_changed & (left > 0))
    days, units = claims.step_day[steps], claims.step_quantity[steps]
    claim = np.concatenate(
        [old_claim, old_open, old_claim[stays], old_open[open_stays], answer.step_claim, rows[new_open]]
    )
    day = np.concatenate(
        [
            days,
            claims.open_day[old_open],
            days[stays],
            claims.open_day[old_open[open_stays]],
            answer.step_day,
            claims.fallback[rows[new_open]],
        ]
    )
    quantity = np.concatenate(
        [
            units,
            claims.open[old_open],
            units[stays],
            claims.open[old_open[open_stays]],
            answer.step_quantity,
            left[new_open],
        ]
    )
    lengths = [len(old_claim), len(old_open), int(stays.sum()), int(open_stays.sum()), len(answer.step_claim)]
    sourced = np.repeat([True, False, True, False, True, False], [*lengths, len(new_open)])
    in_time = claims.step_source[steps] <= days
    sourced[: len(in_time)] = in_time
    sourced[lengths[0] + lengths[1] :][: lengths[2]] = in_time[stays]
    is_after = np.repeat([False, False, True, True, True, True], [*lengths, len(new_open)])
    entry = entry_of[problem.claim_line[claim]]

    count = len(lines)
    side = is_after * count + entry
    by_day = stable_order(day)
    complete = np.zeros(2 * count, np.int64)
    complete[side[by_day]] = day[by_day]  # the latest is written last
    unit_days = np.bincount(side, (day - raw.facts.today) * quantity, 2 * count).astype(np.int64)
    moved_by = complete[count:] - complete[:count]
    shift = np.where(moved_by != 0, moved_by, unit_days[count:] - unit_days[:count])
    old, new = np.flatnonzero(~is_after), np.flatnonzero(is_after)
    back, forward = farthest((entry[old], day[old], quantity[old]), (entry[new], day[new], quantity[new]), count)
    of_row = entry_of[problem.claim_line[rows]]
    forced, excepted, changed = np.zeros(count, bool), np.zeros(count, bool), np.zeros(count, bool)
    forced[of_row[problem.is_forced[rows]]] = True
    excepted[of_row[answer.is_exception[rows]]] = True
    changed[of_row[is_changed]] = True

    effect = np.where(shift > 0, EFFECTS.index(Effect.LOST), EFFECTS.index(Effect.GAINED)).astype(np.int8)
    effect[~changed] = EFFECTS.index(Effect.EXCEPTION)
    why = _reasons(raw, lines, strategy, effect, forced, excepted)
    return Plan(
        lines,
        effect,
        why,
        np.where(effect == EFFECTS.index(Effect.LOST), back, forward),
        forced & (effect != EFFECTS.index(Effect.GAINED)),
        ~changed,
        entry,
        claims.pool[claim] % len(raw.location_ids),
        day,
        quantity,
        sourced,
        is_after,
        segments,
    )


def _reasons(
    raw: Raw,
    lines: Ints,
    strategy: NDArray[np.int8],
    effect: NDArray[np.int8],
    forced: NDArray[np.bool_],
    excepted: NDArray[np.bool_],
) -> NDArray[np.int8]:
    mine = strategy[lines]
    lost = effect == EFFECTS.index(Effect.LOST)
    chosen = np.zeros(len(raw.sku_ids), bool)
    chosen[raw.line_sku[lines[lost & ~forced]]] = True
    taken = chosen[raw.line_sku[lines]]
    cases: list[tuple[NDArray[np.bool_], Why]] = [
        (mine == CODE[Strategy.LOSE], Why.FREED),
        (excepted & (effect == EFFECTS.index(Effect.EXCEPTION)) & ~forced, Why.NO_SUPPLY),
        ((lost | excepted) & forced, Why.SUPPLY_LATE),
        (lost, Why.OUTRANKED),
        (mine == CODE[Strategy.WIN], Why.WON),
        (taken, Why.PRIORITY),
    ]
    return np.select(
        [condition for condition, _ in cases],
        [np.full(len(lines), WHYS.index(why), np.int8) for _, why in cases],
        np.int8(WHYS.index(Why.SUPPLY_FREE)),
    ).astype(np.int8)
