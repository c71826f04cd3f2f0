"""The X12 sets around an order: changes, stock reports, warehouse orders, receipts, invoices, refusals, TA1 and 999."""

import dataclasses
import io
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyx12.params import ParamsBase
from pyx12.x12n_document import x12n_document

from core.edi.change_documents import ChangeAcknowledgement, ChangedLine, PurchaseOrderChange
from core.edi.decode_850 import decode_850
from core.edi.decode_997 import decode_997
from core.edi.decode_ta1 import decode_ta1
from core.edi.decoders import DECODERS
from core.edi.documents import (
    AcknowledgedFault,
    AcknowledgedLine,
    Acknowledgement,
    Effect,
    LineStatus,
    Party,
    PurchaseOrderDocument,
    PurchaseOrderDocumentLine,
    SetResult,
)
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Severity, verdict
from core.edi.invoice_documents import InvoiceLine
from core.edi.judge_file import judge_file
from core.edi.maps.table import SETS
from core.edi.reader import read
from core.edi.reply_documents import ApplicationError
from core.edi.stock_documents import InventoryReport, StockKind, StockLine, StockQuantity
from core.edi.supplier_changes import write_846, write_865
from core.edi.warehouse_documents import ShippingOrder, WarehouseLine
from core.edi.write_850 import write_850
from core.edi.write_860 import write_860
from core.edi.write_940 import write_940
from core.edi.write_997 import write_997
from core.edi.write_ta1 import write_ta1
from core.edi.x12 import FUNCTIONAL_IDS
from core.edi.x12_writer import Envelope

ENVELOPE = Envelope("ZZ", "BACKORDER", "01", "012345678", "US", "SUP", 41, 12, 7, datetime(2026, 11, 20, 10, 30))
ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*P*>~"


def file(kind: str, body: str) -> bytes:
    count = body.count("~") + 2
    group = FUNCTIONAL_IDS[kind]
    text = f"GS*{group}*SUP*US*20261120*1030*7*X*004010~ST*{kind}*0001~{body}SE*{count}*0001~GE*1*7~IEA*1*000000007~"
    return (ISA + text).encode()


def only_set(data: bytes):
    result = read(data)
    assert result.faults == ()
    (interchange,) = result.interchanges
    assert (interchange.repairs, interchange.faults) == ((), ())
    (group,) = interchange.groups
    (document,) = group.sets
    assert [fault.message for fault in (*group.faults, *document.faults)] == []
    return document


def decoded(kind: str, body: str, guide: PartnerGuide = DEFAULT_GUIDE):
    return DECODERS[kind](only_set(file(kind, body)), guide)


def refusal(kind: str, body: str) -> list[tuple[str, str]]:
    found = decoded(kind, body)
    assert found.document is None
    return [(fault.code, fault.segment) for fault in found.faults if fault.severity is Severity.ERROR]


def plain(line):
    return dataclasses.replace(line, segment_number=0)


CHANGE = PurchaseOrderChange(
    number="PO-1",
    ordered_on=date(2026, 11, 1),
    changed_on=date(2026, 11, 20),
    lines=(
        ChangedLine("1", "QD", "SKU-1", "V-1", "012345678905", 8, 6, "EA", Decimal("2.5"), date(2026, 12, 1), "Widget"),
        ChangedLine("2", "DI", "SKU-2"),
        ChangedLine("3", "QI", "SKU-3", quantity=9, schedule=((6, date(2026, 12, 1)), (3, date(2026, 12, 8)))),
    ),
    sequence_number="3",
    currency="USD",
    requested_date=date(2026, 12, 2),
    ship_to=Party("Main warehouse", "W1", ("1 Dock Road",), "Reno", "NV", "89501", "US"),
)


