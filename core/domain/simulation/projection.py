"""One SKU played forward day by day: receipts, service of who waits, expected demand, replenishment.

Every step is the function that decides live, on a copy of the book. The expected demand of a day is drawn by a seed
and the SKU, never by the scenario: two scenarios meet the same days, so that their difference is theirs alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from statistics import NormalDist

from core.domain.allocation import serve_waiting
from core.domain.book import SkuBook
from core.domain.book_supplies import cover_open, receive_transfer, ship_transfer
from core.domain.buying import dock_day, lead_time_day, needs, peg_new_supplies
from core.domain.conclude import conclude
from core.domain.late_pegs import MovePolicy
from core.domain.network import Network
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS, Demand, commit, promise, propose
from core.domain.records import Line, Supply
from core.domain.serving import ServePolicy
from core.domain.simulation.overlay import Dating, Parties, Scenario, lay_over
from core.domain.states import DateBasis, OrderLineStatus, PromiseReason


@dataclass(frozen=True, slots=True)
class Replenishment:
    """How a SKU is bought; without a supplier it is not."""

    supplier_id: int | None
    lead_time_days: int = DEFAULT_LEAD_TIME_DAYS
    moq: int = 1
    order_multiple: int = 1
    reorder_point: int = 0
    reorder_quantity: int = 0
    main_location_id: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """Demand to come: lines per day, units per line, and where they go."""

    lines_per_day: float = 0.0
    units_per_line: float = 1.0
    destination_id: int | None = None
    sources: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What one SKU is played with besides its book."""

    replenishment: Replenishment
    expected: Expected
    held_orders: Collection[int] = ()
    allowed: Mapping[int, Sequence[int] | None] = field(default_factory=dict)
    serving: ServePolicy = field(default_factory=ServePolicy)


@dataclass(slots=True)
class LineOutcome:
    """What became of a line of the snapshot: filled on a day (None: not by `until`, the horizon), its last promise."""

    line_id: int
    order_id: int
    customer_id: int | None
    filled_on: date | None
    promised: date | None
    until: date

    @property
    def day(self) -> date:
        """When the customer has it, as far as one knows: what still waits at the end comes after it at the earliest."""
        beyond = self.until + timedelta(days=1)
        return self.filled_on or max(self.promised or beyond, beyond)


@dataclass(slots=True)
class Outcome:
    """One SKU under one scenario. Units and lines; `late_unit_days` counts each waiting unit once per day."""

    sku_id: int
    demand_units: int = 0
    demand_lines: int = 0
    filled_at_once_units: int = 0
    filled_at_once_lines: int = 0
    lines_gone_short: int = 0
    late_unit_days: int = 0
    bought_units: int = 0
    backordered_by_day: list[int] = field(default_factory=list)
    free_stock_by_day: list[int] = field(default_factory=list)
    lines: list[LineOutcome] = field(default_factory=list)


def project(
    book: SkuBook,
    network: Network,
    setting: Setting,
    scenario: Scenario,
    policy: MovePolicy,
    parties: Parties,
    *,
    horizon_days: int,
    seed: int,
    run: Callable[[SkuBook], None] | None = None,
) -> Outcome:
    """Play a book (it is used up: give a copy) for `horizon_days` days after today under a scenario.

    `run` publishes a re-promising run on the book before the first day.
    """
    start, first = book.now, dict(book.today)
    outcome = Outcome(book.sku_id)
    watched = list(book.lines.values())
    filled: dict[int, date] = {}
    short: set[int] = {id(line) for line in watched if line.backordered}
    random = Random(f"{seed}:{book.sku_id}")  # noqa: S311  reproducible, not secret
    lay_over(book, scenario, network, policy, parties)
    if run is not None:
        run(book)
    for offset in range(horizon_days + 1):
        gone = timedelta(days=offset)
        if offset:
            book.live_on(start + gone, {place: day + gone for place, day in first.items()})
        _receive(book)
        serve_waiting(book, network, setting.held_orders, setting.allowed, setting.serving)
        if offset:
            _demand(book, network, setting, scenario, random, outcome, short)
        _buy(book, network, setting.replenishment, scenario, policy, parties.dating, outcome)
        waiting = [line for line in [*watched, *book.new_lines] if line.backordered]
        short.update(id(line) for line in waiting)
        for line in watched:
            if id(line) not in filled and not line.open and not line.backordered:
                filled[id(line)] = min(book.today.values())
        outcome.backordered_by_day.append(sum(line.backordered for line in waiting))
        outcome.late_unit_days += outcome.backordered_by_day[-1]
        outcome.free_stock_by_day.append(sum(level.available for level in book.levels.values()))
        _forget(book)
    outcome.lines_gone_short = len(short)
    until = min(book.today.values())
    outcome.lines = [
        LineOutcome(line.id or 0, line.order_id, line.customer_id, filled.get(id(line)), line.promised, until)
        for line in watched
    ]
    return outcome


