"""Proposed moves of stock between locations."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema.enums import described
from api.schema.node import Node, Row, build, register
from api.schema.sku import Location, Money, Sku
from core.domain.rebalancing import RebalancingState

if TYPE_CHECKING:
    from api.schema.purchasing import Transfer

described(
    RebalancingState,
    "What became of a proposal to move stock.",
    OPEN="It can be accepted: stockTransfer with its id.",
    ACCEPTED="A transfer was made of it.",
    EXPIRED="Nobody took it in time.",
    WITHDRAWN="A later look found that it does not hold any more.",
)


class RebalancingReasonKind(Enum):
    """Kinds of core.domain.rebalancing."""

    WAITING = "WAITING"
    AT_RISK = "AT_RISK"


described(
    RebalancingReasonKind,
    "Why stock should move.",
    WAITING="Lines wait there without a source.",
    AT_RISK="It would be sold out within the days that the policy names.",
)


@strawberry.type(
    description="Why stock should move, and what the move changes. Days are days of cover by daily demand."
)
class RebalancingReason:
    """Facts of a proposal, as they were when it was made."""

    kind: RebalancingReasonKind = field(description="What is wrong where it goes to.")
    waiting: int = field(description="Units that lines wait for there.")
    units_served: int = field(description="Units of the move that serve waiting lines.")
    daily_demand: float = field(description="Units sold there a day, season included.")
    cover_before: float | None = field(description="Days its stock lasts there now; null without demand.")
    cover_after: float | None = field(description="Days its stock lasts there with the move.")
    donor_free: int = field(description="Units that nobody needs where it comes from.")
    donor_daily_demand: float = field(description="Units sold a day where it comes from.")
    donor_cover_after: float | None = field(description="Days the stock lasts there after the move.")


@register
@strawberry.type(description="Units that would do more good at another location; nothing moves before it is accepted.")
class RebalancingProposal(Node):
    """One proposal."""

    key: strawberry.Private[int]
    sku_id: strawberry.Private[int]
    from_location_id: strawberry.Private[int]
    to_location_id: strawberry.Private[int]
    transfer_id: strawberry.Private[int | None] = None
    row: strawberry.Private[Row]
    quantity: int = field(description="Base units.")
    urgency: int = field(description="The higher, the sooner it should be decided; the list is in this order.")
    carbon_g: int = field(description="Emissions of the move, grams of CO2 equivalent.")
    arrives_on: date = field(description="Day it would arrive if it left now, or on `shipsOn`.")
    state: RebalancingState = field(description="What became of it.")
    expires_at: datetime = field(description="Until when it can be accepted.")
    created_at: datetime = field(description="When it was made.")
    closed_at: datetime | None = field(description="When it was accepted, withdrawn or expired.", default=None)

    @field(
        description="Day from which on it can leave, when the goods are still under way to where it begins: until they are "
        "there it cannot be accepted. Null: they lie there."
    )
    def ships_on(self) -> date | None:
        day = self.row["reason"].get("shipsOn")
        return None if day is None else date.fromisoformat(day)

    @field(description="What would be moved.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Where it lies idle.")
    async def from_location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.from_location_id))

    @field(description="Where it is short.")
    async def to_location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.to_location_id))

    @field(description="What the move costs.")
    def cost(self) -> Money:
        return Money(amount_minor=self.row["cost"], currency=self.row["currency"])

    @field(description="Why, and what it changes.")
    def reason(self) -> RebalancingReason:
        facts = self.row["reason"]
        return RebalancingReason(
            kind=RebalancingReasonKind(facts["kind"]),
            waiting=facts["waiting"],
            units_served=facts["unitsServed"],
            daily_demand=facts["dailyDemand"],
            cover_before=facts["coverBefore"],
            cover_after=facts["coverAfter"],
            donor_free=facts["donorFree"],
            donor_daily_demand=facts["donorDailyDemand"],
            donor_cover_after=facts["donorCoverAfter"],
        )

    @field(description="The transfer that was made of it.")
    async def transfer(self, info: Info) -> Annotated[Transfer, strawberry.lazy("api.schema.purchasing")] | None:
        if self.transfer_id is None:
            return None
        return build("Transfer", await info.context.loaders.transfer_by_key.load((self.sku_id, self.transfer_id)))


@strawberry.input(description="Which proposals.")
class RebalancingProposalFilter:
    """All given conditions must hold."""

    state: list[RebalancingState] | None = field(default=None, description="In one of these states.")
    sku: str | None = field(default=None, description="Of the SKU with this code.")
    from_location: str | None = field(default=None, description="From the location with this code.")
    to_location: str | None = field(default=None, description="To the location with this code.")
