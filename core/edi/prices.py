"""What a supplier's price is for: the basis that stands beside it tells of how many units, and it may be in another currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from core.edi.decode_orders import net_price
from core.edi.decoding import Notes, price_per_unit
from core.edi.documents import Acknowledgement
from core.edi.edifact_values import number
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Segment
from core.edi.x12_values import decimal

# Element 639: codes that name base units, and those that name the kind of price and leave it to the unit of the line.
_UNITS: dict[str, int] = {
    **dict.fromkeys(("PE", "LE", "QE", "RE", "TE", "WE"), 1),
    "PN": 10,
    **dict.fromkeys(("PD", "LD", "RD", "TD", "WD"), 12),
    **dict.fromkeys(("HP", "LC", "QH", "RC", "TC", "WC"), 100),
    **dict.fromkeys(("TP", "LM", "QS", "RM", "TM", "WM"), 1000),
    "TT": 10_000,
    "HT": 100_000,
}
_OF_THE_LINE = ("", "CA", "CP", "CT", "DI", "DR", "DS", "FX", "NT", "PR", "QT", "ST", "UM", "WH")


def x12_price(line: Segment, element: int, unit: str, guide: PartnerGuide, notes: Notes) -> Decimal | None:
    """The price of one base unit out of `element` of a PO1 or POC and the basis beside it; None with a note where that
    basis cannot be turned into units."""
    price, basis = decimal(line.value(element)), line.value(element + 1)
    if price is None:
        return None
    if basis in _UNITS:
        return price / _UNITS[basis]
    if basis in _OF_THE_LINE:
        return price_per_unit(price, unit, guide)
    notes.warning("price", f"A price on the basis {basis!r} is not one of our units and is not used", line, element + 1)
    return None


def edifact_price(block: Sequence[Segment], unit: str, guide: PartnerGuide, notes: Notes) -> Decimal | None:
    """The price of one base unit out of PRI, whose C509 may say for how many (5284) of which unit (6411) it is."""
    pri = net_price(block)
    if pri is None:
        return None
    price, basis = number(pri.value(1, 2)), number(pri.value(1, 5)) if pri.value(1, 5) else Decimal(1)
    found = None
    if price is not None and basis is not None and basis > 0:
        found = price_per_unit(price / basis, pri.value(1, 6) or unit, guide)
    if found is None:
        notes.warning("price", "The price is for a quantity that is not one of our units and is not used", pri, 1, 5)
    return found


def prices_in(answer: Acknowledgement, currency: str) -> tuple[Acknowledgement, list[str]]:
    """The answer without the prices that are in another currency than the order's, and a sentence for each of them."""
    lines, said = [], []
    for line in answer.lines:
        if line.price is not None and line.currency not in ("", currency):
            said.append(f"The price of line {line.po_line_number} is in {line.currency}, the order in {currency}.")
            line = replace(line, price=None)
        lines.append(line)
    return replace(answer, lines=tuple(lines)), said
