"""Numbers of our orders as partners write them: with a release behind, padded, as digits alone."""

import pytest

from core.edi.decoders import DECODERS
from core.edi.guide import DEFAULT_GUIDE, OrderNumber, PartnerGuide
from core.edi.order_numbers import our_number
from core.edi.reader import read
from core.errors import InvalidInput
from tests.unit.edi_messages import EDIFACT, X12, edifact_file, x12_file

RELEASES = PartnerGuide(order_suffix_marks="-/")
DIGITS = PartnerGuide(order_number=OrderNumber.DIGITS, order_suffix_marks="-")


@pytest.mark.parametrize(
    ("sent", "guide", "ours"),
    [
        ("PO00000042-01", DEFAULT_GUIDE, "PO00000042-01"),
        ("PO00000042-01", RELEASES, "PO00000042"),
        ("PO00000042 /7-1", RELEASES, "PO00000042"),
        ("-01", RELEASES, "-01"),
        ("PO 00000042", RELEASES, "PO 00000042"),
        ("000PO00000042", PartnerGuide(order_number=OrderNumber.PADDED), "PO00000042"),
        ("000PO00000042", RELEASES, "000PO00000042"),
        ("42", DIGITS, "PO00000042"),
        ("0000000042-003", DIGITS, "PO00000042"),
        ("PO00000042", DIGITS, "PO00000042"),
        ("4 2", DIGITS, "4 2"),
    ],
)
def test_the_guide_says_how_a_partner_writes_numbers_of_ours(sent, guide, ours):
    assert our_number(sent, guide) == ours


def numbers(document) -> list[str]:
    if hasattr(document, "orders"):
        return [order.po_number for order in document.orders]
    if hasattr(document, "acknowledgement"):
        return [document.acknowledgement.po_number]
    if hasattr(document, "po_numbers"):
        return list(document.po_numbers)
    if hasattr(document, "about"):
        return [document.about]
    return [document.po_number] if hasattr(document, "po_number") else [line.po_number for line in document.lines]


@pytest.mark.parametrize(
    "kind", ["855", "856", "865", "214", "810", "861", "824", "ORDRSP", "DESADV", "INVOIC", "RECADV"]
)
def test_every_document_of_a_partner_names_our_orders(kind):
    if kind in X12:
        data = x12_file(kind, X12[kind].replace("PO1", "PO1-01").replace("~PO1-01*", "~PO1*"))
    else:
        data = edifact_file(kind, EDIFACT[kind].replace("PO1", "PO1-01"))
    (document,) = read(data).interchanges[0].groups[0].sets
    assert numbers(DECODERS[kind](document, DEFAULT_GUIDE).document) == ["PO1-01"]
    assert numbers(DECODERS[kind](document, RELEASES).document) == ["PO1"]


def test_two_releases_of_one_order_in_a_ship_notice_are_that_order():
    second = "HL*5*1*O~PRF*PO1-02~HL*6*5*I~LIN*2*BP*S2~SN1*2*1*EA~"
    data = x12_file("856", X12["856"].replace("PRF*PO1~", "PRF*PO1-01~").replace("CTT*4~", second + "CTT*6~"))
    notice = DECODERS["856"](read(data).interchanges[0].groups[0].sets[0], RELEASES).document
    assert [(order.po_number, len(order.lines)) for order in notice.orders] == [("PO1", 2)]


def test_a_letter_is_no_mark_of_a_suffix():
    with pytest.raises(InvalidInput):
        PartnerGuide.from_json({"order_suffix_marks": "-A"})
