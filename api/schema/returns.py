"""Goods that come back: the return document, exchanges, and what an inspection finds."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum

import strawberry
from strawberry import Info, field

from api.schema.enums import described
from api.schema.errors import UserError
from api.schema.node import build, register
from api.schema.order import Order, OrderLine
from api.schema.payloads import REFUSED
from api.schema.sku import Location


class ReturnCondition(Enum):
    """Conditions of core.services.return_goods."""

    SELLABLE = "SELLABLE"
    QUARANTINED = "QUARANTINED"


described(
    ReturnCondition,
    "What units are like that came back.",
    SELLABLE="As new: they go to who waits at once.",
    QUARANTINED="Not known: nobody gets them before an inspection has accepted them.",
)


@register
@strawberry.type(description="Goods that came back from a customer; the line they left on stays as it was.")
class GoodsReturn:
    """One return document."""

    order_id: strawberry.Private[int]
    sku_id: strawberry.Private[int]
    order_line_id: strawberry.Private[int]
    location_id: strawberry.Private[int]
    number: str = field(description="Its number.")
    quantity: int = field(description="Base units that came back.")
    condition: ReturnCondition = field(description="What they were like.")
    reason: str | None = field(description="Why, in the words of who took them back.", default=None)
    received_at: datetime = field(description="When they were taken back.")
    replacement_sku_id: strawberry.Private[int | None] = None
    replacement_line_id: strawberry.Private[int | None] = None

    @field(description="The line they had left on.")
    async def order_line(self, info: Info) -> OrderLine:
        return build("OrderLine", await info.context.loaders.line_by_key.load((self.sku_id, self.order_line_id)))

    @field(description="Where they are.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="The line that goes out for them; null when nothing does.")
    async def replacement_line(self, info: Info) -> OrderLine | None:
        if self.replacement_line_id is None:
            return None
        key = (self.replacement_sku_id, self.replacement_line_id)
        return build("OrderLine", await info.context.loaders.line_by_key.load(key))


@strawberry.input(description="Units of an order line that came back.")
class GoodsReturnInput:
    """Input of goodsReturn."""

    number: str = field(description="Number of the order.")
    line_number: int = field(description="Number of the line they left on.")
    quantity: int = field(description="Base units, at most what has left and has not come back.")
    location: str = field(description="Code of the location that takes them back.")
    condition: ReturnCondition = field(
        default=ReturnCondition.QUARANTINED, description="What they are like; not known before an inspection."
    )
    reason: str = field(default="", description="Why they came back.")
    return_number: str | None = field(
        default=None, description="Number of the return; the same one is booked once. Null for a new one."
    )
    lot: str | None = field(default=None, description="Code of the lot, where the line left in several.")
    serials: list[str] = field(default_factory=list, description="Serial numbers of the units, where they are tracked.")


@strawberry.input(description="Units that came back, and what is sent for them.")
class GoodsExchangeInput(GoodsReturnInput):
    """Input of goodsExchange."""

    sku: str | None = field(default=None, description="Code of the SKU that is sent instead; null for the same.")
    replacement_quantity: int | None = field(
        default=None, description="Base units that are sent; null for as many as came back."
    )
    requested_date: date | None = field(default=None, description="Day of delivery of what is sent; null for at once.")


@strawberry.input(description="What an inspection of unsellable units found.")
class GoodsInspectInput:
    """Input of goodsInspect."""

    sku: str = field(description="Code of the SKU.")
    location: str = field(description="Code of the location.")
    accepted: int = field(default=0, description="Units that can be sold; they go to who waits.")
    rejected: int = field(default=0, description="Units that are scrapped.")
    reason: str = field(default="", description="What was found.")
    lot: str | None = field(default=None, description="Code of the lot, where the SKU tracks lots.")
    serials: list[str] = field(
        default_factory=list, description="Serial numbers, those of accepted units first, where they are tracked."
    )


@strawberry.type(description="Answer of goodsReturn and goodsExchange.")
class GoodsReturnPayload:
    """The return and its order."""

    goods_return: GoodsReturn | None = field(description="The return document.", default=None)
    order: Order | None = field(description="The order after it.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)
