"""What a customer was told and what covers it now: promises, slices, pegs, dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from datetime import date as date_
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.node import Row, build, register
from api.schema.sku import Location, Sku
from core.domain.access import Role
from core.domain.date_parts import UNKNOWN, DatePart, DateQuantiles

if TYPE_CHECKING:
    from api.schema.purchasing import PurchaseOrderLine, ShipNotice, Transfer


@register
@strawberry.type(
    description="A day: what was committed, what is believed now, and how sure. Quantiles are null below 20 observations, and "
    "where more of such goods than the rest never came: then no day holds that level."
)
class DateEstimate:
    """Days stand beside a named zone."""

    day: strawberry.Private[date]
    parts: strawberry.Private[tuple[DatePart, ...]] = ()
    """What it waits for; without a part nothing is known beyond the day."""
    promised: date | None = field(description="The day that was committed.", default=None)
    timezone: str = field(description="IANA zone the days are counted in.")
    basis: enums.DateBasis = field(description="What the day rests on.")

    async def _known(self, info: Info) -> DateQuantiles:
        return await info.context.loaders.date_quantiles.load(self.parts) if self.parts else UNKNOWN

    @field(
        description="The day believed now: the 80 % quantile where known; where more than a fifth of such goods never comes, the last "
        "day on which any did; else the paper date."
    )
    async def expected(self, info: Info) -> date:
        return (await self._known(info)).expected(self.day)

    @field(description="Median.")
    async def p50(self, info: Info) -> date | None:
        return (await self._known(info)).p50

    @field(description="80 % quantile.")
    async def p80(self, info: Info) -> date | None:
        return (await self._known(info)).p80

    @field(description="95 % quantile.")
    async def p95(self, info: Info) -> date | None:
        return (await self._known(info)).p95

    @field(description="Measured share of past days inside the 80 % quantile; null where it was not measured.")
    async def coverage(self, info: Info) -> float | None:
        return (await self._known(info)).coverage

    @field(description="How many past arrivals the quantiles rest on.")
    async def observations(self, info: Info) -> int:
        return (await self._known(info)).observations


@register
@strawberry.type(description="What covers a quantity.")
class SupplySource:
    """One source; at most one of the three objects is given."""

    kind: enums.SupplyKind = field(description="What kind of source.")
    location_id: strawberry.Private[int]
    purchase_order_line_key: strawberry.Private[tuple[int, int] | None] = None
    ship_notice_id: strawberry.Private[int | None] = None
    transfer_key: strawberry.Private[tuple[int, int] | None] = None
    told_supply: strawberry.Private[tuple[int, int] | None] = None
    """(SKU id, id) of the supply that a promise named; whose it is, staff is told."""

    async def _told(self, info: Info) -> Row | None:
        if self.told_supply is None or not _sees_events(info):
            return None
        return await info.context.loaders.supply_by_key.load(self.told_supply)

    @field(description="Where the quantity is or will be.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="The purchase order line, when it is one.")
    async def purchase_order_line(
        self, info: Info
    ) -> Annotated[PurchaseOrderLine, strawberry.lazy("api.schema.purchasing")] | None:
        key, told = self.purchase_order_line_key, await self._told(info)
        if told is not None:
            key = _key(told["sku_id"], told["purchase_order_line_id"])
        if key is None:
            return None
        return build("PurchaseOrderLine", await info.context.loaders.purchase_order_line_by_key.load(key))

    @field(description="The ship notice, when the goods are announced.")
    async def ship_notice(self, info: Info) -> Annotated[ShipNotice, strawberry.lazy("api.schema.purchasing")] | None:
        told = await self._told(info)
        id = self.ship_notice_id if told is None else told["ship_notice_id"]
        if id is None:
            return None
        return build("ShipNotice", await info.context.loaders.ship_notice_by_id.load(id))

    @field(description="The transfer, when it comes from another location.")
    async def transfer(self, info: Info) -> Annotated[Transfer, strawberry.lazy("api.schema.purchasing")] | None:
        key, told = self.transfer_key, await self._told(info)
        if told is not None:
            key = _key(told["sku_id"], told["transfer_id"])
        if key is None:
            return None
        return build("Transfer", await info.context.loaders.transfer_by_key.load(key))


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


_SEES_EVENTS = frozenset({Role.WAREHOUSE, Role.PLANNER, Role.ADMIN, Role.AUDITOR})


def _sees_events(info: Info) -> bool:
    return info.context.principal.role in _SEES_EVENTS


@register
@strawberry.type(description="Something that moves the stock balance on a day; shown to staff only.")
class BindingEvent:
    """One event behind a binding constraint."""

    sku_id: strawberry.Private[int]
    supply_id: strawberry.Private[int | None]
    order_line_id: strawberry.Private[int | None]
    kind: enums.BindingKind = field(description="What happens.")
    date: date_ = field(description="On which day.")
    quantity: int = field(description="Base units; negative for what is claimed, held or protected.")

    @field(description="The supply that comes, when it is one.")
    async def supply(self, info: Info) -> SupplySource | None:
        if self.supply_id is None:
            return None
        row = await info.context.loaders.supply_by_key.load((self.sku_id, self.supply_id))
        if row is None:
            return None
        return SupplySource(
            kind=enums.SupplyKind(row["source"]),
            location_id=row["location_id"],
            purchase_order_line_key=_key(self.sku_id, row["purchase_order_line_id"]),
            ship_notice_id=row["ship_notice_id"],
            transfer_key=_key(self.sku_id, row["transfer_id"]),
        )

    @field(description="Number of the order that has claimed the units, when one has.")
    async def order_number(self, info: Info) -> str | None:
        line = await self._line(info)
        order = None if line is None else await info.context.loaders.order_by_id.load(line["order_id"])
        return None if order is None else order["number"]

    @field(description="Number of its line within the order.")
    async def line_number(self, info: Info) -> int | None:
        line = await self._line(info)
        return None if line is None else line["line_number"]

    async def _line(self, info: Info) -> Row | None:
        if self.order_line_id is None:
            return None
        return await info.context.loaders.line_by_key.load((self.sku_id, self.order_line_id))


def _key(sku_id: int, id: int | None) -> tuple[int, int] | None:
    return None if id is None else (sku_id, id)


@register
@strawberry.type(
    description="What limits a promise: the day on which the balance is smallest, and what happens there or ends the wait."
)
class BindingConstraint:
    """`facts`: kind, date, location, free, events, as the evidence of a promise keeps them."""

    sku_id: strawberry.Private[int]
    facts: strawberry.Private[Mapping[str, Any]]

    @field(description="The SKU that it is about: of a kit the component that comes last.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Why it is not earlier.")
    def kind(self) -> enums.BindingKind:
        return enums.BindingKind(self.facts["kind"])

    @field(description="The day that limits it: of the claim in the way, or of what comes only then.")
    def date(self) -> date_ | None:
        day = self.facts.get("date")
        return None if day is None else date_.fromisoformat(day)

    @field(description="Units that could be promised for today at the location; staff only.")
    def quantity(self, info: Info) -> int | None:
        return self.facts.get("free") if _sees_events(info) else None

    @field(
        description="The events behind it, at most the 20 largest claims and 20 others: largest claim first, then what ends the "
        "wait; empty for other than staff."
    )
    def events(self, info: Info) -> list[BindingEvent]:
        return [
            BindingEvent(
                sku_id=self.sku_id,
                supply_id=row.get("supplyId"),
                order_line_id=row.get("orderLineId"),
                kind=enums.BindingKind(row["kind"]),
                date=date_.fromisoformat(row["date"]),
                quantity=row["quantity"],
            )
            for row in (self.facts.get("events") or () if _sees_events(info) else ())
        ]


@register
@strawberry.type(description="A delivery proposal: what comes when, and why not earlier.")
class Promise:
    """What is told for one quantity of one SKU."""

    quantity: int = field(description="Base units that are promised.")
    complete: bool = field(description="Does it cover all that was asked for.")
    slices: list[PromiseSlice] = field(description="Its parts, by day.")
    ship_date: DateEstimate | None = field(description="When the last part leaves.", default=None)
    delivery_date: DateEstimate | None = field(description="When the last part arrives.", default=None)
    sku_id: strawberry.Private[int] = 0
    limits: strawberry.Private[Any] = None
    """Facts of the constraint, or the (SKU, spot, instant) at which to look for them."""

    @field(description="What limits it: which day and which event; null where it was not kept.")
    async def binding(self, info: Info) -> BindingConstraint | None:
        facts, sku_id = self.limits, self.sku_id
        if isinstance(facts, tuple):
            sku_id = facts[0]
            facts = await info.context.loaders.binding_by_spot.load(facts)
        return BindingConstraint(sku_id=sku_id, facts=facts) if facts else None


@register
@strawberry.type(description="One promise of a line's history; promises are only ever added.")
class PromiseRecord:
    """One entry of the promise ledger."""

    promised: date = field(description="The day that was promised (delivery where known, else leaving).")
    basis: enums.DateBasis = field(description="What the day rested on.")
    made_at: datetime = field(description="When it was promised.")
    reason: enums.PromiseReason = field(description="Why it was given or moved.")
    previous: date | None = field(description="The day that was promised before.", default=None)
    sequence: int = field(description="Number of the promise within its line, from 1; there are no gaps.")
    promise: Promise = field(description="What was promised: units, parts, and the supply behind each.")


@register
@strawberry.type(description="What covers a part of a line now.")
class Peg:
    """A link from demand to supply."""

    quantity: int = field(description="Base units.")
    firmness: enums.PegFirmness = field(description="How firm the link is.")
    supply: SupplySource = field(description="What covers it; LEAD_TIME when there is no source yet.")
    expected: DateEstimate | None = field(description="When the units become usable.", default=None)
