"""What-if questions and their answers: scenarios played on a snapshot beside a baseline."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.pagination import encode_id
from api.schema.enums import described
from api.schema.errors import UserError
from api.schema.node import Node, Row, build, register
from api.schema.repromising_inputs import RepromisingDefinitionInput
from core.domain.states import SimulationState

if TYPE_CHECKING:
    from api.schema.order import OrderLine

described(
    SimulationState,
    "How far a simulation is.",
    COMPUTING="It waits for its turn, or is being played.",
    DONE="Its result is there.",
    CANCELLED="It was cancelled.",
    FAILED="It could not be played; `error` says why.",
)


class SimulationChangeKind(Enum):
    """Kinds of change of a scenario."""

    LEAD_TIME = "LEAD_TIME"
    SAFETY_STOCK = "SAFETY_STOCK"
    SUPPLY_OUTAGE = "SUPPLY_OUTAGE"
    PROMOTION = "PROMOTION"
    EXTRA_PURCHASE = "EXTRA_PURCHASE"
    PRIORITY = "PRIORITY"


described(
    SimulationChangeKind,
    "What a change of a scenario is about, and which fields it needs.",
    LEAD_TIME="Purchases take `days` more calendar days (negative: fewer), those not shipped yet and new ones.",
    SAFETY_STOCK="Protected stock becomes `factor` times what it is, or `quantity` at every location.",
    SUPPLY_OUTAGE="What would come from `fromDate` until before `until` comes at `until`; without `until` never.",
    PROMOTION="Expected demand is `factor` times as high from `fromDate` to `until`.",
    EXTRA_PURCHASE="`quantity` more of `sku`, usable at `location` on `fromDate`.",
    PRIORITY="Open lines of customers of this `grade` are served with this `score`.",
)


@strawberry.input(description="One change of a scenario; its kind says which fields it needs.")
class SimulationChangeInput:
    """A change."""

    kind: SimulationChangeKind = field(description="What it is about.")
    skus: list[str] | None = field(default=None, description="Only these SKUs, by code; null for all.")
    suppliers: list[str] | None = field(default=None, description="Only these suppliers, by code; null for all.")
    days: int | None = field(default=None, description="Calendar days.")
    factor: float | None = field(default=None, description="Factor; 1 changes nothing.")
    quantity: int | None = field(default=None, description="Base units.")
    from_date: date | None = field(default=None, description="First day.")
    until: date | None = field(default=None, description="Last day of a promotion; first day after an outage.")
    sku: str | None = field(default=None, description="Code of the SKU of an extra purchase.")
    location: str | None = field(default=None, description="Code of the location of an extra purchase.")
    grade: str | None = field(default=None, description="Grade of customers.")
    score: int | None = field(default=None, description="Score, as `backorderReprioritize` takes it.")


@strawberry.input(description="A named set of changes that are made together.")
class SimulationScenarioInput:
    """A scenario."""

    name: str = field(description="Its name; one simulation has each name once.")
    changes: list[SimulationChangeInput] = field(
        default_factory=list, description="What is different in it: at least one change, or a re-promising run."
    )
    repromising: RepromisingDefinitionInput | None = field(
        default=None,
        description="A re-promising run that is carried out at once on the orders as the scenario has them, "
        "within its budget and without approval.",
    )
    repromising_variant: str | None = field(default=None, description="Code of a saved variant of a run instead.")


@strawberry.input(description="What would happen if.")
class SimulationStartInput:
    """Input of simulationStart."""

    name: str = field(description="What the question is called.")
    scenarios: list[SimulationScenarioInput] = field(
        description="1 to 10 scenarios; the baseline is always played too."
    )
    horizon_days: int = field(default=28, description="How many days are played, 1 to 180.")
    skus: list[str] | None = field(
        default=None, description="Only these SKUs; null for all with open demand or recent orders."
    )
    suppliers: list[str] | None = field(default=None, description="Only SKUs of these suppliers.")
    seed: int = field(default=0, description="The same seed draws the same demand.")


@strawberry.input(description="Which simulation to cancel.")
class SimulationCancelInput:
    """Input of simulationCancel."""

    id: strawberry.ID = field(description="Id of the simulation.")


@strawberry.type(description="How things stand at the snapshot, over the SKUs that are played.")
class SimulationLive:
    """Live figures."""

    open_units: int = field(description="Units open, in time.")
    backordered_units: int = field(description="Units backordered.")
    backordered_lines: int = field(description="Lines backordered.")
    late_lines: int = field(description="Of these, lines whose promised day has passed.")
    free_stock: int = field(description="Units on hand that nobody has.")


@strawberry.type(description="What comes of the days that were played, over all SKUs, in base units.")
class SimulationFigures:
    """Figures of one scenario."""

    demand_units: int = field(description="Units of new demand.")
    demand_lines: int = field(description="Lines of new demand.")
    unit_fill_rate: float | None = field(
        description="Share of those units given from stock at once; null without demand."
    )
    line_fill_rate: float | None = field(description="Share of those lines given from stock whole and at once.")
    lines_gone_short: int = field(description="Lines, new and old, that were ever backordered.")
    late_unit_days: int = field(description="Backordered units, summed over the days.")
    bought_units: int = field(description="Units that replenishment ordered.")
    backordered_units_by_day: list[int] = field(description="Units backordered at the end of each day, today first.")
    free_stock_by_day: list[int] = field(description="Units on hand that nobody has at the end of each day.")


@strawberry.type(description="A line that a scenario serves on another day than the baseline does.")
class SimulationMovedLine:
    """One line."""

    sku_id: strawberry.Private[int]
    line_id: strawberry.Private[int]
    days_later: int = field(description="Calendar days; negative is earlier.")

    @field(description="The line; null when it has gone since.")
    async def order_line(self, info: Info) -> Annotated[OrderLine, strawberry.lazy("api.schema.order")] | None:
        return build("OrderLine", await info.context.loaders.line_by_key.load((self.sku_id, self.line_id)))


@strawberry.type(description="What the re-promising run of a scenario does; what is over its budget is left out.")
class SimulationRun:
    """Counts of a proposal."""

    orders_in_run: int = field(description="Orders that it looks at.")
    gained: int = field(description="Lines that gain.")
    lost: int = field(description="Lines that lose.")
    forced: int = field(description="Of these, lines whose promise could not be kept anyway.")
    exceptions: int = field(description="Lines whose strategy cannot be kept.")
    over_budget: int = field(description="Lines that stay as they are because the churn budget is used up.")
    orders_worsened: int = field(description="Orders that it worsens by its own choice.")
    orders_may_worsen: int | None = field(description="Orders that it might; null for no limit.")


@strawberry.type(description="A scenario beside the baseline; a change is scenario less baseline.")
class SimulationScenario:
    """One scenario's answer."""

    name: str = field(description="Its name.")
    figures: SimulationFigures = field(description="What comes of it.")
    change_in_lines_gone_short: int = field(description="Lines that go short, more or fewer.")
    change_in_late_unit_days: int = field(description="Late unit-days, more or fewer.")
    change_in_unit_fill_rate: float | None = field(description="Fill rate, more or less; null without demand.")
    change_in_bought_units: int = field(description="Units bought, more or fewer.")
    later_lines: int = field(description="Present lines that are served later.")
    earlier_lines: int = field(description="Present lines that are served earlier.")
    later_customers: int = field(description="Customers with a line that is served later.")
    earlier_customers: int = field(description="Customers with a line that is served earlier.")
    affected_customers: int | None = field(description="Customers with a line that is served on another day.")
    change_in_backordered_units: int = field(description="Units backordered at the end, more or fewer.")
    change_in_backordered_units_since_now: int = field(
        description="Units backordered at the end less those backordered live at the snapshot."
    )
    repromising: SimulationRun | None = field(description="What its re-promising run does; null without one.")
    moved: list[SimulationMovedLine] = field(description="Lines that move, those that move most first, at most 200.")


