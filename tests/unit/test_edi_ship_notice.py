"""856: any order of HL levels gives the same lines, orders and packs."""

from datetime import date

import pytest

from core.edi.decode_856 import decode_856, is_sscc
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.reader import read

ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*P*>~"
HEAD = "BSN*00*ASN1*20261120*1030*{structure}~"
SHIPMENT = "TD5*B*2*UPSN*M~REF*BM*B1~REF*2I*1Z999~DTM*011*20261120~DTM*017*20261203~DTM*067*20261201"
ITEM1 = "LIN*1*BP*SKU1*VP*V1*LT*L7~SN1*1*6*EA~DTM*036*20280101"
ITEM2 = "LIN*2*BP*SKU2*UP*012345678905~SN1*2*4*EA"
MARK, OTHER = "00106141412345678908", "106141411234567897"


def document(body: str):
    body = body.strip("~")
    text = f"{ISA}GS*SH*SUP*US*20261120*1030*7*X*004010~ST*856*0001~{body}~SE*{body.count('~') + 3}*0001~GE*1*7~IEA*1*000000007~"
    return read(text.encode()).interchanges[0].groups[0].sets[0]


def notice(body: str, structure: str = "0001", guide: PartnerGuide = DEFAULT_GUIDE):
    decoded = decode_856(document(HEAD.format(structure=structure) + body), guide)
    assert decoded.document is not None, decoded.faults
    return decoded.document


def lines(body: str, structure: str = "0001"):
    return {
        order.po_number: [(line.buyer_sku, line.quantity, [pack.mark for pack in line.packs]) for line in order.lines]
        for order in notice(body, structure).orders
    }


BOTH = {"PO1": [("SKU1", 6, [MARK]), ("SKU2", 4, [MARK])]}


def test_a_whole_notice():
    found = notice(f"HL*1**S~{SHIPMENT}~HL*2*1*O~PRF*PO1~HL*3*2*P~MAN*GM*{MARK}~HL*4*3*I~{ITEM1}")
    assert (found.number, found.purpose, found.shipped_on, found.expected_date) == (
        "ASN1",
        "00",
        date(2026, 11, 20),
        date(2026, 12, 1),
    )
    assert (found.carrier, found.tracking, found.noticed_on) == ("UPSN", "1Z999", date(2026, 11, 20))
    ((only,),) = (order.lines for order in found.orders)
    assert (only.po_line_number, only.buyer_sku, only.vendor_code, only.quantity, only.unit) == (
        "1",
        "SKU1",
        "V1",
        6,
        "EA",
    )
    assert (only.lot, only.expires_on, only.packs[0].sscc, only.packs[0].level) == (
        "L7",
        date(2028, 1, 1),
        "106141412345678908",
        "P",
    )


@pytest.mark.parametrize(
    ("structure", "tree"),
    [
        ("0001", f"HL*1**S~{SHIPMENT}~HL*2*1*O~PRF*PO1~HL*3*2*P~MAN*GM*{MARK}~HL*4*3*I~{ITEM1}~HL*5*3*I~{ITEM2}"),
        (
            "0002",
            f"HL*1**S~{SHIPMENT}~HL*2*1*O~PRF*PO1~HL*3*2*I~{ITEM1}~HL*4*3*P~MAN*GM*{MARK}~HL*5*2*I~{ITEM2}~HL*6*5*P~MAN*GM*{MARK}",
        ),
        ("0003", f"HL*1**S~{SHIPMENT}~HL*2*1*P~MAN*GM*{MARK}~HL*3*2*O~PRF*PO1~HL*4*3*I~{ITEM1}~HL*5*3*I~{ITEM2}"),
        (
            "numbers out of order",
            f"HL*10**S~{SHIPMENT}~HL*7*10*O~PRF*PO1~HL*3*7*P~MAN*GM*{MARK}~HL*4*3*I~{ITEM1}~HL*2*3*I~{ITEM2}",
        ),
        ("no HL02", f"HL*1**S~{SHIPMENT}~HL*2**O~PRF*PO1~HL*3**P~MAN*GM*{MARK}~HL*4**I~{ITEM1}~HL*5**I~{ITEM2}"),
        (
            "pallets",
            f"HL*1**S~{SHIPMENT}~HL*2*1*O~PRF*PO1~HL*3*2*T~HL*4*3*P~MAN*GM*{MARK}~HL*5*4*I~{ITEM1}~HL*6*4*I~{ITEM2}",
        ),
        (
            "order below",
            f"HL*1**S~{SHIPMENT}~HL*2*1*P~MAN*GM*{MARK}~HL*3*2*I~{ITEM1}~HL*4*3*O~PRF*PO1~HL*5*2*I~{ITEM2}~HL*6*5*O~PRF*PO1",
        ),
    ],
)
def test_every_shape_gives_the_same_lines(structure: str, tree: str):
    assert lines(tree, "0001" if len(structure) != 4 else structure) == BOTH


