"""Every state, kind and reason the business stores: one enum each, in the words of the database and the API."""

from enum import StrEnum


class SkuStatus(StrEnum):
    """May this SKU be sold, and how."""

    ACTIVE = "ACTIVE"
    PREORDER = "PREORDER"
    BLOCKED = "BLOCKED"
    DISCONTINUED = "DISCONTINUED"


class LocationKind(StrEnum):
    """What a place in the network is; a destination is a delivery zone, a supplier the place goods leave from."""

    DC = "dc"
    WAREHOUSE = "warehouse"
    STORE = "store"
    DESTINATION = "destination"
    SUPPLIER = "supplier"


class MovementKind(StrEnum):
    """Why stock counters changed."""

    RECEIVED = "received"
    ALLOCATED = "allocated"
    RELEASED = "released"
    SHIPPED = "shipped"
    ADJUSTED = "adjusted"
    COUNTED = "counted"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    QUARANTINED = "quarantined"
    UNQUARANTINED = "unquarantined"
    RETURNED = "returned"
    SCRAPPED = "scrapped"


class LotState(StrEnum):
    """May the units of a lot be sold."""

    SELLABLE = "sellable"
    INSPECTION = "inspection"
    QUARANTINED = "quarantined"
    DAMAGED = "damaged"
    EXPIRED = "expired"


class SerialState(StrEnum):
    """Where one serialised unit is in its life."""

    IN_STOCK = "in_stock"
    ALLOCATED = "allocated"
    QUARANTINED = "quarantined"
    SHIPPED = "shipped"
    RETURNED = "returned"
    SCRAPPED = "scrapped"


class SerialStep(StrEnum):
    """What happened to one serialised unit."""

    RECEIVED = "received"
    MOVED = "moved"
    QUARANTINED = "quarantined"
    UNQUARANTINED = "unquarantined"
    SHIPPED = "shipped"
    RETURNED = "returned"
    SCRAPPED = "scrapped"


class SupplyKind(StrEnum):
    """What kind of inbound row a supply is (stored)."""

    PURCHASE = "purchase"
    TRANSFER = "transfer"
    RETURN = "return"
    PRODUCTION = "production"


class SupplySourceKind(StrEnum):
    """What covers a slice of a promise or a peg (the API's `SupplyKind`)."""

    ON_HAND = "ON_HAND"
    PURCHASE_ORDER = "PURCHASE_ORDER"
    SHIP_NOTICE = "SHIP_NOTICE"
    TRANSFER = "TRANSFER"
    RETURN = "RETURN"
    PRODUCTION = "PRODUCTION"
    LEAD_TIME = "LEAD_TIME"


class DateBasis(StrEnum):
    """What a date rests on, surest first."""

    ON_HAND = "ON_HAND"
    TRANSFER = "TRANSFER"
    SHIP_NOTICE = "SHIP_NOTICE"
    CARRIER = "CARRIER"
    CONFIRMED_ORDER = "CONFIRMED_ORDER"
    LEAD_TIME = "LEAD_TIME"


class TransferState(StrEnum):
    """Where a stock transfer between two locations stands."""

    PLANNED = "planned"
    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    CANCELLED = "cancelled"


class PurchaseOrderStatus(StrEnum):
    """Where a purchase order stands."""

    DRAFT = "DRAFT"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    APPROVED = "APPROVED"
    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    PARTIALLY_RECEIVED = "PARTIALLY_RECEIVED"
    RECEIVED = "RECEIVED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


class OrderStatus(StrEnum):
    """Where an order stands: its least advanced line that is not cancelled."""

    RECEIVED = "RECEIVED"
    VALIDATED = "VALIDATED"
    ALLOCATED = "ALLOCATED"
    SHIPMENT_RESERVED = "SHIPMENT_RESERVED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"


class OrderLineStatus(StrEnum):
    """Where an order line stands."""

    RECEIVED = "RECEIVED"
    VALIDATED = "VALIDATED"
    BACKORDERED = "BACKORDERED"
    ALLOCATED = "ALLOCATED"
    READY_TO_SHIP = "READY_TO_SHIP"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"


