"""Which pools of a snapshot may change at all: one sort by (pool, day) and a running sum instead of a decision each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.domain.repromising.columns import Claims, Events, Ints, Market, packed, sorted_with_order, stable_order
from core.domain.repromising.strategies import CODE, Strategy

_WIN, _GAIN, _REDISTRIBUTE, _FILL, _LOSE, _SKIP = (
    CODE[s] for s in (Strategy.WIN, Strategy.GAIN, Strategy.REDISTRIBUTE, Strategy.FILL, Strategy.LOSE, Strategy.SKIP)
)
NEVER = np.iinfo(np.int32).max
"""A day after all days; days by pool are narrow, since they are looked up for every claim."""


def active_pools(claims: Claims, market: Market) -> NDArray[np.bool_]:
    """Pools in which some promise may change. A pool that is left out keeps every promise under any rank.

    When all claims are on time from sources that come in time, nothing moves. Who is late can only be better off from
    what a Redistribute or Fill has earlier, or when the balance of everything in place is positive just before the day
    on which it is late; without any supply only a Win has to be told so.
    """
    strategy, events, pools = claims.strategy, market.supply, market.pools
    step_strategy = strategy[claims.step_claim]
    step_pool = claims.pool[claims.step_claim]
    moved = step_strategy != _SKIP
    late = np.flatnonzero((claims.step_day > claims.wanted[claims.step_claim]) & moved & (step_strategy != _FILL))
    is_waiting = (strategy != _SKIP) & (claims.open > 0)
    active = np.zeros(pools, bool)
    active[step_pool[((claims.step_source > claims.step_day) & moved) | (step_strategy == _LOSE)]] = True
    active[claims.pool[is_waiting & (claims.open_day < claims.fallback)]] = True
    waiting = np.flatnonzero(is_waiting & (strategy != _FILL))
    active[claims.pool[waiting[strategy[waiting] == _WIN]]] = True
    active[step_pool[late[step_strategy[late] == _WIN]]] = True

    arrives = _first_supply(events, pools)  # nobody is better off before that day
    late = late[arrives[step_pool[late]] < claims.step_day[late]]
    waiting = waiting[arrives[claims.pool[waiting]] <= claims.fallback[waiting]]
    takeable = np.flatnonzero((step_strategy == _REDISTRIBUTE) | (step_strategy == _FILL))
    if len(takeable):
        # (assignment keeps the last: sorted by day, backward, that is the earliest)
        takeable = takeable[stable_order(-claims.step_day[takeable])]
        earliest = np.full(pools, NEVER, np.int32)
        earliest[step_pool[takeable]] = claims.step_day[takeable]
        active[step_pool[late[claims.step_day[late] > earliest[step_pool[late]]]]] = True
        active[claims.pool[waiting[claims.fallback[waiting] >= earliest[claims.pool[waiting]]]]] = True

    late = late[~active[step_pool[late]]]
    waiting = waiting[~active[claims.pool[waiting]]]
    if len(late) or len(waiting):
        _mark_improvable(active, claims, market, late, waiting)
    return active


def _first_supply(events: Events, pools: int) -> NDArray[np.int32]:
    """The first day of each pool on which something arrives; before it the balance is never positive."""
    some = np.flatnonzero(events.quantity > 0)
    some = some[stable_order(-events.day[some])]
    found = np.full(pools, NEVER, np.int32)
    found[events.pool[some]] = events.day[some]
    return found


def _mark_improvable(active: NDArray[np.bool_], claims: Claims, market: Market, late: Ints, waiting: Ints) -> None:
    """Mark pools where the balance is positive just before a late step, or by the day on which a waiting claim counts."""
    step_pool = claims.pool[claims.step_claim]
    candidates = np.zeros(len(active), bool)
    candidates[step_pool[late]] = True
    candidates[claims.pool[waiting]] = True
    fixed, held = market.supply.of(candidates), market.reserved.of(candidates)
    mine = np.flatnonzero(candidates[step_pool])
    skipped = np.flatnonzero((claims.strategy == _SKIP) & (claims.open > 0) & candidates[claims.pool])
    asked = [(step_pool[late], claims.step_day[late]), (claims.pool[waiting], claims.fallback[waiting] + 1)]
    pool = np.concatenate(
        [fixed.pool, held.pool, claims.pool[skipped], step_pool[mine], *(pools for pools, _ in asked)]
    )
    day = np.concatenate(
        [fixed.day, held.day, claims.open_day[skipped], claims.step_day[mine], *(days for _, days in asked)]
    )
    questions = sum(len(pools) for pools, _ in asked)
    quantity = np.concatenate(
        [
            fixed.quantity,
            -held.quantity,
            -claims.open[skipped],
            -claims.step_quantity[mine],
            np.zeros(questions, np.int64),
        ]
    )
    first = int(day.min())
    width = int(day.max()) - first + 1
    key, order = sorted_with_order(packed(pool, day - first, width))
    before = np.cumsum(quantity[order]) - quantity[order]
    is_first = np.diff(key, prepend=-1) != 0
    balance = before[is_first]  # of all that lies before the (pool, day), earlier pools included
    pool_of = key[is_first] // width
    new_pool = np.diff(pool_of, prepend=-1) != 0
    balance -= balance[new_pool][np.cumsum(new_pool) - 1]
    of_event = np.cumsum(is_first) - 1
    is_question = order >= len(pool) - questions
    positive = balance[of_event[is_question]] > 0
    active[pool[order[is_question]][positive]] = True