def test_an_860_is_read_back_and_has_its_segments():
    data = write_860(CHANGE, ENVELOPE)
    assert b"BCH*04*SA*PO-1**3*20261101*****20261120~" in data
    assert b"POC*1*QD*8*6*EA*2.5**BP*SKU-1*VP*V-1*UP*012345678905~" in data
    assert b"POC*3*QI*9**EA***BP*SKU-3~\nSCH*6*EA***002*20261201~\nSCH*3*EA***002*20261208~" in data
    found = DECODERS["860"](only_set(data), DEFAULT_GUIDE)
    assert found.faults == ()
    assert dataclasses.replace(found.document, lines=tuple(plain(line) for line in found.document.lines)) == CHANGE


def test_an_865_that_answers_and_one_that_the_supplier_begins():
    statuses = (
        LineStatus("IA", 6, date(2026, 12, 1), "067", Effect.ACCEPT, "IA"),
        LineStatus("IB", 2, None, "", Effect.BACKORDER, "IB"),
    )
    line = AcknowledgedLine("1", "1", "SKU-1", "V-1", "", 8, "EA", statuses)
    answer = Acknowledgement("PO-1", "AC", date(2026, 11, 21), "", (line,), "SO-1")
    changes = (ChangedLine("1", "QD", "SKU-1", "V-1", "", 8, 6, "EA"),)
    sent = ChangeAcknowledgement(answer, changes, "3", date(2026, 11, 1))
    found = DECODERS["865"](only_set(write_865(sent, ENVELOPE)), DEFAULT_GUIDE)
    assert found.faults == ()
    back = found.document
    assert (back.change_sequence, back.is_from_supplier, back.ordered_on) == ("3", False, date(2026, 11, 1))
    assert tuple(plain(change) for change in back.changes) == changes
    (got,) = back.acknowledgement.lines
    assert tuple(plain(status) for status in got.statuses) == statuses
    assert (back.acknowledgement.po_number, back.acknowledgement.supplier_reference, got.ordered) == ("PO-1", "SO-1", 8)
    begun = DECODERS["865"](only_set(write_865(dataclasses.replace(sent, change_sequence=""), ENVELOPE)), DEFAULT_GUIDE)
    assert begun.document.is_from_supplier


def test_an_865_with_an_unknown_change_or_a_broken_quantity():
    odd = decoded("865", "BCA*00*AC*PO1***20261101~POC*1*Z9*8**EA~")
    assert [(fault.code, fault.severity) for fault in odd.faults] == [("line_change", Severity.WARNING)]
    mapped = decoded("865", "BCA*00*AC*PO1***20261101~POC*1*Z9*8**EA~", PartnerGuide(code_map={"Z9": "QD"}))
    assert (mapped.faults, mapped.document.changes[0].change) == ((), "QD")
    assert refusal("865", "BCA*00*AC*PO1***20261101~POC*1*QD*1.5**EA~") == [("quantity", "POC")]
    assert refusal("865", "BCA*00*AC*PO1***20261101~POC*1*QD*8**EA~ACK*IA*1.5*EA~") == [("quantity", "ACK")]


def test_an_846_is_read_back():
    stock = (StockQuantity(StockKind.AVAILABLE, "33", 20), StockQuantity(StockKind.ON_HAND, "17", 25))
    line = StockLine("1", "SKU-1", "V-1", "012345678905", stock, "EA", date(2026, 12, 1), 14)
    report = InventoryReport("R1", date(2026, 11, 20), (line,), location="W1")
    found = DECODERS["846"](only_set(write_846(report, ENVELOPE)), DEFAULT_GUIDE)
    assert found.faults == ()
    (got,) = found.document.lines
    assert tuple(plain(one) for one in got.quantities) == stock
    assert dataclasses.replace(plain(got), quantities=stock) == line
    assert (found.document.number, found.document.reported_on, found.document.location) == (
        "R1",
        report.reported_on,
        "W1",
    )
    odd = decoded("846", "BIA*00*DD*R1*20261120~LIN*1*BP*S1~QTY*ZZ*5*EA~LDT*AF*2*WK~LIN*2*BP*S2~")
    assert [fault.code for fault in odd.faults] == ["quantity_kind", "quantity"]
    assert odd.document.lines[0].lead_time_days == 14