class OrderEventKind(StrEnum):
    """What happened to an order."""

    PLACED = "PLACED"
    VALIDATED = "VALIDATED"
    HELD = "HELD"
    RELEASED = "RELEASED"
    ALLOCATED = "ALLOCATED"
    BACKORDER_OPENED = "BACKORDER_OPENED"
    PROMISE_MOVED = "PROMISE_MOVED"
    READY_TO_SHIP = "READY_TO_SHIP"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    LINE_CHANGED = "LINE_CHANGED"
    CANCELLED = "CANCELLED"


class ShipPolicy(StrEnum):
    """What to do with a line that cannot be shipped whole."""

    COMPLETE = "COMPLETE"
    PARTIAL_BACKORDER_REST = "PARTIAL_BACKORDER_REST"
    PARTIAL_CANCEL_REST = "PARTIAL_CANCEL_REST"


class HoldReason(StrEnum):
    """Why an order may not go on."""

    PAYMENT = "PAYMENT"
    ADDRESS = "ADDRESS"
    FRAUD = "FRAUD"
    CREDIT = "CREDIT"
    DUPLICATE = "DUPLICATE"
    SKU_NOT_SELLABLE = "SKU_NOT_SELLABLE"
    CUSTOMER_REQUEST = "CUSTOMER_REQUEST"
    MANUAL = "MANUAL"


class HoldDeadlineAction(StrEnum):
    """What happens when a hold passes its deadline."""

    RELEASE = "RELEASE"
    CANCEL = "CANCEL"
    ESCALATE = "ESCALATE"


class PegKind(StrEnum):
    """How firmly a line is covered, firmest first."""

    HARD = "HARD"
    FIRM = "FIRM"
    SOFT = "SOFT"
    OPEN = "OPEN"


class PromiseReason(StrEnum):
    """Why a promise was given or moved."""

    PLACED = "PLACED"
    ALLOCATED = "ALLOCATED"
    LINE_CHANGED = "LINE_CHANGED"
    HOLD_RELEASED = "HOLD_RELEASED"
    SUPPLY_DATED = "SUPPLY_DATED"
    SUPPLY_ADVANCED = "SUPPLY_ADVANCED"
    SUPPLY_DELAYED = "SUPPLY_DELAYED"
    SUPPLY_LOST = "SUPPLY_LOST"
    SUPPLIER_BACKORDERED = "SUPPLIER_BACKORDERED"
    STOCK_CORRECTED = "STOCK_CORRECTED"
    REPROMISED = "REPROMISED"
    SUBSTITUTED = "SUBSTITUTED"
    OPTION_CHOSEN = "OPTION_CHOSEN"
    REPRIORITISED = "REPRIORITISED"
    RELEASE_MOVED = "RELEASE_MOVED"
    ROUTE_CHANGED = "ROUTE_CHANGED"


class QuotaPeriod(StrEnum):
    """Over which days a quota holds: every ISO week, or one window."""

    WEEK = "WEEK"
    WINDOW = "WINDOW"


