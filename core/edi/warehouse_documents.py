"""Documents of warehouses: a release (940), what was shipped for it (945), what was received (861, RECADV)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.edi.documents import ListedItem, Pack, Party


@dataclass(frozen=True, slots=True)
class WarehouseLine(ListedItem):
    """A line of a 940 (`ordered`) or 945 (`shipped`, and the status W1201 of what was not)."""

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
