"""What to hold and what to order now, how good forecasts and dates have been, and which figures were broken."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import Info, field

from api.pagination import encode_id
from api.schema import enums
from api.schema.enums import described
from api.schema.node import Row, build, register
from api.schema.sku import Location, Sku, Supplier
from core.domain.states import InputFaultAction, InputFaultReason
from core.domain.target_reasons import say_target


class StockFlag(Enum):
    """Flags of core.domain.stock_classes."""

    REPLENISH = "REPLENISH"
    STOCKOUT_RISK = "STOCKOUT_RISK"
    OVERSTOCK = "OVERSTOCK"
    AGEING = "AGEING"


class HandlingStage(Enum):
    """Stages of core.queries.date_residuals that are ours."""

    RECEIVE = "RECEIVE"
    SHELF = "SHELF"
    SHIP = "SHIP"
    CARRY = "CARRY"


described(
    HandlingStage,
    "A stage of a date that is ours.",
    RECEIVE="From the carrier's delivery at the dock to the receipt.",
    SHELF="From the receipt until all units are inspected and put away.",
    SHIP="Picking: from the planned departure to the real one.",
    CARRY="On the road: from the delivery as planned when it left to the real one.",
)


class TargetReasonCode(Enum):
    """Codes of core.services.keep_demand."""

    REPLENISH = "REPLENISH"
    STOCKOUT_RISK = "STOCKOUT_RISK"
    OVERSTOCK = "OVERSTOCK"
    AGEING = "AGEING"
    BACKORDERED = "BACKORDERED"
    TRANSFER_FIRST = "TRANSFER_FIRST"
    DEMAND_CHANGES = "DEMAND_CHANGES"
    FORECAST_MISSED = "FORECAST_MISSED"


described(
    StockFlag,
    "What stands out of a stock position.",
    REPLENISH="The position has reached the reorder point.",
    STOCKOUT_RISK="There is less than what is expected to be asked for until new goods come.",
    OVERSTOCK="There is more than the policy `replenishment` wants to hold.",
    AGEING="Nothing was asked for in the weeks that the policy names, and units lie there.",
)
described(
    TargetReasonCode,
    "Why a target says what it says.",
    REPLENISH="The position has reached the reorder point.",
    STOCKOUT_RISK="Less than what is expected until new goods come.",
    OVERSTOCK="More than is wanted.",
    AGEING="Units that nobody asks for.",
    BACKORDERED="Units wait there without a source.",
    TRANSFER_FIRST="Another location can spare so many units for less than they cost: see rebalancingProposals.",
    DEMAND_CHANGES="Season, holidays, planned events or prices change demand by so many units until new goods come.",
    FORECAST_MISSED="So many units went short there in the last quarter because the forecast was too low.",
)
described(
    InputFaultReason,
    "What is wrong with a figure.",
    OUTLIER="It is more than fifty times the usual one.",
    UNIT_SLIP="It is a thousand times the usual one: written in another unit.",
    IMPOSSIBLE="It cannot be.",
    DUPLICATE="It says the same thing a second time.",
    GAP="Nothing was recorded where there is always something.",
)
described(
    InputFaultAction,
    "What was done about a broken figure.",
    LEFT_OUT="No forecast sees it.",
    REPAIRED="Forecasts see it in the usual unit.",
    LISTED="It was left as it is.",
)


@strawberry.type(description="Why a target says what it says, with the figures behind it.")
class TargetReason:
    """One reason."""

    code: TargetReasonCode = field(description="Which reason.")
    units: int | None = field(description="Units concerned, where there are any.")
    text: str = field(description="The reason in the caller's language, with its figures.")


@strawberry.type(description="A backorder that ordering now would help.")
class HelpedBackorder:
    """One backorder without a source."""

    id: strawberry.ID = field(description="Id of the backorder.")
    units: int = field(description="Units of it that wait without a source.")


@register
@strawberry.type(
    description="What a SKU should hold at a location, and what to order now. Computed daily; nothing is ordered by it alone."
)
class StockTarget:
    """The newest target of one place."""

    sku_id: strawberry.Private[int]
    location_id: strawberry.Private[int]
    row: strawberry.Private[Row]
    abc: str = field(description="Class by yearly value: A, B or C.")
    xyz: str = field(description="Class by regularity: X, Y or Z.")
    service_level: float = field(description="Share of replenishment cycles that shall pass without a shortage.")
    weekly_mean: float = field(description="Units expected a week.")
    weekly_sd: float = field(description="Standard deviation of a week.")
    lead_time_days: float = field(description="Days from order to receipt, with what the supplier is usually late.")
    lead_time_sd_days: float = field(description="Standard deviation of those days, as measured; 0 while it was not.")
    safety_stock: int = field(description="Units beyond the expected demand until new goods are there.")
    reorder_point: int = field(description="Position from which to order: negative binomial at the service level.")
    order_quantity: int = field(description="Economic order quantity with minimum and multiple of the supplier.")
    on_hand: int = field(description="Units that nobody has a claim on.")
    position: int = field(description="Those, and what is inbound, less what is claimed from it.")
    suggested: int = field(description="Units to order now, beyond those that another location can spare; 0 for none.")
    cover_days: float | None = field(description="Days the units last; null without demand.")
    urgency: int = field(
        description="Chance in percent of running short before new goods come; the list is in this order."
    )
    computed_at: datetime = field(description="When.")

    @field(description="What is held.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Where.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="What stands out.")
    def flags(self) -> list[StockFlag]:
        return [StockFlag(flag) for flag in self.row["flags"]]

    @field(description="Why.")
    def reasons(self, info: Info) -> list[TargetReason]:
        return [
            TargetReason(
                code=TargetReasonCode(reason["code"]),
                units=reason["facts"].get("units"),
                text=say_target(reason["code"], reason["facts"], info.context.language),
            )
            for reason in self.row["reasons"]
        ]

    @field(description="Backorders that wait there without a source: whom ordering now would help.")
    def helps(self) -> list[HelpedBackorder]:
        return [
            HelpedBackorder(id=strawberry.ID(encode_id("Backorder", one["id"], self.sku_id)), units=one["units"])
            for one in self.row["effect"].get("backorders", [])
        ]


@strawberry.input(description="Which targets.")
class StockTargetFilter:
    """All given conditions must hold."""

    flags: list[StockFlag] | None = field(default=None, description="With one of these flags.")
    sku: str | None = field(default=None, description="Of the SKU with this code.")
    location: str | None = field(default=None, description="At the location with this code.")


@register
@strawberry.type(
    description="How far a supplier's stated days are off, and whether what was said of them was kept; actual - stated."
)
class SupplierDates:
    """One supplier and kind of statement."""

    supplier_id: strawberry.Private[int]
    basis: enums.DateBasis = field(
        description="What kind of statement: a confirmed order, a ship notice, a carrier's estimate ..."
    )
    observations: int = field(description="Deliveries that were measured.")
    bias: float = field(description="Mean days off; positive is late.")
    spread: float = field(description="Standard deviation of the days off.")
    p50: int = field(description="Half come by so many days after the stated day.")
    p80: int = field(description="Eighty of a hundred do.")
    p95: int = field(description="Ninety-five of a hundred do; 730 where so many never came.")
    untold: list[int] = field(
        description="Of 50, 80 and 95 those that no day holds, since more goods never came; their quantile says 730."
    )
    coverage: float | None = field(
        description="Share of the last half-year's deliveries that came by the P80 said before; .80 is meant."
    )
    coverage_p50: float | None = field(
        description="Share that came by the P50 said before; .50 is meant.", default=None
    )
    coverage_p95: float | None = field(
        description="Share that came by the P95 said before; .95 is meant.", default=None
    )
    judged: int = field(description="Deliveries that the coverages rest on.")
    is_drifting: bool = field(
        description="Is one of the coverages off, on thirty deliveries or more: P50 by more than .15, P80 by .10, P95 by .07. "
        "Too high counts only where an earlier day could have been said. Or do more of thirty or more never come than a level leaves?"
    )
    computed_at: datetime = field(description="When it was measured.")

    @field(description="The supplier.")
    async def supplier(self, info: Info) -> Annotated[Supplier, strawberry.lazy("api.schema.sku")] | None:
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.supplier_id))


@register
@strawberry.type(
    description="How long a stage of our own takes at a location, in days beyond what is planned of it (RECEIVE and SHELF: in all)."
)
class StageDates:
    """One stage, location and destination."""

    location_id: strawberry.Private[int]
    destination_id: strawberry.Private[int | None]
    stage: HandlingStage = field(description="Which stage.")
    observations: int = field(description="Cases that were measured.")
    bias: float = field(description="Mean days.")
    spread: float = field(description="Standard deviation of the days.")
    p50: int = field(description="Half are done by so many days.")
    p80: int = field(description="Eighty of a hundred are.")
    p95: int = field(description="Ninety-five of a hundred are.")
    untold: list[int] = field(description="Of 50, 80 and 95 those that no day holds; their quantile says 730.")
    coverage: float | None = field(
        description="Share of the last half-year's cases done by the P80 said before; .80 is meant."
    )
    coverage_p50: float | None = field(description="Share done by the P50 said before; .50 is meant.")
    coverage_p95: float | None = field(description="Share done by the P95 said before; .95 is meant.")
    judged: int = field(description="Cases that the coverages rest on.")
    is_drifting: bool = field(description="Is one of the coverages off, as for suppliers.")
    computed_at: datetime = field(description="When it was measured.")

    @field(description="Where.")
    async def location(self, info: Info) -> Location | None:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="Where the road ends; null for the stages before it and for all roads from there.")
    async def destination(self, info: Info) -> Location | None:
        if self.destination_id is None:
            return None
        return build("Location", await info.context.loaders.location_by_id.load(self.destination_id))


@strawberry.type(description="How good the live forecasts of a method have been over their four weeks.")
class DemandAccuracy:
    """One method."""

    method: str = field(description="ses, sba, tsb or adida; chosen per SKU and location by rolling backtest.")
    judged: int = field(description="Forecasts whose four weeks have passed.")
    bias: float | None = field(description="Forecast less demand, over demand; 0 is meant. Null without demand.")
    error: float | None = field(description="Mean absolute error over mean demand.")
    coverage: float | None = field(description="Share whose demand stayed within the P90 that was said; .90 is meant.")
    backorders: int = field(
        description="Backorders that were opened in the four weeks of such a forecast because it was too low."
    )


@register
@strawberry.type(description="A figure that no forecast eats silently.")
class InputFault:
    """One broken figure."""

    subject: str = field(description="What it is, as `order_line:id` or `week:day`.")
    reason: InputFaultReason = field(description="What is wrong with it.")
    action: InputFaultAction = field(description="What was done.")
    sku_id: strawberry.Private[int | None] = None
    day: date | None = field(description="Of which day.", default=None)
    value: float | None = field(description="What it says.", default=None)
    usual: float | None = field(description="What is usual.", default=None)
    found_at: datetime = field(description="When it was found.")

    @field(description="Of which SKU; null for all.")
    async def sku(self, info: Info) -> Sku | None:
        return None if self.sku_id is None else build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))
