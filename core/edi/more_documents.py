"""Documents around an order beyond its answer: changes, stock reports, warehouse orders, receipts, invoices, refusals.

The same rules as in `documents`: frozen data, whole base units, dates as days, the sender's codes beside their meanings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from core.edi.documents import Acknowledgement, FunctionalAcknowledgement, Pack, Party


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One line of an 860 or 865. `change` is POC02 (element 670): AI add, DI delete, QI and QD quantity up and down, CT
    dates, PC price, RZ replace all. `quantity` is the new ordered one, `left_to_receive` what is still to come."""

    line_number: str
    change: str
    buyer_sku: str = ""
    vendor_code: str = ""
    gtin: str = ""
    quantity: int | None = None
    left_to_receive: int | None = None
    unit: str = "EA"
    price: Decimal | None = None
    requested_date: date | None = None
    description: str = ""
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class PurchaseOrderChange:
    """An 860 or ORDCHG. `purpose` is BCH01 (01 cancel, 04 change, 05 replace); `sequence_number` numbers the changes of
    one order."""

    number: str
    ordered_on: date | None
    changed_on: date
    lines: tuple[ChangedLine, ...]
    sequence_number: str = ""
    purpose: str = "04"
    order_type: str = "SA"
    currency: str = ""
    requested_date: date | None = None
    ship_to: Party | None = None


@dataclass(frozen=True, slots=True)
class ChangeAcknowledgement:
    """An 865: an answer to a change of ours (`change_sequence` names it), or a change that the supplier asks for.

    `acknowledgement` has the statuses of the lines; `changes` the same lines as changed, in the same order.
    """

    acknowledgement: Acknowledgement
    changes: tuple[ChangedLine, ...]
    change_sequence: str = ""
    ordered_on: date | None = None

    @property
    def is_from_supplier(self) -> bool:
        return not self.change_sequence


class StockKind(StrEnum):
    """What a quantity of a stock report counts."""

    AVAILABLE = "available"
    ON_HAND = "on_hand"
    ON_ORDER = "on_order"
    PROJECTED = "projected"
    COMMITTED = "committed"
    BACKORDERED = "backordered"
    HELD = "held"
    UNUSABLE = "unusable"
    MOVED = "moved"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class StockQuantity:
    kind: StockKind
    code: str
    quantity: int
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class StockLine:
    """`location` is the sender's code of the place where it differs from that of the whole report."""

    line_number: str
    buyer_sku: str
    vendor_code: str
    gtin: str
    quantities: tuple[StockQuantity, ...]
    unit: str = "EA"
    available_on: date | None = None
    lead_time_days: int | None = None
    location: str = ""
    lot: str = ""
    segment_number: int = 0

    def first(self, *kinds: StockKind) -> int | None:
        """The quantity of the first of `kinds` that was sent."""
        known = {found.kind: found.quantity for found in reversed(self.quantities)}
        return next((known[kind] for kind in kinds if kind in known), None)


@dataclass(frozen=True, slots=True)
class InventoryReport:
    """An 846 or INVRPT. Whether an item that is missing has no stock (a full report) is the partner's guide."""

    number: str
    reported_on: date | None
    lines: tuple[StockLine, ...]
    purpose: str = "00"
    location: str = ""
    references: tuple[tuple[str, str], ...] = ()
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class WarehouseLine:
    """A line of a 940 (`ordered`) or 945 (`shipped`, and the status W1201 of what was not)."""

    line_number: str
    buyer_sku: str
    vendor_code: str
    gtin: str
    ordered: int | None
    unit: str = "EA"
    shipped: int | None = None
    short: int | None = None
    status: str = ""
    lot: str = ""
    description: str = ""
    packs: tuple[Pack, ...] = ()
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class ShippingOrder:
    """A 940: the release to a warehouse. `number` is our order (W0502), `purpose` W0501 (N new, F cancel, R replace)."""

    number: str
    lines: tuple[WarehouseLine, ...]
    po_number: str = ""
    purpose: str = "N"
    ship_on: date | None = None
    deliver_on: date | None = None
    ship_to: Party | None = None
    ship_from: Party | None = None
    carrier: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShippingAdvice:
    """A 945: what a warehouse shipped for one order of ours. `number` is the warehouse's shipment (W0604)."""

    number: str
    order_number: str
    shipped_on: date | None
    lines: tuple[WarehouseLine, ...]
    po_number: str = ""
    carrier: str = ""
    tracking: str = ""
    purpose: str = ""
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """`received` counts all that came; `rejected` is the part that was refused, whatever the reason."""

    po_number: str
    line_number: str
    buyer_sku: str
    vendor_code: str
    gtin: str
    received: int | None
    accepted: int | None = None
    rejected: int = 0
    short: int = 0
    unit: str = "EA"
    conditions: tuple[tuple[str, int], ...] = ()
    lot: str = ""
    expires_on: date | None = None
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class ReceiptAdvice:
    """An 861 or RECADV: what somebody received of a shipment."""

    number: str
    received_on: date | None
    lines: tuple[ReceivedLine, ...]
    shipment: str = ""
    purpose: str = ""
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class ApplicationError:
    code: str
    message: str
    reference: str = ""
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class ApplicationAdvice:
    """An 824 or APERAK: what a partner's application says of a document. `verdict` is A accepted, E accepted with
    errors, R refused, empty where the document does not tell."""

    number: str
    about: str
    about_kind: str
    verdict: str
    errors: tuple[ApplicationError, ...] = ()
    group_control: str = ""
    set_control: str = ""
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    line_number: str
    buyer_sku: str
    vendor_code: str
    gtin: str
    quantity: int | None
    unit: str = "EA"
    price: Decimal | None = None
    amount: Decimal | None = None
    description: str = ""
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class Invoice:
    """An 810 or INVOIC. `total` is the amount due in whole currency units, with its decimals."""

    number: str
    invoiced_on: date | None
    po_number: str
    lines: tuple[InvoiceLine, ...]
    total: Decimal | None = None
    currency: str = ""
    kind: str = ""
    due_on: date | None = None
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class AcknowledgedMessage:
    """What a CONTRL says of one message; `errors` are plain sentences."""

    reference: str
    kind: str
    verdict: str
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InterchangeAcknowledgement:
    """A TA1 or CONTRL for one of our interchanges. `verdict` is A, E or R; with no messages and groups named, it holds
    for all of them. `is_receipt_only` says that only the arrival is confirmed (CONTRL 8), nothing of the content."""

    control: str
    verdict: str
    errors: tuple[str, ...] = ()
    messages: tuple[AcknowledgedMessage, ...] = ()
    groups: tuple[FunctionalAcknowledgement, ...] = ()
    sender: str = ""
    receiver: str = ""
    sent_on: date | None = None
    is_receipt_only: bool = False
