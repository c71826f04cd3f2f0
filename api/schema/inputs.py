"""Inputs of the mutations that place, change and ship orders and hold stock."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum

import strawberry
from strawberry import field

from api.schema import enums
from api.schema.build_input import planned
from api.schema.enums import described
from api.schema.lots import PickInput


@planned
@strawberry.input(description="Where goods go.")
class ShipToInput:
    """An address; country and postal code decide the delivery zone."""

    country: str = field(description="ISO 3166 code of two letters.")
    postal_code: str = field(default="", description="Postal code.")
    name: str | None = field(default=None, description="Who receives.")
    line1: str | None = field(default=None, description="Street and number.")
    city: str | None = field(default=None, description="Town.")


@planned
@strawberry.input(description="Who orders: a code, or the address of a known customer.")
class OrderCustomerInput:
    """Left out for a guest; a CUSTOMER always orders for itself."""

    code: str | None = field(default=None, description="Code of the customer.")
    email: str | None = field(default=None, description="Address of a known customer.")


@planned
@strawberry.input(description="A line of a new order.")
class OrderLineInput:
    """One line."""

    sku: str = field(description="Code of the SKU.")
    quantity: int = field(description="Base units, above 0.")
    requested_date: date | None = field(default=None, description="Day of delivery at the customer; null for at once.")
    ship_policy: enums.ShipPolicy = field(
        default=enums.ShipPolicy.PARTIAL_BACKORDER_REST, description="What to do when it cannot be shipped whole."
    )
    substitutes_allowed: bool = field(default=False, description="May another SKU be sent instead.")
    min_life_days: int | None = field(
        default=None,
        description="Days of life its lots must have left at delivery, 0 to 36500; what customer, channel or SKU ask for "
        "holds when it is more. Without effect on what never expires.",
    )


class PaymentState(Enum):
    """Payment of an order."""

    OK = "OK"
    PENDING = "PENDING"
    FAILED = "FAILED"


described(
    PaymentState,
    "What is known of the payment of a new order.",
    OK="Paid or authorised.",
    PENDING="Not decided; the order is held.",
    FAILED="Refused; the order is held.",
)


@planned
@strawberry.input(description="A new order.")
class OrderPlaceInput:
    """Input of orderPlace."""

    channel: str = field(description="Code of the channel.")
    external_number: str | None = field(default=None, description="The channel's own number; unique within it.")
    customer: OrderCustomerInput | None = field(default=None, description="Who orders.")
    ship_to: ShipToInput = field(description="Where it goes.")
    ship_complete: bool = field(default=False, description="Must everything leave together.")
    lines: list[OrderLineInput] = field(description="What is ordered, at least one line.")
    reservation_id: strawberry.ID | None = field(default=None, description="Reservation that the order uses up.")
    payment_state: PaymentState = field(default=PaymentState.OK, description="What is known of the payment.")


@strawberry.input(description="What to cancel of an order.")
class OrderCancelInput:
    """Input of orderCancel."""

    number: str = field(description="Number of the order.")
    line_number: int | None = field(default=None, description="Only this line.")
    quantity: int | None = field(default=None, description="Only so many units of the line.")
    reason: str = field(default="", description="Why.")
    expected_version: int | None = field(default=None, description="Refuse when the order has another version.")


@strawberry.input(description="A hold on an order.")
class OrderHoldInput:
    """Input of orderHold."""

    number: str = field(description="Number of the order.")
    reason: enums.HoldReason = field(description="Why.")
    release_deadline: datetime | None = field(
        default=None, description="When onDeadline happens; null for the policy's."
    )
    on_deadline: enums.HoldDeadlineAction = field(
        default=enums.HoldDeadlineAction.RELEASE, description="What happens at the deadline."
    )


@strawberry.input(description="The end of a hold.")
class OrderHoldReleaseInput:
    """Input of orderHoldRelease."""

    number: str = field(description="Number of the order.")
    reason: enums.HoldReason | None = field(default=None, description="Only the hold with this reason; null for all.")


@strawberry.input(description="A change of an order line.")
class OrderLineChangeInput:
    """Input of orderLineChange."""

    number: str = field(description="Number of the order.")
    line_number: int = field(description="Number of the line.")
    quantity: int | None = field(default=None, description="New quantity in base units; null to keep it.")
    requested_date: date | None = field(default=None, description="New day of delivery; null to keep it.")
    ship_policy: enums.ShipPolicy | None = field(
        default=None, description="What to do when it cannot be shipped whole; null to keep it."
    )
    substitutes_allowed: bool | None = field(default=None, description="May it be replaced; null to keep it.")
    expected_version: int | None = field(default=None, description="Refuse when the order has another version.")


@strawberry.input(description="Part of a line that is to come on another day.")
class OrderLineSplitInput:
    """Input of orderLineSplit."""

    number: str = field(description="Number of the order.")
    line_number: int = field(description="Number of the line.")
    quantity: int = field(description="Base units of the part; some of the line stays.")
    requested_date: date | None = field(default=None, description="Day of delivery of the part; null for the line's.")
    expected_version: int | None = field(default=None, description="Refuse when the order has another version.")


@strawberry.input(description="Another address of an order.")
class OrderShipToChangeInput:
    """Input of orderShipToChange."""

    number: str = field(description="Number of the order.")
    ship_to: ShipToInput = field(description="Where goes what has not left.")
    expected_version: int | None = field(default=None, description="Refuse when the order has another version.")


@strawberry.input(description="A shipment that has left.")
class ShipmentConfirmInput:
    """Input of shipmentConfirm."""

    number: str = field(description="Number of the shipment.")
    carrier: str | None = field(default=None, description="Who carries it.")
    tracking_number: str | None = field(default=None, description="The carrier's number.")
    shipped_at: datetime | None = field(default=None, description="When it left; null for now.")
    picks: list[PickInput] = field(
        default_factory=list,
        description="Which lots and serial numbers left; a line without picks leaves in the lots it is allocated.",
    )


@strawberry.input(description="A shipment that has arrived.")
class ShipmentDeliverInput:
    """Input of shipmentDeliver."""

    number: str = field(description="Number of the shipment.")
    delivered_at: datetime | None = field(default=None, description="When it arrived; null for now.")


@strawberry.input(description="One item to hold.")
class ReservationItemInput:
    """One item."""

    sku: str = field(description="Code of the SKU.")
    quantity: int = field(description="Base units, above 0.")
    location: str | None = field(default=None, description="Code of the location; null for any.")
    need_date: date | None = field(default=None, description="Day it is needed; null for today.")
    min_life_days: int | None = field(
        default=None,
        description="Days of life its lots must have left that day; what others ask for holds when it is more.",
    )


@strawberry.input(description="Stock to hold: all items or none.")
class ReservationCreateInput:
    """Input of reservationCreate."""

    items: list[ReservationItemInput] = field(description="What to hold, at least one item.")
    kind: enums.ReservationKind = field(default=enums.ReservationKind.CART, description="For what.")
    ttl_seconds: int | None = field(default=None, description="For how long; null for the policy's time.")
    channel: str | None = field(
        default=None, description="Code of the channel, whose times, locations and protected stock count."
    )
    customer: str | None = field(
        default=None, description="Code of the only customer whose orders may use it; null: whoever knows its id."
    )
    replaces: strawberry.ID | None = field(
        default=None, description="A reservation that ends when this one begins, so that its units are free for it."
    )


@strawberry.input(description="A reservation to keep longer.")
class ReservationExtendInput:
    """Input of reservationExtend."""

    id: strawberry.ID = field(description="Id of the reservation.")
    ttl_seconds: int | None = field(default=None, description="From now for how long; null for the policy's time.")


@strawberry.input(description="A reservation to end.")
class ReservationReleaseInput:
    """Input of reservationRelease."""

    id: strawberry.ID = field(description="Id of the reservation.")


@strawberry.input(description="A backorder to cancel.")
class BackorderCancelInput:
    """Input of backorderCancel."""

    id: strawberry.ID = field(description="Id of the backorder.")
    quantity: int | None = field(default=None, description="Only so many of its units; null for all.")
    reason: str = field(default="", description="Why.")
    expected_version: int | None = field(default=None, description="Refuse when the backorder has another version.")


@strawberry.input(description="A new rank of a backorder.")
class BackorderReprioritizeInput:
    """Input of backorderReprioritize."""

    id: strawberry.ID = field(description="Id of the backorder.")
    score: int | None = field(
        default=None, description="New score, which wins over what is computed; null: computed again from now on."
    )
    reason: str = field(description="Why.")
    expected_version: int | None = field(default=None, description="Refuse when the backorder has another version.")


@strawberry.input(description="A notice that was read.")
class NoticeMarkReadInput:
    """Input of noticeMarkRead."""

    id: strawberry.ID = field(description="Id of the notice.")
