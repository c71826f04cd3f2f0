"""What we write as EDIFACT is read back by our own reader without a fault, and by pydifact into the same segments."""

import dataclasses
import warnings
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydifact.parser import Parser

from core.edi.change_documents import ChangedLine, PurchaseOrderChange
from core.edi.decode_contrl import decode_contrl
from core.edi.decode_orders import decode_ordchg, decode_orders
from core.edi.documents import Party, PurchaseOrderDocument, PurchaseOrderDocumentLine, SetResult
from core.edi.edifact_writer import EdifactEnvelope
from core.edi.interchanges import verdict
from core.edi.reader import read
from core.edi.reply_documents import AcknowledgedMessage
from core.edi.write_contrl import write_contrl, write_receipt
from core.edi.write_orders import write_ordchg, write_orders
from core.errors import InvalidInput

ENVELOPE = EdifactEnvelope("14", "4000001000005", "14", "4000002000004", 41, 7, datetime(2026, 11, 20, 10, 30))
ORDER = PurchaseOrderDocument(
    number="PO-000123",
    ordered_on=date(2026, 11, 20),
    lines=(
        PurchaseOrderDocumentLine(
            "1", "SKU-1", "V-1", 10, "EA", Decimal("2.50"), date(2026, 12, 1), "4006381333931", "Blue widget"
        ),
        PurchaseOrderDocumentLine("2", "SKU-2", "", 1200, "EA", None, None, "", ""),
    ),
    currency="EUR",
    requested_date=date(2026, 12, 4),
    ship_to=Party("Main warehouse", "W1", ("1 Dock Road", "Gate 3"), "Reno", "NV", "89501", "US"),
)
CHANGE = PurchaseOrderChange(
    number="PO-000123",
    ordered_on=date(2026, 11, 20),
    changed_on=date(2026, 11, 22),
    lines=(
        ChangedLine("1", "CA", "SKU-1", "V-1", "", 8, None, "EA", Decimal("2.5"), date(2026, 12, 2), "Blue widget"),
        ChangedLine("2", "DI", "SKU-2"),
        ChangedLine("3", "AI", "SKU-3", "", "", 5),
        ChangedLine("4", "CA", "SKU-4", quantity=9, schedule=((6, date(2026, 12, 1)), (3, date(2026, 12, 8)))),
    ),
    sequence_number="PO-000123-1",
    currency="EUR",
)


def only_message(data: bytes):
    result = read(data)
    assert result.faults == ()
    (interchange,) = result.interchanges
    assert (interchange.repairs, interchange.faults) == ((), ())
    (group,) = interchange.groups
    (document,) = group.sets
    assert document.faults == ()
    return document


def test_orders_byte_for_byte():
    assert write_orders(ORDER, ENVELOPE).decode() == (
        "UNA:+.? '\n"
        "UNB+UNOC:3+4000001000005:14+4000002000004:14+261120:1030+41'\n"
        "UNH+7+ORDERS:D:96A:UN'\n"
        "BGM+220+PO-000123+9'\n"
        "DTM+137:20261120:102'\n"
        "DTM+2:20261204:102'\n"
        "NAD+DP+W1::92++Main warehouse+1 Dock Road:Gate 3+Reno+NV+89501+US'\n"
        "CUX+2:EUR:9'\n"
        "LIN+1++4006381333931:EN'\n"
        "PIA+5+SKU-1:IN+V-1:SA'\n"
        "IMD+F++:::Blue widget'\n"
        "QTY+21:10'\n"
        "DTM+2:20261201:102'\n"
        "PRI+AAA:2.5'\n"
        "LIN+2'\n"
        "PIA+5+SKU-2:IN'\n"
        "QTY+21:1200'\n"
        "UNS+S'\n"
        "CNT+2:2'\n"
        "UNT+18+7'\n"
        "UNZ+1+41'\n"
    )


