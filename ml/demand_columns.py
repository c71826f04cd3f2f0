"""Which columns of a demand history are periods, which say something of the item, and which are left aside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

FACTS: dict[str, tuple[str, ...]] = {
    "lead_time": ("lead_time", "leadtime", "lead", "lt", "replenishment_time", "delivery_time"),
    "cost": ("cost", "purchase_price", "price", "value"),
}
"""Headings of what is known of an item, without the words of FILLING."""
FILLING = frozenset(
    [
        "a",
        "in",
        "of",
        "per",
        "the",
        "unit",
        "each",
        "item",
        "part",
        "sku",
        "supplier",
        "std",
        "standard",
        "avg",
        "average",
        "mean",
        "usd",
        "eur",
        "gbp",
        "krw",
        "euro",
        "euros",
        "dollar",
        "dollars",
    ]
)
LONG: dict[str, tuple[str, ...]] = {
    "name": ("sku", "item", "part", "material", "product", "article", "stockcode", "series", "unique_id", "id"),
    "period": ("period", "date", "day", "week", "month", "time", "ds", "invoicedate"),
    "units": ("units", "quantity", "qty", "demand", "sales", "y", "value"),
}
"""Headings of a file with a row per item and period, in order of preference."""
SUFFIXES = ("id", "number", "no", "code", "name", "nr")
UNITS_OF_TIME = {
    "days": 1.0,
    "day": 1.0,
    "d": 1.0,
    "weeks": 7.0,
    "week": 7.0,
    "wks": 7.0,
    "wk": 7.0,
    "months": 30.4375,
    "month": 30.4375,
    "mths": 30.4375,
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = f"(?:{'|'.join(MONTHS)})[a-z]*"
_COUNTED = r"(?:m|w|t|p|d|q|x|v|y|month|week|period|day|time|demand|obs|sales|usage)?_?\d{1,4}"
_DATED = r"\d{4}[-_/]?[mwq]?\d{1,2}(?:[-_/]?\d{1,2})?(?:_00_00(?:_00)?)?|\d{1,2}[-_/]\d{1,2}[-_/]\d{2,4}"
_NUMBERED = re.compile(rf"{_MONTH}(?![a-z])|\d+")
_LENGTH = re.compile(r"(?:^|[_\d])(day|d|week|w|month|m)s?_?\d+$")
_PERIOD = re.compile(rf"^(?:{_COUNTED}|{_DATED}|{_MONTH}[-_/]?\d{{2,4}}|\d{{2,4}}[-_/]{_MONTH})$")


FEWEST_PERIODS = 6


@dataclass(frozen=True)
class Columns:
    """Places of the columns in a row: the name (-1: there is none), periods from old to new, facts by name, the rest."""

    name: int
    periods: list[int]
    facts: dict[str, int]
    left_out: list[int]
    lead_time_days: float | None = None
    """Days that one unit of the lead time lasts, where its heading says so."""
    period_days: float | None = None
    """Days that a period lasts, where the headings say so."""

    @property
    def lead_time_factor(self) -> float:
        """What turns the file's lead times into periods: 1 unless both headings say otherwise."""
        if self.lead_time_days is None or self.period_days is None:
            return 1.0
        return self.lead_time_days / self.period_days


def plain(heading: str) -> str:
    """A heading in small letters with single underscores."""
    return re.sub(r"[^a-z0-9/-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", heading.strip()).lower()).strip("_")


def is_period(heading: str) -> bool:
    """Does a heading name a period, as m01, week_3, 2011-04, 5/1/2011, Jan-96 or 17."""
    return bool(_PERIOD.match(plain(heading)))


def recognise(header: Sequence[str], numeric: Sequence[bool]) -> Columns:
    """Columns of a file with a row per item; `numeric` says which columns hold numbers.

    Headings that name periods are periods; where fewer than six do, those that differ by nothing but a number or a month
    (demand_1, demand_2 ...), and where fewer than six do that, every column of numbers that says nothing of the item. The
    first other column is the name.
    """
    names = [plain(cell) for cell in header]
    facts: dict[str, int] = {}
    lead_days: float | None = None
    for place, name in enumerate(names):
        fact, days = fact_of(name)
        if fact is not None and fact not in facts and (place > 0 or _is_named(names[1:])):
            facts[fact] = place
            lead_days = days if fact == "lead_time" else lead_days
    others = [place for place in range(len(names)) if place not in facts.values()]
    named = [place for place in others if is_period(names[place])]
    if len(named) < FEWEST_PERIODS:
        named = _numbered(names, [place for place in others if numeric[place]])
    periods = named or [place for place in others if place > 0 and numeric[place]]
    rest = [place for place in range(len(names)) if place not in periods and place not in facts.values()]
    name = next((place for place in rest if _is_named([names[place]])), rest[0] if rest else -1)
    return Columns(
        name,
        periods,
        facts,
        [place for place in rest if place != name],
        lead_days,
        period_days([header[p] for p in periods]),
    )


