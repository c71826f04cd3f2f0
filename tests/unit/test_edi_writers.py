"""What we and the played supplier write is read back by our own reader without a single fault."""

import dataclasses
from datetime import date, datetime
from decimal import Decimal

import pytest

from core.edi.decode_214 import decode_214
from core.edi.decode_850 import decode_850
from core.edi.decode_855 import decode_855
from core.edi.decode_856 import decode_856
from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    CarrierEvent,
    CarrierStatus,
    Effect,
    LineStatus,
    Pack,
    Party,
    PurchaseOrderDocument,
    PurchaseOrderDocumentLine,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.reader import read
from core.edi.supplier_side import write_214, write_855, write_856
from core.edi.write_850 import write_850
from core.edi.x12_writer import Envelope, free_text
from core.errors import InvalidInput

ENVELOPE = Envelope(
    sender_qualifier="ZZ",
    sender_id="BACKORDER",
    receiver_qualifier="01",
    receiver_id="012345678",
    group_sender="BACKORDER",
    group_receiver="SUPPLIER",
    interchange_control=41,
    group_control=12,
    set_control=7,
    at=datetime(2026, 11, 20, 10, 30),
)
ORDER = PurchaseOrderDocument(
    number="PO-000123",
    ordered_on=date(2026, 11, 20),
    lines=(
        PurchaseOrderDocumentLine(
            "1", "SKU-1", "V-1", 10, "EA", Decimal("2.50"), date(2026, 12, 1), "012345678905", "Blue widget"
        ),
        PurchaseOrderDocumentLine("2", "SKU-2", "", 1200, "EA", None, None, "", ""),
    ),
    currency="USD",
    requested_date=date(2026, 12, 4),
    ship_to=Party("Main warehouse", "W1", ("1 Dock Road", "Gate 3", "Hall B"), "Reno", "NV", "89501", "US"),
)


def only_set(data: bytes):
    result = read(data)
    assert result.faults == ()
    (interchange,) = result.interchanges
    assert (interchange.repairs, interchange.faults) == ((), ())
    (group,) = interchange.groups
    assert group.faults == ()
    (document,) = group.sets
    assert document.faults == ()
    return document


def test_an_850_byte_for_byte():
    assert write_850(ORDER, ENVELOPE).decode() == (
        "ISA*00*          *00*          *ZZ*BACKORDER      *01*012345678      *261120*1030*U*00401*000000041*0*P*>~\n"
        "GS*PO*BACKORDER*SUPPLIER*20261120*1030*12*X*004010~\n"
        "ST*850*0007~\n"
        "BEG*00*SA*PO-000123**20261120~\n"
        "CUR*BY*USD~\n"
        "DTM*002*20261204~\n"
        "N1*ST*Main warehouse*92*W1~\n"
        "N3*1 Dock Road*Gate 3~\n"
        "N3*Hall B~\n"
        "N4*Reno*NV*89501*US~\n"
        "PO1*1*10*EA*2.5**BP*SKU-1*VP*V-1*UP*012345678905~\n"
        "PID*F****Blue widget~\n"
        "DTM*002*20261201~\n"
        "PO1*2*1200*EA***BP*SKU-2~\n"
        "CTT*2~\n"
        "SE*14*0007~\n"
        "GE*1*12~\n"
        "IEA*1*000000041~\n"
    )


def test_an_850_is_read_back():
    document = only_set(write_850(ORDER, ENVELOPE))
    assert (document.kind, document.control) == ("850", "0007")
    decoded = decode_850(document)
    assert decoded.faults == ()
    assert decoded.document == ORDER


def test_version_5010_and_test_usage():
    data = write_850(ORDER, dataclasses.replace(ENVELOPE, version="005010", usage="T", acknowledgement_requested=True))
    (interchange,) = read(data).interchanges
    assert (interchange.version, interchange.separators.repetition, interchange.is_test) == ("00501", "^", True)
    assert interchange.acknowledgement_requested
    assert decode_850(only_set(data)).document == ORDER


