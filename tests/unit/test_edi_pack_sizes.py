"""Sizes of packs that lines state: where they count, and what counts before them."""

from typing import Any

import pytest

from core.edi.decoders import DECODERS
from core.edi.decoding import CountedUnits
from core.edi.guide import PartnerGuide
from core.edi.reader import read
from tests.unit.edi_messages import EDIFACT, X12, edifact_file, x12_file

ANSWER = "BAK*00*AC*PO1*20261120~PO1*1*5*{unit}***BP*S1~PO4*{size}~ACK*IA*5*{unit}~CTT*1~"


def decoded(kind: str, body: str, guide: PartnerGuide = PartnerGuide()) -> tuple[Any, list[str]]:
    data = edifact_file(kind, body) if kind.isalpha() else x12_file(kind, body)
    found = DECODERS[kind](read(data).interchanges[0].groups[0].sets[0], guide)
    return found.document, [fault.code for fault in found.faults]


def counted(*units: str) -> PartnerGuide:
    known = CountedUnits()
    known.counted = frozenset(units)
    return PartnerGuide(unit_map=known)


@pytest.mark.parametrize(
    ("unit", "size", "guide", "units"),
    [
        ("CA", "12", PartnerGuide(), 60),
        ("CA", "12", PartnerGuide(unit_map={"CA": 1}), 5),
        ("CA", "12", PartnerGuide(unit_map={"CA": 10}), 50),
        ("CA", "12", counted("CA"), None),
        ("CA", "12", counted("BX"), 60),
        ("KG", "2", PartnerGuide(), None),
        ("CA", "12*************6", PartnerGuide(), None),
        ("CA", "12*************1", PartnerGuide(), 60),
    ],
)
def test_a_stated_size_counts_for_packs_of_which_nothing_else_is_known(unit, size, guide, units):
    said, codes = decoded("855", ANSWER.format(unit=unit, size=size), guide)
    if units is None:
        assert (said, set(codes)) == (None, {"unit"})
    else:
        assert [line.ordered for line in said.lines] == [units]


@pytest.mark.parametrize(
    ("kind", "old", "new", "units"),
    [
        ("810", "10*EA*2.5**BP*S1~", "10*CA*30**BP*S1~PO4*12~", lambda line: (line.quantity, line.price)),
        ("INVOIC", "47:10'", "47:10:CT'QTY+59:12:CT'", lambda line: (line.quantity, line.price * 12)),
        (
            "861",
            "10*EA***3*EA*01~LIN*2*BP*S1~",
            "10*CA***3*CA*01~LIN*2*BP*S1~PO4*12~",
            lambda line: (line.received, 2.5),
        ),
        ("RECADV", "48:10'QTY+194:7'QTY+195:3'", "48:10:CT'QTY+59:12:CT'", lambda line: (line.received, 2.5)),
        ("846", "33*20*EA~QTY*17*25*EA~", "33*10*CA~PO4*12~", lambda line: (line.quantities[0].quantity, 2.5)),
        ("940", "W01*6*EA**BP*S1*VN*V1~G69*Widget~", "W01*10*CA**BP*S1~W20*12~", lambda line: (line.ordered, 2.5)),
        ("945", "10*6*4*EA**BP*S1~", "10*10*0*CA**BP*S1~W20*12~", lambda line: (line.shipped, 2.5)),
        ("945", "10*6*4*EA**BP*S1~", "10*10*0*CA**BP*S1~N9*LT*L1~W20*12~", lambda line: (line.ordered, 2.5)),
        ("INVRPT", "145:20,0'", "145:10:CT'QTY+59:12:CT'", lambda line: (line.quantities[-1].quantity, 2.5)),
    ],
)
def test_invoices_receipts_warehouses_and_stock_reports_state_sizes_too(kind, old, new, units):
    body = {**X12, **EDIFACT}[kind]
    assert old in body
    said, codes = decoded(kind, body.replace(old, new))
    assert codes == []
    assert units(said.lines[0]) == (120, 2.5)
