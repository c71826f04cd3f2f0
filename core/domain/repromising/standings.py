"""The live priority of many lines at once: the score of `core.domain.priority`, judged as a run has to judge.

A run may take from each line what it has, so that what it has speaks neither for nor against it: a line is due when it
asked to leave (today when it asked for at once), its deadline counts whether it waits or not, and no source is no
risk. That its promise fails as things stand is a fact of its claims and lifts it (`Tier.AT_RISK`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from core.domain.priority import COMPONENTS, SCALE, TIER_RANK, TIER_STEP, PriorityWeights, Tier
from core.domain.repromising.columns import Ints

EPOCH = date(2000, 1, 1).toordinal()
"""Instants are microseconds since the beginning of this day, UTC."""
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_HALF = 1e-4
Floats = NDArray[np.float64]


@dataclass(slots=True)
class Standings:
    """What speaks for each line besides its claims: one row per line, but `margin` and `is_preorder` per SKU."""

    now: datetime
    """Ages count to here: the end of the day, so that runs of a day that find equal facts propose the same."""
    weights: PriorityWeights
    given: Ints
    """A planner's own score; -1 less the times it was bumped for lines without one."""
    placed: Ints
    """Microseconds since `EPOCH`."""
    grade: Ints
    grades: list[str]
    country: Ints | None
    """Number of the country in `countries`; None where no law of a country counts."""
    countries: list[str]
    completes: NDArray[np.bool_]
    """Nothing else of its order waits."""
    is_delayed: NDArray[np.bool_]
    """Its customer had to be told a later day."""
    margin: Floats
    is_preorder: NDArray[np.bool_]


def scores(standings: Standings, rows: Ints, sku: Ints, ship_by: Ints, at_risk: NDArray[np.bool_], here: Ints) -> Ints:
    """The score of the lines `rows`; higher is served first.

    `sku` (row of the SKU), `ship_by` (ordinal, 0: at once), `at_risk` and `here` (the day it is where they leave from)
    are those of these lines.
    """
    weights, now = standings.weights, standings.now
    today = now.date().toordinal()
    given, placed, grade = standings.given[rows], standings.placed[rows], standings.grade[rows]
    left = np.where(ship_by > 0, ship_by - here, 0)
    names = [name.upper() for name in standings.grades] or [""]
    contract = np.array([float(name in weights.contract_grades) for name in names])
    age = np.maximum(_microseconds(now) - placed, 0) / _SECOND / 86_400 / max(weights.age_days, 1)
    values: tuple[Floats, ...] = (
        1 - np.minimum(np.maximum(left / max(weights.slack_days, 1), 0), 1),
        contract[grade],
        np.array([TIER_RANK.get(name, 1) / 4 for name in names])[grade],
        np.minimum(np.maximum(standings.margin, 0.0), 1.0)[sku],
        standings.is_preorder.astype(np.float64)[sku],
        standings.completes[rows].astype(np.float64),
        age,
        np.maximum(-1 - given, 0).astype(np.float64),
        np.zeros(len(rows)),
    )
    total = np.zeros(len(rows))
    for name, value in zip(COMPONENTS, values, strict=True):
        if (weight := float(weights.weights.get(name, 0.0))) != 0.0:
            total += _rounded(value) * weight
    tier = np.where(contract[grade] > 0, int(Tier.CONTRACT), int(Tier.REST))
    tier[at_risk] = Tier.AT_RISK
    tier[_is_breach(standings, rows, grade, placed, names, today)] = Tier.BREACH
    points = tier * TIER_STEP + np.clip((total * SCALE).astype(np.int64), 0, TIER_STEP - 1)
    return np.where(given >= 0, given, points)


def _microseconds(at: datetime) -> int:
    since = at - datetime(2000, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * _SECOND + since.microseconds


def _rounded(values: Floats) -> Floats:
    """To six places, as Python rounds: half-way cases, which scaling may shift, one by one."""
    scaled = values * 1e6
    found = np.rint(scaled) / 1e6
    for row in np.flatnonzero(np.abs(scaled - np.floor(scaled) - 0.5) < _HALF).tolist():
        found[row] = round(float(values[row]), 6)
    return found


def _is_breach(
    standings: Standings, rows: Ints, grade: Ints, placed: Ints, names: list[str], today: int
) -> NDArray[np.bool_]:
    """Is the day near on which a contract (by grade) or a law (by country) is broken?"""
    weights, never = standings.weights, 1 << 40
    if not weights.grade_deadline_days and not weights.country_deadline_days:
        return np.zeros(len(rows), bool)
    days = np.array([weights.grade_deadline_days.get(name, never) for name in names])[grade]
    if standings.country is not None:
        of_country = [weights.country_deadline_days.get(name, never) for name in standings.countries]
        days = np.minimum(days, np.array(of_country)[standings.country[rows]])
    breach = placed // _DAY + EPOCH + days
    return (days < never) & (breach - today <= weights.breach_days)
