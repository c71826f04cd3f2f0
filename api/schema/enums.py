"""The enums of the contract: the business's own enums, each value with its description."""

from __future__ import annotations

from enum import Enum

import strawberry

from core.domain.access import Role
from core.domain.binding import BindingKind
from core.domain.edi_states import EdiAcknowledgement, EdiDelivery, EdiValidation, QuarantineState
from core.domain.states import (
    BackorderCause,
    BackorderEventKind,
    BackorderState,
    CourseStep,
    DateBasis,
    EntitlementKind,
    HoldDeadlineAction,
    HoldReason,
    JobState,
    LocationKind,
    NoticeEventKind,
    NoticeState,
    OrderEventKind,
    OrderLineStatus,
    OrderStatus,
    PromiseReason,
    PurchaseOrderStatus,
    QuotaPeriod,
    ReservationKind,
    ReservationState,
    ResolutionKind,
    ShipmentStatus,
    ShipPolicy,
    SkuStatus,
    TransferState,
)
from core.domain.states import (
    PegKind as PegFirmness,
)
from core.domain.states import (
    SupplySourceKind as SupplyKind,
)


def described(enum: type[Enum], description: str, *, name: str | None = None, **values: str) -> None:
    """Publish `enum` with a description for each of its values; a missing or surplus one is a mistake at import."""
    published = strawberry.enum(enum, name=name, description=description)
    definition = published.__strawberry_definition__  # type: ignore[attr-defined]
    missing = {value.name for value in definition.values} ^ set(values)
    if missing:
        raise TypeError(f"{enum.__name__}: descriptions and values differ in {sorted(missing)}")
    for value in definition.values:
        value.description = values[value.name]


