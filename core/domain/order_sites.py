"""Which shelf each line of an order takes from, seen for the whole order: books and demands in, demands with shelves out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from core.domain.allowance import room
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.proposals import Demand
from core.domain.shelf_life import on_hand
from core.domain.site_choice import Leg, Want, choose_sites


class Ask(Struct, frozen=True):
    """One line of an order on its way; `weight_g` of one unit."""

    book: SkuBook
    demand: Demand
    must_be_whole: bool = False
    """It takes stock only when all of it is there (a line that ships complete, where such lines do not keep parts)."""
    weight_g: int = 0


def with_shelves(asks: Sequence[Ask], network: Network, now: datetime) -> list[Demand]:
    """The demands of one order, each with the units to take from stock per location (`site_choice.choose_sites`).

    A line whose reservation covers it keeps what was reserved; those locations ship anyway. An order of one line or
    with one location is left to `propose`, unless something must be whole; so is a line that a quota or its release
    day keeps from taking all it wants today, since one location's stock then comes later than that of several. Of
    several lines of one SKU the first is filled first: what a line lacks is claimed for a later day, and would take the
    units of the lines after it. Locations that were chosen come first among a demand's sources, so that what comes
    later joins a shipment that is there.
    """
    places = {place for ask in asks for place in ask.demand.sources}
    if (len(asks) == 1 or len(places) == 1) and not any(ask.must_be_whole for ask in asks):
        return [ask.demand for ask in asks]
    opened = {hold.location_id for ask in asks for hold in ask.demand.held if hold.quantity > 0}
    choosing = {
        i: ask
        for i, ask in enumerate(asks)
        if not any(hold.quantity for hold in ask.demand.held) and (ask.must_be_whole or not _is_rationed(ask))
    }
    free = {
        (ask.book.sku_id, place): on_hand(ask.book, place, ask.demand)
        for ask in choosing.values()
        for place in ask.demand.sources
    }
    alike: dict[tuple[object, ...], dict[int, Leg]] = {}
    legs = {i: _legs(ask, network, now, alike) for i, ask in choosing.items()}
    shares: dict[int, dict[int, int]] = {}
    while True:
        wants = [
            Want(i, ask.book.sku_id, ask.demand.quantity, legs[i], weight=len(asks) - i)
            for i, ask in choosing.items()
            if i not in shares
        ]
        found = choose_sites(wants, free, opened=opened).shares
        parts = [i for i in found if choosing[i].must_be_whole and sum(found[i].values()) < asks[i].demand.quantity]
        if not parts:
            break
        shares[max(parts)] = {}  # the last line gives up first; the others try again without it
    shares |= found
    return [
        replace(ask.demand, shelf=shares[i], sources=_chosen_first(ask.demand.sources, shares[i]))
        if i in shares
        else ask.demand
        for i, ask in enumerate(asks)
    ]


def _is_rationed(ask: Ask) -> bool:
    """May less be claimed today than the line wants, whatever lies there?"""
    today = ask.book.today
    rooms = [room(ask.demand.allowances, today[place], ()) for place in ask.demand.sources]
    return any(units is not None and units < ask.demand.quantity for units in rooms)


def _chosen_first(sources: Sequence[int], share: dict[int, int]) -> list[int]:
    return sorted(sources, key=lambda place: place not in share)


def _legs(ask: Ask, network: Network, now: datetime, alike: dict[tuple[object, ...], dict[int, Leg]]) -> dict[int, Leg]:
    """What it means to serve the line from each of its sources: the same for most lines of an order."""
    demand = ask.demand
    key = (tuple(demand.sources), demand.destination_id, demand.requested_date, ask.weight_g)
    if key in alike:
        return alike[key]
    legs = alike[key] = {}
    for rank, place in enumerate(demand.sources):
        ships = network.first_ship_day(place, now)
        arrives = network.delivery_date(place, demand.destination_id, ships) or ships
        lane = network.lanes.get((place, demand.destination_id or 0))
        asked = demand.requested_date
        legs[place] = Leg(
            late_days=0 if asked is None else max(0, (arrives - asked).days),
            days=max(0, (arrives - ask.book.today[place]).days) if asked is None else 0,
            cost=lane.cost if lane is not None else 0,
            carbon=lane.carbon_g_per_kg * ask.weight_g // 1_000 if lane is not None else 0,
            rank=rank,
        )
    return legs
