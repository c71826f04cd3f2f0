"""Whose rows of each type a caller gets: the decision every object type of the schema needs before it is published."""

from __future__ import annotations

from enum import Enum

from core.domain.access import Role

STAFF_ROLES = frozenset({Role.WAREHOUSE, Role.PLANNER, Role.ADMIN, Role.AUDITOR})


class Owner(Enum):
    """An owner rule. `value` is what the access matrix says of it."""

    EVERYONE = "belongs to nobody: reference data, or a figure without an owner"
    PART = "is a part of the object it stands in, and seen with it"
    CALLER = "is about the caller"
    CUSTOMER = "a CUSTOMER gets its own, staff all, a STOREFRONT only what it has just made"
    SUPPLIER = "a SUPPLIER gets its own, staff all"
    DESK = "a SUPPLIER gets its own, planners all"
    PARTY = "a CUSTOMER or SUPPLIER gets its own, planners all"
    BEARER = "a STOREFRONT gets it by its random id, planners all"
    PLANNING = "staff but the WAREHOUSE"
    STAFF = "staff only"

    @property
    def roles(self) -> frozenset[Role]:
        """Roles that may get any row under this rule; which staff does, the root fields decide."""
        own = {
            Owner.CUSTOMER: frozenset({Role.CUSTOMER, Role.STOREFRONT}),
            Owner.SUPPLIER: frozenset({Role.SUPPLIER}),
            Owner.DESK: frozenset({Role.SUPPLIER}),
            Owner.PARTY: frozenset({Role.CUSTOMER, Role.SUPPLIER}),
            Owner.BEARER: frozenset({Role.STOREFRONT}),
            Owner.PLANNING: frozenset[Role](),
            Owner.STAFF: frozenset[Role](),
        }
        staff = STAFF_ROLES - {Role.WAREHOUSE} if self in (Owner.DESK, Owner.PLANNING) else STAFF_ROLES
        return frozenset(Role) - {Role.SYSTEM} if self not in own else staff | own[self]


OWNERS: dict[str, Owner] = {
    # reference data and public figures
    **dict.fromkeys(
        ["Sku", "Substitute", "Location", "KitComponent", "Availability", "AvailabilityEvent", "LocationAvailability"], Owner.EVERYONE
    ),
    # what has no life of its own
    **dict.fromkeys(
        [
            "AtpPoint", "BindingConstraint", "BindingEvent", "BackorderCourse", "CourseStepTaken", "DateEstimate",
            "EdiFault", "Entitlement", "EvidenceFact", "Hold", "LineKit", "Money", "Peg", "Priority",
            "PriorityComponent", "CustomerPerson", "Promise", "PromiseRecord", "PromiseSlice", "ReservationItem", "SerialEvent", "ShipTo",
            "ShipmentLine", "SupplierAsk", "SupplySchedule", "SupplySource",
        ],
        Owner.PART,
    ),
    **dict.fromkeys(
        [
            "ExpectedPurchase", "ExpectedPurchaseWeek", "LeadTimeCount", "PackedUnits", "PriceBreak",
            "PurchaseOrderApproval",
            "PurchaseOrderMessage", "QuantileFigure", "ShareFigure", "ShipNoticePack", "StatedDates", "SupplierOffer",
            "SupplierScorecard", "SupplierStockHint", "SupplierInvoice", "InvoiceLine", "InvoiceFinding",
        ],
        Owner.PART,
    ),
    **dict.fromkeys(["SupplierDeadline", "SupplierRequest"], Owner.SUPPLIER),
    **dict.fromkeys(
        [
            "ApproverAbsence", "InboundDelivery", "SingleSource", "SourcingChoice", "SourcingOption", "SourcingPart", "SupplyRisk",
        ],
        Owner.STAFF,
    ),
    "PurchaseOrderCause": Owner.PLANNING,
    "SupplierChange": Owner.SUPPLIER,
    **dict.fromkeys(["ProposedPart", "SupplierChangeLine"], Owner.PART),
    **dict.fromkeys(["EdiPreview", "GuideReason", "GuideVersion", "PartnerAlert", "PreviewedLine", "TradingPartner"], Owner.STAFF),
    "Viewer": Owner.CALLER,
    **dict.fromkeys(
        [
            "Customer", "Order", "OrderEvent", "OrderLine", "Backorder", "BackorderEvent", "ResolutionOption",
            "Shipment", "Notice", "NoticeEvent", "GoodsReturn",
        ],
        Owner.CUSTOMER,
    ),
    **dict.fromkeys(
        [
            "Supplier", "PurchaseOrder", "PurchaseOrderEvent", "PurchaseOrderLine", "ShipNotice", "ScheduledReceipt",
        ],
        Owner.SUPPLIER,
    ),
    "EdiDocument": Owner.DESK,
    **dict.fromkeys(["Webhook", "WebhookAttempt", "WebhookDelivery"], Owner.PARTY),
    "Reservation": Owner.BEARER,
    **dict.fromkeys(
        [
            "AccessDenial", "AffectedLine", "ApiKey", "BackorderRisk", "CalibrationPoint", "LearningModel", "ModelCheck",
            "ModelFigure", "ModelRecord", "ModelReport", "Plot", "RiskAction", "RiskEvent", "RiskReason",
            "Alarm", "AlarmEvent", "AlarmFact",
            "DemandAccuracy", "HelpedBackorder", "InputFault", "StageDates", "StockTarget", "SupplierDates", "TargetReason",
            "AuditEntry", "BackorderCauses", "Calendar", "CalendarException", "Channel", "DeliveryZone",
            "CauseFigures", "Lane", "GoodsReceipt",
            "GoodsReceiptLine", "JobEvent", "LedgerAlarm", "Lot", "LotTrace", "LotUse", "Policy", "ProtectedStockStep",
            "Quota", "RebalancingProposal", "RebalancingReason", "RecurringCause", "RepromisingBudget",
            "RepromisingChange", "RepromisingComparison", "RepromisingCount", "RepromisingDifference",
            "RepromisingFilterCount", "RepromisingPart", "RepromisingProgress", "RepromisingPromise", "RepromisingRun",
            "RepromisingSum", "RepromisingVariant", "SerialUnit", "Simulation", "SimulationFigures", "SimulationLive",
            "SimulationMovedLine", "SimulationRun", "SimulationScenario", "StockLevel", "SupplyImpact", "Transfer",
        ],
        Owner.STAFF,
    ),
}  # fmt: skip
"""Types that say nothing but what others say need no entry: roots, payloads, pages and user errors."""
