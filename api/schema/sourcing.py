"""From whom to buy: options with their expected costs, exposure to single sources, what to unload first, who approves."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema.enums import described
from api.schema.node import Row, build, build_all, register
from api.schema.sku import Money, Sku, Supplier
from api.schema.suppliers import PriceBreak
from core.domain.supplier_choice import Part
from core.domain.supplier_states import DeadlineKind, DeadlineState
from core.repositories.sourcing import Source
from core.services.choose_sources import Choice, Option

if TYPE_CHECKING:
    from api.schema.purchasing import PurchaseOrder, ShipNotice


class SourcingReason(Enum):
    """Reasons of core.services.choose_sources."""

    ONLY_SOURCE = "ONLY_SOURCE"
    CHEAPEST = "CHEAPEST"
    LESS_LATE = "LESS_LATE"
    MORE_RELIABLE = "MORE_RELIABLE"
    SPLIT = "SPLIT"


described(
    SourcingReason,
    "Why a source was chosen.",
    ONLY_SOURCE="There is no other.",
    CHEAPEST="No other costs less to buy from.",
    LESS_LATE="It costs more to buy from, and less than the lateness it saves.",
    MORE_RELIABLE="It costs more to buy from, and more of what is ordered comes.",
    SPLIT="Urgent units from the sooner source, the rest from the cheaper one.",
)


@strawberry.type(description="An order to one source, with what it is expected to cost.")
class SourcingPart:
    """One part of a plan, or a whole need bought from one source."""

    part: strawberry.Private[Part]
    currency: strawberry.Private[str]
    source: strawberry.Private[Source]
    quantity: int = field(description="Base units to order, MOQ and multiple kept.")
    covers: int = field(description="Of these, units that are needed; the rest is surplus.")
    is_expedited: bool = field(description="At the expedited lead time.")

    def _money(self, amount: float) -> Money:
        return Money(amount_minor=round(amount), currency=self.currency)

    @field(description="Whom to order from.")
    async def supplier(self, info: Info) -> Supplier:
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.source.supplier_id))

    @field(description="What one unit is ordered at, in the supplier's own currency; expediting is a fee on top.")
    def order_price(self) -> Money:
        return Money(amount_minor=self.source.price_at(self.quantity), currency=self.source.currency)

    @field(description="Price of one unit at this quantity, expediting included, in the currency of the comparison.")
    def unit_price(self) -> Money:
        return self._money(self.part.offer.unit_price(self.part.quantity))

    @field(description="Purchase of the needed units.")
    def purchase(self) -> Money:
        return self._money(self.part.purchase)

    @field(description="Fee of expediting.")
    def fee(self) -> Money:
        return self._money(self.part.fee)

    @field(description="Expected cost of the needed units being late.")
    def lateness(self) -> Money:
        return self._money(self.part.lateness)

    @field(description="What the surplus is counted with.")
    def surplus(self) -> Money:
        return self._money(self.part.surplus)

    @field(description="All of it: what sources are compared by.")
    def total(self) -> Money:
        return self._money(self.part.total)


@strawberry.type(description="One way to buy what is needed.")
class SourcingOption:
    """One approved source at its usual pace, or expedited."""

    option: strawberry.Private[Option]
    currency: strawberry.Private[str]
    is_expedited: bool = field(description="At the expedited lead time.")
    is_chosen: bool = field(description="Is it part of the plan.")
    lead_time_p50: float = field(description="Days until usable that half of the orders keep.")
    lead_time_p80: float = field(description="Days until usable that four of five orders keep.")
    observations: int = field(description="Observed lead times behind these figures.")
    expected_late_days: float = field(description="Days a unit is expected to be late, on average.")
    moq: int = field(description="Fewest units of an order.")
    order_multiple: int = field(description="Orders are multiples of it.")
    reliability: float = field(description="Share of ordered units that is expected to come.")
    finished_lines: int = field(description="Finished lines of the last year behind that share.")
    most_units: int | None = field(description="Units it says it can give in this time; null: it does not say.")

    @staticmethod
    def of(option: Option, currency: str) -> SourcingOption:
        offer, source = option.offer, option.source
        return SourcingOption(
            option=option,
            currency=currency,
            is_expedited=offer.is_expedited,
            is_chosen=option.is_chosen,
            lead_time_p50=offer.p50,
            lead_time_p80=offer.p80,
            observations=source.observations,
            expected_late_days=option.late_days,
            moq=offer.moq,
            order_multiple=offer.multiple,
            reliability=offer.reliability,
            finished_lines=source.finished_lines,
            most_units=offer.most,
        )

    @field(description="Who delivers.")
    async def supplier(self, info: Info) -> Supplier:
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.option.source.supplier_id))

    @field(description="Unit prices by quantity, expediting included, in the supplier's own currency.")
    def prices(self) -> list[PriceBreak]:
        source = self.option.source
        return [
            PriceBreak(from_quantity=start, price=Money(amount_minor=price, currency=source.currency))
            for start, price in source.prices(expedited=self.is_expedited)
        ]

    @field(description="What buying everything here would cost; null when it cannot deliver so much.")
    def alone(self) -> SourcingPart | None:
        if self.option.part is None:
            return None
        return part_of(self.option.part, self.currency, self.option.source)


@strawberry.type(description="From whom to buy what is needed, and why.")
class SourcingChoice:
    """A plan among its options."""

    choice: strawberry.Private[Choice]
    reason: SourcingReason | None = field(description="Why; null when the sources together cannot deliver so much.")

    @staticmethod
    def of(choice: Choice) -> SourcingChoice:
        return SourcingChoice(choice=choice, reason=None if choice.reason is None else SourcingReason(choice.reason))

    def _money(self, amount: float | None) -> Money | None:
        return None if amount is None else Money(amount_minor=round(amount), currency=self.choice.currency)

    @field(description="What is bought.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.choice.sku_id))

    @field(description="The orders with the least expected cost, soonest first.")
    def plan(self) -> list[SourcingPart]:
        if self.choice.plan is None:
            return []
        sources, currency = self.choice.sources, self.choice.currency
        return [part_of(part, currency, sources[part.offer.code]) for part in self.choice.plan.parts]

    @field(description="Expected cost of the plan.")
    def total(self) -> Money | None:
        return self._money(None if self.choice.plan is None else self.choice.plan.total)

    @field(description="What the next best single source would cost more; null when no other can deliver it all.")
    def saves(self) -> Money | None:
        return self._money(self.choice.saves)

    @field(description="Every approved source that can be compared, the preferred first.")
    def options(self) -> list[SourcingOption]:
        return [SourcingOption.of(option, self.choice.currency) for option in self.choice.options]

    @field(
        description="Approved sources in a currency without a rate (parameter exchange_rates): they are not compared."
    )
    async def uncompared(self, info: Info) -> list[Supplier]:
        ids = [source.supplier_id for source in self.choice.uncompared]
        return build_all("Supplier", await info.context.loaders.supplier_by_id.load_many(ids))


def part_of(part: Part, currency: str, source: Source) -> SourcingPart:
    """The API's part of a plan."""
    return SourcingPart(
        part=part,
        currency=currency,
        source=source,
        quantity=part.quantity,
        covers=part.covers,
        is_expedited=part.offer.is_expedited,
    )