def test_without_packs_and_with_items_interleaved_over_two_orders():
    tree = f"HL*1**S~{SHIPMENT}~HL*2*1*O~PRF*PO1~HL*3*1*O~PRF*PO2~HL*4*2*I~{ITEM1}~HL*5*3*I~{ITEM2}~HL*6*2*I~{ITEM2}"
    assert lines(tree, "0004") == {"PO1": [("SKU1", 6, []), ("SKU2", 4, [])], "PO2": [("SKU2", 4, [])]}


def test_an_order_below_its_item_is_that_of_the_item():
    tree = f"HL*1**S~HL*2*1*I~{ITEM1}~HL*3*2*O~PRF*PO1~HL*4*1*I~{ITEM2}~HL*5*4*O~PRF*PO2"
    assert lines(tree) == {"PO1": [("SKU1", 6, [])], "PO2": [("SKU2", 4, [])]}


def test_several_lines_in_one_item_level_are_all_taken():
    assert lines(f"HL*1**S~{SHIPMENT}~HL*2*1*O~PRF*PO1~HL*3*2*I~{ITEM1}~{ITEM2}~SN1*3*1*EA") == {
        "PO1": [("SKU1", 6, []), ("SKU2", 4, []), ("", 1, [])]
    }


def test_a_range_of_dates_means_its_end():
    tree = f"HL*1**S~DTM*067****RD8*20261201-20261205~HL*2*1*O~PRF*PO1~HL*3*2*I~{ITEM1}"
    assert notice(tree).expected_date == date(2026, 12, 5)


def test_no_order_level_takes_the_only_order_of_the_notice():
    assert lines(f"HL*1**S~PRF*PO1~HL*2*1*I~{ITEM1}") == {"PO1": [("SKU1", 6, [])]}


def test_a_line_that_may_belong_to_two_orders_is_an_error_with_its_place():
    tree = f"HL*1**S~HL*2*1*O~PRF*PO1~HL*3*1*O~PRF*PO2~HL*4*1*I~{ITEM1}"
    decoded = decode_856(document(HEAD.format(structure="0001") + tree))
    assert decoded.document is None
    assert [(fault.code, fault.segment_number) for fault in decoded.faults] == [("po_number", 8), ("lines", 2)]


def test_quantity_in_an_unknown_unit_is_an_error_and_the_guide_settles_it():
    tree = "HL*1**S~HL*2*1*O~PRF*PO1~HL*3*2*I~SN1*1*2*CA"
    decoded = decode_856(document(HEAD.format(structure="0001") + tree))
    assert (decoded.document, decoded.faults[0].code, decoded.faults[0].segment_number) == (None, "unit", 7)
    assert notice(tree, guide=PartnerGuide(unit_map={"CA": 12})).orders[0].lines[0].quantity == 24


def test_a_bad_sscc_is_noted_and_kept_as_sent():
    decoded = decode_856(
        document(
            HEAD.format(structure="0001")
            + "HL*1**S~HL*2*1*O~PRF*PO1~HL*3*2*P~MAN*GM*00106141412345678900~HL*4*3*I~SN1*1*6*EA"
        )
    )
    assert decoded.document is not None
    assert [fault.code for fault in decoded.faults] == ["sscc"]
    (pack,) = decoded.document.orders[0].lines[0].packs
    assert (pack.sscc, pack.mark) == ("", "00106141412345678900")
    assert [is_sscc(MARK[2:]), is_sscc(OTHER), is_sscc("1"), is_sscc("")] == [True, True, False, False]


def test_a_cancelling_notice_needs_no_lines():
    decoded = decode_856(document("BSN*01*ASN1*20261120*1030~HL*1**S"))
    assert decoded.document is not None
    assert (decoded.document.purpose, decoded.document.orders) == ("01", ())
    assert decode_856(document("BSN*00*ASN1*20261120*1030~HL*1**S")).document is None


def test_unknown_dates_are_no_dates():
    assert notice(f"HL*1**S~DTM*067*99991231~DTM*017*20261203~HL*2*1*O~PRF*PO1~HL*3*2*I~{ITEM1}").expected_date == date(
        2026, 12, 3
    )
