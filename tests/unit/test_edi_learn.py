"""A profile from sample files: what can be decided is, with its evidence; what cannot is said."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from core.edi.decode_855 import decode_855
from core.edi.decode_856 import decode_856
from core.edi.decode_desadv import decode_desadv
from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    Effect,
    LineStatus,
    PurchaseOrderDocument,
    PurchaseOrderDocumentLine,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.guide import PartnerGuide
from core.edi.learn_guide import learn
from core.edi.reader import read
from core.edi.supplier_side import write_855, write_856
from core.edi.write_850 import write_850
from core.edi.x12_writer import Envelope
from tests.unit.edi_messages import EDIFACT, X12, edifact_file, x12_file
from workers.commands import edi

NUMBERS = iter(range(1, 10_000))


def envelope(outbound: bool = False, control: int | None = None) -> Envelope:
    ends = ("ZZ", "BACKORDER", "01", "SUPPLIER1") if outbound else ("01", "SUPPLIER1", "ZZ", "BACKORDER")
    groups = ("US", "SUP") if outbound else ("SUP", "US")
    number = control or next(NUMBERS)
    return Envelope(*ends, *groups, number, number, 1, datetime(2026, 11, 20, 10, 30))


def answer(
    *parts: tuple[str, int | None], ordered: int | None = 10, number: str = "1", sku: str = "S1", unit: str = "EA"
):
    """An 855 for order PO1 with one line and these statuses."""
    statuses = tuple(LineStatus(code, quantity, None, "", Effect.ACCEPT, code) for code, quantity in parts)
    line = AcknowledgedLine(number, number, sku, "", "", ordered, unit, statuses)
    return "a.edi", write_855(Acknowledgement("PO1", "AC", date(2026, 11, 20), "", (line,)), envelope())


def shipped(quantity: int, number: str = "1", sku: str = "S1", notice: str = "A1", on: date | None = None):
    line = ShippedLine(number, sku, "", quantity, "EA")
    found = ShipNotice(notice, "00", None, on, "UPSN", "1Z", (ShippedOrder("PO1", (line,)),))
    return f"{notice}.edi", write_856(found, envelope())


def our_order(*numbers: str, po: str = "PO1", skus: str = "S1 S2 S3"):
    named = zip(numbers, skus.split(), strict=False)
    lines = tuple(PurchaseOrderDocumentLine(number, sku, "", 10) for number, sku in named)
    return "o.edi", write_850(PurchaseOrderDocument(po, date(2026, 11, 19), lines), envelope(outbound=True))


def undecided(found: dict) -> set[str]:
    return {entry["setting"] for entry in found["undecided"]}


def test_who_writes_to_whom_and_how():
    found = learn([our_order("1"), answer(("IA", 10))])
    assert found["partner"] == {
        "standard": "X12",
        "qualifier": "01",
        "interchangeId": "SUPPLIER1",
        "ourQualifier": "ZZ",
        "ourInterchangeId": "BACKORDER",
        "groupId": "SUP",
        "ourGroupId": "US",
    }
    assert found["seen"]["documents"] == {"850": 1, "855": 1}
    assert found["seen"]["separators"] == [
        {"element": "*", "component": ">", "segment": "~", "repetition": "", "files": 1}
    ]
    assert (found["seen"]["versions"], found["tried"]["accepted"]) == ({"004010": 2}, 2)
    assert found["guide"]["line_key"] == "po_line_number"
    assert "All 1 lines whose orders are among the files" in found["evidence"]["line_key"]
    assert PartnerGuide.from_json(found["guide"]).to_json() == found["guide"]


@pytest.mark.parametrize(
    ("parts", "more", "encoding"),
    [
        ((("IA", 6), ("IB", 4)), [], "accept_and_backorder"),
        ((("BP", 6), ("IB", 4)), [], "partial_and_backorder"),
        ((("IB", 4),), [], "backorder_alone"),
        ((("BP", 6),), [shipped(6)], "partial_with_accepted"),
        ((("BP", 4),), [shipped(6)], "partial_with_backordered"),
    ],
)
def test_the_five_encodings_of_a_partial_backorder(parts, more, encoding: str):
    found = learn([answer(*parts), *more])
    assert (found["guide"]["partial_backorder_encoding"], "partial_backorder_encoding" in undecided(found)) == (
        encoding,
        False,
    )


def test_a_bp_alone_is_not_guessed():
    found = learn([answer(("BP", 6))])
    (why,) = [entry["why"] for entry in found["undecided"] if entry["setting"] == "partial_backorder_encoding"]
    assert "a ship notice of such a line would tell" in why
    mixed = learn([answer(("IA", 6), ("IB", 4)), answer(("IB", 4))])
    assert "partial_backorder_encoding" in undecided(mixed)
    whole = learn([answer(("IA", 10))])
    assert "partial_backorder_encoding" in undecided(whole)


def test_an_ib_that_repeats_the_order():
    found = learn([answer(("IA", 6), ("IB", 10))])
    assert found["guide"]["ib_quantity_is_ordered"] is True


def test_lines_that_are_numbered_in_their_own_way_are_known_by_their_item():
    found = learn([our_order("1", "2"), answer(("IA", 10), number="907"), answer(("IA", 10), number="908", sku="S2")])
    assert (found["guide"]["line_key"], "line_key" in undecided(found)) == ("buyer_sku", False)
    assert "2 line numbers are not ours" in found["evidence"]["line_key"]
    by_chance = learn([our_order("1", "2"), answer(("IA", 10), number="2", sku="S1")])
    assert by_chance["guide"]["line_key"] == "buyer_sku"
    tens = learn([answer(("IA", 10), number="10"), answer(("IA", 10), number="20", sku="S2")])
    assert "go by tens" in tens["evidence"]["line_key"]
    none = learn([answer(("IA", 10), number="", sku="")])
    assert "line_key" in undecided(none)


def test_a_reference_that_repeats_our_line_numbers_is_found():
    def numbered(own: str, ours: str, sku: str) -> tuple[str, bytes]:
        name, content = answer(("IA", 10), number=own, sku=sku)
        return name, content.replace(b"ACK*", b"REF*LI*%b~\nACK*" % ours.encode()).replace(b"SE*6*", b"SE*7*")

    found = learn([our_order("1", "2"), numbered("907", "1", "S1"), numbered("908", "2", "S2")])
    assert (found["guide"]["line_key"], found["guide"]["line_reference"]) == ("po_line_number", "LI")
    other = learn([our_order("1", "2"), numbered("907", "1", "S1"), numbered("908", "5", "S2")])
    assert (other["guide"]["line_key"], other["guide"]["line_reference"]) == ("buyer_sku", "")


def test_numbers_of_a_ship_notice_that_are_its_own_are_no_key():
    files = [our_order("1", "2"), answer(("IA", 10), number="2", sku="S2"), shipped(10, "1", "S2")]
    found = learn(files)
    assert (found["guide"]["line_key"], "line_key" in undecided(found)) == ("buyer_sku", False)
    without_order = learn(files[1:])
    assert "several line numbers" in without_order["evidence"]["line_key"]


def test_the_first_ship_notice_of_a_line_tells_what_a_bp_means():
    split = answer(("BP", 6), number="", sku="S2")
    files = [our_order("1", "2"), split, shipped(6, "7", "S2", on=date(2026, 12, 1)), shipped(4, "7", "S2", "A2")]
    assert learn(files)["guide"]["partial_backorder_encoding"] == "partial_with_accepted"
    mixed = learn([*files, answer(("IA", 6), ("IB", 4))])
    assert mixed["guide"]["partial_backorder_encoding"] == "partial_with_accepted"
    status = LineStatus("BP", 6, date(2026, 12, 9), "067", Effect.PARTIAL, "BP")
    line = AcknowledgedLine("1", "1", "S1", "", "", 10, "EA", (status,))
    dated = "d.edi", write_855(Acknowledgement("PO1", "AC", date(2026, 11, 20), "", (line,)), envelope())
    sent = [shipped(6, on=date(2026, 12, 1)), shipped(4, notice="A2", on=date(2026, 12, 9))]
    assert learn([dated, *sent])["guide"]["partial_date"] == "balance"
    assert "partial_date" in undecided(learn([dated]))


def test_what_left_after_a_changed_quantity_was_not_cancelled():
    found = learn([answer(("IQ", 6)), shipped(6), shipped(4, notice="A2")])
    assert (found["guide"]["iq_policy"], "iq_policy" in undecided(found)) == ("backorder", False)


@pytest.mark.parametrize(
    ("written", "settings"),
    [
        ("PO00000123-01", {"order_suffix_marks": "-"}),
        ("0000PO00000123", {"order_number": "padded"}),
        ("123", {"order_number": "digits"}),
        ("PO00000123", {}),
    ],
)
def test_how_numbers_of_our_orders_are_written(written: str, settings: dict[str, str]):
    theirs = answer(("IA", 10))[1].replace(b"*PO1*", b"*" + written.encode() + b"*")
    found = learn([our_order("1", po="PO00000123"), ("a.edi", theirs)])
    usual = {"order_number": "as_sent", "order_suffix_marks": ""}
    assert {name: found["guide"][name] for name in usual} == {**usual, **settings}
    assert (found["guide"]["line_key"], "order_number" in undecided(found)) == ("po_line_number", False)
    assert ("order_number" in undecided(learn([("a.edi", theirs)]))) is written.isdecimal()
    foreign = learn([our_order("1", po="PO00000123"), answer(("IA", 10))])
    assert "order_number" in undecided(foreign)


def test_the_version_of_our_orders_is_written_else_that_of_the_answers():
    newer = answer(("IA", 10))[1].replace(b"*004010", b"*005010").replace(b"*00401*", b"*00501*")
    assert learn([("a.edi", newer)])["guide"]["x12_version"] == "005010"
    assert learn([our_order("1"), ("a.edi", newer)])["guide"]["x12_version"] == "004010"


def test_unknown_codes_units_and_remainders_are_left_to_a_person():
    found = learn([answer(("Z9", 10)), answer(("IQ", 6)), answer(("IA", 10), unit="CA")])
    assert {"code_map", "iq_policy", "unit_map", "deadlines"} <= undecided(found)
    assert found["guide"]["code_map"] == {}
    sized = X12["855"].replace("*EA", "*CA").replace("ACK*IA", "PO4*12~ACK*IA")
    assert learn([("p.edi", x12_file("855", sized))])["guide"]["unit_map"] == {"CA": 12}


def test_control_numbers_that_start_anew_are_said():
    first = ("a.edi", write_855(Acknowledgement("PO1", "AK", date(2026, 11, 20), "", ()), envelope(control=900)))
    second = first[1].replace(b"000000900", b"000000001").replace(b"*1030*U", b"*1130*U")
    assert "duplicate_window_days" in undecided(learn([first, ("b.edi", second)]))


def test_an_edifact_partner():
    found = learn(
        [("a.edi", edifact_file("ORDRSP", EDIFACT["ORDRSP"])), ("d.edi", edifact_file("DESADV", EDIFACT["DESADV"]))]
    )
    assert (found["partner"]["standard"], found["partner"]["interchangeId"]) == ("EDIFACT", "SUP")
    assert found["guide"]["partial_backorder_encoding"] == "accept_and_backorder"
    assert found["seen"]["versions"] == {"D96A": 2}
    assert "code_map" not in undecided(found)


def test_files_that_are_none_are_named_and_do_no_harm():
    found = learn([("noise", b"\x00\xff"), ("empty", b""), answer(("IA", 10))])
    assert (len(found["seen"]["unread"]), found["tried"]["rejected"]) == (2, 2)
    nothing = learn([("noise", b"?")])
    assert nothing["partner"] is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([x12_file(*x) for x in X12.items()] + [edifact_file(*x) for x in EDIFACT.items()]), max_size=3
    ),
    st.data(),
)
def test_any_files_give_a_proposal(files: list[bytes], data: st.DataObject):
    cut = [file[: data.draw(st.integers(0, len(file)))] + data.draw(st.binary(max_size=5)) for file in files]
    found = learn([(str(number), file) for number, file in enumerate(cut)])
    json.dumps(found, allow_nan=False)
    PartnerGuide.from_json(found["guide"])


def test_the_command_prints_a_profile_and_ends_with_its_codes(tmp_path: Path):
    good, noise = tmp_path / "good.edi", tmp_path / "noise"
    good.write_bytes(answer(("IA", 6), ("IB", 4))[1])
    noise.write_bytes(b"\x1b[31m")
    done = CliRunner().invoke(edi.app, ["learn", str(good), str(noise)])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "X12 partner 01/SUPPLIER1 (group SUP) writes to ZZ/BACKORDER (group US)"
    assert (
        '  partial_backorder_encoding = "accept_and_backorder"  (1 lines are split in this way, none in another.)'
        in lines
    )
    assert lines[-1] == "the files under this guide: 1 accepted, 1 rejected"
    as_json = CliRunner().invoke(edi.app, ["learn", str(good), "--json"])
    assert json.loads(as_json.stdout)["guide"]["line_key"] == "po_line_number"
    assert CliRunner().invoke(edi.app, ["learn", str(noise)]).exit_code == 1
    assert CliRunner().invoke(edi.app, ["learn", str(tmp_path / "none")]).exit_code == 2


def test_a_unit_is_told_by_what_we_ordered_and_the_directory_by_our_orders():
    order = PurchaseOrderDocument("PO1", date(2026, 11, 19), (PurchaseOrderDocumentLine("1", "S1", "", 120),))
    files = [("o.edi", write_850(order, envelope(outbound=True))), answer(("IA", 10), ordered=10, unit="CT")]
    assert learn(files)["guide"]["unit_map"] == {"CT": 12}
    ours = edifact_file("ORDERS", EDIFACT["ORDERS"]).replace(b"ORDERS:D:96A:UN", b"ORDERS:D:01B:UN:EAN010")
    found = learn([("o.edi", ours), ("a.edi", edifact_file("ORDRSP", EDIFACT["ORDRSP"]))])
    assert (found["guide"]["edifact_directory"], found["guide"]["edifact_association"]) == ("D01B", "EAN010")


def test_pack_sizes_that_differ_by_article_are_read_from_the_lines():
    body = "BAK*00*AC*PO1*20261120~PO1*1*5*CA***BP*S1~PO4*12~ACK*IA*5*CA~PO1*2*2*CA***BP*S2~PO4*6~ACK*IA*2*CA~CTT*2~"
    found = learn([("a.edi", x12_file("855", body))])
    assert (found["guide"]["unit_map"], "unit_map" in undecided(found)) == ({}, False)
    assert "is read from each line" in found["evidence"]["unit_map"]
    document = read(x12_file("855", body)).interchanges[0].groups[0].sets[0]
    said = decode_855(document).document
    assert said is not None
    assert [(line.ordered, line.statuses[0].quantity) for line in said.lines] == [(60, 60), (12, 12)]
    notice = X12["856"].replace("SN1*1*6*EA~", "SN1*1*6*CA~PO4*12~")
    left = decode_856(read(x12_file("856", notice)).interchanges[0].groups[0].sets[0]).document
    assert left is not None
    assert left.orders[0].lines[0].quantity == 72
    shipped = EDIFACT["DESADV"].replace("QTY+12:6'", "QTY+12:6:CT'QTY+59:8:CT'")
    sent = decode_desadv(read(edifact_file("DESADV", shipped)).interchanges[0].groups[0].sets[0]).document
    assert sent is not None
    assert sent.orders[0].lines[0].quantity == 48


def test_units_that_no_line_turns_into_ours_are_left_to_a_person():
    body = (
        "BAK*00*AC*PO1*20261120~PO1*1*5*{0}***BP*S1~PO4*12~ACK*IA*5*{0}~PO1*2*2*{0}***BP*S2~PO4*6~ACK*IA*2*{0}~CTT*2~"
    )
    assert "unit_map" in undecided(learn([("a.edi", x12_file("855", body.format("KG")))]))
    advice = X12["945"].replace("*EA*", "*CA*")
    files = [("a.edi", x12_file("855", body.format("CA"))), ("b.edi", x12_file("945", advice))]
    assert "unit_map" in undecided(learn(files))


def test_whether_a_stock_report_is_full_is_left_to_a_person():
    found = learn([("r.edi", x12_file("846", X12["846"]))])
    assert "stock_report" in {entry["setting"] for entry in found["undecided"]}