def test_a_940_is_read_back():
    lines = (
        WarehouseLine("10", "SKU-1", "V-1", "00012345678905", 6, "EA", lot="L7", description="Widget"),
        WarehouseLine("20", "SKU-2", "", "", 4),
    )
    order = ShippingOrder(
        "SO-1",
        lines,
        "PO-9",
        "N",
        date(2026, 12, 1),
        date(2026, 12, 4),
        Party("Anna Smith", "C1", ("1 Main Street",), "Reno", "NV", "89501", "US"),
        Party("Warehouse", "W1"),
        "UPSN",
        ("leave at the door",),
    )
    found = DECODERS["940"](only_set(write_940(order, ENVELOPE)), DEFAULT_GUIDE)
    assert found.faults == ()
    assert dataclasses.replace(found.document, lines=tuple(plain(line) for line in found.document.lines)) == order


def test_a_945_with_what_was_not_shipped():
    body = (
        "W06*F*SO1*20261120*SHIP7**PO9~N9*CN*T99~G62*11*20261121~W27*M*UPSN~LX*1~MAN*GM*00106141412345678908~N9*LI*10~"
        "W12*CC*10*6*4*EA**BP*SKU1~LX*2~W12*BP*5*2**EA**VN*V1*LOT3~N9*LI*20~W12*ZZ*1*0**EA**BP*S3~W03*8~"
    )
    found = decoded("945", body)
    advice = found.document
    assert (advice.number, advice.order_number, advice.po_number, advice.carrier) == ("SHIP7", "SO1", "PO9", "UPSN")
    assert (advice.shipped_on, advice.tracking) == (date(2026, 11, 21), "T99")
    assert [(x.line_number, x.ordered, x.shipped, x.short, x.status, x.lot) for x in advice.lines] == [
        ("10", 10, 6, 4, "CC", ""),
        ("20", 5, 2, 3, "BP", "LOT3"),
        ("2", 1, 0, 1, "ZZ", ""),
    ]
    assert advice.lines[0].packs[0].sscc == "106141412345678908"
    assert [fault.code for fault in found.faults] == ["line_status"]


def test_a_945_names_our_order_in_a_reference_or_is_left_to_a_person():
    line = "LX*1~W12*CC*10*6*4*EA**BP*S1~"
    assert decoded("945", f"W06*F***SHIP7**PO9~N9*BM*B7~N9*OQ*SO1~{line}").document.order_number == "SO1"
    found = decoded("945", f"W06*F**20261120*SHIP7**PO9~{line}")
    assert (found.document.number, found.document.order_number) == ("SHIP7", "")
    assert [(fault.code, fault.segment, fault.element) for fault in found.faults] == [("number", "W06", 2)]


def test_an_861_counts_what_was_refused():
    body = "BRA*R1*20261121*00*1~REF*SI*ASN1~DTM*050*20261120~PRF*PO1~RCD*1*10*EA***3*EA*01*1*EA*02~LIN*2*BP*S1*LT*L7~"
    advice = decoded("861", body).document
    assert (advice.number, advice.received_on, advice.shipment) == ("R1", date(2026, 11, 20), "ASN1")
    (line,) = advice.lines
    assert (line.po_number, line.line_number, line.buyer_sku, line.lot) == ("PO1", "2", "S1", "L7")
    assert (line.received, line.accepted, line.rejected, line.short) == (10, 7, 3, 1)
    assert line.conditions == (("01", 3), ("02", 1))
    assert refusal("861", "BRA*R1*20261121*00*1~RCD*1~") == [("quantity", "RCD")]


