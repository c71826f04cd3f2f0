"""EDIFACT messages as documents: what ORDRSP, DESADV, IFTSTA and the others say, in the terms of the X12 ones."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from core.edi.decode_aperak import decode_aperak
from core.edi.decode_contrl import decode_contrl
from core.edi.decode_desadv import decode_desadv
from core.edi.decode_iftsta import decode_iftsta
from core.edi.decode_invoic import decode_invoic
from core.edi.decode_invrpt import decode_invrpt
from core.edi.decode_ordrsp import decode_ordrsp
from core.edi.decode_recadv import decode_recadv
from core.edi.decoders import DECODERS
from core.edi.documents import CarrierEvent, Pack
from core.edi.edifact_messages import KINDS
from core.edi.edifact_values import day_of, number
from core.edi.guide import PartnerGuide, Remainder
from core.edi.invoice_documents import InvoiceLine
from core.edi.reader import read
from core.edi.reply_documents import AcknowledgedMessage, ApplicationError
from core.edi.resolve_acknowledgement import OpenLine, resolve_acknowledgement
from core.edi.stock_documents import StockKind

OPEN = [OpenLine(1, 10, "S1"), OpenLine(2, 5, "S2")]


def document(kind: str, body: str, release: str = "D:96A"):
    count = body.count("'") + 2
    head = "UNB+UNOC:3+SUP:14+US:14+261120:1030+55'"
    text = f"{head}UNH+1+{kind}:{release}:UN'{body}UNT+{count}+1'UNZ+1+55'"
    (interchange,) = read(text.encode("latin-1")).interchanges
    (found,) = interchange.groups[0].sets
    assert [fault.message for fault in found.faults] == []
    return found


def ordrsp(lines: str, function: str = "4", guide: PartnerGuide | None = None, head: str = ""):
    body = f"BGM+231+A1+{function}'DTM+137:20261120:102'{head}RFF+ON:PO1'RFF+VN:SO9'{lines}UNS+S'"
    decoded = decode_ordrsp(document("ORDRSP", body), guide or PartnerGuide())
    assert decoded.document is not None, decoded.faults
    return decoded.document


def outcome(lines: str, function: str = "4", guide: PartnerGuide | None = None):
    """(accepted, backordered, rejected, held, mismatch or answered) of the first of our lines."""
    answer = ordrsp(lines, function, guide)
    first = resolve_acknowledgement(OPEN, answer, guide or PartnerGuide()).outcomes[0]
    return (
        [(portion.quantity, portion.date) for portion in first.accepted],
        [(portion.quantity, portion.date) for portion in first.backordered],
        first.rejected,
        first.held,
        first.mismatch is None and first.answered,
    )


MAY, JUNE = date(2027, 5, 3), date(2027, 6, 7)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("LIN+1+5+S1:IN'QTY+21:10'DTM+69:20270503:102'", ([(10, MAY)], [], 0, 0, True)),
        ("LIN+1+5+S1:IN'", ([(10, None)], [], 0, 0, True)),
        ("LIN+1+7+S1:IN'QTY+21:10'", ([], [], 10, 0, True)),
        ("LIN+1+2'", ([], [], 10, 0, True)),
        (
            "LIN+1+3+S1:IN'QTY+21:10'QTY+113:6'DTM+69:20270503:102'QTY+83:4'DTM+69:20270607:102'",
            ([(6, MAY)], [(4, JUNE)], 0, 0, True),
        ),
        ("LIN+1+3'QTY+21:10'QTY+12:6'QTY+83:4'DTM+69:20270503:102'", ([(6, MAY)], [(4, None)], 0, 0, True)),
        (
            "LIN+1+3'QTY+21:10'SCC+1'QTY+113:6'DTM+67:20270503:102'SCC+1'QTY+113:4'DTM+67:20270607:102'",
            ([(6, MAY), (4, JUNE)], [], 0, 0, True),
        ),
        ("LIN+1+3'QTY+21:10'QTY+113:6'QVR+-4+BP'", ([(6, None)], [(4, None)], 0, 0, True)),
        ("LIN+1+3'QTY+113:6'QVR+-4+BP'", ([(6, None)], [(4, None)], 0, 0, True)),
        ("LIN+1+3'QTY+21:10'QTY+113:6'QVR+-4+CP'", ([(6, None)], [], 4, 0, True)),
        ("LIN+1+3'QTY+21:10'QVR+-10+OS'", ([], [(10, None)], 0, 0, True)),
        ("LIN+1+3'QTY+21:10'QVR+-10+AB'", ([], [], 10, 0, True)),
        ("LIN+1+3'QTY+21:10'QTY+113:6'QTY+185:4'", ([(6, None)], [], 4, 0, True)),
        ("LIN+1+24'QTY+21:6'", ([(6, None)], [], 4, 0, True)),
        ("LIN+1+3+S1:IN'PIA+3+S9:IN'QTY+21:10'", ([], [], 0, 10, True)),
        ("LIN+1+10'QTY+21:10'", ([], [], 0, 0, False)),
        ("LIN+1+4'QTY+21:10'", ([], [], 0, 0, False)),
        ("LIN+1+5'QTY+21:8'", ([(8, None)], [], 0, 0, False)),
        ("LIN+1+5'QTY+83:4'", ([], [(4, None)], 0, 0, False)),
        (
            "LIN+1+3'QTY+21:6'DTM+69:20270503:102'LIN+9+1'QTY+21:4'DTM+69:20270607:102'RFF+ON:PO1:1'",
            ([(6, MAY), (4, JUNE)], [], 0, 0, True),
        ),
    ],
)
def test_line_actions_and_quantities(lines: str, expected):
    assert outcome(lines) == expected


def test_the_guide_says_what_a_smaller_quantity_means():
    lines = "LIN+1+3'QTY+21:10'QTY+113:6'"
    assert outcome(lines) == ([(6, None)], [], 4, 0, True)
    assert outcome(lines, guide=PartnerGuide(iq_policy=Remainder.BACKORDER)) == ([(6, None)], [(4, None)], 0, 0, True)
    assert outcome("LIN+1+Z5'QTY+21:10'", guide=PartnerGuide(code_map={"Z5": "5"})) == ([(10, None)], [], 0, 0, True)


@pytest.mark.parametrize(
    ("function", "lines", "header", "expected"),
    [
        ("29", "", "AK", [(10, 0), (5, 0)]),
        ("27", "", "RJ", [(0, 10), (0, 5)]),
        ("29", "LIN+1++S1:IN'QTY+21:10'", "AD", [(10, 0), (0, 0)]),
        ("27", "LIN+1'QTY+21:10'", "RD", [(0, 10), (0, 0)]),
        ("12", "", "12", [(0, 0), (0, 0)]),
        ("9+AI", "LIN+1+7'", "AE", [(0, 10), (5, 0)]),
    ],
)
def test_header_functions(function: str, lines: str, header: str, expected):
    answer = ordrsp(lines, function)
    assert answer.header_type == header
    outcomes = resolve_acknowledgement(OPEN, answer).outcomes
    assert [(found.accepted_quantity, found.rejected) for found in outcomes] == expected


def test_the_head_of_an_order_response():
    answer = ordrsp(
        "LIN+1+3+4006381333931:EN'PIA+5+S1:IN+V7:SA'QTY+21:10'", head="DTM+67:20270503:102'DTM+2:20270101:102'"
    )
    assert (answer.po_number, answer.acknowledged_on, answer.supplier_reference) == ("PO1", date(2026, 11, 20), "SO9")
    assert answer.dates == (("067", MAY), ("002", date(2027, 1, 1)))
    assert answer.sequence.startswith("20261120-20261120T103000-")
    (line,) = answer.lines
    assert (line.buyer_sku, line.vendor_code, line.gtin, line.is_proposal) == ("S1", "V7", "4006381333931", True)


def test_an_order_response_needs_an_order():
    decoded = decode_ordrsp(document("ORDRSP", "BGM+231+A1+29'DTM+137:20261120:102'UNS+S'"))
    assert (decoded.document, decoded.faults[0].code) == (None, "po_number")
    body = "BGM+231+A1+29'DTM+137:20261120:102'LIN+1'RFF+ON:PO7:3'UNS+S'"
    (line,) = ((found := decode_ordrsp(document("ORDRSP", body)).document) and found.lines) or ()
    assert (found and found.po_number, line.po_line_number) == ("PO7", "3")


def test_units_without_a_factor_and_fractions_are_refused():
    body = "BGM+231+A1+29'DTM+137:20261120:102'RFF+ON:PO1'LIN+1+5'QTY+21:{}'UNS+S'"
    for text, code in (("10:PK", "unit"), ("1,5", "quantity")):
        decoded = decode_ordrsp(document("ORDRSP", body.format(text)))
        assert decoded.document is None
        assert [fault.code for fault in decoded.faults] == [code]
    decoded = decode_ordrsp(document("ORDRSP", body.format("1,5:PK")), PartnerGuide(unit_map={"PK": 12}))
    assert decoded.document is not None
    assert decoded.document.lines[0].ordered == 18


SSCC = "106141412345678908"


def test_a_despatch_advice_with_nested_packs():
    body = (
        "BGM+351+ASN1+9'DTM+137:20261120:102'DTM+11:20261119:102'DTM+17:20261201:102'RFF+ON:PO1'RFF+CN:T99'"
        "TDT+20+V1+30+31+DHL:172'CPS+1'CPS+2+1+3'PAC+1++CT'PCI+33E'GIN+BJ+00106141412345678908'"
        "LIN+1++4006381333931:EN'PIA+5+S1:IN'QTY+12:6'GIN+BX+L7'DTM+36:20280101:102'RFF+ON:PO1:4'"
        "LIN+2'PIA+1+S2:IN'QTY+12:2'QTY+12:1'QVR+-2+BP'RFF+ON:PO2:1'"
    )
    decoded = decode_desadv(document("DESADV", body))
    assert decoded.faults == ()
    notice = decoded.document
    assert notice is not None
    assert (notice.number, notice.purpose, notice.shipped_on) == ("ASN1", "00", date(2026, 11, 19))
    assert (notice.expected_date, notice.carrier, notice.tracking) == (date(2026, 12, 1), "DHL", "T99")
    first, second = notice.orders
    assert (first.po_number, second.po_number) == ("PO1", "PO2")
    (line,) = first.lines
    assert (line.po_line_number, line.buyer_sku, line.quantity, line.lot) == ("4", "S1", 6, "L7")
    assert (line.expires_on, line.packs) == (date(2028, 1, 1), (Pack(SSCC, "00" + SSCC, "BJ", "3"),))
    assert (second.lines[0].quantity, second.lines[0].status) == (3, "BP")


def test_a_despatch_advice_that_cannot_be_used():
    head = "BGM+351+ASN1+9'DTM+137:20261120:102'"
    for body, code in (
        (head + "RFF+ON:PO1'CPS+1'LIN+1'QTY+21:4'", "quantity"),
        ("BGM+351'RFF+ON:PO1'CPS+1'LIN+1'QTY+12:4'", "number"),
    ):
        decoded = decode_desadv(document("DESADV", body))
        assert (decoded.document, [fault.code for fault in decoded.faults]) == (None, [code])
    odd = decode_desadv(document("DESADV", head + "CPS+2+9'PAC+1'GIN+BJ+123'LIN+1'QTY+12:4'"))
    assert odd.document is not None
    assert [fault.code for fault in odd.faults] == ["pack", "sscc", "po_number"]
    assert odd.document.orders[0].po_number == ""


def test_a_carrier_status_message():
    body = (
        "BGM+77+R1+9'DTM+137:20261120:102'RFF+CN:T99'RFF+ON:PO1'RFF+SRN:ASN1'TDT+20+V1+30++DHL:172'CNI+1+H7'"
        "STS+1+24'DTM+334:202611200815:203'LOC+9+DEHAM:139:6:Hamburg'STS+1+21'DTM+334:20261201:102'"
        "STS+1+P::HS:odd'DTM+132:20261203:102'"
    )
    decoded = decode_iftsta(document("IFTSTA", body))
    status = decoded.document
    assert status is not None
    assert (status.tracking, status.po_numbers, status.shipment, status.carrier) == ("T99", ("PO1",), "ASN1", "DHL")
    estimate = date(2026, 12, 3)
    assert status.events == (
        CarrierEvent("AF", "", datetime(2026, 11, 20, 8, 15), estimate, place="Hamburg", segment_number=9),
        CarrierEvent("D1", "", datetime(2026, 12, 1), estimate, segment_number=12),
        CarrierEvent("P", "", None, estimate, segment_number=14),
    )
    assert [fault.code for fault in decoded.faults] == ["status"]
    mapped = decode_iftsta(document("IFTSTA", body), PartnerGuide(code_map={"P": "X6"}))
    assert mapped.document is not None
    assert (mapped.document.events[2].status_code, mapped.faults) == ("X6", ())


def test_an_inventory_report():
    body = (
        "BGM+35+43+9'DTM+137:20261120:102'DTM+366:20261119:102'NAD+SN+W1::9'"
        "LIN+1++4006381333931:EN'PIA+5+S1:IN'QTY+145:20'QTY+66:3'LIN+2++S2:IN'QTY+83:4'DTM+69:20270503:102'LOC+14+W2'"
    )
    report = decode_invrpt(document("INVRPT", body)).document
    assert report is not None
    assert (report.number, report.reported_on, report.location) == ("43", date(2026, 11, 19), "W1")
    first, second = report.lines
    assert (first.first(StockKind.ON_HAND), first.first(StockKind.COMMITTED), first.buyer_sku) == (20, 3, "S1")
    assert (second.first(StockKind.BACKORDERED), second.available_on, second.location) == (4, MAY, "W2")
    odd = decode_invrpt(document("INVRPT", body.replace("66:3", "999:3")))
    assert [fault.code for fault in odd.faults] == ["quantity_kind"]


def test_a_receiving_advice():
    body = (
        "BGM+632+R1+9'DTM+137:20261121:102'DTM+50:20261120:102'RFF+ON:PO1'RFF+AAK:ASN1'CPS+1'"
        "LIN+1++S1:IN'QTY+48:10'QTY+194:7'QTY+195:3'RFF+ON:PO1:2'RFF+BT:L7'DTM+36:20280101:102'"
    )
    advice = decode_recadv(document("RECADV", body)).document
    assert advice is not None
    assert (advice.number, advice.received_on, advice.shipment) == ("R1", date(2026, 11, 20), "ASN1")
    (line,) = advice.lines
    assert (line.po_number, line.line_number, line.received, line.accepted, line.rejected) == ("PO1", "2", 10, 7, 3)
    assert (line.lot, line.expires_on, line.conditions) == ("L7", date(2028, 1, 1), (("195", 3),))


def test_an_application_advice():
    body = "BGM+305+E1+27'DTM+137:20261120:102'RFF+ACW:PO1'ERC+12'FTX+AAI+++bad:item'RFF+LI:3'"
    advice = decode_aperak(document("APERAK", body)).document
    assert advice is not None
    assert (advice.number, advice.about, advice.about_kind, advice.verdict) == ("E1", "PO1", "ACW", "R")
    assert advice.errors == (ApplicationError("12", "bad item", "3", 5),)


def test_an_invoice():
    body = (
        "BGM+380+I1+9'DTM+137:20261120:102'RFF+ON:PO1'CUX+2:EUR:4'LIN+1++S1:IN'QTY+47:10:PCE'MOA+203:25'PRI+AAA:2,5'"
        "UNS+S'MOA+9:29.75'"
    )
    invoice = decode_invoic(document("INVOIC", body)).document
    assert invoice is not None
    assert (invoice.number, invoice.po_number, invoice.total, invoice.currency) == (
        "I1",
        "PO1",
        Decimal("29.75"),
        "EUR",
    )
    assert invoice.lines == (
        InvoiceLine("1", "S1", "", "", 10, "PCE", Decimal("2.5"), Decimal("25"), segment_number=6),
    )


def test_a_contrl_names_what_could_not_be_read():
    body = "UCI+41+US:14+SUP:14+7'UCM+7+ORDERS:D:96A:UN+4+13+BGM'UCS+4'UCD+12+1:2'UCS+6+15'UCM+8+ORDERS:D:96A:UN+7'"
    found = decode_contrl(document("CONTRL", body, "2:2")).document
    assert found is not None
    assert (found.control, found.verdict, found.is_receipt_only) == ("41", "E", False)
    assert found.messages == (
        AcknowledgedMessage(
            "7",
            "ORDERS",
            "R",
            ("missing", "segment 4, element 1, component 2: invalid value", "segment 6: not supported here"),
        ),
        AcknowledgedMessage("8", "ORDERS", "A"),
    )
    receipt = decode_contrl(document("CONTRL", "UCI+41+US:14+SUP:14+8'", "2:2")).document
    assert receipt is not None
    assert (receipt.verdict, receipt.is_receipt_only) == ("A", True)
    refused = decode_contrl(document("CONTRL", "UCI+41+US:14+SUP:14+4+23'", "2:2")).document
    assert refused is not None
    assert (refused.verdict, refused.errors) == ("R", ("unknown sender",))
    assert decode_contrl(document("CONTRL", "UCI+41+US:14+SUP:14+9'", "2:2")).document is None


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("20261120", "102", date(2026, 11, 20)),
        ("261120", "101", date(2026, 11, 20)),
        ("202611200815", "203", date(2026, 11, 20)),
        ("20261120081500", "204", date(2026, 11, 20)),
        ("200404301742PDT", "303", date(2004, 4, 30)),
        ("202648", "616", date(2026, 11, 29)),
        ("202602", "610", date(2026, 2, 28)),
        ("2026", "602", date(2026, 12, 31)),
        ("2026112020261130", "718", date(2026, 11, 30)),
        ("20261120-20261130", "718", date(2026, 11, 30)),
        ("201126", "2", date(2026, 11, 20)),
        ("112026", "3", date(2026, 11, 20)),
        ("20260230", "102", None),
        ("99991231", "102", None),
        ("202699", "616", None),
        ("", "102", None),
        ("3", "803", None),
    ],
)
def test_dates_of_every_format(text: str, form: str, expected):
    assert day_of(text, form) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1,5", Decimal("1.5")), ("1.5", Decimal("1.5")), ("1.000,5", None), ("x", None)]
)
def test_numbers_have_either_decimal_mark(text: str, expected):
    assert number(text) == expected


def test_every_kind_we_check_has_a_decoder():
    assert set(KINDS) <= set(DECODERS)