def _receive(book: SkuBook) -> None:
    """Everything that is due arrives whole, in a lot that outlives the play; planned transfers have left at once."""
    for supply in list(book.supplies):
        if supply.transfer is not None and supply.transfer.state == "planned":
            ship_transfer(book, supply.transfer)
        if not supply.open or supply.usable_date > book.today[supply.location_id]:
            continue
        lot = None if book.lots is None else book.lots.lasting(supply.location_id)
        if supply.transfer is not None:
            touched = receive_transfer(book, supply, supply.open, 0, lot)
        else:
            touched = book.receive(supply, supply.open, 0, "simulation", None, lot)
        for line in {id(line): line for line in touched}.values():
            book.settle(line, str(PromiseReason.ALLOCATED))


def _demand(
    book: SkuBook,
    network: Network,
    setting: Setting,
    scenario: Scenario,
    random: Random,
    outcome: Outcome,
    short: set[int],
) -> None:
    expected = setting.expected
    if not expected.lines_per_day or not expected.sources:
        return
    lines = _poisson(random.random(), expected.lines_per_day)
    units = [_poisson(random.random(), max(expected.units_per_line - 1, 0)) + 1 for _ in range(lines)]
    day = min(book.today.values())
    total = round(sum(units) * scenario.uplift(book.sku_id, day))
    if units and total != sum(units):
        units[-1] += total - sum(units)
        while units and units[-1] <= 0:
            units[-2:] = [sum(units[-2:])] if len(units) > 1 else []
    for number, quantity in enumerate(units, start=1):
        line = Line(
            None,
            -len(book.new_lines) - 1,
            number,
            quantity,
            open=quantity,
            status=OrderLineStatus.VALIDATED,
            destination_id=expected.destination_id,
            is_new=True,
        )
        book.new_lines.append(line)
        lead = setting.replenishment.lead_time_days
        demand = Demand(quantity, expected.destination_id, None, list(expected.sources), lead)
        commit(book, line, propose(book, demand, network, book.now), PromiseReason.PLACED)
        promise(book, line, network, book.now, PromiseReason.PLACED, cause_kind=PromiseReason.PLACED)
        outcome.demand_units += quantity
        outcome.demand_lines += 1
        outcome.filled_at_once_units += line.allocated
        outcome.filled_at_once_lines += line.allocated == quantity
        if line.backordered:
            short.add(id(line))


def _poisson(uniform: float, mean: float) -> int:
    """The Poisson quantile of a uniform number: a larger mean never draws fewer."""
    if mean <= 0:
        return 0
    if mean > 500:  # exp(-mean) would vanish; the normal approximation is within a unit here
        return max(0, round(NormalDist(mean, math.sqrt(mean)).inv_cdf(min(max(uniform, 1e-12), 1 - 1e-12))))
    term = total = math.exp(-mean)
    count = 0
    while total < uniform and count < 10_000:
        count += 1
        term *= mean / count
        total += term
    return count


def _buy(
    book: SkuBook,
    network: Network,
    buying: Replenishment,
    scenario: Scenario,
    policy: MovePolicy,
    dating: Dating,
    outcome: Outcome,
) -> None:
    if buying.supplier_id is None:
        return
    lead = max(0, buying.lead_time_days + scenario.lead_days(book.sku_id, buying.supplier_id))
    gained = cover_open(book, network, lead, str(PromiseReason.SUPPLY_DATED))
    touched = [line for line, _ in gained.values()]
    for need in needs(
        book,
        buying.main_location_id,
        buying.reorder_point,
        buying.reorder_quantity,
        buying.moq,
        buying.order_multiple,
    ):
        day = lead_time_day(network, need.location_id, book.today[need.location_id], lead)
        dock = dock_day(network, need.location_id, day, dating.receiving_days)
        comes = scenario.delayed_until(book.sku_id, buying.supplier_id, dock)
        if comes is None:  # nobody orders, day after day, what never comes
            continue
        if comes != dock:
            basis = str(DateBasis.CONFIRMED_ORDER)
            day = dating.usable(network, need.location_id, comes, basis, buying.supplier_id)
        outcome.bought_units += need.quantity
        supply = book.add_supply(
            Supply(
                None,
                need.location_id,
                "purchase",
                need.quantity,
                day,
                paper_date=comes,
                date_basis=str(DateBasis.LEAD_TIME),
                supplier_id=buying.supplier_id,
            )
        )
        touched += peg_new_supplies(book, network, [supply], need.pegs, policy)
    conclude(book, network, touched, PromiseReason.SUPPLY_DATED)


def _forget(book: SkuBook) -> None:
    """Nobody is told anything by a simulation, and finished supplies and lines need not be looked at again."""
    book.movements.clear()
    book.promises.clear()
    book.line_facts.clear()
    book.backorder_facts.clear()
    book.removed_pegs.clear()
    book.supplies = [s for s in book.supplies if s.open]
    book.pegs = [p for p in book.pegs if p.quantity and not (p.kind == "HARD" and p.line is not None and p.line.is_new)]
    book.backorders = [b for b in book.backorders if b.closed_at is None]