def test_a_separator_in_a_code_is_refused_and_in_a_text_blanked():
    line = dataclasses.replace(ORDER.lines[0], buyer_sku="SKU*1")
    with pytest.raises(InvalidInput, match="separator"):
        write_850(dataclasses.replace(ORDER, lines=(line,)), ENVELOPE)
    line = dataclasses.replace(ORDER.lines[0], description="10~ * 20 >\n30")
    decoded = decode_850(only_set(write_850(dataclasses.replace(ORDER, lines=(line,)), ENVELOPE)))
    assert decoded.document is not None
    assert decoded.document.lines[0].description == "10    20  30"
    assert free_text("x" * 100) == "x" * 80


def test_text_beyond_ascii_is_read_back():
    line = dataclasses.replace(ORDER.lines[0], description="Größe 나사")
    decoded = decode_850(only_set(write_850(dataclasses.replace(ORDER, lines=(line,)), ENVELOPE)))
    assert decoded.document is not None
    assert decoded.document.lines[0].description == "Größe 나사"


@pytest.mark.parametrize(
    "change",
    [
        {"sender_id": "X" * 16},
        {"receiver_id": ""},
        {"sender_qualifier": "ZZZ"},
        {"group_sender": "A*B"},
        {"interchange_control": 1_000_000_000},
        {"set_control": 0},
        {"usage": "X"},
    ],
)
def test_an_envelope_that_cannot_be_is_refused(change):
    with pytest.raises(InvalidInput):
        write_850(ORDER, dataclasses.replace(ENVELOPE, **change))


def test_an_855_is_read_back():
    statuses = (
        LineStatus("IA", 6, date(2026, 12, 1), "067", Effect.ACCEPT, "IA", (), 4),
        LineStatus("IB", 4, date(2026, 12, 15), "067", Effect.BACKORDER, "IB", (), 5),
        LineStatus("IS", None, None, "", Effect.HOLD, "IS", (("VP", "V-9"),), 6),
    )
    line = AcknowledgedLine("1", "1", "SKU-1", "V-1", "012345678905", 10, "EA", statuses, (), 3)
    answer = Acknowledgement("PO-000123", "AC", date(2026, 11, 21), "", (line,), "SO-1")
    document = only_set(write_855(answer, ENVELOPE))
    decoded = decode_855(document)
    assert decoded.faults == ()
    assert decoded.document is not None
    assert dataclasses.replace(decoded.document, sequence="") == answer


def test_an_856_is_read_back():
    pack = Pack("106141412345678908", "00106141412345678908", "GM", "P")
    shipped = ShippedLine("1", "SKU-1", "V-1", 6, "EA", "012345678905", (pack,), "L7", date(2028, 1, 1), "")
    notice = ShipNotice(
        number="ASN1",
        purpose="00",
        shipped_on=date(2026, 11, 20),
        expected_date=date(2026, 12, 1),
        carrier="UPSN",
        tracking="1Z999",
        orders=(
            ShippedOrder("PO-000123", (shipped,)),
            ShippedOrder("PO-000124", (dataclasses.replace(shipped, packs=()),)),
        ),
    )
    decoded = decode_856(only_set(write_856(notice, ENVELOPE)))
    assert decoded.faults == ()
    found = decoded.document
    assert found is not None
    assert (found.number, found.shipped_on, found.expected_date, found.carrier, found.tracking) == (
        "ASN1",
        date(2026, 11, 20),
        date(2026, 12, 1),
        "UPSN",
        "1Z999",
    )
    plain = tuple(
        ShippedOrder(order.po_number, tuple(dataclasses.replace(line, segment_number=0) for line in order.lines))
        for order in found.orders
    )
    assert plain == notice.orders


def test_a_214_is_read_back():
    events = (
        CarrierEvent("SD", "BG", datetime(2026, 11, 30, 8, 15), None, "LT", segment_number=7),
        CarrierEvent("AG", "BG", None, date(2026, 12, 9), "LT", segment_number=9),
    )
    status = CarrierStatus("PRO77", "1Z999", ("PO1", "PO2"), events, "ASN1", "UPSN")
    decoded = decode_214(only_set(write_214(status, ENVELOPE)))
    assert decoded.document is not None
    assert dataclasses.replace(decoded.document, sequence="", references=()) == status
