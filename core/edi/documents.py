"""What EDI documents say in our own words: frozen data, whole base units, dates as days, codes kept beside meanings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from core.edi.interchanges import Fault, Severity, Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListedItem:
    """What names an article in a line: the sender's line number, our SKU, the vendor's code, the GTIN."""

    line_number: str
    buyer_sku: str
    vendor_code: str
    gtin: str


@dataclass(frozen=True, slots=True)
class Decoded(Generic[T]):
    """A document, or None where it cannot be used; the faults say why, or what to look at."""

    document: T | None
    faults: tuple[Fault, ...] = ()

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why there is no document: its errors; of one that is sound and of no use to us, the last thing noted."""
        errors = [fault.message for fault in self.faults if fault.severity is Severity.ERROR]
        return tuple(errors or [fault.message for fault in self.faults[-1:]] or ["The document cannot be used."])


class Effect(StrEnum):
    """What a line status does to the quantity of a purchase-order line."""

    ACCEPT = "acc"
    PARTIAL = "partial"
    BACKORDER = "bo"
    CHANGED_QUANTITY = "changed_quantity"
    REJECT = "rej"
    HOLD = "held"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class LineStatus:
    """One ACK segment. `quantity` in base units, None where the sender left it out; `code` is the sender's own,
    `meaning` the standard code it stands for (they differ where the partner's code map says so)."""

    code: str
    quantity: int | None
    date: date | None
    date_qualifier: str
    effect: Effect
    meaning: str = ""
    substitutes: tuple[tuple[str, str], ...] = ()
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class AcknowledgedLine:
    """`line_key` is what the partner's guide declares to be the key of our line; the other fields are as sent.

    `is_proposal` says that the supplier changed the line and waits for our consent (LIN 1229 = 3). `price` is that of
    one base unit, in `currency`; none is named: that of the order.
    """

    line_key: str
    po_line_number: str
    buyer_sku: str
    vendor_code: str
    gtin: str
    ordered: int | None
    unit: str
    statuses: tuple[LineStatus, ...]
    dates: tuple[tuple[str, date], ...] = ()
    segment_number: int = 0
    is_proposal: bool = False
    price: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An 855 or ORDRSP. `sequence` sorts the answers to one order by age; a later one replaces what an earlier one said."""

    po_number: str
    header_type: str
    acknowledged_on: date | None
    sequence: str
    lines: tuple[AcknowledgedLine, ...]
    supplier_reference: str = ""
    dates: tuple[tuple[str, date], ...] = ()
    purpose: str = "00"


@dataclass(frozen=True, slots=True)
class Pack:
    """A carton or pallet around a line: `sscc` is 18 digits (empty where the mark is none), `mark` as sent."""

    sscc: str
    mark: str
    qualifier: str
    level: str = ""
    tracking: str = ""


@dataclass(frozen=True, slots=True)
class ShippedLine:
    po_line_number: str
    buyer_sku: str
    vendor_code: str
    quantity: int
    unit: str
    gtin: str = ""
    packs: tuple[Pack, ...] = ()
    lot: str = ""
    expires_on: date | None = None
    status: str = ""
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class ShippedOrder:
    po_number: str
    lines: tuple[ShippedLine, ...]


@dataclass(frozen=True, slots=True)
class ShipNotice:
    """An 856 or DESADV. `purpose` is BSN01 (00 new, 01 cancel, 05 replace); `expected_ship_date` is the promised day of shipping."""

    number: str
    purpose: str
    shipped_on: date | None
    expected_date: date | None
    carrier: str
    tracking: str
    orders: tuple[ShippedOrder, ...]
    expected_ship_date: date | None = None
    noticed_on: date | None = None
    sequence: str = ""
    references: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """One AT7, or one STS turned into the codes of AT701. `at` is local to the place of the event unless `time_code` says
    more; `estimated_date` only where the event is an estimate of delivery."""

    status_code: str
    reason: str
    at: datetime | None
    estimated_date: date | None
    time_code: str = ""
    appointment: str = ""
    place: str = ""
    segment_number: int = 0


@dataclass(frozen=True, slots=True)
class CarrierStatus:
    """A 214 or IFTSTA. `reference` is the carrier's (B1001), `shipment` our shipment number (B1002)."""

    reference: str
    tracking: str
    po_numbers: tuple[str, ...]
    events: tuple[CarrierEvent, ...]
    shipment: str = ""
    carrier: str = ""
    references: tuple[tuple[str, str], ...] = ()
    estimated_date: date | None = None
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class AcknowledgedFault:
    """One fault that a partner found in a set of ours: AK3 (no element) or AK4, with its code and a plain sentence."""

    segment: str
    segment_number: int | None
    code: str
    message: str
    element: int | None = None
    component: int | None = None
    data_element: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class AcknowledgedSet:
    """What a 997 or 999 says of one of our sets; `errors` are plain sentences, `faults` the same with their places.

    `codes` are those of AK5 for the set as a whole.
    """

    kind: str
    control: str
    verdict: str
    errors: tuple[str, ...] = ()
    faults: tuple[AcknowledgedFault, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionalAcknowledgement:
    """A 997 or 999 for one of our groups. With no sets named, `verdict` (AK901) holds for all sets of the group;
    `errors` are those of the group itself."""

    functional_id: str
    group_control: str
    verdict: str
    sets: tuple[AcknowledgedSet, ...]
    included: int | None = None
    received: int | None = None
    accepted: int | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetResult:
    """What we answer for one received set: `faults` are those of reading plus those of our own rules."""

    kind: str
    control: str
    verdict: Verdict
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Party:
    name: str
    code: str = ""
    address: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class PurchaseOrderDocumentLine:
    line_number: str
    buyer_sku: str
    vendor_code: str
    quantity: int
    unit: str = "EA"
    price: Decimal | None = None
    requested_date: date | None = None
    gtin: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class PurchaseOrderDocument:
    """An 850 or ORDERS. `requested_date` is the day of delivery asked for, for lines without one of their own."""

    number: str
    ordered_on: date
    lines: tuple[PurchaseOrderDocumentLine, ...]
    currency: str = ""
    requested_date: date | None = None
    ship_to: Party | None = None
    purpose: str = "00"
    order_type: str = "SA"
