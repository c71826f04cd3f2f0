"""A question to the promise engine and its answer: what is asked, and from where and when it can be delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct, field

from core.domain.allowance import Allowance, WaitsFor
from core.domain.binding import Spot
from core.domain.records import Hold

DEFAULT_LEAD_TIME_DAYS = 30


class ProposedSlice(Struct, frozen=True):
    """Part of a proposal. `kind`: ON_HAND (now), DATED (supply under way), TRANSFER (from `donor_id`), LEAD_TIME."""

    kind: str
    location_id: int
    quantity: int
    ship_date: date
    delivery_date: date | None
    donor_id: int | None = None
    arrival_date: date | None = None
    waits_for: WaitsFor | None = None
    """It could be earlier, but for a quota or the release of a pre-order."""


class Proposal(Struct, frozen=True):
    """Slices in the order in which they were found; `spot` is where the constraint that limits it is to be found."""

    slices: list[ProposedSlice]
    home_id: int | None
    ship_by: date | None
    binding: date | None = None
    """The day whose balance limits what is free today at `home_id`."""
    spot: Spot | None = None
    allowances: Sequence[Allowance] = ()
    """What bounded it; carried out, it uses up its quotas."""

    @property
    def quantity(self) -> int:
        return sum(s.quantity for s in self.slices)

    @property
    def available_now(self) -> int:
        return sum(s.quantity for s in self.slices if s.kind == "ON_HAND")


class Demand(Struct, frozen=True):
    """What is asked: `quantity` base units to `destination_id`, delivered by `requested_date` (None: at once)."""

    quantity: int
    destination_id: int | None
    requested_date: date | None = None
    sources: list[int] = field(default_factory=list)
    """Locations that may ship, in order of preference."""
    lead_time_days: int = DEFAULT_LEAD_TIME_DAYS
    """P80 of ordering anew, in calendar days."""
    held: list[Hold] = field(default_factory=list)
    """The asker's own reservation, no longer on the timeline: its units are its own, whatever else is promised."""
    demand_class: str = ""
    """Whose protected stock the asker keeps off."""
    shelf: Mapping[int, int] | None = None
    """Units to take from stock per location, besides `held`, as they were chosen for the whole order; None: nobody has
    chosen, the line decides alone."""
    horizon_days: int | None = None
    """Dated supply counts up to so many days from now (None: the lead time); what it does not cover is LEAD_TIME."""
    allowances: Sequence[Allowance] = ()
    """Quotas and the release day: the tightest wins."""
    min_life: int | None = None
    """Days of life its lots must have left at delivery; None: as the SKU says."""
