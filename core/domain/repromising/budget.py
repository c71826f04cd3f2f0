"""The churn budget: which SKUs of a proposal are given up so that no more orders are worsened than it allows."""

from __future__ import annotations

from math import floor

import numpy as np
from numpy.typing import NDArray

from core.domain.repromising.effects import Effect, Why
from core.domain.repromising.proposal import EFFECTS, WHYS, Plan
from core.domain.repromising.snapshot import Raw, distinct
from core.domain.repromising.strategies import CODE, Strategy
from core.domain.repromising.variant import Variant


def charge(
    plan: Plan,
    raw: Raw,
    strategy: NDArray[np.int8],
    variant: Variant,
    allowed: int | None,
    seed: int,
    over: NDArray[np.bool_],
) -> None:
    """Give up SKUs until no more orders are worsened than the budget allows.

    A SKU is kept or given up whole: what one line gains another loses. Those that do most good per order worsened are
    kept first; ties go by a number drawn from the seed. What LOSE frees is what the planner wants, and not charged.
    """
    facts = raw.facts
    in_run = (strategy != CODE[Strategy.SKIP]) & facts.is_served
    plan.orders_in_run = len(distinct(facts.order[in_run]))
    share = variant.budget.worsened_share
    plan.allowed = allowed if allowed != -1 else None if share is None else floor(share * plan.orders_in_run + 1e-9)
    sku = raw.line_sku[plan.line]
    dropped_skus = np.zeros(len(raw.sku_ids), bool)
    dropped_skus[sku[over]] = True
    lost = (plan.effect == EFFECTS.index(Effect.LOST)) & ~plan.is_forced & (plan.why != WHYS.index(Why.FREED))
    if plan.allowed is not None:
        _keep_best(plan, raw, lost, dropped_skus, seed)
    plan.is_dropped |= dropped_skus[sku]
    plan.worsened = len(distinct(facts.order[plan.line[lost & ~plan.is_dropped]]))


def _keep_best(plan: Plan, raw: Raw, lost: NDArray[np.bool_], dropped: NDArray[np.bool_], seed: int) -> None:
    sku, order = raw.line_sku[plan.line], raw.facts.order[plan.line]
    live = lost & ~dropped[sku]
    if plan.allowed is None or len(distinct(order[live])) <= plan.allowed:
        return
    count = len(raw.sku_ids)
    gained = np.bincount(sku, np.maximum(-plan.days, 0) + (plan.effect == 0), count)
    losers = np.bincount(sku[live], minlength=count)
    drawn = np.random.default_rng([seed, count]).permutation(count)
    found = np.flatnonzero(losers)
    ranking = found[np.lexsort((drawn[found], -gained[found] / losers[found]))]
    by_sku: dict[int, set[int]] = {}
    for where, order_id in zip(sku[live].tolist(), order[live].tolist(), strict=True):
        by_sku.setdefault(where, set()).add(order_id)
    worsened: set[int] = set()
    for where in ranking.tolist():
        if len(worsened | by_sku[where]) <= plan.allowed:
            worsened |= by_sku[where]
        else:
            dropped[where] = True
