"""What a planner asks of a run: ordered segments bound to strategies, a churn budget, and when it may publish.

A variant is data: it is stored with every run, and under a code to be run again or by a schedule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from core.domain.repromising.strategies import Reaction, Strategy
from core.errors import InvalidInput

MAX_SEGMENTS = 50
MAX_VALUES = 10_000


class SortField(StrEnum):
    """By what the lines of a segment are ranked."""

    PRIORITY = "PRIORITY"
    TIER = "TIER"
    CHANNEL = "CHANNEL"
    CUSTOMER = "CUSTOMER"
    REQUESTED = "REQUESTED"
    PROMISED = "PROMISED"
    PLACED = "PLACED"
    VALUE = "VALUE"
    DAYS_LATE = "DAYS_LATE"


NAMED = (SortField.TIER, SortField.CHANNEL, SortField.CUSTOMER)
"""Fields with a custom order of values."""


class Publication(StrEnum):
    """What happens with a proposal."""

    APPROVAL = "APPROVAL"
    WITHIN_BUDGET = "WITHIN_BUDGET"


@dataclass(frozen=True, slots=True)
class LineFilter:
    """All given conditions must hold. Codes match as they are; days count from today; money in minor units."""

    tiers: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    customers: tuple[str, ...] | None = None
    skus: tuple[str, ...] | None = None
    suppliers: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    requested_from: int | None = None
    requested_to: int | None = None
    promised_from: int | None = None
    promised_to: int | None = None
    min_value: int | None = None
    max_value: int | None = None
    is_late: bool | None = None


@dataclass(frozen=True, slots=True)
class Sorter:
    """One sort key, smallest first. `values` (of a named field): these first, in this order, then all others."""

    field: SortField
    descending: bool = False
    values: tuple[str, ...] = ()


DEFAULT_SORTERS = (Sorter(SortField.PRIORITY, descending=True), Sorter(SortField.PROMISED), Sorter(SortField.PLACED))
"""Priority score (its tier comes first), then the present promise, then age."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Lines that match `include` and not `exclude`; a line belongs to the first segment that takes it."""

    name: str
    strategy: Strategy
    include: LineFilter = LineFilter()
    exclude: LineFilter | None = None
    sorters: tuple[Sorter, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a run may worsen. None: no limit. What a late supply makes impossible anyway does not count."""

    worsened_share: float | None = 0.02
    """Share of the orders in the run, 0..1, that may get a later day."""
    max_days: int | None = 14
    """Days by which the day of one order may move back."""
    window_days: int = 30
    """An order that a run has worsened is not worsened again for so many days."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Segments in order. Lines of no segment are skipped. `sorters`: one ranking over all segments."""

    segments: tuple[Segment, ...]
    sorters: tuple[Sorter, ...] = ()
    budget: Budget = field(default_factory=Budget)
    reaction: Reaction = Reaction.KEEP
    publication: Publication = Publication.APPROVAL
    reallocates: bool = True
    """Stock that is allocated, but on no planned shipment, may change hands."""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON with camel-case names; `variant_of` reads it back."""
        return _plain(self)

    def sorts_by(self) -> set[SortField]:
        """Everything by which lines are ranked, the defaults of what says nothing included."""
        given = [self.sorters] if self.sorters else [segment.sorters for segment in self.segments]
        return {sorter.field for sorters in given for sorter in sorters or DEFAULT_SORTERS}


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        found = {_camel(f.name): _plain(getattr(value, f.name)) for f in fields(value)}
        return {name: item for name, item in found.items() if item is not None} | _limits(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value


def _limits(value: Any) -> dict[str, Any]:
    """ "No limit" differs from a limit that was not given."""
    return {"worsenedShare": value.worsened_share, "maxDays": value.max_days} if isinstance(value, Budget) else {}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def variant_of(data: Mapping[str, Any]) -> Variant:
    """Read and check a variant. Raises InvalidInput with the path of what is wrong."""
    segments = tuple(
        Segment(
            str(row.get("name") or f"segment {index + 1}"),
            Strategy(row["strategy"]),
            _filter(row.get("include") or {}),
            _filter(row["exclude"]) if row.get("exclude") else None,
            _sorters(row.get("sorters"), ("segments", str(index), "sorters")),
        )
        for index, row in enumerate(data.get("segments") or ())
    )
    if not 0 < len(segments) <= MAX_SEGMENTS:
        raise InvalidInput(f"A variant has 1 to {MAX_SEGMENTS} segments.", path=("input", "segments"))
    if len({segment.name for segment in segments}) < len(segments):
        raise InvalidInput("Each segment needs a name of its own.", path=("input", "segments"))
    return Variant(
        segments,
        _sorters(data.get("sorters"), ("sorters",)),
        _budget(data.get("budget")),
        Reaction(data.get("reaction") or Reaction.KEEP),
        Publication(data.get("publication") or Publication.APPROVAL),
        bool(data.get("reallocates", True)),
    )


def _budget(row: Mapping[str, Any] | None) -> Budget:
    if row is None:
        return Budget()
    default = Budget()
    share = row.get("worsenedShare", default.worsened_share)
    days = row.get("maxDays", default.max_days)
    window = row.get("windowDays", default.window_days)
    if share is not None and not 0 <= share <= 1:
        raise InvalidInput(
            "The share of worsened orders is between 0 and 1.", path=("input", "budget", "worsenedShare"), value=share
        )
    if days is not None and days < 0:
        raise InvalidInput("Days are not negative.", path=("input", "budget", "maxDays"), value=days)
    if not 0 <= window <= 3_650:
        raise InvalidInput("A window has 0 to 3,650 days.", path=("input", "budget", "windowDays"), value=window)
    return Budget(None if share is None else float(share), days, window)


def _sorters(rows: Any, path: tuple[str, ...]) -> tuple[Sorter, ...]:
    found = tuple(
        Sorter(SortField(row["field"]), bool(row.get("descending", False)), tuple(row.get("values") or ()))
        for row in rows or ()
    )
    for sorter in found:
        if sorter.values and sorter.field not in NAMED:
            raise InvalidInput(
                f"{sorter.field} has no order of values; {', '.join(NAMED)} have.",
                path=("input", *path),
                value=str(sorter.field),
            )
    return found


def _filter(row: Mapping[str, Any]) -> LineFilter:
    values: dict[str, Any] = {}
    for member in fields(LineFilter):
        value = row.get(_camel(member.name))
        if isinstance(value, list | tuple):
            if len(value) > MAX_VALUES:
                raise InvalidInput(f"A filter lists at most {MAX_VALUES} values.", path=("input", "segments"))
            value = tuple(str(item) for item in value)
        values[member.name] = value
    return LineFilter(**values)