described(
    SkuStatus,
    "May a SKU be sold, and how.",
    ACTIVE="Sold in the ordinary way.",
    PREORDER="Orders are taken before the first stock arrives.",
    BLOCKED="Not sold for now.",
    DISCONTINUED="No longer sold: an order for it is held.",
)
described(
    LocationKind,
    "What a place in the network is.",
    DC="Distribution centre.",
    WAREHOUSE="Warehouse.",
    STORE="Store.",
    DESTINATION="Delivery zone: where goods are delivered to, holds no stock.",
    SUPPLIER="The place a supplier's goods leave from.",
)
described(
    SupplyKind,
    "What covers a quantity.",
    name="SupplyKind",
    ON_HAND="Stock on hand.",
    PURCHASE_ORDER="A purchase order line.",
    SHIP_NOTICE="Goods a supplier has announced as shipped.",
    TRANSFER="A transfer from another location.",
    RETURN="Goods a customer sends back.",
    PRODUCTION="Own production.",
    LEAD_TIME="Nothing dated yet: the date rests on the replenishment lead time.",
)
described(
    DateBasis,
    "What a date rests on, surest first.",
    ON_HAND="Stock on hand.",
    TRANSFER="A transfer between locations.",
    SHIP_NOTICE="The supplier's ship notice.",
    CARRIER="The carrier's own report.",
    CONFIRMED_ORDER="The supplier's confirmation of the order.",
    LEAD_TIME="The lead time, because nothing better is known.",
)
described(
    PegFirmness,
    "How firmly a quantity is covered, firmest first.",
    name="PegFirmness",
    HARD="Stock on hand is allocated to it.",
    FIRM="A dated supply; only a re-promising run or a change of that supply takes it away.",
    SOFT="A dated supply by computation; free to move.",
    OPEN="No source yet, but its place on the timeline is taken.",
)
described(
    OrderStatus,
    "The least advanced line of an order that is not cancelled.",
    RECEIVED="Accepted, not validated yet.",
    VALIDATED="Validated; at least one line waits for stock or for its day (see hasBackorder).",
    ALLOCATED="Every line has its stock.",
    SHIPMENT_RESERVED="A shipment is planned.",
    SHIPPED="Everything has left.",
    DELIVERED="Everything has arrived.",
    CANCELLED="Every line is cancelled.",
)
described(
    OrderLineStatus,
    "Where an order line stands.",
    RECEIVED="Accepted, not validated yet.",
    VALIDATED="Validated, waiting for its day.",
    BACKORDERED="Part of it waits for stock.",
    ALLOCATED="Stock is allocated to all of it.",
    READY_TO_SHIP="A shipment is planned for it.",
    SHIPPED="It has left.",
    DELIVERED="It has arrived.",
    CANCELLED="It is cancelled.",
)
described(
    BackorderState,
    "The state of a backorder's least advanced slice.",
    PROVISIONAL="Just opened: the line was short when it was promised.",
    SOURCING="Other locations, substitutes and purchases are being searched.",
    AWAITING_SUPPLY="A purchase was requested; no dated supply yet.",
    PEGGED="Covered by dated supply.",
    DELAYED="Its supply comes later than promised.",
    OPTION_OFFERED="The customer was offered a choice with a deadline.",
    ON_HOLD="Stopped by a hold on its order.",
    CANCEL_PENDING="About to be cancelled.",
    FILLED="Covered in full.",
    SUBSTITUTED="Replaced by another SKU.",
    CANCELLED="Cancelled.",
)
described(
    BackorderCause,
    "Why a line went short.",
    FORECAST_ERROR="Ordinary demand was above what was planned for.",
    DEMAND_SPIKE="Demand far above the usual.",
    SUPPLIER_DELAY="A supply came or comes later than confirmed.",
    SUPPLIER_SHORT="The supplier confirmed or sent less than ordered.",
    RECEIVING_DELAY="Goods have arrived but are not put away.",
    QUALITY="Goods failed inspection or were damaged.",
    STOCK_RECORD_ERROR="A count found less than was recorded.",
    ALLOCATION_CHOICE="Stock was there but was given or protected for others.",
)
described(
    PurchaseOrderStatus,
    "Where a purchase order stands.",
    DRAFT="A proposal that may still change.",
    AWAITING_APPROVAL="Above the approval limit; waits for a person.",
    APPROVED="Approved, not sent yet.",
    SENT="Sent to the supplier.",
    ACKNOWLEDGED="The supplier has answered.",
    PARTIALLY_RECEIVED="Part of it has arrived.",
    RECEIVED="All of it has arrived.",
    CLOSED="Nothing more is expected.",
    CANCELLED="Cancelled.",
)
described(
    OrderEventKind,
    "What happened to an order.",
    PLACED="It was placed.",
    VALIDATED="It passed validation.",
    HELD="A hold was put on it.",
    RELEASED="A hold was lifted.",
    ALLOCATED="Stock was allocated to a line.",
    BACKORDER_OPENED="A line went short.",
    PROMISE_MOVED="The promise of a line has changed.",
    READY_TO_SHIP="A shipment is planned.",
    SHIPPED="Goods have left.",
    DELIVERED="Goods have arrived.",
    LINE_CHANGED="A line was changed.",
    CANCELLED="A line or the whole order was cancelled.",
)
described(
    BackorderEventKind,
    "What happened to a backorder.",
    OPENED="It was opened.",
    STATE_CHANGED="Its state has changed.",
    CAUSE_CHANGED="Its cause was corrected.",
    PEGGED="Supply was pegged to it.",
    PEG_LOST="A supply it relied on is gone.",
    EXPECTED_MOVED="Its expected date has changed.",
    OPTION_OFFERED="The customer was offered a choice.",
    OPTION_CHOSEN="The customer has chosen.",
    OPTION_WITHDRAWN="What was offered no longer stands.",
    COURSE_STEP="The automatic course took a step.",
    FILLED="Stock now covers all of it.",
    CLOSED="It ended in another way.",
)
described(
    ShipPolicy,
    "What to do with a line that cannot be shipped whole.",
    COMPLETE="Ship the line only when all of it is there.",
    PARTIAL_BACKORDER_REST="Ship what is there, backorder the rest.",
    PARTIAL_CANCEL_REST="Ship what is there, cancel the rest.",
)
described(
    HoldReason,
    "Why an order may not go on.",
    PAYMENT="The payment is pending or has failed.",
    ADDRESS="The address is incomplete or not served.",
    FRAUD="Under fraud review.",
    CREDIT="Over the credit limit.",
    DUPLICATE="It looks like another order.",
    SKU_NOT_SELLABLE="A SKU on it may not be sold.",
    CUSTOMER_REQUEST="The customer asked to wait.",
    MANUAL="Stopped by a person.",
)
described(
    HoldDeadlineAction,
    "What happens when a hold passes its deadline.",
    RELEASE="The order goes on.",
    CANCEL="The order is cancelled.",
    ESCALATE="A person is told.",
)
described(
    PromiseReason,
    "Why a promise was given or moved.",
    PLACED="The first promise, given with the order.",
    ALLOCATED="Stock was allocated.",
    LINE_CHANGED="The line was changed.",
    HOLD_RELEASED="A hold was lifted.",
    SUPPLY_DATED="A supply got its date.",
    SUPPLY_ADVANCED="A supply comes earlier.",
    SUPPLY_DELAYED="A supply comes later.",
    SUPPLY_LOST="A supply will not come.",
    SUPPLIER_BACKORDERED="The supplier has backordered it.",
    STOCK_CORRECTED="A count or adjustment changed the stock.",
    REPROMISED="A re-promising run moved it.",
    SUBSTITUTED="Another SKU replaces it.",
    OPTION_CHOSEN="The customer chose an option.",
    REPRIORITISED="Its priority was changed.",
    RELEASE_MOVED="The day on which the first units leave has moved, or the SKU is on sale now.",
    ROUTE_CHANGED="A lane, a calendar or a cut-off on its way has changed.",
)
described(
    CourseStep,
    "A step of the automatic course of a backorder.",
    OTHER_SITES="Look for stock at other locations.",
    SUBSTITUTE="Send another SKU where no consent is needed.",
    PURCHASE="Ask for a purchase.",
    OPTIONS="Offer the customer a choice.",
    RELEASE="Let what has come go to the warehouse.",
)
described(
    EntitlementKind,
    "What a customer has a right to because of a backorder.",
    COUPON="A compensation for waiting.",
    REFUND="Money back, because the substitute costs less.",
)
described(
    ResolutionKind,
    "A way out of a backorder.",
    WAIT="Wait for the expected date.",
    PART_SHIP="Ship what is there now.",
    SUBSTITUTE="Take another SKU.",
    CANCEL="Cancel.",
    COMPENSATE="Wait, with a compensation.",
)
described(
    ShipmentStatus,
    "Where a shipment to a customer stands.",
    PLANNED="Planned; stock is reserved for it.",
    SHIPPED="Has left.",
    DELIVERED="Has arrived.",
    CANCELLED="Cancelled before it left.",
)
described(
    NoticeEventKind,
    "What happened to a notice.",
    SENT="It was written and sent.",
    READ="The customer has read it.",
    FAILED="It could not be written; only staff is told.",
)
described(
    NoticeState,
    "Was the customer told.",
    PENDING="Will be told.",
    SENT="Was told.",
    READ="Has read it.",
    FAILED="Could not be told.",
)
described(
    TransferState,
    "Where a transfer between two locations stands.",
    PLANNED="Not shipped yet.",
    IN_TRANSIT="On its way.",
    RECEIVED="Arrived.",
    CANCELLED="Cancelled.",
)
described(
    ReservationKind,
    "For what stock is held.",
    CART="A shopping cart: minutes.",
    QUOTE="A quotation: days.",
    PREORDER="A pre-order: until the goods are released, on the day they are needed.",
    INTERNAL="Own use or a project; planners only. Orders draw on it and the rest stays held.",
    PROMOTION="Stock kept for a campaign; made by planners. Orders draw on it and the rest stays held.",
)
described(
    ReservationState,
    "Where a reservation stands.",
    HELD="Its stock is held.",
    COMMITTED="An order has used it.",
    RELEASED="It was given back.",
    EXPIRED="Its time is over.",
)
described(
    JobState,
    "Where a job run stands.",
    WAITING="Waiting for its time or a free worker.",
    QUEUED="Handed to a worker.",
    RUNNING="Running.",
    DONE="Done.",
    FAILED="Failed; will be tried again.",
    DEAD="Failed for good; can be replayed.",
    CANCELLED="Cancelled.",
)
described(
    EdiValidation,
    "Is a received document well formed and within its partner's guide.",
    PENDING="Not checked yet.",
    VALID="Valid.",
    VALID_WITH_ERRORS="Usable, with faults that were noted.",
    INVALID="Not usable.",
)
described(
    EdiDelivery,
    "Did a received document reach the business.",
    RECEIVED="Stored, not applied yet.",
    APPLIED="Applied.",
    STALE="Older than what is already known; nothing was changed.",
    REPEATED="The same document again; nothing was changed.",
    QUARANTINED="Put aside for a person.",
    IGNORED="Put aside for good.",
)
described(
    EdiAcknowledgement,
    "What was answered about a document.",
    NOT_REQUIRED="No answer is due.",
    PENDING="Not answered yet.",
    ACCEPTED="Accepted.",
    ACCEPTED_WITH_ERRORS="Accepted, with faults noted.",
    PARTIALLY_ACCEPTED="Some of its sets were accepted.",
    REJECTED="Rejected.",
)
described(
    QuarantineState,
    "What is done about a document that could not be applied.",
    NEW="Nobody has looked at it.",
    ASSIGNED="Somebody works on it.",
    FIXED="Its cause is mended; it can be replayed.",
    REPLAYED="It was replayed.",
    IGNORED="It was put aside for good.",
)
described(
    Role,
    "What a caller may do.",
    STOREFRONT="A shop: availability, reservations, placing orders.",
    CUSTOMER="A customer: its own orders, backorders and notices.",
    SUPPLIER="A supplier: its own purchase orders and documents.",
    WAREHOUSE="A warehouse: shipments, receipts, stock.",
    PLANNER="A planner: everything but the audit trail.",
    ADMIN="An administrator: everything.",
    AUDITOR="An auditor: reads everything, changes nothing.",
    SYSTEM="The product itself; no token carries it.",
)


