"""What can be sold: now, by day, and where from."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry import Info, argument, field

from api.schema import enums
from api.schema.node import build
from api.schema.promise import Promise
from api.schema.sku import Location, Sku

MAX_HORIZON_DAYS = 730


@strawberry.type(description="A step of the cumulative curve: from this day on so many are free.")
class AtpPoint:
    """One step."""

    date: date = field(
        description="First day of the step, in the zone of the location (the first location's for sums)."
    )
    quantity: int = field(description="Units that stock and dated supply leave free for this day, in base units.")


@strawberry.type(description="Stock and promises of one SKU at one location, in base units.")
class LocationAvailability:
    """One location of an availability answer."""

    location_id: strawberry.Private[int]
    on_hand: int = field(description="Physically there.")
    allocated: int = field(description="Given to order lines or transfers.")
    reserved: int = field(description="Held by live reservations.")
    safety_stock: int = field(description="Protected today.")
    on_order: int = field(description="On its way here.")
    available_now: int = field(description="Can be promised today.")
    atp: list[AtpPoint] = field(
        description="Steps of the cumulative curve: units that stock and dated supply leave free there, whoever asks."
    )

    @field(description="The location.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))


@strawberry.type(description="What can be sold of one SKU, and when the rest comes.")
class Availability:
    """One answer; `answer` is a core.services.answer_availability.SkuAvailability."""

    answer: strawberry.Private[Any]
    shows_locations: strawberry.Private[bool]
    sku_id: strawberry.Private[int]
    as_of: datetime = field(description="When it was computed.")
    valid_until: datetime = field(description="Next moment at which it can change without an event.")
    version: str = field(description="Changes whenever the answer may have changed; never goes back.")
    state: enums.AvailabilityState = field(description="What a shopper is told; independent of the quantity asked for.")
    available_now: int = field(
        description="What placing an order now would allocate at most; publishable keys see at most 10 unless the channel says otherwise."
    )
    promise: Promise | None = field(
        description="The earliest complete answer for the quantity; null when it cannot be sold."
    )

    @field(description="The SKU.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(
        description="Steps of the cumulative curve, summed over the locations: units that stock and dated supply leave free, "
        "whoever asks. What may be sold of them is in availableNow and promise: those know quotas, the release day of a "
        "pre-order, a sale stop and the days of life that lots must have left."
    )
    def atp(
        self, horizon_days: Annotated[int, argument(description="How many days ahead, 0 to 730.")] = 90
    ) -> list[AtpPoint]:
        days = max(0, min(horizon_days, MAX_HORIZON_DAYS))
        return [AtpPoint(date=day, quantity=quantity) for day, quantity in self.answer.atp(days)]

    @field(description="The locations it was answered for; empty for callers who may not see them.")
    def locations(self) -> list[LocationAvailability]:
        return [
            LocationAvailability(
                location_id=place.location_id,
                on_hand=place.on_hand,
                allocated=place.allocated,
                reserved=place.reserved,
                safety_stock=place.safety_stock,
                on_order=place.on_order,
                available_now=place.available_now,
                atp=[AtpPoint(date=day, quantity=quantity) for day, quantity in place.steps(90)],
            )
            for place in (self.answer.locations if self.shows_locations else ())
        ]