def test_an_824_names_document_and_errors():
    body = "BGN*00*A1*20261120*1030~OTI*TR*PO*PO1*****12*0007*850~TED*007*bad item*PO1*5***S9~NTE**see the catalogue~"
    advice = decoded("824", body).document
    assert (advice.number, advice.about, advice.about_kind, advice.verdict) == ("A1", "PO1", "PO", "R")
    assert (advice.group_control, advice.set_control) == ("12", "0007")
    assert advice.errors == (ApplicationError("007", "bad item (segment PO1 5): 'S9' see the catalogue", "PO1", 4),)
    odd = decoded("824", "BGN*00*A1*20261120~OTI*ZZ*PO*PO1~")
    assert (odd.document.verdict, [fault.code for fault in odd.faults]) == ("", ["verdict"])


def test_an_810_has_implied_decimals_in_its_total():
    body = (
        "BIG*20261120*I1*20261101*PO1~CUR*SE*USD~ITD*01*****20261220~IT1*1*10*EA*2.5**BP*S1~PID*F****Widget~TDS*2975~"
    )
    invoice = decoded("810", body).document
    assert (invoice.number, invoice.po_number, invoice.total, invoice.currency) == (
        "I1",
        "PO1",
        Decimal("29.75"),
        "USD",
    )
    assert invoice.lines == (InvoiceLine("1", "S1", "", "", 10, "EA", Decimal("2.5"), None, "Widget", 5),)


def test_a_997_in_depth():
    body = (
        "AK1*PO*12~AK2*850*0007~AK3*BEG*2**8~AK4*3>1*324*7*PO?~AK4*5*373*8*2026~AK3*PO1*5**3~AK5*R*5*4~AK2*850*0008~AK5*A~"
        "AK9*P*3*2*1*5~"
    )
    answer = decode_997(only_set(file("997", body))).document
    assert answer is not None
    assert (answer.functional_id, answer.group_control, answer.verdict) == ("PO", "12", "P")
    assert (answer.included, answer.received, answer.accepted, answer.errors) == (3, 2, 1, ("wrong count of sets",))
    first, second = answer.sets
    assert (first.control, first.verdict, first.codes, second.verdict) == ("0007", "R", ("5", "4"), "A")
    assert first.errors == (
        "segment BEG at 2: segment has element errors",
        "segment BEG at 2, element 3, component 1: bad code ('PO?')",
        "segment BEG at 2, element 5: bad date ('2026')",
        "segment PO1 at 5: required segment missing",
        "wrong count of segments",
    )
    assert first.faults[1] == AcknowledgedFault("BEG", 2, "7", first.errors[1], 3, 1, "324", "PO?")
    assert [(x.segment_number, x.element, x.value) for x in first.faults] == [
        (2, None, ""),
        (2, 3, "PO?"),
        (2, 5, "2026"),
        (5, None, ""),
    ]


def test_a_997_with_a_verdict_that_is_none_is_refused():
    assert refusal("997", "AK1*PO*12~AK2*850*0007~AK5*Q~AK9*A*1*1*1~") == [("verdict", "AK5")]
    assert refusal("997", "AK1*PO*12~AK9*Q*1*1*1~") == [("verdict", "AK9")]


def test_a_999_says_the_same_as_a_997():
    body = "AK1*PO*12*005010~AK2*850*0007~IK3*BEG*2**8~CTX*SITUATIONAL TRIGGER~IK4*3*324*7*PO?~IK5*R*5~AK9*R*1*1*0~"
    answer = decoded("999", body).document
    assert (answer.verdict, answer.sets[0].verdict) == ("R", "R")
    assert answer.sets[0].errors[1] == "segment BEG at 2, element 3: bad code ('PO?')"