class PurchaseCause(Enum):
    """Kinds of `purchase_order.cause`."""

    MANUAL = "MANUAL"
    BACKORDER = "BACKORDER"
    REORDER_POINT = "REORDER_POINT"
    EMERGENCY = "EMERGENCY"
    OTHER = "OTHER"


described(
    PurchaseCause,
    "Why a purchase order was made.",
    MANUAL="A person ordered it.",
    BACKORDER="Customers wait for units of it.",
    REORDER_POINT="Stock was to be filled up.",
    EMERGENCY="A person asked for an emergency purchase; the sources were compared.",
    OTHER="It was taken over from elsewhere.",
)


@register
@strawberry.type(description="Why a purchase order was made, and why from this supplier.")
class PurchaseOrderCause:
    """What was kept with the order when it was made."""

    row: strawberry.Private[Row]

    @field(description="What led to it.")
    def kind(self) -> PurchaseCause:
        kind = self.row.get("kind")
        return PurchaseCause(kind) if kind in PurchaseCause.__members__ else PurchaseCause.OTHER

    @field(description="Who made it; null where no person did.")
    def actor(self) -> str | None:
        return self.row.get("actor")

    @field(description="Units that customers waited for when it was made; null where that was not looked at.")
    def waiting(self) -> int | None:
        return self.row.get("waiting")

    @field(
        description="Units that were on order already for the same location and claimed by nobody, but come too late for those who"
        " wait: later than goods ordered anew; null where that was not looked at."
    )
    def comes_later(self) -> int | None:
        return self.row.get("comesLater")

    @field(description="The first day on which those come; null where there are none.")
    def comes_later_from(self) -> date | None:
        day = self.row.get("comesLaterFrom")
        return None if day is None else date.fromisoformat(day)

    @field(description="Why this supplier, where sources were compared.")
    def reason(self) -> SourcingReason | None:
        reason = self._choice.get("reason")
        return SourcingReason(reason) if reason in SourcingReason.__members__ else None

    @field(description="What the whole purchase was expected to cost, lateness and surplus included.")
    def expected_cost(self) -> Money | None:
        return self._money("expectedCost")

    @field(description="What the next best single source would have cost more.")
    def saves(self) -> Money | None:
        return self._money("saves")

    @property
    def _choice(self) -> Row:
        return self.row.get("choice") or {}

    def _money(self, name: str) -> Money | None:
        amount = self._choice.get(name)
        return None if amount is None else Money(amount_minor=round(amount), currency=self._choice["currency"])


