"""The policy `demand_plan`: what planners know of the coming demand, dated: promotions, events, seasons, and their service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.domain.calendars import WorkCalendar
from core.domain.policy_words import unknown_name, unusable
from core.errors import ConfigurationError

POLICY = "demand_plan"
MOST_EVENTS = 500
FACTORS = (0.05, 20.0)
LEVELS = (0.5, 0.999)
_NAMES = ("name", "from", "until", "factor", "serviceLevel", "skus")


@dataclass(frozen=True, slots=True)
class DemandEvent:
    """From `first` to `last`, both included, demand of `skus` (None: of all) is `factor` times as high; without a factor it
    is what earlier events made of it. `service_level` is meant meanwhile, and while goods are on their way for it."""

    name: str
    first: date
    last: date
    factor: float | None = None
    service_level: float | None = None
    skus: frozenset[str] | None = None

    def covers(self, sku: str) -> bool:
        return self.skus is None or sku in self.skus


@dataclass(frozen=True, slots=True)
class DemandPlan:
    """`country` (ISO 3166 alpha-2) whose public holidays may move demand; None: that of most calendars."""

    country: str | None = None
    events: tuple[DemandEvent, ...] = field(default=())

    def service_level(self, sku: str, usual: float, first: date, last: date) -> float:
        """The level for stock that has to last from `first` to `last`: the highest that an event asks for, else `usual`."""
        asked = [
            event.service_level
            for event in self.events
            if event.service_level is not None and event.covers(sku) and event.first <= last and event.last >= first
        ]
        return max(asked, default=usual)


def demand_plan(value: Mapping[str, Any] | None) -> DemandPlan:
    """The policy as planners write it. Raises InvalidInput for what cannot be."""
    value = value or {}
    for name in value:
        if name not in ("country", "events"):
            raise unknown_name(POLICY, name, ("country", "events"))
    country, events = value.get("country"), value.get("events", [])
    if country is not None and not (
        isinstance(country, str) and len(country) == 2 and country.isalpha() and country.isupper()
    ):
        raise unusable(POLICY, "two letters such as KR, or null", country, "country")
    if country is not None:
        try:
            WorkCalendar(country=country).is_working(date(2026, 1, 1))
        except ConfigurationError:
            raise unusable(
                POLICY, "a country whose public holidays are known, such as KR", country, "country"
            ) from None
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise unusable(POLICY, f"a list of at most {MOST_EVENTS} events", events, "events")
    return DemandPlan(country, tuple(_event(one, f"events[{place}]") for place, one in enumerate(events)))


def _event(given: Any, place: str) -> DemandEvent:
    if not isinstance(given, Mapping):
        raise unusable(POLICY, "an object", given, place)
    for name in given:
        if name not in _NAMES:
            raise unknown_name(POLICY, name, _NAMES, place)
    name, skus = given.get("name"), given.get("skus")
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise unusable(POLICY, "a name of at most 100 characters", name, f"name of {place}")
    first, last = _day(given.get("from"), f"from of {place}"), _day(given.get("until"), f"until of {place}")
    if last < first:
        raise unusable(POLICY, f"a day on or after {first}", given.get("until"), f"until of {place}")
    if skus is not None and not (isinstance(skus, list) and skus and all(isinstance(code, str) for code in skus)):
        raise unusable(POLICY, "a list of SKU codes, or null for all", skus, f"skus of {place}")
    return DemandEvent(
        name,
        first,
        last,
        _number(given.get("factor"), FACTORS, f"factor of {place}"),
        _number(given.get("serviceLevel"), LEVELS, f"serviceLevel of {place}"),
        None if skus is None else frozenset(skus),
    )


def _day(text: Any, place: str) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        raise unusable(POLICY, "a day such as 2027-05-03", text, place) from None


def _number(value: Any, bounds: tuple[float, float], place: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not bounds[0] <= value <= bounds[1]:
        raise unusable(POLICY, f"a number between {bounds[0]:g} and {bounds[1]:g}, or null", value, place)
    return float(value)
