"""Answers whose statuses do not fit the ordered quantity, or that answer nothing: noted at their place, never refused."""

import pytest

from core.edi.guide import PartnerGuide
from core.edi.judge_file import judge_file
from tests.unit.edi_messages import EDIFACT, X12, edifact_file, x12_file

LINE = "PO1*1*10*EA***BP*S1~ACK*IA*6*EA*067*20261201~ACK*IB*4*EA~"


def notes(content: bytes, guide: PartnerGuide | None = None) -> list[tuple[str, int, int, str]]:
    found = judge_file(content, guide) if guide else judge_file(content)
    assert found["verdict"] != "rejected"
    (document,) = found["interchanges"][0]["groups"][0]["sets"]
    return [(f["code"], f["segmentNumber"], f["element"], f["value"]) for f in document["faults"]]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (LINE, []),
        (LINE.replace("IB*4", "IB*5"), [("quantity_sum", 5, 2, "5")]),
        (LINE.replace("IB*4", "IB*10"), [("quantity_sum", 5, 2, "10")]),
        (LINE.replace("IB*4*EA", "IB*1*CA"), [("unit", 5, 3, "CA")]),
        ("PO1*1*10*EA***BP*S1~ACK*IA*6*EA~", [("quantity_sum", 4, 2, "6")]),
        ("PO1*1*10*EA***BP*S1~ACK*IA~", []),
        ("PO1*1*10*EA***BP*S1~ACK*BP*6*EA~", []),
        ("PO1*1*10*EA***BP*S1~ACK*IQ*6*EA~", []),
        ("PO1*1*10*EA***BP*S1~ACK*IA*6*EA~ACK*ID*4*EA~", []),
    ],
)
def test_what_the_statuses_of_a_line_come_to(line: str, told: list[tuple[str, int, int, str]]):
    assert notes(x12_file("855", X12["855"].replace(LINE, line))) == told


def test_a_backorder_may_repeat_the_order_where_the_guide_says_so():
    content = x12_file("855", X12["855"].replace("IB*4", "IB*10"))
    assert notes(content, PartnerGuide(ib_quantity_is_ordered=True)) == []


def test_an_order_response_that_names_more_than_is_ordered():
    sound = EDIFACT["ORDRSP"]
    assert notes(edifact_file("ORDRSP", sound)) == []
    assert notes(edifact_file("ORDRSP", sound.replace("QTY+83:4'QVR+-4+BP'", "QTY+83:5'"))) == [
        ("quantity_sum", 10, 1, "5")
    ]


@pytest.mark.parametrize(
    ("header", "is_told"), [("AC", True), ("AD", True), ("AK", False), ("RJ", False), ("AE", False)]
)
def test_an_855_without_lines(header: str, is_told: bool):
    told = notes(x12_file("855", f"BAK*00*{header}*PO1*20261120~"))
    assert ("no_lines" in [code for code, *_ in told]) is is_told
    assert not is_told or told[-1] == ("no_lines", 2, 2, header)


@pytest.mark.parametrize(("function", "is_told"), [("4", True), ("29", False), ("27", False), ("12", False)])
def test_an_ordrsp_without_lines(function: str, is_told: bool):
    body = f"BGM+231+X1+{function}'DTM+137:20261120:102'RFF+ON:PO1'UNS+S'"
    told = [note for note in notes(edifact_file("ORDRSP", body)) if note[0] == "no_lines"]
    assert told == ([("no_lines", 2, 3, "4")] if is_told else [])
