"""Which units that lines wait for need not be bought yet: a proposed transfer may bring them, and its answer can be awaited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.book import SkuBook
from core.domain.buying import lead_time_day, open_pegs
from core.domain.network import Network
from core.domain.shelf_life import movable

DAYS_TO_CLOSE = 1
"""A proposal that nobody took is closed, and what it held up is bought, by the next daily look."""


@dataclass(frozen=True, slots=True)
class AwaitedMove:
    """A move that planners may still accept until `expires_at`; `quantity` in base units."""

    from_location_id: int
    to_location_id: int
    quantity: int
    expires_at: datetime


def awaited_units(
    book: SkuBook, network: Network, moves: Iterable[AwaitedMove], lead_time_p80: int, left_out: Collection[int] = ()
) -> dict[int, int]:
    """Units by id() of the OPEN peg that are not bought while the answer to a move is awaited.

    Only for claims that lose nothing by it: accepted at the last moment the move still comes by their day, and so do
    goods that are bought once it has expired. A move counts with what its giver could
    part with now, from the shelf. Lines in `left_out` are not bought for, but get their share when they are served.
    """
    given: dict[int, int] = defaultdict(int)
    awaited: dict[int, int] = defaultdict(int)
    taken: dict[int, int] = defaultdict(int)
    pegs = [peg for peg in open_pegs(book) if not book.waits_for_quota(peg)]
    for move in moves:
        source, target = move.from_location_id, move.to_location_id
        lane = network.lanes.get((source, target))
        if lane is None:
            continue
        now = network.arrive(lane, network.first_ship_day(source, book.now))
        left = min(move.quantity, movable(book, source, target, now) - given[source])
        if left <= 0:
            continue
        given[source] += left
        comes = network.ship_day_from(target, network.arrive(lane, network.first_ship_day(source, move.expires_at)))
        closed = network.today(target, move.expires_at) + timedelta(days=DAYS_TO_CLOSE)
        bought = lead_time_day(network, target, closed, lead_time_p80)
        for peg in pegs:
            is_left_out = peg.line_id in left_out
            if peg.location_id != target or (not is_left_out and max(comes, bought) > peg.need_date):
                continue
            units = min(left, peg.quantity - taken[id(peg)])
            taken[id(peg)] += units
            left -= units
            if units and not is_left_out:
                awaited[id(peg)] += units
    return dict(awaited)
