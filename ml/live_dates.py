"""From facts of deliveries to how late things come: one distribution per supplier, place and lane, with its measured coverage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.dates import (
    GRID,
    LATEST,
    Correction,
    DateSettings,
    Days,
    Delay,
    DelayTables,
    Floats,
    conformal,
    expected_days,
    reached_by,
)
from ml.delivery_file import ABSURD_DAYS, LONGEST_OPEN, OPEN, Deliveries

LEVELS = (0.5, 0.8, 0.95)
LOST_AFTER = 120
"""Days beyond the stated day after which what is open has lost its day, where deliveries never took longer."""
BACKTEST_MONTHS = 6
MONTH = 30
BEFORE_DAYS = 6 * MONTH
"""A median leaves the promise only as far as it did this many days ago: what the evaluation of files found to be no worse."""
SHORTEST_TAIL = 1e-4
DRIFT_MARGIN = {0.5: 0.15, 0.8: 0.1, 0.95: 0.07}
"""A coverage this far from its level, on enough deliveries, is an alarm: wider where chance alone moves it further."""
DRIFT_NEEDS = 30


@dataclass(frozen=True)
class SpreadRow:
    """One row of `date_spread`; days are actual - stated."""

    path: str
    stage: str
    basis: str
    supplier_id: int | None
    observations: int
    says: str
    days: dict[float, int]
    support: list[int]
    shares: list[float]
    coverage: dict[float, float | None]
    """By level: the share that came by the day said of it before."""
    judged: int
    bias: float | None
    spread: float | None
    ahead: dict[float, float | None] = field(default_factory=dict)
    """By level: the share that came before the day said of it. A later day than needed was said only where even this is high:
    who always comes on the very day has a high coverage, and no better day could be said of it."""

    @property
    def drifts(self) -> list[float]:
        """Levels whose days are not kept, are later than they need be, or cannot be told since so many never come."""
        judged = [level for level in self.coverage if self._drifts(level)] if self.judged >= DRIFT_NEEDS else []
        return sorted({*judged, *self.untold})

    @property
    def untold(self) -> list[float]:
        """Levels that no day holds: more than the rest of the deliveries never came."""
        return [level for level, day in self.days.items() if day >= LATEST] if self.observations >= DRIFT_NEEDS else []

    def _drifts(self, level: float) -> bool:
        kept, ahead, margin = self.coverage[level], self.ahead.get(level), DRIFT_MARGIN[level]
        return (kept is not None and kept < level - margin) or (ahead is not None and ahead > level + margin)

    @property
    def is_drifting(self) -> bool:
        return bool(self.drifts)


@dataclass(frozen=True)
class Told:
    """What a history says of dates on any day."""

    history: Deliveries
    settings: DateSettings
    _tables: dict[int, DelayTables] = field(default_factory=dict)

    def tables(self, day: int) -> DelayTables:
        if day not in self._tables:
            self._tables[day] = DelayTables(self.history, day, self.settings)
        return self._tables[day]

    def expected(self, path: Sequence[str], correction: Correction, day: int) -> tuple[Delay, dict[float, int]]:
        """The distribution as of `day`, and the delays said by level; with nothing known BEFORE_DAYS ago, by it alone."""
        delay, earlier = self.tables(day).delay(path), self.tables(day - BEFORE_DAYS)
        before = earlier.delay(path) if earlier.delay(()).deliveries else None
        return delay, expected_days(delay, correction, LEVELS, before)


@dataclass(frozen=True)
class Said:
    """Past forecasts of one group and month: their distribution, the stated days, the days that came (OPEN: not yet), and the
    delays that would have been said by level."""

    delay: Delay
    stated: Days
    day: Days
    days: dict[float, int]

    def so_far(self, today: int) -> Floats:
        """Days each came late, or has been waited for beyond the stated day."""
        return (np.minimum(self.day, today) - self.stated).astype(np.float64)


@dataclass(frozen=True)
class Fact:
    """One delivery: keys from the root down, stated and real day (None: still open), and when the day was stated."""

    keys: tuple[str, ...]
    stated: date
    came: date | None
    supplier_id: int | None = None


def supply_facts(rows: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """Stage SUPPLY: by kind of statement, supplier, receiving location."""
    return [
        Fact(
            (row["basis"], str(row["supplier_id"]), str(row["location_id"])),
            row["stated"],
            row["came"],
            row["supplier_id"],
        )
        for row in rows
    ]


def shipment_facts(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Fact], list[Fact]]:
    """Stages SHIP (planned against real departure, by location) and CARRY (by location and destination)."""
    left = [Fact(("ALL", str(row["location_id"])), row["planned"], row["shipped"]) for row in rows if row["planned"]]
    carried = [
        Fact(
            ("ALL", str(row["location_id"]), str(row["destination_id"])),
            date.fromordinal(row["shipped"].toordinal() + row["planned_transit"]),
            row["delivered"],
        )
        for row in rows
        if row["planned_transit"] is not None
    ]
    return left, carried


def handling_facts(rows: Sequence[Mapping[str, Any]], stage: str) -> list[Fact]:
    """Stages RECEIVE and SHELF, by location."""
    return [Fact(("ALL", str(row["location_id"])), row["stated"], row["came"]) for row in rows if row["stage"] == stage]


def measure_spreads(
    stage: str, facts: Sequence[Fact], at: datetime, settings: DateSettings | None = None
) -> list[SpreadRow]:
    """One row per group of every level that has a delivery, as known at `at`.

    Coverage is that of P50, P80 and P95 over the last six months, each month forecast from what was known before it, with
    the conformal step that the months before it gave. What is still open counts there too, as "not until today". Deliveries
    more than three years off are typing errors and left out; so is what has been open for longer than almost any delivery of
    the stage took, and than LOST_AFTER: somebody forgot to book it, and nothing is known of its day.
    """
    facts = [fact for fact in facts if fact.came is None or abs((fact.came - fact.stated).days) <= ABSURD_DAYS]
    if not any(fact.came for fact in facts):
        return []
    settings = settings or DateSettings()
    today = at.date().toordinal() + 1  # what came today is known
    history = _history(_without_lost_days(facts, today))
    told = Told(history, settings)
    walked = _walk(told, today)
    depth = len(history.levels)
    found: list[SpreadRow] = []
    suppliers = {fact.keys: fact.supplier_id for fact in facts}
    came = history.actual != OPEN
    for level in range(depth):
        for key in np.unique(history.levels[level][came]).tolist():
            rows = came & (history.levels[level] == key)
            path = [str(history.levels[above][int(np.flatnonzero(rows)[0])]) for above in range(level + 1)]
            judged = walked.get(key, [])
            correction = _correction(walked.get(path[0], []), settings, today)
            delay, days = told.expected(path, correction, today)
            late = history.delay[rows]
            supplier = next((suppliers[keys] for keys in suppliers if "|".join(keys[: level + 1]) == key), None)
            support, shares = _thinned(_corrected(delay, correction, days))
            found.append(
                SpreadRow(
                    f"{stage}|{key}",
                    stage,
                    path[0],
                    supplier if level >= 1 else None,
                    int(rows.sum()),
                    delay.group,
                    days,
                    support,
                    shares,
                    {one: _kept(judged, one, today) for one in LEVELS},
                    sum(int(_is_decided(said, 0.8, today).sum()) for said in judged),
                    float(late.mean()),
                    float(late.std()),
                    {one: _kept(judged, one, today, ahead=1) for one in LEVELS},
                )
            )
    return found


def _without_lost_days(facts: Sequence[Fact], today: int) -> list[Fact]:
    took = [(fact.came - fact.stated).days for fact in facts if fact.came is not None]
    longest = max(float(np.quantile(took, LONGEST_OPEN)), LOST_AFTER)
    return [fact for fact in facts if fact.came is not None or today - fact.stated.toordinal() <= longest]


def _history(facts: Sequence[Fact]) -> Deliveries:
    depth = len(facts[0].keys)
    levels = tuple(
        np.array(["|".join(fact.keys[: level + 1]) for fact in facts], dtype=np.str_) for level in range(depth)
    )
    stated = np.array([fact.stated.toordinal() for fact in facts], dtype=np.int64)
    came = np.array([OPEN if fact.came is None else fact.came.toordinal() for fact in facts], dtype=np.int64)
    return Deliveries(stated, came, levels, {})


def _walk(told: Told, today: int) -> dict[str, list[Said]]:
    """What would have been said by group: each of the last months from what was known when it began."""
    history = told.history
    found: dict[str, list[Said]] = defaultdict(list)
    for months in range(BACKTEST_MONTHS, 0, -1):
        begin, end = today - months * MONTH, today - (months - 1) * MONTH
        if not (history.promised < begin).any():
            continue
        rows = np.flatnonzero((history.promised >= begin) & (history.promised < end))
        if not len(rows):
            continue
        roots = np.unique(history.levels[0][rows]).tolist()
        corrections = {root: _correction(found[root], told.settings, begin) for root in roots}
        groups = history.levels[-1][rows]
        for group in np.unique(groups):
            these = rows[groups == group]
            path = [str(level[these[0]]) for level in history.levels]
            delay, days = told.expected(path, corrections[path[0]], begin)
            said = Said(delay, history.promised[these], history.actual[these], days)
            for key in path:
                found[key].append(said)
    return found


def _correction(said: Sequence[Said], settings: DateSettings, today: int) -> Correction:
    """The conformal step of these forecasts by what was known when `today` began: what had not come is open."""
    known, waiting = (
        [(one.delay, one.so_far(today)[(one.day < today) == came]) for one in said] for came in (True, False)
    )
    return conformal(known, LEVELS, settings, waiting)


def _is_decided(said: Said, level: float, today: int) -> NDArray[np.bool_]:
    """Has it come, or has the day said of it passed without it?"""
    return (said.day < today) | (said.so_far(today) > said.days[level])


def _kept(judged: Sequence[Said], level: float, today: int, ahead: int = 0) -> float | None:
    """Share that came by the day said of it (`ahead` days before it): what is open counts as later than today, and what could
    still keep its day has no say either way. None while nothing is decided."""
    if not any(_is_decided(said, level, today).any() for said in judged):
        return None
    beyond = np.concatenate([said.so_far(today) - said.days[level] for said in judged])
    days, reached = reached_by(beyond, np.concatenate([said.day >= today for said in judged]))
    place = int(np.searchsorted(days, -ahead, side="right"))
    return float(reached[place - 1]) if place else 0.0


def _corrected(delay: Delay, correction: Correction, days: Mapping[float, int]) -> Delay:
    """The distribution whose quantiles are the `days` said by level; between them, of the levels the conformal step asks for."""
    asked = [0.0, *(correction.ask(level) for level in LEVELS), 1.0]
    cdf = np.interp(delay.cdf, asked, [0.0, *LEVELS, 1.0])
    for level, day in days.items():
        is_held = (day <= GRID) & (day < LATEST)
        cdf = np.where(is_held, np.maximum(cdf, level), np.minimum(cdf, level - SHORTEST_TAIL))
    return replace(delay, cdf=cdf)


def _thinned(delay: Delay) -> tuple[list[int], list[float]]:
    """The days at which the distribution rises, and how high it is there; tails beyond one in ten thousand are cut.

    The last share is that of what ever comes: where goods were lost it stays below 1.
    """
    cdf = np.clip(delay.cdf, 0.0, 1.0)
    rises = np.diff(cdf, prepend=0.0) > SHORTEST_TAIL / 10
    kept = rises & (cdf > SHORTEST_TAIL) & (np.append(0.0, cdf[:-1]) < 1 - SHORTEST_TAIL)
    places = np.flatnonzero(kept)
    if not len(places):
        places = np.array([int(np.searchsorted(cdf, 0.5))])
    shares = cdf[places].copy()
    shares[-1] = 1.0 if cdf[-1] >= 1 - SHORTEST_TAIL else cdf[-1]
    return GRID[places].tolist(), shares.round(6).tolist()
