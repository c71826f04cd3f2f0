"""What moves demand besides chance: season, holidays, promotions, price and imported series, as factors per week.

Factors are learned from the past of similar items together and used only where they win a backtest: elsewhere they are 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

RIDGE = 2.0
RECENT = 8
"""Weeks that the level before an origin is the mean of."""
BLOCKS = 6
"""Backtest origins, `BLOCK` weeks apart."""
BLOCK = 4
MUST_SAVE = 0.03
"""Share of the squared errors that factors must save to be used."""
FEWEST_WEEKS = 20
SEASON_WEEKS = 60
"""Below this a year has not been seen: no yearly season."""
FACTOR_RANGE = (0.2, 5.0)
LIFT_UNITS = 20.0
"""Units that "promotions change nothing" weighs as much as."""
ELASTICITY_RANGE = (-4.0, 0.0)
PRICE_PRIOR = 1.0
"""Precision of "prices change nothing"."""
CLUSTERS, CLUSTER_NEEDS = 6, 40
"""Groups of items that move alike, and items with which a group is worth looking at."""


@dataclass(frozen=True)
class Drivers:
    """Columns over the known weeks and the ones ahead. `common` by name: one figure a week for all items (0 is usual).

    `promoted` (share of a week in which an item is promoted) and `price` (log of price over its usual one) have a row per
    item; None where nothing is known of them.
    """

    common: dict[str, Floats] = field(default_factory=dict)
    promoted: Floats | None = None
    price: Floats | None = None


@dataclass(frozen=True)
class Factors:
    """`by_week` has a row per item and a column per known week and week ahead; `used` names what won, by share of items."""

    by_week: Floats
    used: dict[str, float]
    lift: float = 1.0
    """What a promotion multiplies demand by."""
    elasticity: float = 0.0
    """Percent of demand per percent of price."""


def yearly_waves(weeks_from_start: Floats, count: int = 2) -> dict[str, Floats]:
    """Sine and cosine of one and two waves a year, by name."""
    turn = 2 * np.pi * weeks_from_start / 52.1775
    return {
        f"season {kind}{number}": wave(number * turn)
        for number in range(1, count + 1)
        for kind, wave in (("sin", np.sin), ("cos", np.cos))
    }


def learn_factors(units: Floats, drivers: Drivers, seed: int = 1) -> Factors:
    """Factors of each week of each item; `units` has a row per item, a column per known week, NaN unknown.

    Common drivers are judged group by group on what the next four weeks brought, against a level alone; a group for
    which they do not win is asked again as part of the whole. Promotions and price are judged by leaving out each week
    they moved. Nothing is taken that does not save `MUST_SAVE` of the squared errors.
    """
    weeks = units.shape[1]
    names = [name for name in drivers.common if not name.startswith("season") or weeks >= SEASON_WEEKS]
    ahead = max([column.size for column in drivers.common.values()] + _widths(drivers), default=weeks)
    factors = np.ones((len(units), max(ahead, weeks)))
    used: dict[str, float] = {}
    if names and weeks >= FEWEST_WEEKS and len(units):
        columns = np.stack([drivers.common[name] for name in names])
        whole = _winning(units, columns, weeks)
        for group in move_alike(units, seed):
            found = _winning(units[group], columns, weeks)
            found = whole if found is None else found
            if found is not None:
                factors[group] *= found
                used["calendar"] = used.get("calendar", 0.0) + len(group) / len(units)
    lift, elasticity = 1.0, 0.0
    if drivers.promoted is not None:
        lift = promotion_lift(units / factors[:, :weeks], drivers.promoted[:, :weeks])
        if lift != 1.0:
            factors *= 1 + (lift - 1) * drivers.promoted
            used["promotion"] = float((drivers.promoted > 0).any(axis=1).mean())
    if drivers.price is not None:
        elasticity = price_elasticity(units / factors[:, :weeks], drivers.price[:, :weeks])
        if elasticity:
            factors *= np.exp(elasticity * drivers.price)
            used["price"] = float((drivers.price != 0).any(axis=1).mean())
    return Factors(np.clip(factors, *FACTOR_RANGE), used, lift, elasticity)


def _widths(drivers: Drivers) -> list[int]:
    return [rows.shape[1] for rows in (drivers.promoted, drivers.price) if rows is not None]


def _winning(units: Floats, columns: Floats, weeks: int) -> Floats | None:
    """Factors of the summed demand of these items where they win the backtest, else None."""
    total = np.nansum(units, axis=0)
    known: NDArray[np.bool_] = np.asarray((~np.isnan(units)).any(axis=0))
    with_factors = without = 0.0
    judged = 0
    for number in range(BLOCKS):
        origin = weeks - BLOCK * (number + 1)
        if origin < FEWEST_WEEKS:
            break
        after = np.flatnonzero(known[origin : origin + BLOCK]) + origin
        if not len(after):
            continue
        factor = _fit(total[:origin], known[:origin], columns)
        recent = np.flatnonzero(known[:origin])[-RECENT:]
        plain, level = total[recent].mean(), (total[recent] / factor[recent]).mean()
        without += float(((total[after] - plain) ** 2).sum())
        with_factors += float(((total[after] - level * factor[after]) ** 2).sum())
        judged += 1
    if judged < 2 or with_factors > (1 - MUST_SAVE) * without:
        return None
    return _fit(total, known, columns)


def _fit(total: Floats, known: NDArray[np.bool_], columns: Floats) -> Floats:
    """Ridge regression of log demand on the columns beside a level and a trend; the factor of every week of `columns`."""
    count = len(total)
    weeks = np.flatnonzero(known)
    basis = np.concatenate([np.ones((1, count)), (np.arange(count) / max(count, 1))[None, :], columns[:, :count]])[
        :, weeks
    ].T
    penalty = np.diag([0.0, 0.1] + [RIDGE] * len(columns))
    says = np.linalg.solve(basis.T @ basis + penalty, basis.T @ np.log(total[weeks] + 1))
    return np.clip(np.exp(columns.T @ says[2:]), *FACTOR_RANGE)


def move_alike(units: Floats, seed: int = 1, rounds: int = 12) -> list[Places]:
    """Groups of items whose demand rises and falls together (k-means over months' shares of an item's demand).

    Items with little demand are in the group of the whole's shape. Always a partition; one group where items are few.
    """
    months = units.shape[1] // BLOCK
    everyone = [np.arange(len(units))]
    if len(units) < 2 * CLUSTER_NEEDS or months < 4:
        return everyone
    shape = np.nansum(units[:, units.shape[1] - months * BLOCK :].reshape(len(units), months, BLOCK), axis=2)
    total = shape.sum(axis=1)
    heavy = np.flatnonzero((total >= 4 * months) & (~np.isnan(units)).sum(axis=1).__ge__(units.shape[1] * 0.8))
    if len(heavy) < 2 * CLUSTER_NEEDS:
        return everyone
    share = shape[heavy] / total[heavy, None]
    random = np.random.default_rng(seed)
    count = min(CLUSTERS, len(heavy) // CLUSTER_NEEDS)
    centres = share[random.choice(len(heavy), count, replace=False)]
    nearest = np.zeros(len(heavy), dtype=np.int64)
    for _ in range(rounds):
        nearest = ((share[:, None, :] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        centres = np.stack(
            [share[nearest == n].mean(axis=0) if (nearest == n).any() else centres[n] for n in range(count)]
        )
    groups = [heavy[nearest == n] for n in range(count)]
    kept = [group for group in groups if len(group) >= CLUSTER_NEEDS]
    rest = np.setdiff1d(np.arange(len(units)), np.concatenate(kept)) if kept else everyone[0]
    return [*kept, rest] if len(rest) else kept


def promotion_lift(units: Floats, promoted: Floats) -> float:
    """What promotions multiply demand by, over all items: units sold over units usual without them, drawn to 1.

    1 where leaving out each promoted week shows that the lift of the others does not say more of it than nothing.
    """
    usual = _mean(np.where(promoted > 0, np.nan, units))
    rows, weeks = np.nonzero((promoted > 0.5) & ~np.isnan(units) & (usual[:, None] > 0))
    if len(rows) < 4:
        return 1.0
    sold, expected = units[rows, weeks], usual[rows]
    with_others = (sold.sum() - sold + LIFT_UNITS) / (expected.sum() - expected + LIFT_UNITS)
    saved = 1 - ((sold - with_others * expected) ** 2).sum() / max(((sold - expected) ** 2).sum(), 1e-9)
    return (
        float(np.clip((sold.sum() + LIFT_UNITS) / (expected.sum() + LIFT_UNITS), *FACTOR_RANGE))
        if saved > MUST_SAVE
        else 1.0
    )


def price_elasticity(units: Floats, price: Floats) -> float:
    """Percent of demand per percent of price over all items (Poisson regression through the usual demand), where the half
    of the weeks it was not learned from says more for it than for nothing; else 0."""
    usual = _mean(np.where(np.abs(price) > 0.01, np.nan, units))
    rows, weeks = np.nonzero((np.abs(price) > 0.01) & ~np.isnan(units) & (usual[:, None] > 0.5))
    if len(rows) < 8:
        return 0.0
    moved, sold, expected = price[rows, weeks], units[rows, weeks], usual[rows]
    without = with_price = 0.0
    for half in (0, 1):
        judged = np.arange(len(rows)) % 2 == half
        told = _elasticity(moved[~judged], sold[~judged], expected[~judged])
        with_price += float(((sold - expected * np.exp(told * moved)) ** 2)[judged].sum())
        without += float(((sold - expected) ** 2)[judged].sum())
    return _elasticity(moved, sold, expected) if with_price < (1 - MUST_SAVE) * without else 0.0


def _elasticity(moved: Floats, sold: Floats, expected: Floats) -> float:
    """Newton's steps to the most likely elasticity, drawn to 0 by PRICE_PRIOR."""
    found = 0.0
    for _ in range(25):
        said = expected * np.exp(found * moved)
        slope = float((moved * (sold - said)).sum()) - PRICE_PRIOR * found
        found += slope / (float((moved**2 * said).sum()) + PRICE_PRIOR)
        found = float(np.clip(found, *ELASTICITY_RANGE))
    return found


