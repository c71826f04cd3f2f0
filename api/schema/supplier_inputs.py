"""Inputs and payloads of the work with suppliers."""

from __future__ import annotations

from datetime import date, datetime

import strawberry
from strawberry import field

from api.schema.errors import UserError
from api.schema.payloads import REFUSED
from api.schema.purchasing import PurchaseOrder
from api.schema.sku import Supplier
from api.schema.sourcing import ApproverAbsence, SourcingChoice
from api.schema.suppliers import SupplierRequest
from api.schema.supply_inputs import DatedQuantityInput
from core.domain.supplier_states import DeadlineKind, RequestKind


@strawberry.input(description="What a supplier has and can make of a SKU; what is null is not said.")
class SupplierStockLineInput:
    """One hint."""

    sku: str = field(description="Our code of the SKU.")
    available: int | None = field(default=None, description="Units that could be sent now.")
    capacity_per_week: int | None = field(default=None, description="Units that can be made in a week.")
    next_date: date | None = field(default=None, description="When more comes or is made.")
    next_quantity: int | None = field(default=None, description="How many then.")


@strawberry.input(description="A supplier's hints on its stock and capacity.")
class SupplierStockReportInput:
    """Input of supplierStockReport."""

    supplier: str | None = field(default=None, description="Code of the supplier; a SUPPLIER is always itself.")
    lines: list[SupplierStockLineInput] = field(description="Hints by SKU.")
    as_of: datetime | None = field(
        default=None, description="When they were true; null for now. Older ones are left out."
    )


@strawberry.input(description="A message about a purchase order.")
class PurchaseOrderMessagePostInput:
    """Input of purchaseOrderMessagePost."""

    number: str = field(description="Number of the purchase order.")
    body: str = field(description="The text, at most 4,000 characters.")


@strawberry.input(description="The days on which the open units of a line come.")
class RescheduleLineInput:
    """One line."""

    line_number: int = field(description="Number of the purchase order line.")
    schedules: list[DatedQuantityInput] = field(
        description="Parts with a day each; together all units that are neither shipped nor held."
    )


@strawberry.input(description="Other days for lines of a purchase order.")
class PurchaseOrderRescheduleInput:
    """Input of purchaseOrderReschedule."""

    number: str = field(description="Number of the purchase order.")
    lines: list[RescheduleLineInput] = field(description="Lines with their days, at least one.")
    note: str = field(default="", description="Why.")
    expected_version: int | None = field(default=None, description="Refuse when it has another version.")


@strawberry.input(description="Something urgent to ask of a supplier.")
class SupplierRequestCreateInput:
    """Input of supplierRequestCreate."""

    supplier: str = field(description="Code of the supplier.")
    kind: RequestKind = field(description="What is asked.")
    sku: str = field(description="Code of the SKU.")
    quantity: int = field(description="Base units, above 0.")
    need_date: date = field(description="By which day.")
    purchase_order: str | None = field(default=None, description="Number of the purchase order it is about.")
    note: str = field(default="", description="What else to say.")


@strawberry.input(description="A supplier's answer to an urgent request.")
class SupplierRequestAnswerInput:
    """Input of supplierRequestAnswer."""

    number: str = field(description="Number of the request.")
    quantity: int | None = field(default=None, description="Units that can come; null or 0 declines.")
    date: date | None = field(default=None, description="When they can come.")
    note: str = field(default="", description="What else to say.")


@strawberry.input(description="A note that somebody is after a supplier.")
class SupplierDeadlineChaseInput:
    """Input of supplierDeadlineChase."""

    number: str = field(description="Number of the purchase order.")
    kind: DeadlineKind = field(description="Which deadline.")
    note: str = field(default="", description="What came of it.")


@strawberry.input(description="The price of one unit from a quantity on.")
class PriceBreakInput:
    """One step."""

    from_quantity: int = field(description="From so many units, 2 or more.")
    price_minor: int = field(description="Price of one unit in minor units.")


