"""What a supplier asks to be paid for (810, INVOIC)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.edi.documents import ListedItem


@dataclass(frozen=True, slots=True)
class InvoiceLine(ListedItem):
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