class AvailabilityState(Enum):
    """Published states of availability; see `core.queries.availability`."""

    IN_STOCK = "IN_STOCK"
    LOW_STOCK = "LOW_STOCK"
    BACKORDERABLE = "BACKORDERABLE"
    PREORDER = "PREORDER"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    DISCONTINUED = "DISCONTINUED"


described(
    AvailabilityState,
    "What a shopper is told about a SKU.",
    IN_STOCK="More than lowStockAt can be sold now.",
    LOW_STOCK="At most lowStockAt can be sold now.",
    BACKORDERABLE="Nothing now, but orders are taken and promised.",
    PREORDER="Orders are taken before the first stock arrives.",
    OUT_OF_STOCK="Nothing can be sold, and no order is taken.",
    DISCONTINUED="No longer sold.",
)


described(
    QuotaPeriod,
    "Over which days a quota holds.",
    WEEK="Every ISO week anew, Monday to Sunday.",
    WINDOW="Once, between its first and last day.",
)
described(
    BindingKind,
    "Why a promise is not earlier.",
    NONE="Nothing: it leaves at once.",
    STOCK="Too little is on hand.",
    LATER_PROMISE="Units are there, but promised to another customer for a later day.",
    HOLD="Units are there, but held by a reservation.",
    PROTECTED_STOCK="Units are there, but protected from this channel's demand class.",
    SUPPLY="The supply that covers it comes only then.",
    TRANSFER="The transfer from another location that covers it arrives only then.",
    LEAD_TIME="No dated supply covers it within the horizon: the lead time of ordering anew sets the day.",
    QUOTA="The quota of the channel or customer allows more only from then on.",
    RELEASE_DATE="A pre-order: nothing leaves before the release day.",
    CUTOFF="Today's cut-off has passed.",
    CALENDAR="The location does not work on the days before.",
    REQUESTED_DATE="The day that was asked for sets the day.",
)


class SupplierAskKind(Enum):
    """What a supplier owes us on a purchase order."""

    ACKNOWLEDGE = "ACKNOWLEDGE"
    CONFIRM_DATE = "CONFIRM_DATE"
    SHIP = "SHIP"
    EXPEDITE = "EXPEDITE"


described(
    SupplierAskKind,
    "What a supplier is asked to do.",
    ACKNOWLEDGE="Answer the units that are still unanswered.",
    CONFIRM_DATE="Give a date for units that have none.",
    SHIP="Send a ship notice for units whose day has come.",
    EXPEDITE="Come earlier: customers wait beyond their promise.",
)