@register
@strawberry.type(description="A SKU that depends on one source, or has none.")
class SingleSource:
    """One exposure."""

    sku_id: strawberry.Private[int]
    supplier_id: strawberry.Private[int | None] = None
    row: strawberry.Private[Row]
    approved_sources: int = field(description="Approved suppliers: 1 or 0.")
    other_sources: int = field(description="Suppliers that offer it and are not approved.")
    weekly_units: float = field(description="Units ordered a week, over the last four weeks.")
    units_waiting: int = field(description="Units that order lines wait for.")
    lead_time_p80: int = field(description="Days until a new order could come.")

    @field(description="Which SKU.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="The only approved supplier; null when there is none.")
    async def supplier(self, info: Info) -> Supplier | None:
        if self.supplier_id is None:
            return None
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.supplier_id))

    @field(description="Sales that hang on it: what waits, and what is sold until a new order could come.")
    def exposure(self) -> Money:
        return Money(amount_minor=self.row["exposure_minor"], currency=self.row["currency"])


@register
@strawberry.type(description="A delivery that is on its way or due soon, with what waits for it.")
class InboundDelivery:
    """One delivery to unload."""

    purchase_order_id: strawberry.Private[int | None] = None
    ship_notice_id: strawberry.Private[int | None] = None
    expected_date: date = field(description="Day it should be at the dock.")
    units: int = field(description="Units still to come with it.")
    units_waiting: int = field(description="Of these, units that order lines wait for.")
    units_late: int = field(description="Of these, units that are needed today or were before.")
    orders_waiting: int = field(description="Order lines that rely on it.")

    @field(description="Of which purchase order.")
    async def purchase_order(
        self, info: Info
    ) -> Annotated[PurchaseOrder, strawberry.lazy("api.schema.purchasing")] | None:
        if self.purchase_order_id is None:
            return None
        return build("PurchaseOrder", await info.context.loaders.purchase_order_by_id.load(self.purchase_order_id))

    @field(description="Under which ship notice; null when none was sent.")
    async def ship_notice(self, info: Info) -> Annotated[ShipNotice, strawberry.lazy("api.schema.purchasing")] | None:
        if self.ship_notice_id is None:
            return None
        return build("ShipNotice", await info.context.loaders.ship_notice_by_id.load(self.ship_notice_id))


@register
@strawberry.type(description="A breached deadline behind a supply that a backorder relies on: its day is less sure.")
class SupplyRisk:
    """One risk."""

    purchase_order_id: strawberry.Private[int]
    kind: DeadlineKind = field(description="What the supplier owes.")
    state: DeadlineState = field(description="How far past it we are.")
    quantity: int = field(description="Units of the backorder that rely on it.")
    confidence: float = field(
        description="How likely the order is complete on its day, from this supplier's orders that were as long silent."
    )
    cases: int = field(description="Such orders seen; without any, half of its usual share is assumed.")

    @field(description="The purchase order.")
    async def purchase_order(
        self, info: Info
    ) -> Annotated[PurchaseOrder, strawberry.lazy("api.schema.purchasing")] | None:
        return build("PurchaseOrder", await info.context.loaders.purchase_order_by_id.load(self.purchase_order_id))


@register
@strawberry.type(description="Days on which somebody else approves in a person's place.")
class ApproverAbsence:
    """One absence."""

    person: str = field(description="Who is away.")
    substitute: str = field(description="Who approves instead.")
    from_day: date = field(description="First day.")
    until_day: date = field(description="Last day.")
