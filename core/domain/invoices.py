"""Compare what a supplier asks to be paid for with what was ordered and has left it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class FindingKind(StrEnum):
    """What does not agree in an invoice."""

    UNKNOWN_LINE = "UNKNOWN_LINE"
    NOT_SHIPPED = "NOT_SHIPPED"
    PRICE = "PRICE"
    CURRENCY = "CURRENCY"


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line of an invoice beside ours: `shipped` is what left the supplier, `billed` what earlier invoices ask for.

    `ours` is our price of one unit, in whole currency units; None where we have none.
    """

    line_number: int
    quantity: int
    price: Decimal | None
    shipped: int
    billed: int
    ours: Decimal | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree, in a plain sentence."""

    kind: FindingKind
    line_number: int | None
    message: str


def compare_line(line: BilledLine, tolerance_percent: int) -> list[Finding]:
    """What does not agree in one line: units that have not left the supplier, another price beyond the tolerance."""
    found = []
    excess = line.billed + line.quantity - line.shipped
    if excess > 0:
        text = f"Line {line.line_number}: {excess} units are invoiced that were not shipped."
        found.append(Finding(FindingKind.NOT_SHIPPED, line.line_number, text))
    if line.price is not None and line.ours is not None:
        allowed = line.ours * tolerance_percent / 100
        if abs(line.price - line.ours) > allowed:
            text = f"Line {line.line_number}: the price is {line.price:f}, ours is {line.ours:f}."
            found.append(Finding(FindingKind.PRICE, line.line_number, text))
    return found
