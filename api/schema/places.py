"""Channels, locations and delivery zones, as planners set them."""

from __future__ import annotations

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.errors import UserError
from api.schema.node import build, register
from api.schema.sku import Location

REFUSED = "What was refused and why; empty when all was done."


@register
@strawberry.type(description="Where orders come from: a shop, a store, a marketplace.")
class Channel:
    """One row of channel."""

    location_ids: strawberry.Private[list[int] | None]
    code: str = field(description="Unique code, as orders name it.")
    name: str = field(description="Name.")
    default_language: str = field(
        description="Language of the channel, for who builds it; notices follow the customer's."
    )
    max_shown: int | None = field(description="Most available units that it shows; null: all there are.", default=None)
    protected_class: str = field(description="Demand class whose protected stock it may touch; empty: the default one.")

    @field(description="Locations that it sells from, by code; null: all that hold stock.")
    async def locations(self, info: Info) -> list[Location] | None:
        if self.location_ids is None:
            return None
        found = await info.context.loaders.location_by_id.load_many(self.location_ids)
        return [build("Location", row) for row in sorted((r for r in found if r is not None), key=lambda r: r["code"])]


@register
@strawberry.type(
    description="Addresses of a country that begin alike and belong to one destination; the longest prefix wins."
)
class DeliveryZone:
    """One row of delivery_zone."""

    location_id: strawberry.Private[int]
    country: str = field(description="ISO 3166 code.")
    postal_prefix: str = field(description="How the postal codes begin; empty: the whole country.")

    @field(description="The destination that lanes lead to.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))


@strawberry.input(description="Which locations.")
class LocationFilter:
    """All given conditions must hold."""

    codes: list[str] | None = field(default=None, description="One of these codes.")
    kind: list[enums.LocationKind] | None = field(default=None, description="One of these kinds.")
    is_active: bool | None = field(default=None, description="Only those that are on, or off.")


@strawberry.input(description="Which delivery zones.")
class DeliveryZoneFilter:
    """All given conditions must hold."""

    country: str | None = field(default=None, description="ISO 3166 code.")
    location: str | None = field(default=None, description="Code of the destination.")


@strawberry.input(description="A channel by its code, new or known; what is null stays as it is.")
class ChannelSetInput:
    """Input of channelSet."""

    code: str = field(description="Its code; a new one makes a new channel.")
    name: str | None = field(default=None, description="Name; of a new one its code.")
    default_language: str | None = field(default=None, description="Two small letters; en of a new one.")
    locations: list[str] | None = field(
        default=None,
        description="Codes of all locations that it sells from; an empty list, and a new one without: all.",
    )
    max_shown: int | None = field(default=None, description="Most available units that it shows.")
    shows_all: bool = field(default=False, description="True: it shows all there are again.")
    protected_class: str | None = field(
        default=None, description="Demand class whose protected stock it may touch; empty: the default one."
    )


@strawberry.input(description="A location by its code, new or known; what is null stays as it is.")
class LocationSetInput:
    """Input of locationSet."""

    code: str = field(description="Its code: 1 to 64 letters, digits and . _ -; a new one makes a new location.")
    name: str | None = field(default=None, description="Name; of a new one its code.")
    kind: enums.LocationKind | None = field(
        default=None, description="What it is; a new one needs it. DC, WAREHOUSE and STORE may become each other."
    )
    time_zone: str | None = field(
        default=None, description="IANA zone in which its days are counted; a new one needs it."
    )
    calendar: str | None = field(default=None, description="Code of its calendar; empty: it works every day.")
    cutoff_time: str | None = field(
        default=None, description="Local time (HH:MM) from which on nothing leaves that day; empty: it ships all day."
    )
    is_active: bool | None = field(
        default=None,
        description="False: no new order, hold, transfer, return or refill; what is served from it goes on until it has left.",
    )


@strawberry.input(description="Addresses and their destination.")
class DeliveryZoneSetInput:
    """Input of deliveryZoneSet."""

    country: str = field(description="ISO 3166 code of two letters.")
    postal_prefix: str = field(default="", description="How the postal codes begin; empty: the whole country.")
    location: str = field(description="Code of a location of kind DESTINATION.")


@strawberry.input(description="Which addresses.")
class DeliveryZoneRemoveInput:
    """Input of deliveryZoneRemove."""

    country: str = field(description="ISO 3166 code of two letters.")
    postal_prefix: str = field(default="", description="As it was set; empty: that of the whole country.")


@strawberry.type(description="Answer of channelSet.")
class ChannelPayload:
    """The channel after it."""

    channel: Channel | None = field(description="The channel.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of deliveryZoneSet and deliveryZoneRemove.")
class DeliveryZonePayload:
    """The zone after it."""

    delivery_zone: DeliveryZone | None = field(description="The zone; null when it was removed.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)