class ReservationState(StrEnum):
    """What became of a hold on stock that is not yet an order."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"


class ReservationKind(StrEnum):
    """For what stock is held. Internal and promotion holds are pools: orders draw on them, the rest stays held."""

    CART = "cart"
    QUOTE = "quote"
    PREORDER = "preorder"
    INTERNAL = "internal"
    PROMOTION = "promotion"


class BackorderState(StrEnum):
    """Where a backorder stands: the state of its least advanced slice."""

    PROVISIONAL = "PROVISIONAL"
    SOURCING = "SOURCING"
    AWAITING_SUPPLY = "AWAITING_SUPPLY"
    PEGGED = "PEGGED"
    DELAYED = "DELAYED"
    OPTION_OFFERED = "OPTION_OFFERED"
    ON_HOLD = "ON_HOLD"
    CANCEL_PENDING = "CANCEL_PENDING"
    FILLED = "FILLED"
    SUBSTITUTED = "SUBSTITUTED"
    CANCELLED = "CANCELLED"


class BackorderCause(StrEnum):
    """Why a line went short."""

    FORECAST_ERROR = "FORECAST_ERROR"
    DEMAND_SPIKE = "DEMAND_SPIKE"
    SUPPLIER_DELAY = "SUPPLIER_DELAY"
    SUPPLIER_SHORT = "SUPPLIER_SHORT"
    RECEIVING_DELAY = "RECEIVING_DELAY"
    QUALITY = "QUALITY"
    STOCK_RECORD_ERROR = "STOCK_RECORD_ERROR"
    ALLOCATION_CHOICE = "ALLOCATION_CHOICE"


class BackorderEventKind(StrEnum):
    """What happened to a backorder."""

    OPENED = "OPENED"
    STATE_CHANGED = "STATE_CHANGED"
    CAUSE_CHANGED = "CAUSE_CHANGED"
    PEGGED = "PEGGED"
    PEG_LOST = "PEG_LOST"
    EXPECTED_MOVED = "EXPECTED_MOVED"
    OPTION_OFFERED = "OPTION_OFFERED"
    OPTION_CHOSEN = "OPTION_CHOSEN"
    OPTION_WITHDRAWN = "OPTION_WITHDRAWN"
    COURSE_STEP = "COURSE_STEP"
    FILLED = "FILLED"
    CLOSED = "CLOSED"


class ResolutionKind(StrEnum):
    """A way out of a backorder that is offered to the customer."""

    WAIT = "WAIT"
    PART_SHIP = "PART_SHIP"
    SUBSTITUTE = "SUBSTITUTE"
    CANCEL = "CANCEL"
    COMPENSATE = "COMPENSATE"


class OptionOfferState(StrEnum):
    """What became of a set of options; the first is live, and a backorder has one such set at most."""

    OPEN = "OPEN"
    CHOSEN = "CHOSEN"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


class EntitlementKind(StrEnum):
    """What a customer has a right to because of a backorder."""

    COUPON = "COUPON"
    REFUND = "REFUND"


class CourseStep(StrEnum):
    """A step of the automatic course of a backorder."""

    OTHER_SITES = "OTHER_SITES"
    SUBSTITUTE = "SUBSTITUTE"
    PURCHASE = "PURCHASE"
    OPTIONS = "OPTIONS"
    RELEASE = "RELEASE"


class RepromisingRunState(StrEnum):
    """Where a re-promising run stands."""

    COMPUTING = "computing"
    PROPOSED = "proposed"
    APPROVED = "approved"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    CANCELLED = "cancelled"
    FAILED = "failed"


class RepromisingDiffState(StrEnum):
    """What became of one proposed change of a run."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    RECOMPUTED = "recomputed"
    DROPPED = "dropped"


class ShipmentStatus(StrEnum):
    """Where a shipment to a customer stands."""

    PLANNED = "PLANNED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"


class NoticeEventKind(StrEnum):
    """What happened to a notice."""

    SENT = "SENT"
    READ = "READ"
    FAILED = "FAILED"


class NoticeState(StrEnum):
    """Was the customer told."""

    PENDING = "pending"
    SENT = "sent"
    READ = "read"
    FAILED = "failed"


class JobState(StrEnum):
    """Where a job run stands; the first three are live."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"


class SimulationState(StrEnum):
    """How far a simulation is."""

    COMPUTING = "COMPUTING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


class LearningModelState(StrEnum):
    """What became of a fitted model."""

    CANDIDATE = "CANDIDATE"
    ACTIVE = "ACTIVE"
    RETIRED = "RETIRED"
    REFUSED = "REFUSED"


class RiskActionKind(StrEnum):
    """What can be done against a risk; each is a mutation."""

    RAISE_PRIORITY = "RAISE_PRIORITY"
    RESERVE = "RESERVE"
    EXPEDITE = "EXPEDITE"
    ALTERNATIVE_SOURCE = "ALTERNATIVE_SOURCE"
    TRANSFER = "TRANSFER"
    SUBSTITUTE = "SUBSTITUTE"


class RiskActionState(StrEnum):
    """What became of a suggestion."""

    OPEN = "OPEN"
    TAKEN = "TAKEN"
    EXPIRED = "EXPIRED"


class InputFaultReason(StrEnum):
    """What is wrong with a figure."""

    OUTLIER = "OUTLIER"
    UNIT_SLIP = "UNIT_SLIP"
    IMPOSSIBLE = "IMPOSSIBLE"
    DUPLICATE = "DUPLICATE"
    GAP = "GAP"


class InputFaultAction(StrEnum):
    """What was done about it."""

    LEFT_OUT = "LEFT_OUT"
    REPAIRED = "REPAIRED"
    LISTED = "LISTED"