def _numbered(names: Sequence[str], places: Sequence[int]) -> list[int]:
    """The most columns whose headings differ by nothing but a number or a month; none where fewer than FEWEST_PERIODS do."""
    alike: dict[str, list[int]] = {}
    for place in places:
        if (mould := _NUMBERED.sub("#", names[place])) != names[place]:
            alike.setdefault(mould, []).append(place)
    most = max(alike.values(), key=len, default=[])
    return most if len(most) >= FEWEST_PERIODS else []


def _is_named(names: Sequence[str]) -> bool:
    """Is one of these plain headings that of the item itself."""
    words = {*LONG["name"], "name", *(f"{word}_{suffix}" for word in LONG["name"] for suffix in SUFFIXES)}
    return any(name in words for name in names)


def fact_of(name: str) -> tuple[str | None, float | None]:
    """What a plain heading says of the item, and in days what unit of time its heading names."""
    days: float | None = None
    for unit, length in UNITS_OF_TIME.items():
        if name.endswith(f"_{unit}") and name != f"_{unit}":
            name, days = name[: -len(unit) - 1], length
            break
    name = "_".join(word for word in name.split("_") if word not in FILLING)
    found = next((fact for fact, words in FACTS.items() if name in words), None)
    return found, days if found == "lead_time" else None


def period_days(headings: Sequence[str]) -> float | None:
    """Days between periods, where their headings are dates, or count months, weeks or days (m1, week_3, demand_month_12)."""
    days = [day for heading in headings if (day := day_of(heading)) is not None]
    if len(days) >= 6 and len(days) == len(headings):
        gaps = sorted((later - earlier).days for earlier, later in pairwise(days))
        usual = gaps[len(gaps) // 2]
        return 30.4375 if 28 <= usual <= 31 else float(usual) if usual > 0 else None
    counted = {match[1][0] if (match := _LENGTH.search(plain(heading))) else None for heading in headings}
    return {"m": 30.4375, "w": 7.0, "d": 1.0, None: None}[counted.pop()] if len(counted) == 1 else None


def day_of(heading: str) -> date | None:
    """The first day that a heading names: 2011-04-01, 2011-04, 201104, Jan-96, 1/4/2011 (month first)."""
    text = plain(heading).replace("/", "-").replace("_", "-").removesuffix("-00-00-00").removesuffix("-00-00")
    if match := re.match(r"^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?$", text) or re.match(
        r"^((?:19|20)\d{2})m?(\d{2})(\d{2})?$", text
    ):
        year, month, day = int(match[1]), int(match[2]), int(match[3] or 1)
    elif match := re.match(r"^(\d{1,2})-(\d{1,2})-(\d{4})$", text):
        month, day, year = int(match[1]), int(match[2]), int(match[3])
    elif match := re.match(r"^([a-z]{3})[a-z]*-?(\d{2}|\d{4})$", text):
        if match[1] not in MONTHS:
            return None
        month, day, year = MONTHS.index(match[1]) + 1, 1, int(match[2])
        year += 0 if year > 99 else 1900 if year > 50 else 2000
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def long_columns(header: Sequence[str]) -> dict[str, int] | None:
    """Places of name, period and units in a file with a row per item and period; None where it is another file."""
    names = [plain(cell) for cell in header]
    found: dict[str, int] = {}
    for what, words in LONG.items():
        wanted = [*words, *(f"{word}_{suffix}" for word in words for suffix in SUFFIXES)]
        place = next(
            (names.index(word) for word in wanted if word in names and names.index(word) not in found.values()), None
        )
        if place is None:
            return None
        found[what] = place
    return found if sum(map(is_period, header)) < 6 else None
