"""What a standard allows is no fault, whichever partner sends it: codes, places of segments, quantities below zero."""

from dataclasses import replace
from datetime import date

import pytest

from core.edi.decoders import DECODERS
from core.edi.guide import DEFAULT_GUIDE
from core.edi.interchanges import Severity
from core.edi.reader import read
from core.edi.try_sample import try_sample
from core.services.edi_outcome import Unusable, usable
from tests.unit.edi_messages import EDIFACT, X12, edifact_file, x12_file


def set_of(data: bytes):
    (document,) = read(data).interchanges[0].groups[0].sets
    return document


@pytest.mark.parametrize(
    ("kind", "body"), [("846", X12["846"].replace("*20*EA", "*-20*EA")), ("INVRPT", EDIFACT["INVRPT"])]
)
def test_stock_below_zero_is_none_and_no_fault(kind, body):
    data = x12_file(kind, body) if kind == "846" else edifact_file(kind, body.replace("QTY+145:20,0", "QTY+145:-20"))
    found = DECODERS[kind](set_of(data), DEFAULT_GUIDE)
    assert [fault.code for fault in found.faults] == ["quantity"]
    assert found.document.lines[0].quantities[0].quantity == 0


@pytest.mark.parametrize("kind", ["810", "INVOIC"])
def test_a_credit_gives_units_back(kind):
    if kind == "810":
        data = x12_file(kind, X12[kind].replace("IT1*1*10*", "IT1*1*-10*"))
    else:
        data = edifact_file(kind, EDIFACT[kind].replace("QTY+47:10", "QTY+47:-10"))
    found = DECODERS[kind](set_of(data), DEFAULT_GUIDE)
    assert (found.faults, found.document.lines[0].quantity) == ((), -10)


def test_an_order_of_fewer_than_no_units_is_refused():
    found = DECODERS["850"](set_of(x12_file("850", X12["850"].replace("PO1*1*10*", "PO1*1*-10*"))), DEFAULT_GUIDE)
    assert found.document is None


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("850", "DTM*002*20261201~", "DTM*002*261201***20~"),
        ("850", "DTM*002*20261201~", "DTM*002*****RD8*20261201-20261205~"),
        ("855", "ACK*IB*4*EA", "ACK*IB*4*EA~QTY*39*10"),
        ("850", "*SA*PO1*", "*BH*PO1*"),
        ("856", "MAN*GM*00106141412345678908~", "CLD*1*6*CTN~REF*LS*S1~MAN*E1*00106141412345678908~"),
        ("846", "N1*WH*", "DTM*007*20261120~REF*IA*1~N1*WH*"),
        ("855", "ACK*IB*4*EA", "ACK*R9*4*EA"),
        ("214", "AT7*SD*", "AT7*AW*"),
        ("945", "W12*CC*", "W12*SH*"),
        ("856", "HL*2*1*O", "HL*2*01*O"),
    ],
)
def test_what_the_standard_allows_is_no_fault(kind, old, new):
    body = X12[kind]
    assert old in body
    document = set_of(x12_file(kind, body.replace(old, new)))
    assert (document.faults, DECODERS[kind](document, DEFAULT_GUIDE).faults) == ((), ())


def test_a_range_of_dates_stands_one_element_later_before_4010():
    body = X12["850"].replace("DTM*002*20261201~", "DTM*002*****RD8*20261201-20261205~")
    order = DECODERS["850"](set_of(x12_file("850", body)), DEFAULT_GUIDE).document
    assert order.lines[0].requested_date == date(2026, 12, 5)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("APERAK", "BGM+313+A1+9'DTM+137:20261120:102'ERC+40::260'"),
        ("IFTSTA", "BGM+23+S1+9'DTM+137:20261120:102'CNI+1'STS+1+21'"),
        ("214", "B10***UPSN~LX*1~AT7*D1*NS***20261130*0815~"),
    ],
)
def test_what_names_nothing_of_ours_is_allowed_and_of_no_use(kind, body):
    file = (x12_file if kind == "214" else edifact_file)(kind, body)
    document = set_of(file)
    found = DECODERS[kind](document, DEFAULT_GUIDE)
    assert (document.faults, found.document) == ((), None)
    assert [(fault.code, fault.severity) for fault in found.faults] == [("reference", Severity.WARNING)]
    # Why it is set aside is said all the same.
    with pytest.raises(Unusable, match=" names no "):
        usable(found)
    assert " names no " in try_sample(file, DEFAULT_GUIDE)[0]


def test_a_parcel_carrier_names_the_parcel_and_puts_its_code_beside_the_category():
    body = "BGM+23:UPS::QVD+O4'RFF+CW:1Z3'CNI+1'STS+1:D2:21'DTM+78:20160714173746:204'"
    found = DECODERS["IFTSTA"](set_of(edifact_file("IFTSTA", body)), replace(DEFAULT_GUIDE, code_map={"D2": "D1"}))
    assert (found.faults, found.document.tracking, found.document.events[0].status_code) == ((), "1Z3", "D1")


def test_the_agency_of_the_category_is_not_that_of_the_status():
    body = "BGM+77+R1+9'RFF+CN:T9'CNI+1'STS+1::87+21'DTM+334:202611200815:203'STS+1+21::87'"
    found = DECODERS["IFTSTA"](set_of(edifact_file("IFTSTA", body)), DEFAULT_GUIDE)
    assert [event.status_code for event in found.document.events] == ["D1", "21"]
    assert [fault.segment_number for fault in found.faults] == [7]


def test_a_segment_at_a_wrong_place_is_looked_into():
    document = set_of(x12_file("945", "W06*F*SO1*20261120*SHIP7~W12*CC*10*EA**EA**BP*SKU1~"))
    assert [(f.code, f.segment_number, f.element, f.severity) for f in document.faults] == [
        ("2", 3, None, Severity.WARNING),
        ("6", 3, 3, Severity.ERROR),
    ]


def test_a_ship_notice_that_is_taken_back_needs_no_lines():
    body = "BGM+351+A1+1'DTM+137:20261120:102'RFF+ON:PO1'"
    assert set_of(edifact_file("DESADV", body)).faults == ()
    body = body.replace("+A1+1'", "+A1+9'")
    assert [fault.segment for fault in set_of(edifact_file("DESADV", body)).faults] == ["LIN"]


def test_a_day_of_the_envelope_that_is_none_is_noted():
    data = edifact_file("ORDERS", EDIFACT["ORDERS"]).replace(b"261120:1030", b"269920:1030")
    assert [(f.code, f.element, f.value) for f in read(data).interchanges[0].faults] == [("12", 4, "269920")]


def test_numbers_of_levels_are_numbers_and_the_top_may_say_0():
    body = X12["856"].replace("HL*1**S", "HL*01*0*S").replace("HL*2*1*O", "HL*02*1*O").replace("HL*3*2*P", "HL*03*02*P")
    document = set_of(x12_file("856", body))
    assert [(f.code, f.segment, f.element, f.severity) for f in document.faults] == [("7", "HL", 2, "warning")]
    (order,) = DECODERS["856"](document, DEFAULT_GUIDE).document.orders
    assert (order.po_number, order.lines[0].packs[0].sscc) == ("PO1", "106141412345678908")
