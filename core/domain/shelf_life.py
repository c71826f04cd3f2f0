"""What is free for one asker: the curve and the shelf, less the lots that would be too old when they reach it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from core.domain.availability import Step, Timeline
from core.domain.book import SkuBook
from core.domain.lots import Lots
from core.domain.proposals import Demand, ProposedSlice


def on_hand(book: SkuBook, location_id: int, demand: Demand, more_days: int = 0, later: Sequence[Step] = ()) -> int:
    """ATP today that stands in the shelf: supply that is due today is promised, but not allocated before it is there.

    `more_days`: how much longer than on the straight way the units are under way. `later`: as of `curve`.
    """
    free = shelf(book, location_id, demand, more_days)
    if free <= 0:
        return 0
    return max(0, min(curve(book, location_id, demand, more_days=more_days, later=later).atp(), free))


def shelf(book: SkuBook, location_id: int, demand: Demand, more_days: int = 0) -> int:
    """Free units here, in lots that still live long enough for the asker."""
    available = book.level(location_id).available
    if book.lots is None:
        return available
    return min(available, book.lots.free(location_id, _keep(book.lots, location_id, demand) + more_days))


def curve(
    book: SkuBook,
    location_id: int,
    demand: Demand,
    taken: Iterable[ProposedSlice] = (),
    more_days: int = 0,
    later: Sequence[Step] = (),
) -> Timeline:
    """The asker's curve; where units expire, after it has `taken` some today, so that those are not lost later.

    `later`: units that it claims for later days already: what is there before is free as far as those need it not.
    """
    base, lots = book.timeline(location_id, demand.demand_class), book.lots
    if lots is None or not lots.tracks_expiry:
        found = base.keeping(()) if later else base
    else:
        keep = _keep(lots, location_id, demand) + more_days
        others = lots.expiring(location_id, lots.min_life) if keep > lots.min_life else ()
        found = base.keeping(lots.expiring(location_id, keep), _taken_here(location_id, taken), others)
    for day, units in later:
        found.add(day, -units)
    return found


def refund(book: SkuBook, location_id: int, taken: Iterable[ProposedSlice]) -> int:
    """What to add to the figures of `curve` to make them cumulative: the units it has left out as taken."""
    if book.lots is None or not book.lots.tracks_expiry:
        return 0
    return _taken_here(location_id, taken)


def detour(book: SkuBook, donor_id: int, location_id: int, arrives: date, demand: Demand) -> int:
    """Days that units from a donor are under way to the asker beyond a delivery straight from the donor."""
    lots = book.lots
    if lots is None:
        return 0
    way = (arrives - lots.network.today(donor_id, lots.now)).days + _keep(lots, location_id, demand)
    return way - _keep(lots, donor_id, demand)


def movable(book: SkuBook, location_id: int, to_location_id: int, arrives: date) -> int:
    """Units that may go to another location to be sold there: nobody needs them here, and they live long enough.

    Where lots expire: those that can still be sold when they arrive, with the life that the SKU asks for.
    """
    asker = Demand(0, None)
    return on_hand(book, location_id, asker, detour(book, location_id, to_location_id, arrives, asker))


def _taken_here(location_id: int, taken: Iterable[ProposedSlice]) -> int:
    return sum(part.quantity for part in taken if part.kind == "ON_HAND" and part.location_id == location_id)


def _keep(lots: Lots, location_id: int, demand: Demand) -> int:
    min_life = lots.min_life if demand.min_life is None else demand.min_life
    return lots.keep_days(location_id, demand.destination_id, min_life)
