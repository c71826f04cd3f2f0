"""Which lines of a partner's samples speak of one another: what we ordered, what was answered, what left, notice by notice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from core.edi.documents import AcknowledgedLine, PurchaseOrderDocumentLine, ShipNotice, ShippedLine


class Named(Protocol):
    """A line with the names that it gives itself; empty where it has none."""

    @property
    def number(self) -> str: ...
    @property
    def buyer_sku(self) -> str: ...
    @property
    def vendor_code(self) -> str: ...
    @property
    def gtin(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OurLine:
    """A line of an order of ours."""

    number: str
    buyer_sku: str
    vendor_code: str
    gtin: str
    quantity: int
    unit: str

    @staticmethod
    def of(line: PurchaseOrderDocumentLine) -> OurLine:
        return OurLine(line.line_number, line.buyer_sku, line.vendor_code, line.gtin, line.quantity, line.unit)


@dataclass(frozen=True, slots=True)
class AnsweredLine:
    """A line of an answer, with the order it belongs to."""

    document: int
    po_number: str
    line: AcknowledgedLine

    @property
    def number(self) -> str:
        return self.line.po_line_number

    @property
    def buyer_sku(self) -> str:
        return self.line.buyer_sku

    @property
    def vendor_code(self) -> str:
        return self.line.vendor_code

    @property
    def gtin(self) -> str:
        return self.line.gtin


@dataclass(frozen=True, slots=True)
class SentLine:
    """A line of a ship notice, with the order it belongs to."""

    document: int
    po_number: str
    number: str
    buyer_sku: str
    vendor_code: str
    gtin: str
    quantity: int

    @staticmethod
    def of(document: int, po_number: str, line: ShippedLine) -> SentLine:
        names = (line.po_line_number, line.buyer_sku, line.vendor_code, line.gtin)
        return SentLine(document, po_number, *names, line.quantity)


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one notice sent of a line, and the day that the notice gives for it."""

    quantity: int
    expected: date | None


@dataclass(slots=True)
class Shipments:
    """The ship notices of the samples; of several with one number the last counts."""

    notices: dict[str, tuple[ShipNotice, list[SentLine]]] = field(default_factory=dict)

    def add(self, notice: ShipNotice, lines: list[SentLine]) -> None:
        self.notices.pop(notice.number, None)
        if notice.purpose not in ("01", "03"):
            self.notices[notice.number] = (notice, lines)

    def lines(self) -> list[SentLine]:
        return [line for _, lines in self.notices.values() for line in lines]

    def of(self, answered: AnsweredLine) -> list[Shipment]:
        """What left of the line, in the order of the notices' days."""
        found: list[tuple[str, Shipment]] = []
        for notice, lines in self.notices.values():
            units = sum(line.quantity for line in lines if is_same(line, answered))
            if units:
                found.append((notice.sequence, Shipment(units, notice.expected_date)))
        return [shipment for _, shipment in sorted(found, key=lambda pair: pair[0])]


def is_same(line: SentLine, answered: AnsweredLine) -> bool:
    """By the article where both name it in the same way, else by the number."""
    if line.po_number != answered.po_number:
        return False
    agreed = agrees(line, answered)
    return same_number(line.number, answered.number) if agreed is None else agreed


def agrees(one: Named, other: Named) -> bool | None:
    """Whether two lines name the same article, by the first name that both have; None where there is none."""
    if one.buyer_sku and other.buyer_sku:
        return one.buyer_sku == other.buyer_sku
    if one.gtin and other.gtin:
        return one.gtin.lstrip("0") == other.gtin.lstrip("0")
    if one.vendor_code and other.vendor_code:
        return one.vendor_code == other.vendor_code
    return None


def same_number(one: str, other: str) -> bool:
    return bool(one) and one.lstrip("0") == other.lstrip("0")


def ours_of(line: Named, ours: Iterable[OurLine]) -> OurLine | None:
    """The line of ours that has its number and no other article, else the only one with its article."""
    known = list(ours)
    numbered = [x for x in known if same_number(x.number, line.number) and agrees(x, line) is not False]
    named = numbered or [x for x in known if agrees(x, line)]
    return named[0] if len(named) == 1 else None
