"""What a customer was told and what covers it now: promises, slices, pegs, dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.node import build, register
from api.schema.sku import Location

if TYPE_CHECKING:
    from api.schema.purchasing import PurchaseOrderLine, ShipNotice, Transfer


@register
@strawberry.type(
    description="A day: what was committed, what is believed now, and how sure. Quantiles are null below 20 observations."
)
class DateEstimate:
    """Days stand beside a named zone."""

    promised: date | None = field(description="The day that was committed.", default=None)
    expected: date = field(description="The day believed now: the 80 % quantile where known, else the paper date.")
    p50: date | None = field(description="Median.", default=None)
    p80: date | None = field(description="80 % quantile.", default=None)
    p95: date | None = field(description="95 % quantile.", default=None)
    timezone: str = field(description="IANA zone the days are counted in.")
    basis: enums.DateBasis = field(description="What the day rests on.")
    coverage: float | None = field(description="Measured share of past days inside the quantile.", default=None)
    observations: int = field(description="How many past arrivals the quantiles rest on.", default=0)


@register
@strawberry.type(description="What covers a quantity.")
class SupplySource:
    """One source; at most one of the three objects is given."""

    kind: enums.SupplyKind = field(description="What kind of source.")
    location_id: strawberry.Private[int]
    purchase_order_line_key: strawberry.Private[tuple[int, int] | None] = None
    ship_notice_id: strawberry.Private[int | None] = None
    transfer_key: strawberry.Private[tuple[int, int] | None] = None

    @field(description="Where the quantity is or will be.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="The purchase order line, when it is one.")
    async def purchase_order_line(
        self, info: Info
    ) -> Annotated[PurchaseOrderLine, strawberry.lazy("api.schema.purchasing")] | None:
        if self.purchase_order_line_key is None:
            return None
        loader = info.context.loaders.purchase_order_line_by_key
        return build("PurchaseOrderLine", await loader.load(self.purchase_order_line_key))

    @field(description="The ship notice, when the goods are announced.")
    async def ship_notice(self, info: Info) -> Annotated[ShipNotice, strawberry.lazy("api.schema.purchasing")] | None:
        if self.ship_notice_id is None:
            return None
        return build("ShipNotice", await info.context.loaders.ship_notice_by_id.load(self.ship_notice_id))

    @field(description="The transfer, when it comes from another location.")
    async def transfer(self, info: Info) -> Annotated[Transfer, strawberry.lazy("api.schema.purchasing")] | None:
        if self.transfer_key is None:
            return None
        return build("Transfer", await info.context.loaders.transfer_by_key.load(self.transfer_key))


@register
@strawberry.type(description="A part of a promise that leaves from one place on one day.")
class PromiseSlice:
    """One slice."""

    quantity: int = field(description="Base units.")
    source: SupplySource = field(description="What it was promised from.")
    ship_date: DateEstimate = field(description="When it leaves.")
    delivery_date: DateEstimate | None = field(description="When it arrives; null without a known lane.", default=None)

    @field(description="Where it leaves from.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.source.location_id))


@register
@strawberry.type(description="A delivery proposal: what comes when, and why not earlier.")
class Promise:
    """What is told for one quantity of one SKU."""

    quantity: int = field(description="Base units that are promised.")
    complete: bool = field(description="Does it cover all that was asked for.")
    slices: list[PromiseSlice] = field(description="Its parts, by day.")
    ship_date: DateEstimate | None = field(description="When the last part leaves.", default=None)
    delivery_date: DateEstimate | None = field(description="When the last part arrives.", default=None)
    binding: enums.BindingConstraint | None = field(description="What holds it back.", default=None)


@register
@strawberry.type(description="One promise of a line's history; promises are only ever added.")
class PromiseRecord:
    """One entry of the promise ledger."""

    promised: date = field(description="The day that was promised (delivery where known, else leaving).")
    basis: enums.DateBasis = field(description="What the day rested on.")
    made_at: datetime = field(description="When it was promised.")
    reason: enums.PromiseReason = field(description="Why it was given or moved.")
    previous: date | None = field(description="The day that was promised before.", default=None)


@register
@strawberry.type(description="What covers a part of a line now.")
class Peg:
    """A link from demand to supply."""

    quantity: int = field(description="Base units.")
    firmness: enums.PegFirmness = field(description="How firm the link is.")
    supply: SupplySource = field(description="What covers it; LEAD_TIME when there is no source yet.")
    expected: DateEstimate | None = field(description="When the units become usable.", default=None)