def test_a_ta1_is_written_read_and_judged():
    (whole,) = read(file("850", "BEG*00*SA*PO1**20261120~PO1*1*1*EA***BP*S1~")).interchanges
    data = write_ta1(whole, ENVELOPE)
    assert data.decode().splitlines()[1:] == ["TA1*000000007*261120*1030*A*000~", "IEA*0*000000041~"]
    (found,) = read(data).interchanges
    assert (found.faults, found.groups, len(found.answers)) == ((), (), 1)
    answer = decode_ta1(found.answers[0])
    assert (answer.control, answer.verdict, answer.errors, answer.sent_on) == ("000000007", "A", (), date(2026, 11, 20))
    judged = judge_file(data)
    assert judged["verdict"] == "accepted"
    assert judged["interchanges"][0]["answers"] == [
        {"control": "000000007", "verdict": "A", "errors": [], "segmentNumber": 2}
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("IEA*1*000000007~", "", ("R", "023", "unexpected end of file")),
        ("IEA*1*000000007", "IEA*1*000000008", ("E", "001", "control numbers of ISA and IEA do not match")),
        ("IEA*1*", "IEA*2*", ("E", "021", "wrong count of groups")),
    ],
)
def test_a_ta1_names_what_is_wrong_with_the_envelope(before: str, after: str, expected):
    data = file("850", "BEG*00*SA*PO1**20261120~PO1*1*1*EA***BP*S1~").replace(before.encode(), after.encode())
    (interchange,) = read(data).interchanges
    (segment,) = read(write_ta1(interchange, ENVELOPE)).interchanges[0].answers
    assert (segment.value(4), segment.value(5), *decode_ta1(segment).errors) == expected
    (again,) = read(write_ta1(interchange, ENVELOPE, "025")).interchanges[0].answers
    assert (again.value(4), again.value(5)) == ("R", "025")


def test_a_ta1_without_a_verdict_is_refused():
    (interchange,) = read((ISA + "TA1*000000041*261120*1030~IEA*0*000000007~").encode()).interchanges
    assert [(fault.code, fault.severity) for fault in interchange.faults] == [("022", Severity.ERROR)] * 2


def test_a_file_that_is_cut_off_anywhere_is_rejected():
    whole = file("850", "BEG*00*SA*PO1**20261120~PO1*1*1*EA***BP*S1~")
    assert judge_file(whole)["verdict"] == "accepted"
    for length in range(1, len(whole) - 1):
        assert judge_file(whole[:length])["verdict"] == "rejected", whole[:length]
    both = whole + whole
    for length in range(len(whole) + 1, len(both) - 1):
        assert judge_file(both[:length])["verdict"] == "rejected", both[len(whole) : length]


def test_a_unit_that_needs_a_guide_is_only_noted_when_a_file_is_checked():
    judged = judge_file(file("850", "BEG*00*SA*PO1**20261120~PO1*1*1*CA***BP*S1~"))
    (fault,) = judged["interchanges"][0]["groups"][0]["sets"][0]["faults"]
    assert (judged["verdict"], fault["code"], fault["severity"]) == ("accepted with notes", "unit", "warning")
    also = judge_file(file("850", "BEG*00*SA*PO1**20261120~PO1*1*1.5*CA***BP*S1~"))
    assert also["verdict"] == "accepted with notes"
    also = judge_file(file("850", "BEG*00*SA*PO1**20261120~PO1*1*1.5*EA***BP*S1~PO1*2*1*CA***BP*S2~"))
    assert also["verdict"] == "rejected"


def test_every_set_we_check_has_a_decoder_and_a_group():
    assert set(SETS) <= set(DECODERS)
    assert set(SETS) == set(FUNCTIONAL_IDS)