def test_orders_and_their_change_are_read_back():
    decoded = decode_orders(only_message(write_orders(ORDER, ENVELOPE)))
    assert decoded.faults == ()
    assert decoded.document == ORDER
    changed = decode_ordchg(only_message(write_ordchg(CHANGE, ENVELOPE)))
    assert changed.faults == ()
    assert changed.document is not None
    lines = tuple(dataclasses.replace(line, segment_number=0) for line in changed.document.lines)
    assert dataclasses.replace(changed.document, lines=lines) == CHANGE
    cancelled = decode_ordchg(only_message(write_ordchg(dataclasses.replace(CHANGE, purpose="01", lines=()), ENVELOPE)))
    assert cancelled.document is not None
    assert cancelled.document.purpose == "01"


def test_marks_in_texts_and_codes_are_released_and_the_test_flag_is_set():
    line = dataclasses.replace(ORDER.lines[0], buyer_sku="S+1:2?'", description="it's 5+5 :?")
    envelope = dataclasses.replace(ENVELOPE, usage="T", acknowledgement_requested=True, association="EAN008")
    data = write_orders(dataclasses.replace(ORDER, lines=(line,)), envelope)
    decoded = decode_orders(only_message(data))
    assert decoded.document is not None
    assert decoded.document.lines == (line,)
    (interchange,) = read(data).interchanges
    assert (interchange.is_test, interchange.acknowledgement_requested) == (True, True)


def test_text_beyond_latin_1_makes_it_utf_8_in_syntax_4():
    line = dataclasses.replace(ORDER.lines[0], description="Größe 나사 *")
    data = write_orders(dataclasses.replace(ORDER, lines=(line,)), ENVELOPE)
    (interchange,) = read(data).interchanges
    assert (interchange.version, interchange.date) == ("UNOY:4", "20261120")
    decoded = decode_orders(only_message(data))
    assert decoded.document is not None
    assert decoded.document.lines == (line,)


@pytest.mark.parametrize(
    "change",
    [
        {"sender_id": "X" * 36},
        {"receiver_id": " "},
        {"sender_qualifier": "12345"},
        {"interchange_control": 0},
        {"set_control": 10**14},
        {"usage": "X"},
        {"directory": "D9"},
        {"character_set": "UNOE"},
    ],
)
def test_an_envelope_that_cannot_be_is_refused(change):
    with pytest.raises(InvalidInput):
        write_orders(ORDER, dataclasses.replace(ENVELOPE, **change))


def test_codes_that_edifact_does_not_have_are_refused():
    with pytest.raises(InvalidInput, match="type"):
        write_orders(dataclasses.replace(ORDER, order_type="ZZ"), ENVELOPE)
    with pytest.raises(InvalidInput, match="purpose"):
        write_orders(dataclasses.replace(ORDER, purpose="99"), ENVELOPE)
    with pytest.raises(InvalidInput, match="control character"):
        write_orders(dataclasses.replace(ORDER, number="PO\x07"), ENVELOPE)


HEAD = "UNB+UNOC:3+SUP:14+US:14+261120:1030+55'"
GOOD = "UNH+1+ORDRSP:D:96A:UN:EAN008'BGM+231+A1+29'DTM+137:20261120:102'RFF+ON:PO1'LIN+1+5'QTY+21:10'UNS+S'UNT+8+1'"
BAD = GOOD.replace("UNH+1", "UNH+2").replace("+8+1'", "+8+2'").replace("21:10", "21:ten")


def answer(text: str) -> bytes:
    (interchange,) = read(text.encode()).interchanges
    results = [
        [SetResult(d.kind, d.control, verdict(d.faults), d.faults) for d in group.sets] for group in interchange.groups
    ]
    return write_contrl(interchange, results, ENVELOPE)


def test_a_contrl_byte_for_byte():
    assert answer(HEAD + GOOD + BAD + "UNZ+2+55'").decode() == (
        "UNA:+.? '\n"
        "UNB+UNOC:3+4000001000005:14+4000002000004:14+261120:1030+41'\n"
        "UNH+7+CONTRL:2:2:UN'\n"
        "UCI+55+SUP:14+US:14+7'\n"
        "UCM+1+ORDRSP:D:96A:UN:EAN008+7'\n"
        "UCM+2+ORDRSP:D:96A:UN:EAN008+4'\n"
        "UCS+6'\n"
        "UCD+37+1:2'\n"
        "UNT+7+7'\n"
        "UNZ+1+41'\n"
    )