@register
@strawberry.type(description="Scenarios played on one snapshot; nothing live is changed by it.")
class Simulation(Node):
    """One simulation."""

    key: strawberry.Private[int]
    row: strawberry.Private[Row]
    name: str = field(description="What the question is called.")
    state: SimulationState = field(description="How far it is.")
    horizon_days: int = field(description="How many days are played.")
    seed: int = field(description="What the demand was drawn with.")
    actor: str = field(description="Who asked.")
    created_at: datetime = field(description="When it was asked.")
    snapshot_at: datetime | None = field(description="The instant whose figures are played.", default=None)
    finished_at: datetime | None = field(description="When it ended.", default=None)
    error: str | None = field(description="Why it failed.", default=None)
    version: int = field(description="Raised by every change.")

    @field(description="The run that plays it, for `jobProgressed`; null until a worker knows of it.")
    def job_run_id(self) -> strawberry.ID | None:
        id = self.row["job_run_id"]
        return None if id is None else strawberry.ID(encode_id("JobRun", id))

    @field(description="SKUs that were played; null until it is done.")
    def sku_count(self) -> int | None:
        return None if self.row["result"] is None else self.row["result"]["skus"]

    @field(description="How things stood; null until it is done.")
    def live(self) -> SimulationLive | None:
        return None if self.row["result"] is None else SimulationLive(**self.row["result"]["live"])

    @field(description="What comes without any change; null until it is done.")
    def baseline(self) -> SimulationFigures | None:
        return None if self.row["result"] is None else _figures(self.row["result"]["baseline"])

    @field(description="The scenarios, in the order in which they were asked; empty until it is done.")
    def scenarios(self) -> list[SimulationScenario]:
        result = self.row["result"]
        return [] if result is None else [_scenario(given, result) for given in result["scenarios"]]