# Our own files, any of them, read back: values are those that X12 can carry.
codes = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*>~^"), min_size=1, max_size=20)
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*>~^"), max_size=40)
days = st.dates(date(2000, 1, 1), date(2098, 12, 31))
counts = st.integers(0, 999_999)
prices = st.one_of(st.none(), st.decimals(0, 99999, places=2))
gtins = st.sampled_from(["", "012345678905", "4006381333931", "00012345678905"])
order_lines = st.builds(
    PurchaseOrderDocumentLine,
    st.integers(1, 99999).map(str),
    codes,
    st.one_of(st.just(""), codes),
    counts,
    st.just("EA"),
    prices,
    st.one_of(st.none(), days),
    gtins,
    texts,
)
orders = st.builds(
    PurchaseOrderDocument,
    codes,
    days,
    st.lists(order_lines, min_size=1, max_size=4).map(tuple),
    st.sampled_from(["", "USD"]),
    st.one_of(st.none(), days),
    st.none(),
    st.sampled_from(["00", "05"]),
)
changed_lines = st.builds(
    ChangedLine,
    st.integers(1, 99999).map(str),
    st.sampled_from(["QD", "QI", "CA", "DI", "AI", "PC"]),
    codes,
    st.one_of(st.just(""), codes),
    gtins,
    counts,
    st.one_of(st.none(), counts),
    st.just("EA"),
    prices,
    st.one_of(st.none(), days),
    texts,
)
changes = st.builds(
    PurchaseOrderChange,
    codes,
    days,
    days,
    st.lists(changed_lines, max_size=4).map(tuple),
    st.integers(1, 9999).map(str),
    st.sampled_from(["01", "04", "05"]),
)
warehouse_lines = st.builds(
    WarehouseLine,
    st.integers(1, 99999).map(str),
    codes,
    st.one_of(st.just(""), codes),
    gtins,
    counts,
    st.just("EA"),
    lot=st.one_of(st.just(""), codes),
    description=texts,
)
releases = st.builds(
    ShippingOrder,
    codes,
    st.lists(warehouse_lines, min_size=1, max_size=4).map(tuple),
    st.one_of(st.just(""), codes),
    st.sampled_from("NFR"),
    st.one_of(st.none(), days),
    st.one_of(st.none(), days),
)


@settings(max_examples=60, deadline=None)
@given(orders)
def test_any_850_is_read_back(order: PurchaseOrderDocument):
    found = decode_850(only_set(write_850(order, ENVELOPE)))
    assert (found.faults, found.document) == ((), order)


@settings(max_examples=60, deadline=None)
@given(changes)
def test_any_860_is_read_back(change: PurchaseOrderChange):
    found = DECODERS["860"](only_set(write_860(change, ENVELOPE)), DEFAULT_GUIDE)
    assert found.faults == ()
    assert dataclasses.replace(found.document, lines=tuple(plain(line) for line in found.document.lines)) == change


@settings(max_examples=60, deadline=None)
@given(releases)
def test_any_940_is_read_back(order: ShippingOrder):
    found = DECODERS["940"](only_set(write_940(order, ENVELOPE)), DEFAULT_GUIDE)
    assert found.faults == ()
    assert dataclasses.replace(found.document, lines=tuple(plain(line) for line in found.document.lines)) == order


def pyx12_says(data: bytes) -> bool:
    """Whether pyx12 with its own maps finds no error; it has maps of 997 and of the envelope, none of orders."""
    return bool(x12n_document(ParamsBase(), io.StringIO(data.decode()), fd_997=None, fd_html=None))


@pytest.mark.parametrize(
    "body",
    [
        "BEG*00*SA*PO1**20261120~PO1*1*1*EA***BP*S1~",
        "BEG*00*SA*PO1**2026112x~PO1*1*1x*EA***BP*S1~",
        "BEG*00**PO1**20261120~XYZ*1~PO1*1*1*EA***BP*S1~DTM*002*20269999~",
    ],
)
def test_our_997_is_valid_for_pyx12(body: str):
    """Its map knows the sets of health care only, so the answered kind is put into its words."""
    (interchange,) = read(file("850", body)).interchanges
    (group,) = interchange.groups
    results = [SetResult(d.kind, d.control, verdict(d.faults), d.faults) for d in group.sets]
    data = write_997(group, results, ENVELOPE).replace(b"AK1*PO", b"AK1*HC").replace(b"AK2*850", b"AK2*837")
    assert pyx12_says(data)
    assert not pyx12_says(data.replace(b"AK5*", b"AK5*Q"))