def _mean(units: Floats) -> Floats:
    known = ~np.isnan(units)
    return np.where(known, units, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


START = 4
"""Weeks of an item's own at which how similar ones began has as much say; it is judged on as many weeks after them."""


def new_items(units: Floats, groups: Sequence[object]) -> Floats:
    """Units a week of items known for less than twice START weeks, drawn to how others of their group began; NaN for the
    others, and for all where that does not save `MUST_SAVE` of the squared errors of older items' own first weeks."""
    known = ~np.isnan(units)
    count, first = known.sum(axis=1), known.argmax(axis=1)
    nothing = np.full(len(units), np.nan)
    young = np.flatnonzero((count < 2 * START) & (count > 0))
    old = np.flatnonzero((count >= 2 * START) & (first > 0))
    if not len(young) or len(old) < CLUSTER_NEEDS:
        return nothing
    weeks = np.arange(START)
    early = np.nanmean(_padded(units)[old[:, None], first[old, None] + weeks], axis=1)
    later = np.nanmean(_padded(units)[old[:, None], first[old, None] + START + weeks], axis=1)
    starts: dict[object, list[float]] = {}
    for row, began in zip(old.tolist(), early.tolist(), strict=True):
        starts.setdefault(groups[row], []).append(began)
    whole = float(np.nanmedian(early))
    usual = {group: float(np.nanmedian(began)) for group, began in starts.items() if len(began) >= 5}
    told = np.array([usual.get(groups[row], whole) for row in old.tolist()])
    judged = ~np.isnan(early) & ~np.isnan(later)
    own = ((later - early)[judged] ** 2).sum()
    if ((later - (early + told) / 2)[judged] ** 2).sum() > (1 - MUST_SAVE) * own:
        return nothing
    says = count[young] / (count[young] + START)
    nothing[young] = says * _mean(units[young]) + (1 - says) * np.array(
        [usual.get(groups[row], whole) for row in young.tolist()]
    )
    return nothing


def _padded(units: Floats) -> Floats:
    """With unknown weeks behind, so that a start near the end can be read."""
    return np.hstack([units, np.full((len(units), 2 * START), np.nan)])
