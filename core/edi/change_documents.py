"""Documents that change an order: ours (860, ORDCHG) and what a supplier answers or asks for (865)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.edi.documents import Acknowledgement, Party


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One line of an 860 or 865. `change` is POC02 (element 670): AI add, DI delete, QI and QD quantity up and down, CT
    dates, PC price, RZ replace all. `quantity` is the new ordered one, `left_to_receive` what is still to come.
    `schedule` has (units, day) of each part where they do not all come on the `requested_date`."""

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
    schedule: tuple[tuple[int, date], ...] = ()


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
