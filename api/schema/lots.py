"""Lots, serialised units and kits."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema.enums import described
from api.schema.errors import UserError
from api.schema.node import build, build_all, register
from core.domain.states import LotState, SerialState, SerialStep

if TYPE_CHECKING:
    from api.schema.order import OrderLine
    from api.schema.sku import Location, Sku

described(
    LotState,
    "May the units of a lot be sold.",
    SELLABLE="Yes, but for those that are unsellable one by one.",
    INSPECTION="They wait for an inspection.",
    QUARANTINED="The lot is blocked: none of it is sold until it is released.",
    DAMAGED="They are damaged.",
    EXPIRED="Their last day is over.",
)
described(
    SerialState,
    "Where one serialised unit is in its life.",
    IN_STOCK="On hand.",
    ALLOCATED="Given to an order line.",
    QUARANTINED="On hand, but not sold.",
    SHIPPED="At a customer, or on its way there.",
    RETURNED="Has come back.",
    SCRAPPED="Gone.",
)
described(
    SerialStep,
    "What happened to one serialised unit.",
    RECEIVED="It arrived from a supplier, or was found.",
    MOVED="It arrived at another of our locations.",
    QUARANTINED="It was set aside.",
    UNQUARANTINED="It may be sold again.",
    SHIPPED="It left for a customer.",
    RETURNED="It came back from a customer.",
    SCRAPPED="It is gone.",
)


@register
@strawberry.type(description="Units of one batch at one location, in base units.")
class Lot:
    """One lot at one location."""

    sku_id: strawberry.Private[int]
    location_id: strawberry.Private[int]
    code: str = field(description="Code of the batch.")
    expires_on: date | None = field(description="Last day of its life; null where expiry is not tracked.", default=None)
    state: LotState = field(description="May it be sold.")
    on_hand: int = field(description="Physically there.")
    unsellable: int = field(description="Of these, not sold: damaged, blocked or expired.")
    allocated: int = field(description="Given to order lines or transfers.")

    @field(description="Where it is.")
    async def location(self, info: Info) -> Annotated[Location, strawberry.lazy("api.schema.sku")]:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))


@register
@strawberry.type(description="What one order line has had of a lot, in base units.")
class LotUse:
    """One line of a lot's trace."""

    sku_id: strawberry.Private[int]
    order_line_id: strawberry.Private[int]
    allocated: int = field(description="Given to the line, still here.")
    shipped: int = field(description="Have left for its customer.")
    returned: int = field(description="Of these, have come back.")

    @field(description="The order line, with its order and customer; null when it may not be seen.")
    async def order_line(self, info: Info) -> Annotated[OrderLine, strawberry.lazy("api.schema.order")] | None:
        return build("OrderLine", await info.context.loaders.line_by_key.load((self.sku_id, self.order_line_id)))


@strawberry.type(description="Where a lot is and to whom it went.")
class LotTrace:
    """One lot over all locations."""

    code: str = field(description="Code of the batch.")
    lots: list[Lot] = field(description="The lot at each location that has ever had units of it.")
    uses: list[LotUse] = field(description="Order lines that have or had units of it, newest first.")


@register
@strawberry.type(description="One step in the life of a serialised unit.")
class SerialEvent:
    """One row of its history."""

    kind: SerialStep = field(description="What happened.")
    occurred_at: datetime = field(description="When.")
    sku_id: strawberry.Private[int]
    location_id: strawberry.Private[int | None] = None
    order_line_id: strawberry.Private[int | None] = None

    @field(description="Where it is then; null when it has left.")
    async def location(self, info: Info) -> Annotated[Location, strawberry.lazy("api.schema.sku")] | None:
        if self.location_id is None:
            return None
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="The order line it left for or came back from.")
    async def order_line(self, info: Info) -> Annotated[OrderLine, strawberry.lazy("api.schema.order")] | None:
        if self.order_line_id is None:
            return None
        return build("OrderLine", await info.context.loaders.line_by_key.load((self.sku_id, self.order_line_id)))