def test_a_contrl_is_read_back():
    found = decode_contrl(only_message(answer(HEAD + GOOD + BAD + "UNZ+2+55'"))).document
    assert found is not None
    assert (found.control, found.verdict) == ("55", "E")
    assert found.messages == (
        AcknowledgedMessage("1", "ORDRSP", "A"),
        AcknowledgedMessage("2", "ORDRSP", "R", ("segment 6, element 1, component 2: wrong type of character",)),
    )
    (interchange,) = read((HEAD + GOOD + "UNZ+1+55'").encode()).interchanges
    receipt = decode_contrl(only_message(write_receipt(interchange, ENVELOPE))).document
    assert receipt is not None
    assert (receipt.is_receipt_only, receipt.messages) == (True, ())


def test_a_contrl_refuses_a_message_without_its_end_and_an_interchange_that_is_cut():
    lost = decode_contrl(only_message(answer(HEAD + GOOD.replace("UNT+8+1'", "") + "UNZ+1+55'"))).document
    assert lost is not None
    assert (lost.verdict, lost.messages[0].errors) == ("R", ("missing",))
    cut = decode_contrl(only_message(answer(HEAD + GOOD))).document
    assert cut is not None
    assert (cut.verdict, cut.errors) == ("R", ("missing",))


def test_groups_have_their_own_answer():
    ung = "UNG+ORDRSP+SUP:14+US:14+261120:1030+7+UN+D:96A'"
    found = decode_contrl(only_message(answer(HEAD + ung + GOOD + "UNE+1+7'UNZ+1+55'"))).document
    assert found is not None
    assert [(group.group_control, group.verdict) for group in found.groups] == [("7", "A")]


def test_an_acknowledgement_is_never_acknowledged():
    data = answer(HEAD + GOOD + "UNZ+1+55'")
    (interchange,) = read(data).interchanges
    with pytest.raises(InvalidInput, match="never acknowledged"):
        write_contrl(interchange, [[SetResult("CONTRL", "7", verdict(()), ())]], ENVELOPE)


def pydifact_segments(data: bytes, encoding: str) -> list[tuple[str, list]]:
    """Tag and elements as pydifact, which is not ours, reads them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its wheel lacks the directories that it would check against
        return [(found.tag, found.elements) for found in Parser().parse(data.decode(encoding))]


def ours(data: bytes) -> list[tuple[str, list]]:
    (interchange,) = read(data).interchanges
    found = []
    for document in (document for group in interchange.groups for document in group.sets):
        for segment in document.segments:
            elements = [list(parts) if len(parts) > 1 else parts[0] for parts in segment.elements]
            found.append((segment.tag, elements))
    return found


codes = st.text(st.characters(codec="latin-1", exclude_categories=("Cc", "Zs")), min_size=1, max_size=20)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z", "Cf", "Zs")), max_size=40)
dates = st.dates(date(2000, 1, 1), date(2098, 12, 31)).filter(lambda on: on != date(2099, 12, 31))
prices = st.one_of(st.none(), st.decimals(0, 99999, places=2))
lines = st.builds(
    PurchaseOrderDocumentLine,
    st.integers(1, 99999).map(str),
    codes,
    st.one_of(st.just(""), codes),
    st.integers(0, 999_999),
    st.just("EA"),
    prices,
    st.one_of(st.none(), dates),
    st.sampled_from(["", "4006381333931", "012345678905"]),
    texts,
)
orders = st.builds(
    PurchaseOrderDocument,
    codes,
    dates,
    st.lists(lines, min_size=1, max_size=5).map(tuple),
    st.sampled_from(["", "EUR", "JPY"]),
    st.one_of(st.none(), dates),
    st.none(),
    st.sampled_from(["00", "05", "07"]),
    st.sampled_from(["SA", "BK", "RO"]),
)


@settings(max_examples=150, deadline=None)
@given(orders)
def test_any_order_is_read_back(order: PurchaseOrderDocument):
    data = write_orders(order, ENVELOPE)
    decoded = decode_orders(only_message(data))
    assert decoded.faults == ()
    assert decoded.document == order
    encoding = "utf-8" if b"\nUNB+UNOY" in data else "iso8859-1"
    theirs = [found for found in pydifact_segments(data, encoding) if found[0] not in ("UNA", "UNB", "UNZ")]
    assert theirs == ours(data)
