"""The work with suppliers: scorecards, terms, hints, expected purchases, messages, requests, deadlines, packs."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info, field

from api.schema.enums import described
from api.schema.node import Row, build, register
from api.schema.sku import Money, Sku, Supplier
from core.domain.scorecards import Rate, Scorecard, Spread
from core.domain.supplier_states import DeadlineKind, DeadlineState, PackKind, RequestKind, RequestState

if TYPE_CHECKING:
    from api.schema.purchasing import PurchaseOrder

described(
    DeadlineKind,
    "What a supplier owes by a time.",
    FUNCTIONAL_ACKNOWLEDGEMENT="The receipt (997, CONTRL) that says that it could read our order.",
    ACKNOWLEDGEMENT="An answer to every line of the order.",
    SHIP_NOTICE="The notice that confirmed units have left.",
)
described(
    DeadlineState,
    "How far a deadline has come; the first four are live, each a task for who buys.",
    OPEN="There is time.",
    WARNED="Most of the time is over.",
    BREACHED="It is late; backorders that rely on the order are at risk.",
    ESCALATED="It is long late.",
    MET="The supplier has done it.",
    DROPPED="It is no longer wanted: the order was cancelled or closed.",
)
described(PackKind, "What is under an SSCC.", CARTON="A carton.", PALLET="A pallet.")
described(
    RequestKind,
    "What is urgently asked of a supplier.",
    STOCK="Units of which no order speaks yet.",
    EXPEDITE="An order that should come earlier, or an expedited one.",
    DATE="A day for what has none.",
)
described(
    RequestState,
    "Where an urgent request stands.",
    OPEN="It waits for the supplier.",
    ANSWERED="The supplier can do it, or a part of it.",
    DECLINED="The supplier cannot.",
)


@strawberry.type(description="A share between 0 and 1 (a change, for prices) with the number of cases it rests on.")
class ShareFigure:
    """A rate with its sample."""

    value: float | None = field(description="The share; null without a case.")
    count: int = field(description="Cases it rests on.")

    @staticmethod
    def of(rate: Rate) -> ShareFigure:
        return ShareFigure(value=rate.value, count=rate.count)


@strawberry.type(description="Quantiles with the number of observations they rest on.")
class QuantileFigure:
    """A distribution in short."""

    p50: float | None = field(description="Half of the cases are not above it; null while there are too few to say.")
    p80: float | None = field(description="Four of five cases are not above it; null while there are too few to say.")
    count: int = field(description="Observations it rests on.")

    @staticmethod
    def of(spread: Spread) -> QuantileFigure:
        return QuantileFigure(p50=spread.p50, p80=spread.p80, count=spread.count)


@strawberry.type(description="How many receipts took so many days.")
class LeadTimeCount:
    """One bar of the distribution."""

    days: int = field(description="Days from sending the order to the receipt.")
    receipts: int = field(description="Receipts that took so long.")


@strawberry.type(description="How the days that a supplier stated have done.")
class StatedDates:
    """The supplier's own dates, scored."""

    bias_days: float | None = field(description="Median of days late against the last stated day; negative: early.")
    spread_days: float | None = field(description="Days between the first and the last tenth of them.")
    coverage: ShareFigure = field(description="Share that came by the stated day; what is overdue is a miss.")
    believed_coverage: ShareFigure = field(description="Share that was usable by the day we had made of it.")


@register
@strawberry.type(
    description="A supplier's record over a window, computed from what is known now: late facts restate it."
)
class SupplierScorecard:
    """A scorecard of a supplier, or of one SKU of it."""

    card: strawberry.Private[Scorecard]
    sku_id: strawberry.Private[int | None] = None
    from_day: date = field(description="First day of the window.")
    to_day: date = field(description="Last day of the window; nothing later counts.")

    @staticmethod
    def facts_of(row: Row) -> dict[str, Any]:
        """Fields from a card and the SKU it is about."""
        card: Scorecard = row["card"]
        return {**row, "from_day": card.from_day, "to_day": card.to_day}

    @field(description="The SKU it is about; null for all of them.")
    async def sku(self, info: Info) -> Sku | None:
        return None if self.sku_id is None else build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Share of lines due in the window that were complete by the day first promised, else asked for.")
    def on_time(self) -> ShareFigure:
        return ShareFigure.of(self.card.on_time)

    @field(description="Share of the units of these lines that have come; `count` is units.")
    def in_full(self) -> ShareFigure:
        return ShareFigure.of(self.card.in_full)

    @field(description="Days from sending to receipt.")
    def lead_time_days(self) -> QuantileFigure:
        return QuantileFigure.of(self.card.lead_time)

    @field(description="The distribution of the lead time, shortest first.")
    def lead_time_distribution(self) -> list[LeadTimeCount]:
        return [LeadTimeCount(days=days, receipts=n) for days, n in self.card.lead_time_days.items()]

    @field(description="Hours from sending to a complete answer.")
    def acknowledgement_hours(self) -> QuantileFigure:
        return QuantileFigure.of(self.card.acknowledgement_hours)

    @field(description="Lines sent in the window that are not answered.")
    def unacknowledged_lines(self) -> int:
        return self.card.unacknowledged

    @field(description="How often a promised day was changed.")
    def date_changes(self) -> int:
        return self.card.date_changes

    @field(description="Share of promised lines whose day was changed.")
    def changed_lines(self) -> ShareFigure:
        return ShareFigure.of(self.card.changed_lines)

    @field(description="Share of received units that were neither damaged nor rejected; `count` is units.")
    def quality(self) -> ShareFigure:
        return ShareFigure.of(self.card.quality)

    @field(description="Change of prices against the window before, weighted by units; `count` is SKUs compared.")
    def price_drift(self) -> ShareFigure:
        return ShareFigure.of(self.card.price_drift)

    @field(description="How the supplier's own days have done.")
    def stated_dates(self) -> StatedDates:
        dates = self.card.dates
        return StatedDates(
            bias_days=dates.bias,
            spread_days=dates.spread,
            coverage=ShareFigure.of(dates.coverage),
            believed_coverage=ShareFigure.of(dates.believed),
        )


