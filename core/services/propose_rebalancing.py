"""Propose to planners which stock should move to another location; nothing moves before somebody accepts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.promising import available_now
from core.domain.rebalancing import (
    SEASON_BOUNDS,
    Goods,
    Move,
    Position,
    RebalancingRules,
    daily_demand,
    propose_moves,
    rebalancing_rules,
)
from core.domain.shelf_life import movable
from core.domain.states import PegKind
from core.ports import Transaction
from core.queries.rebalancing import DEMAND_DAYS, demand_by_place, goods_of, skus_to_balance, skus_waiting
from core.repositories.load_book import read_books
from core.repositories.network import load_network
from core.repositories.rebalancing import expire_proposals, write_proposals
from core.repositories.supplying import load_policies
from core.services.follow_up import request_purchase

POLICY = "rebalancing"
Demand = dict[tuple[int, int], tuple[int, int, int]]


async def start_rebalancing(uow: Transaction) -> list[int]:
    """Close the proposals that have expired, so that what they held up is bought.

    Returns the SKUs to look at, none where planners want no proposals.
    """
    await _buy_instead(uow, await expire_proposals(uow))
    rules = rebalancing_rules((await load_policies(uow)).get(POLICY))
    if not rules.is_on:
        return []
    return await skus_to_balance(uow.sql, uow.now, rules.short_days * SEASON_BOUNDS[1] / DEMAND_DAYS)


async def propose_rebalancing(uow: Transaction, sku_ids: Sequence[int]) -> int:
    """Bring the proposals of these SKUs up to date; returns how many are new. What one brings no more is bought.

    It reads without gates: a proposal may be outdated a moment later, and accepting it judges again under the gate.
    """
    rules = rebalancing_rules((await load_policies(uow)).get(POLICY))
    network = await load_network(uow)
    goods = {row["id"]: row for row in await goods_of(uow.sql, sku_ids)}
    demand = await demand_by_place(uow.sql, list(goods), uow.now)
    wanted = sorted({sku_id for sku_id, _ in demand} | set(await skus_waiting(uow.sql, list(goods))))
    books = await read_books(uow.sql, uow.now, {s: goods[s]["version"] for s in wanted}, network)
    moves: list[Move] = []
    for sku_id in wanted:
        row, book = goods[sku_id], books[sku_id]
        places = positions(book, network, demand, rules)
        moves += propose_moves(Goods(sku_id, row["weight_g"], row["unit_price"]), places, network, rules, uow.now)
    currencies = {sku_id: row["currency"] for sku_id, row in goods.items()}
    expires = uow.now + timedelta(days=rules.valid_days)
    new, less = await write_proposals(uow, sku_ids, moves, currencies, expires)
    await _buy_instead(uow, less)
    return new


async def _buy_instead(uow: Transaction, sku_ids: Collection[int]) -> None:
    """Ask for the purchase of what waits, now that a proposal brings less of it; the purchase judges what is awaited."""
    request_purchase(uow, await skus_waiting(uow.sql, sorted(sku_ids)))


def positions(book: SkuBook, network: Network, demand: Demand, rules: RebalancingRules) -> list[Position]:
    found: list[Position] = []
    for place, location in network.locations.items():
        if not location.holds_stock:
            continue
        here = available_now(book, [place])
        recent, same_weeks, next_weeks = demand.get((book.sku_id, place), (0, 0, 0))
        found.append(
            Position(
                place,
                here,
                daily_demand(recent, DEMAND_DAYS, same_weeks, next_weeks),
                sum(p.quantity for p in book.pegs if p.location_id == place and p.kind == PegKind.OPEN),
                _arrivals(book, place, here, rules),
                None if book.lots is None else _movable(book, network, place),
            )
        )
    return found


def _arrivals(book: SkuBook, place: int, here: int, rules: RebalancingRules) -> tuple[tuple[int, int], ...]:
    """(days from now, units) by which what can be promised there grows beyond what lies there: dated supply of nobody."""
    found: list[tuple[int, int]] = []
    today, level = book.today[place], here
    for day, units in book.timeline(place).steps():
        if units > level and (day - today).days <= rules.target_days + rules.keep_days:
            found.append(((day - today).days, units - level))
            level = units
    return tuple(found)


def _movable(book: SkuBook, network: Network, place: int) -> int:
    """Units in lots that live to be sold wherever a lane leads from here."""
    ships = network.first_ship_day(place, book.now)
    ways = [
        lane for (origin, to), lane in network.lanes.items() if origin == place and network.locations[to].holds_stock
    ]
    return min(
        (movable(book, place, lane.to_location_id, network.arrive(lane, ships)) for lane in ways),
        default=0,
    )
