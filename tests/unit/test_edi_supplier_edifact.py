"""What a supplier writes as ORDRSP and DESADV is read as the same document as its 855 and 856."""

import dataclasses
from datetime import date, datetime

import pytest

from core.edi.decode_desadv import decode_desadv
from core.edi.decode_ordrsp import decode_ordrsp
from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    Effect,
    LineStatus,
    Pack,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.edifact_writer import EdifactEnvelope
from core.edi.reader import read
from core.edi.resolve_acknowledgement import OpenLine, resolve_acknowledgement
from core.edi.supplier_edifact import write_desadv, write_ordrsp

ENVELOPE = EdifactEnvelope("14", "SUPPLIER", "14", "BACKORDER", 41, 7, datetime(2026, 11, 20, 10, 30))
ON, LATER = date(2026, 12, 1), date(2026, 12, 15)
PART = LineStatus("IA", 6, ON, "067", Effect.ACCEPT, "IA")
REST = LineStatus("IB", 4, LATER, "067", Effect.BACKORDER, "IB")
ALL = LineStatus("IA", 5, ON, "067", Effect.ACCEPT, "IA")
REFUSED = LineStatus("IR", None, None, "", Effect.REJECT, "IR")


def message(data: bytes):
    (interchange,) = read(data).interchanges
    (document,) = interchange.groups[0].sets
    assert (interchange.faults, interchange.repairs, document.faults) == ((), (), ())
    return document


def line(number: str, sku: str, ordered: int, *statuses: LineStatus, **more) -> AcknowledgedLine:
    return AcknowledgedLine(number, number, sku, "", "", ordered, "EA", statuses, **more)


@pytest.mark.parametrize("header", ["AC", "AD"])
def test_an_order_response_means_what_the_acknowledgement_means(header: str):
    lines = (line("1", "S1", 10, PART, REST), line("2", "S2", 5, ALL), line("3", "S3", 7, REFUSED))
    answer = Acknowledgement("PO1", header, date(2026, 11, 20), "", lines, "SO9")
    found = decode_ordrsp(message(write_ordrsp(answer, ENVELOPE)))
    assert found.faults == ()
    assert found.document is not None
    assert (found.document.po_number, found.document.supplier_reference) == ("PO1", "SO9")
    ours = [OpenLine(1, 10, "S1"), OpenLine(2, 5, "S2"), OpenLine(3, 7, "S3")]

    def plain(document: Acknowledgement):
        return [
            (
                [(p.quantity, p.date) for p in outcome.accepted],
                [(p.quantity, p.date) for p in outcome.backordered],
                outcome.rejected,
                outcome.mismatch,
            )
            for outcome in resolve_acknowledgement(ours, document).outcomes
        ]

    assert plain(found.document) == plain(answer)
    assert plain(answer)[0] == ([(6, ON)], [(4, LATER)], 0, None)


def test_a_proposal_stays_one():
    answer = Acknowledgement("PO1", "AC", date(2026, 11, 20), "", (line("1", "S1", 10, PART, REST, is_proposal=True),))
    found = decode_ordrsp(message(write_ordrsp(answer, ENVELOPE))).document
    assert found is not None
    assert found.lines[0].is_proposal
    (outcome,) = resolve_acknowledgement([OpenLine(1, 10, "S1")], found).outcomes
    assert outcome.line is not None
    assert outcome.line.is_proposal


def test_a_despatch_advice_is_read_back():
    pack = Pack("106141412345678908", "00106141412345678908", "BJ", "3")
    first = ShippedLine("1", "SKU-1", "V-1", 6, "EA", "4006381333931", (pack,), "L7", date(2028, 1, 1))
    second = ShippedLine("2", "SKU-2", "", 3, "EA")
    notice = ShipNotice(
        "ASN1",
        "00",
        date(2026, 11, 20),
        ON,
        "DHL",
        "1Z999",
        (ShippedOrder("PO1", (first,)), ShippedOrder("PO2", (second,))),
        noticed_on=date(2026, 11, 20),
    )
    for sent in (notice, dataclasses.replace(notice, orders=notice.orders[:1])):
        found = decode_desadv(message(write_desadv(sent, ENVELOPE)))
        assert found.faults == ()
        got = found.document
        assert got is not None
        orders = tuple(
            ShippedOrder(o.po_number, tuple(dataclasses.replace(x, segment_number=0) for x in o.lines))
            for o in got.orders
        )
        assert dataclasses.replace(got, orders=orders, sequence="", references=()) == sent
