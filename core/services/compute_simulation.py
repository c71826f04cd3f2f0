"""Play the scenarios of a simulation on one snapshot, SKU by SKU, beside a baseline without any change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.domain.book import SkuBook
from core.domain.late_pegs import MovePolicy
from core.domain.network import Network
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS
from core.domain.repromising.variant import variant_of
from core.domain.serving import ServePolicy, serve_policy
from core.domain.simulation.compare import Comparison, Totals
from core.domain.simulation.overlay import (
    Change,
    Dating,
    ExtraPurchase,
    LeadTimeChange,
    Parties,
    PriorityRule,
    Promotion,
    SafetyStockChange,
    Scenario,
    Scope,
    SupplyOutage,
    lay_over,
)
from core.domain.simulation.projection import Expected, Outcome, Replenishment, Setting, project
from core.domain.simulation.rehearsal import NO_RUN, Read, Rehearsal
from core.domain.states import LocationKind, SimulationState
from core.domain.trial import Trial
from core.ports import Transaction
from core.queries import simulations
from core.queries.gate_versions import gate_versions
from core.repositories.load_book import Lines, read_books
from core.repositories.network import load_network
from core.repositories.priority_facts import rank_waiting
from core.repositories.repromising_facts import read_facts
from core.repositories.repromising_runs import spared_orders
from core.repositories.simulations import finish_simulation
from core.repositories.supplying import load_lateness, load_policies, move_policy

CHUNK = 50
"""SKUs between two signs of life; a cancellation is noticed there."""
MAX_SKUS = 20_000

Progress = Callable[[int, int], Awaitable[None]]


@dataclass(slots=True)
class _Live:
    """How things stand at the snapshot."""

    open_units: int = 0
    backordered_units: int = 0
    backordered_lines: int = 0
    late_lines: int = 0
    free_stock: int = 0

    def add(self, book: SkuBook) -> None:
        today = min(book.today.values())
        self.free_stock += sum(level.available for level in book.levels.values())
        for line in book.lines.values():
            self.open_units += line.open
            self.backordered_units += line.backordered
            self.backordered_lines += line.backordered > 0
            self.late_lines += line.backordered > 0 and line.promised is not None and line.promised < today


@dataclass(frozen=True, slots=True)
class _Player:
    """One book and what it is played with; every scenario gets a copy."""

    book: SkuBook
    network: Network
    setting: Setting
    policy: MovePolicy
    parties: Parties
    horizon_days: int
    seed: int

    def play(self, scenario: Scenario, rehearsal: Rehearsal | None = None) -> Outcome:
        return project(
            Trial(self.book).book,
            self.network,
            self.setting,
            scenario,
            self.policy,
            self.parties,
            horizon_days=self.horizon_days,
            seed=self.seed,
            run=None if rehearsal is None else lambda book: rehearsal.carry_out(book, self.network),
        )

    def laid_over(self, scenario: Scenario) -> SkuBook:
        """A copy as the scenario has it at the snapshot."""
        book = Trial(self.book).book
        lay_over(book, scenario, self.network, self.policy, self.parties)
        return book


async def compute_simulation(uow: Transaction, id: int, progress: Progress) -> dict[str, Any] | None:
    """The result of a simulation as JSON; None when it has an end already. `uow` is a snapshot: it only reads.

    The books are read once for all scenarios; every scenario plays on its own copy, so that they can be compared.
    """
    row = await simulations.simulation_by_id(uow.sql, id)
    if row is None or row["state"] != SimulationState.COMPUTING:
        return None
    question: dict[str, Any] = row["question"]
    sku_ids = await simulations.skus_to_simulate(
        uow.sql, uow.now, question["skus"], question["suppliers"], MAX_SKUS + 1
    )
    network = await load_network(uow)
    policies = await load_policies(uow)
    policy, serving = move_policy(policies), serve_policy(policies)
    scenarios = await _scenarios(uow, question["scenarios"], network)
    live, baseline = _Live(), Totals()
    compared = {scenario.name: Comparison() for scenario in scenarios}
    wanted = sku_ids[:MAX_SKUS]
    receiving_days = int(policies.get("receiving_days", 0))
    reader = _Reader(uow, network, policy, serving, receiving_days, row["horizon_days"], row["seed"])
    rehearsals = await _rehearsals(uow, question["scenarios"], scenarios, wanted)
    reader.lines = "all" if rehearsals else "waiting"
    total, done = len(wanted) * (2 if rehearsals else 1), 0
    if rehearsals:
        for start in range(0, len(wanted), CHUNK):
            await progress(done, total)
            done += len(wanted[start : start + CHUNK])
            for player in await reader.players(wanted[start : start + CHUNK]):
                buying = player.setting.replenishment
                for scenario in scenarios:
                    if (rehearsal := rehearsals.get(scenario.name)) is not None:
                        rehearsal.look(player.laid_over(scenario), buying.lead_time_days, buying.supplier_id)
        for rehearsal in rehearsals.values():
            await asyncio.to_thread(rehearsal.decide, network, row["seed"])
    for start in range(0, len(wanted), CHUNK):
        await progress(done, total)
        done += len(wanted[start : start + CHUNK])
        for player in await reader.players(wanted[start : start + CHUNK]):
            live.add(player.book)
            usual = player.play(Scenario("baseline"))
            baseline.add(usual)
            for scenario in scenarios:
                compared[scenario.name].add(player.play(scenario, rehearsals.get(scenario.name)), usual)
    await progress(total, total)
    return {
        "skus": len(wanted),
        "left_out": len(sku_ids) > MAX_SKUS,
        "snapshot_at": uow.now.isoformat(),
        "live": {name: getattr(live, name) for name in _Live.__dataclass_fields__},
        "baseline": baseline.as_json(),
        "scenarios": [
            {
                "name": name,
                **comparison.as_json(),
                "repromising": rehearsals[name].summary if name in rehearsals else None,
            }
            for name, comparison in compared.items()
        ],
    }


@dataclass(slots=True)
class _Reader:
    """Reads the books of the snapshot, some SKUs at a time, with what they are played with."""

    uow: Transaction
    network: Network
    policy: MovePolicy
    serving: ServePolicy
    receiving_days: int
    horizon_days: int
    seed: int
    lines: Lines = "waiting"
    late_days: dict[tuple[int, str], int] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)

    async def players(self, sku_ids: Sequence[int]) -> list[_Player]:
        uow = self.uow
        versions = await gate_versions(uow.sql, sku_ids)
        books = await read_books(uow.sql, uow.now, versions, self.network, lines=self.lines)
        await rank_waiting(uow.sql, uow.now, books.values())
        settings, parties = await _settings(uow, books, self.network, self.serving)
        asked = {supply.supplier_id or 0 for book in books.values() for supply in book.supplies}
        asked |= {setting.replenishment.supplier_id or 0 for setting in settings.values()}
        self.late_days |= await load_lateness(uow, asked - self.asked)
        self.asked |= asked
        parties.dating = Dating(self.receiving_days, self.late_days)
        return [
            _Player(book, self.network, settings[sku_id], self.policy, parties, self.horizon_days, self.seed)
            for sku_id, book in books.items()
        ]


async def _rehearsals(
    uow: Transaction, given: list[dict[str, Any]], scenarios: Sequence[Scenario], sku_ids: Sequence[int]
) -> dict[str, Rehearsal]:
    """By name of the scenario, for those with a run. What a run asks of the lines is read once per scenario."""
    found: dict[str, Rehearsal] = {}
    network = await load_network(uow)
    for question, scenario in zip(given, scenarios, strict=True):
        definition = question.get("repromising")
        if definition is not None:
            variant = variant_of(definition)
            read = Read(
                *await read_facts(uow, network, variant, sku_ids),
                await spared_orders(uow, variant.budget.window_days, NO_RUN),
            )
            found[scenario.name] = Rehearsal(scenario, variant, read, sorted(sku_ids))
    return found


async def keep_result(uow: Transaction, id: int, result: dict[str, Any], snapshot_at: Any) -> bool:
    """Write the answer beside the question; False when the simulation was cancelled meanwhile."""
    return await finish_simulation(uow, id, SimulationState.DONE, result=result, snapshot_at=snapshot_at)


async def fail_simulation(uow: Transaction, id: int, error: str) -> bool:
    """Say that a simulation will have no answer, and why."""
    return await finish_simulation(uow, id, SimulationState.FAILED, error=error)


async def is_computing(uow: Transaction, id: int) -> bool:
    """Is the answer still wanted."""
    row = await simulations.simulation_by_id(uow.sql, id)
    return row is not None and row["state"] == SimulationState.COMPUTING


async def abandon_simulation(uow: Transaction, id: int) -> bool:
    """Give a simulation whose run was cancelled its end."""
    return await finish_simulation(uow, id, SimulationState.CANCELLED)


async def _settings(
    uow: Transaction, books: Mapping[int, SkuBook], network: Network, serving: ServePolicy
) -> tuple[dict[int, Setting], Parties]:
    lines = [line for book in books.values() for line in book.lines.values()]
    held, allowed = await simulations.held_and_allowed(uow.sql, {line.order_id for line in lines})
    grades = await simulations.grades_of(uow.sql, {line.customer_id for line in lines if line.customer_id is not None})
    expected = await simulations.expected_demand(uow.sql, uow.now, books)
    buying = await simulations.replenishment_of(uow.sql, books)
    stocked = [place.id for place in network.locations.values() if place.holds_stock]
    main = min(stocked, key=lambda n: (network.locations[n].kind != LocationKind.DC, n), default=0)
    found: dict[int, Setting] = {}
    for sku_id in books:
        terms, demand = buying[sku_id], expected.get(sku_id)
        destination = demand["destination_id"] if demand is not None else None
        found[sku_id] = Setting(
            Replenishment(
                terms["supplier_id"],
                terms["lead_time_p80"] or DEFAULT_LEAD_TIME_DAYS,
                terms["moq"] or 1,
                terms["order_multiple"] or 1,
                terms["reorder_point"],
                terms["reorder_quantity"],
                main,
            ),
            Expected(demand["lines_per_day"], demand["units_per_line"], destination, network.sources(destination))
            if demand is not None
            else Expected(),
            held,
            allowed,
            serving,
        )
    return found, Parties(grades)


async def _scenarios(uow: Transaction, given: list[dict[str, Any]], network: Network) -> list[Scenario]:
    skus = {row["code"]: row["id"] for row in await _codes(uow, "sku", _named(given, "skus", "sku"))}
    suppliers = {row["code"]: row["id"] for row in await _codes(uow, "supplier", _named(given, "suppliers"))}
    places = {place.code: place.id for place in network.locations.values()}
    return [
        Scenario(scenario["name"], tuple(_change(change, skus, suppliers, places) for change in scenario["changes"]))
        for scenario in given
    ]


def _named(given: list[dict[str, Any]], scope: str, single: str = "") -> set[str]:
    changes = [change for scenario in given for change in scenario["changes"]]
    found = {code for change in changes for code in change["scope"][scope] or ()}
    return found | {change[single] for change in changes if single and change.get(single)}


async def _codes(uow: Transaction, table: str, codes: Collection[str]) -> list[Any]:
    return await uow.sql.fetch(f"select id, code from {table} where code = any($1::text[])", sorted(codes))


def _change(
    given: dict[str, Any], skus: Mapping[str, int], suppliers: Mapping[str, int], places: Mapping[str, int]
) -> Change:
    def ids(codes: list[str] | None, known: Mapping[str, int]) -> frozenset[int] | None:
        return None if codes is None else frozenset(known[code] for code in codes if code in known)

    scope = Scope(ids(given["scope"]["skus"], skus), ids(given["scope"]["suppliers"], suppliers))
    from_date = date.fromisoformat(given["from_date"]) if given["from_date"] else date.min
    until = date.fromisoformat(given["until"]) if given["until"] else None
    match given["kind"]:
        case "LEAD_TIME":
            return LeadTimeChange(given["days"], scope)
        case "SAFETY_STOCK":
            return SafetyStockChange(given["factor"], given["quantity"], scope)
        case "SUPPLY_OUTAGE":
            return SupplyOutage(from_date, until, scope)
        case "PROMOTION":
            return Promotion(from_date, until or date.max, given["factor"], scope)
        case "EXTRA_PURCHASE":
            return ExtraPurchase(skus[given["sku"]], places[given["location"]], given["quantity"], from_date)
        case _:
            return PriorityRule(given["grade"], given["score"])