@register
@strawberry.type(description="One unit with a serial number.")
class SerialUnit:
    """Where it is and where it has been."""

    key: strawberry.Private[int]
    sku_id: strawberry.Private[int]
    code: str = field(description="Serial number.")
    state: SerialState = field(description="Where it is in its life.")
    lot: str | None = field(description="Code of its lot.", default=None)

    @field(description="Its life, oldest step first.")
    async def history(self, info: Info) -> list[SerialEvent]:
        return build_all("SerialEvent", await info.context.loaders.steps_by_serial_key.load((self.sku_id, self.key)))


@register
@strawberry.type(description="What one unit of a kit is made of.")
class KitComponent:
    """One component."""

    sku_id: strawberry.Private[int]
    quantity: int = field(description="Units of the component in one kit.")

    @field(description="The component.")
    async def sku(self, info: Info) -> Annotated[Sku, strawberry.lazy("api.schema.sku")]:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))


@strawberry.type(description="The kit that an order line is a component of.")
class LineKit:
    """Of which kit line of the order a line is a part."""

    sku_id: strawberry.Private[int]
    order_id: strawberry.Private[int]
    line_number: int = field(description="Number of the kit among the lines that were asked for, from 1.")
    units_per_kit: int = field(description="Units of this line's SKU in one kit.")

    @field(description="The kit.")
    async def sku(self, info: Info) -> Annotated[Sku, strawberry.lazy("api.schema.sku")]:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Kits that are wanted, without those that are cancelled.")
    async def quantity(self, info: Info) -> int:
        return (await info.context.loaders.kit_by_order_line.load((self.order_id, self.line_number)))["quantity"]

    @field(description="Day on which its last component was promised; null while one has no day.")
    async def promised(self, info: Info) -> date | None:
        return (await info.context.loaders.kit_by_order_line.load((self.order_id, self.line_number)))["promised"]


@strawberry.input(description="A lot to recall, at every location.")
class LotBlockInput:
    """Input of lotBlock."""

    sku: str = field(description="Code of the SKU.")
    lot: str = field(description="Code of the lot.")
    reason: str = field(description="Why.")


@strawberry.input(description="A recalled lot that may be sold again, at every location.")
class LotReleaseInput:
    """Input of lotRelease."""

    sku: str = field(description="Code of the SKU.")
    lot: str = field(description="Code of the lot.")
    reason: str = field(description="Why.")


@strawberry.type(description="Answer of lotBlock and lotRelease.")
class LotPayload:
    """The lot after it."""

    lots: list[Lot] = field(description="The lot at every location.", default_factory=list)
    units: int = field(description="Units that became unsellable, or sellable again.", default=0)
    affected_lines: list[Annotated[OrderLine, strawberry.lazy("api.schema.order")]] = field(
        description="Order lines that had units of it and are covered anew or short now.", default_factory=list
    )
    user_errors: list[UserError] = field(description="Why nothing was done; empty when it was.")


@strawberry.input(description="What was picked for one order line.")
class PickInput:
    """Units of one lot, or with these serial numbers."""

    line_number: int = field(description="Number of the order line.")
    quantity: int = field(description="Base units, above 0; the picks of a line sum to what is on the shipment.")
    lot: str | None = field(default=None, description="Code of the lot; null for the lots that are allocated.")
    serials: list[str] = field(default_factory=list, description="Serial numbers, one per unit where they are tracked.")


@strawberry.input(description="A component of a kit.")
class KitComponentInput:
    """One component."""

    sku: str = field(description="Code of the component.")
    quantity: int = field(description="Units of it in one kit, above 0.")


@strawberry.input(description="What a kit is made of from now on; lines that were ordered keep their components.")
class KitChangeInput:
    """Input of kitChange."""

    sku: str = field(description="Code of the kit.")
    components: list[KitComponentInput] = field(description="All of its components; empty for a SKU that is no kit.")


@strawberry.type(description="Answer of kitChange.")
class KitPayload:
    """The kit after it."""

    sku: Annotated[Sku, strawberry.lazy("api.schema.sku")] | None = field(description="The kit.", default=None)
    user_errors: list[UserError] = field(description="Why nothing was done; empty when it was.")
