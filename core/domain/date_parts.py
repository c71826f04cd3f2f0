"""What a shown date waits for, and the days by which it has come with 50, 80 and 95 % probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.domain.eta import FEWEST_OBSERVATIONS, Spread, last_of, one_after_another


@dataclass(frozen=True, slots=True)
class DatePart:
    """Goods that leave `location_id` on `ship_date` at the earliest (None: when they are there), and come from `supply`.

    `supply` is (SKU, supply id), None for stock on hand or for what has no source yet; `carried` is the planned time on
    the road, None when only the departure matters.
    """

    ship_date: date | None
    location_id: int
    supply: tuple[int, int] | None
    carried: timedelta | None = None

    @property
    def paths(self) -> list[str]:
        """Groups that speak of leaving the location and of the road from it, the closest first."""
        leaving = [f"SHIP|ALL|{self.location_id}", "SHIP|ALL"] if self.ship_date is not None else []
        return leaving + ([] if self.carried is None else [f"CARRY|ALL|{self.location_id}", "CARRY|ALL"])


@dataclass(frozen=True, slots=True)
class SupplyDates:
    """The day a supply was stated for, the day it counts as usable from, and how late such supplies come (None: unknown)."""

    paper_date: date
    usable_date: date
    late: Spread | None
    is_own: bool = False
    """It moves between our own locations: taken as planned while nobody measures it."""


@dataclass(frozen=True, slots=True)
class DateQuantiles:
    """Quantiles and what they rest on; all null below FEWEST_OBSERVATIONS."""

    p50: date | None
    p80: date | None
    p95: date | None
    coverage: float | None
    observations: int


UNKNOWN = DateQuantiles(None, None, None, None, 0)

AS_PLANNED = 10**9
"""Observations of a departure that was never measured: it is taken as planned and adds nothing to what others know."""


def part_spread(part: DatePart, supply: SupplyDates | None, known: Mapping[str, Spread], today: date) -> Spread | None:
    """The distribution of a part over ordinal days; None while any stage of it was not measured.

    The stages add up: the supply's day (given that it has not come by yesterday), leaving, the road. Goods for a later
    day do not leave before it. A day that is named but not reached is never in the past.
    """
    late = next((known[path] for path in part.paths if path.startswith("SHIP") and path in known), None)
    if part.supply is not None:
        if supply is None or (supply.late is None and not supply.is_own):
            return None
        if supply.late is None:
            arrival = Spread((max(supply.usable_date, today).toordinal(),), (1.0,), AS_PLANNED, 1.0)
        else:
            arrival = supply.late.shifted(supply.paper_date.toordinal()).given_late(today.toordinal() - 1)
        if part.ship_date is not None and part.ship_date > supply.usable_date:
            arrival = arrival.not_before(part.ship_date.toordinal())
        leaving = arrival
    elif part.ship_date is None:
        return None
    elif late is None:
        leaving = Spread((max(part.ship_date, today).toordinal(),), (1.0,), AS_PLANNED, 1.0)
    else:
        leaving = late.shifted(part.ship_date.toordinal()).given_late(today.toordinal() - 1)
    if part.carried is None:
        return leaving
    road = next((known[path] for path in part.paths if path.startswith("CARRY") and path in known), None)
    return None if road is None else one_after_another(leaving, road.shifted(part.carried.days))


def quantiles_of(parts: Sequence[Spread | None]) -> DateQuantiles:
    """When all parts have come. UNKNOWN while one of them is; no quantile rests on too few observations."""
    if not parts or any(part is None for part in parts):
        return UNKNOWN
    whole = last_of([part for part in parts if part is not None])
    if whole.observations == AS_PLANNED:
        return UNKNOWN
    if whole.observations < FEWEST_OBSERVATIONS:
        return DateQuantiles(None, None, None, None, whole.observations)
    p50, p80, p95 = (date.fromordinal(whole.quantile(level)) for level in (0.5, 0.8, 0.95))
    return DateQuantiles(p50, p80, p95, whole.coverage, whole.observations)