@strawberry.type(description="The price of one unit from a quantity on.")
class PriceBreak:
    """One step of a price list."""

    from_quantity: int = field(description="From so many units in one order.")
    price: Money = field(description="Price of one unit.")


@register
@strawberry.type(description="What a supplier offers of a SKU, and what dates of new orders rest on.")
class SupplierOffer:
    """One row of the catalogue of a supplier."""

    sku_id: strawberry.Private[int]
    row: strawberry.Private[Row]
    vendor_code: str | None = field(description="The supplier's code.", default=None)
    moq: int = field(description="Fewest units of an order.")
    order_multiple: int = field(description="Orders are multiples of it.")
    lead_time_days: int = field(description="Agreed usual lead time, calendar days until usable.")
    agreed_lead_time_p80: int = field(description="Agreed lead time that four of five orders keep.")
    lead_time_p80: int = field(description="What dates rest on: what was agreed, drawn to what was observed.")
    observed_p50: int | None = field(
        description="Observed median, drawn to what was agreed while few; null before that.", default=None
    )
    observed_p80: int | None = field(description="Observed P80, likewise.", default=None)
    observed_count: int = field(description="Observations of this SKU behind them.")
    is_preferred: bool = field(description="Is it bought here when nothing else is said.")
    is_approved: bool = field(description="May it be bought here.")
    expedite_days: int | None = field(description="Lead time of an expedited order; null: none.", default=None)

    @field(description="What is offered.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    def _money(self, amount: int) -> Money:
        return Money(amount_minor=amount, currency=self.row["currency"])

    @field(description="Price of one unit.")
    def price(self) -> Money:
        return self._money(self.row["price_minor"])

    @field(description="Prices of larger quantities, ascending.")
    def price_breaks(self) -> list[PriceBreak]:
        return [PriceBreak(from_quantity=start, price=self._money(price)) for start, price in self.row["breaks"]]

    @field(description="What an expedited order costs on top, once.")
    def expedite_fee(self) -> Money:
        return self._money(self.row["expedite_fee"])

    @field(description="What each unit of an expedited order costs on top.")
    def expedite_unit_fee(self) -> Money:
        return self._money(self.row["expedite_unit_fee"])


@register
@strawberry.type(description="A supplier's newest hint on a SKU; it confirms nothing.")
class SupplierStockHint:
    """One hint."""

    sku_id: strawberry.Private[int]
    as_of: datetime = field(description="When it was true.")
    available: int | None = field(description="Units the supplier can send now.", default=None)
    capacity_per_week: int | None = field(description="Units it can make in a week.", default=None)
    next_date: date | None = field(description="When it gets or makes more.", default=None)
    next_quantity: int | None = field(description="How many then.", default=None)

    @field(description="Of what.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))


@strawberry.type(description="Units that we expect to order in a week.")
class ExpectedPurchaseWeek:
    """One expected order."""

    week_of: date = field(description="The week begins on this day.")
    quantity: int = field(description="Base units.")


@register
@strawberry.type(description="What we expect to buy of a SKU: an expectation from demand and stock, not an order.")
class ExpectedPurchase:
    """One SKU of the shared forecast."""

    sku_id: strawberry.Private[int]
    weekly_demand: float = field(description="Units ordered a week by customers, over the last four weeks.")
    proposed: int = field(description="Units on orders to this supplier that are not sent yet.")
    weeks: strawberry.Private[list[tuple[date, int]]]

    @field(description="Expected orders, soonest first.")
    def expected(self) -> list[ExpectedPurchaseWeek]:
        return [ExpectedPurchaseWeek(week_of=day, quantity=units) for day, units in self.weeks]

    @field(description="Of what.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))


@register
@strawberry.type(description="A message between us and the supplier of a purchase order.")
class PurchaseOrderMessage:
    """One message."""

    is_from_supplier: bool = field(description="Did the supplier write it.")
    author: str = field(description="Who wrote it.")
    body: str = field(description="The text.")
    created_at: datetime = field(description="When.")


@register
@strawberry.type(description="One person's approval of a purchase order, by the approval routes.")
class PurchaseOrderApproval:
    """One approval."""

    approver: str = field(description="Who approved.")
    in_place_of: str = field(description="Whose approval it stands for: the same person, or one who is absent.")
    created_at: datetime = field(description="When.")


@register
@strawberry.type(description="Something urgent that a supplier is asked for, and its answer.")
class SupplierRequest:
    """One request."""

    sku_id: strawberry.Private[int]
    supplier_id: strawberry.Private[int]
    purchase_order_id: strawberry.Private[int | None] = None
    number: str = field(description="Our number.")
    kind: RequestKind = field(description="What is asked.")
    quantity: int = field(description="Base units.")
    need_date: date = field(description="By which day.")
    note: str = field(description="What was written with it.")
    state: RequestState = field(description="Where it stands.")
    answer_quantity: int | None = field(description="Units the supplier can send.", default=None)
    answer_date: date | None = field(description="When they can come.", default=None)
    answer_note: str = field(description="What the supplier wrote.")
    answered_at: datetime | None = field(description="When it answered.", default=None)
    created_at: datetime = field(description="When it was asked.")

    @field(description="Of what.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Who is asked.")
    async def supplier(self, info: Info) -> Supplier:
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.supplier_id))

    @field(description="The purchase order it is about; null for none, and for one that was not sent yet.")
    async def purchase_order(
        self, info: Info
    ) -> Annotated[PurchaseOrder, strawberry.lazy("api.schema.purchasing")] | None:
        if self.purchase_order_id is None:
            return None
        return build("PurchaseOrder", await info.context.loaders.purchase_order_by_id.load(self.purchase_order_id))


@register
@strawberry.type(description="What a supplier owes on a purchase order by a time: a task while it is live.")
class SupplierDeadline:
    """One deadline."""

    purchase_order_id: strawberry.Private[int]
    row: strawberry.Private[Row]
    kind: DeadlineKind = field(description="What is owed.")
    state: DeadlineState = field(description="How far it has come.")
    warn_at: datetime = field(description="When a warning is due.")
    due_at: datetime = field(description="When it is late.")
    escalate_at: datetime = field(description="When it is long late.")
    changed_at: datetime = field(description="When it came to this state.")
    chased_at: datetime | None = field(description="When somebody was last after the supplier.", default=None)

    @field(description="Who was after the supplier; null for suppliers themselves.")
    def chased_by(self, info: Info) -> str | None:
        return None if info.context.principal.is_row_scoped else self.row["chased_by"]

    @field(description="What came of it; empty for suppliers.")
    def chase_note(self, info: Info) -> str:
        return "" if info.context.principal.is_row_scoped else self.row["chase_note"]

    @field(description="On which purchase order.")
    async def purchase_order(
        self, info: Info
    ) -> Annotated[PurchaseOrder, strawberry.lazy("api.schema.purchasing")] | None:
        return build("PurchaseOrder", await info.context.loaders.purchase_order_by_id.load(self.purchase_order_id))

    @field(description="How many order lines rely on that purchase order.")
    async def orders_waiting(self, info: Info) -> int:
        return await info.context.loaders.waiting_by_purchase_order_id.load(self.purchase_order_id)


@strawberry.type(description="Units of one SKU in a pack.")
class PackedUnits:
    """One content of a pack."""

    sku: str = field(description="Code of the SKU.")
    quantity: int = field(description="Base units.")
    lot: str | None = field(description="Their lot.", default=None)


@register
@strawberry.type(description="A carton or pallet of a ship notice.")
class ShipNoticePack:
    """One pack."""

    row: strawberry.Private[Row]
    sscc: str = field(description="Its serial shipping container code, 18 digits.")
    kind: PackKind = field(description="What it is.")

    @field(description="What is in it.")
    def contents(self) -> list[PackedUnits]:
        facts: list[dict[str, Any]] = self.row["contents"]
        return [PackedUnits(sku=x["sku"], quantity=x["quantity"], lot=x.get("lot")) for x in facts]


@strawberry.input(description="Which urgent requests.")
class SupplierRequestFilter:
    """All given conditions must hold."""

    state: list[RequestState] | None = field(default=None, description="In one of these states.")
    supplier: str | None = field(default=None, description="To the supplier with this code.")
    sku: str | None = field(default=None, description="For the SKU with this code.")
    purchase_order: str | None = field(default=None, description="About the purchase order with this number.")


@strawberry.input(description="Which deadlines.")
class SupplierDeadlineFilter:
    """All given conditions must hold."""

    state: list[DeadlineState] | None = field(default=None, description="In one of these states.")
    kind: DeadlineKind | None = field(default=None, description="Of this kind.")
    supplier: str | None = field(default=None, description="Of the supplier with this code.")