@strawberry.input(
    description="What is agreed with a supplier about a SKU; what is null stays as it is. Of a SKU that it does not offer"
    " yet it is a new offer: with a price and a lead time."
)
class SupplierTermsSetInput:
    """Input of supplierTermsSet."""

    supplier: str = field(description="Code of the supplier.")
    sku: str = field(description="Code of the SKU.")
    price_minor: int | None = field(default=None, description="Price of one unit in minor units.")
    price_breaks: list[PriceBreakInput] | None = field(
        default=None, description="All prices of larger quantities, ascending; an empty list ends them."
    )
    is_approved: bool | None = field(default=None, description="May it be bought here.")
    is_preferred: bool | None = field(default=None, description="Is it bought here when nothing else is said.")
    expedite_days: int | None = field(default=None, description="Lead time of an expedited order; 0 ends expediting.")
    expedite_fee_minor: int | None = field(default=None, description="Cost of expediting, once an order.")
    expedite_unit_fee_minor: int | None = field(default=None, description="Cost of expediting a unit.")
    currency: str | None = field(
        default=None, description="Currency of a new offer; null for that of the SKU. It never changes."
    )
    vendor_code: str | None = field(default=None, description="The supplier's code of the SKU.")
    moq: int | None = field(default=None, description="Fewest units of an order; 1 for a new offer.")
    order_multiple: int | None = field(default=None, description="Orders are multiples of it; 1 for a new offer.")
    lead_time_days: int | None = field(default=None, description="Agreed usual lead time; a new offer needs it.")
    lead_time_p80: int | None = field(
        default=None, description="Agreed lead time that four of five orders keep; at least the usual one."
    )


@strawberry.input(description="A supplier to be taken into the books.")
class SupplierCreateInput:
    """Input of supplierCreate."""

    code: str = field(description="Its code: letters, digits and . _ -, at most 64.")
    name: str = field(description="Its name.")
    time_zone: str = field(default="UTC", description="Its time zone, such as Europe/London.")
    calendar: str | None = field(default=None, description="Code of the calendar of its working days; null: all days.")
    location: str | None = field(
        default=None, description="Code of the place of kind supplier that its goods leave from; null: none is known."
    )


@strawberry.input(description="What is urgently short.")
class EmergencyPurchaseInput:
    """Input of emergencyPurchase."""

    sku: str = field(description="Code of the SKU.")
    location: str = field(description="Code of the location that needs it.")
    quantity: int = field(description="Base units, above 0.")
    need_date: date = field(description="By which day.")
    most_minor: int | None = field(
        default=None, description="Order nothing when it would cost more, fees included, in minor units."
    )


@strawberry.input(description="Who approves in a person's place.")
class ApproverAbsenceSetInput:
    """Input of approverAbsenceSet."""

    person: str = field(description="Who is away: the id of their credential's owner. A PLANNER names itself only.")
    substitute: str | None = field(default=None, description="Who approves instead; null ends the absence.")
    from_day: date = field(description="First day.")
    until_day: date | None = field(
        default=None, description="Last day, in the order's time zone; needed with a substitute."
    )


@strawberry.type(description="Answer of supplierCreate, supplierStockReport and supplierTermsSet.")
class SupplierPayload:
    """The supplier after it."""

    supplier: Supplier | None = field(description="The supplier.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of supplierRequestCreate and supplierRequestAnswer.")
class SupplierRequestPayload:
    """The request after it."""

    request: SupplierRequest | None = field(description="The request.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of purchaseOrderReschedule.")
class PurchaseOrderReschedulePayload:
    """The purchase order after it."""

    purchase_order: PurchaseOrder | None = field(description="The purchase order.", default=None)
    is_accepted: bool | None = field(
        description="Do the new days hold: by the policy `supplier_changes`. False: a planner decides.", default=None
    )
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of emergencyPurchase.")
class EmergencyPurchasePayload:
    """The orders that were made, and why from these sources."""

    purchase_orders: list[PurchaseOrder] = field(description="The orders; empty when it was refused.")
    choice: SourcingChoice | None = field(
        description="The choice as it was made; null for a repeat under the same key.", default=None
    )
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of approverAbsenceSet.")
class ApproverAbsencePayload:
    """Absences after it."""

    absences: list[ApproverAbsence] = field(description="All absences that are not over, soonest first.")
    user_errors: list[UserError] = field(description=REFUSED)