@strawberry.type(description="Answer of simulationStart and simulationCancel.")
class SimulationPayload:
    """The simulation as it is after the commit."""

    simulation: Simulation | None = field(default=None, description="The simulation.")
    user_errors: list[UserError] = field(
        default_factory=list, description="What was refused and why; empty when all was done."
    )


def _figures(totals: Row) -> SimulationFigures:
    return SimulationFigures(
        demand_units=totals["demand_units"],
        demand_lines=totals["demand_lines"],
        unit_fill_rate=totals["unit_fill_rate"],
        line_fill_rate=totals["line_fill_rate"],
        lines_gone_short=totals["lines_gone_short"],
        late_unit_days=totals["late_unit_days"],
        bought_units=totals["bought_units"],
        backordered_units_by_day=totals["backordered_by_day"],
        free_stock_by_day=totals["free_stock_by_day"],
    )


def _scenario(given: Row, result: Row) -> SimulationScenario:
    totals, baseline, live = given["totals"], result["baseline"], result["live"]
    at_end = (totals["backordered_by_day"] or [live["backordered_units"]])[-1]
    fill, usual = totals["unit_fill_rate"], baseline["unit_fill_rate"]
    return SimulationScenario(
        name=given["name"],
        figures=_figures(totals),
        change_in_lines_gone_short=totals["lines_gone_short"] - baseline["lines_gone_short"],
        change_in_late_unit_days=totals["late_unit_days"] - baseline["late_unit_days"],
        change_in_unit_fill_rate=None if fill is None or usual is None else fill - usual,
        change_in_bought_units=totals["bought_units"] - baseline["bought_units"],
        later_lines=given["later_lines"],
        earlier_lines=given["earlier_lines"],
        later_customers=given["later_customers"],
        earlier_customers=given["earlier_customers"],
        affected_customers=given.get("affected_customers"),
        change_in_backordered_units=at_end - (baseline["backordered_by_day"] or [live["backordered_units"]])[-1],
        change_in_backordered_units_since_now=at_end - live["backordered_units"],
        repromising=_run(given.get("repromising")),
        moved=[
            SimulationMovedLine(sku_id=moved["sku_id"], line_id=moved["line_id"], days_later=moved["days_later"])
            for moved in given["moved"]
        ],
    )


def _run(summary: Row | None) -> SimulationRun | None:
    if summary is None:
        return None
    return SimulationRun(
        orders_in_run=summary["ordersInRun"],
        gained=summary["gained"],
        lost=summary["lost"],
        forced=summary["forced"],
        exceptions=summary["exceptions"],
        over_budget=summary["overBudget"],
        orders_worsened=summary["ordersWorsened"],
        orders_may_worsen=summary["ordersMayWorsen"],
    )
