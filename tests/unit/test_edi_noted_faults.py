"""What a file says of itself and does not hold is noted in its place, and files that are no EDI are named for what they are."""

import pytest

from core.edi.judge_file import judge_file
from tests.unit.edi_messages import EDIFACT, X12, edifact_file, x12_file


def noted(data: bytes) -> list[tuple[str, str, str, object]]:
    """Verdict, and level, code and value of every fault, wherever in the answer it stands."""
    found: list[tuple[str, str, str, object]] = []

    def walk(part: object) -> None:
        for entry in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            walk(entry)
        if isinstance(part, dict):
            found.extend((f["severity"], f["level"], f["code"], f["value"]) for f in part.get("faults", ()))

    walk(judge_file(data))
    return found


def x12_with(kind: str, old: str, new: str) -> bytes:
    data = x12_file(kind, X12[kind]).decode()
    assert old in data
    return data.replace(old, new).encode()


def edifact_with(kind: str, old: str, new: str) -> bytes:
    data = edifact_file(kind, EDIFACT[kind]).decode()
    assert old in data
    return data.replace(old, new).encode()


@pytest.mark.parametrize(
    ("kind", "old", "new", "fault"),
    [
        ("855", "CTT*1", "CTT*9", ("segment", "8", "9")),
        ("856", "CTT*4", "CTT*3", ("segment", "8", "3")),
        ("846", "CTT*1", "CTT*2", ("segment", "8", "2")),
        ("997", "AK9*R*1*1*0", "AK9*R*1*1*2", ("segment", "8", "2")),
        ("997", "AK9*R*1*1*0", "AK9*R*1*0*0", ("segment", "8", "0")),
        ("856", "HL*4*3*I", "HL*7*3*I", ("element", "7", "7")),
        ("856", "20261120*1030~HL", "20261120*1030*9999~HL", ("element", "7", "9999")),
        ("856", "LIN*1*BP*S1~SN1*1*6*EA", "SN1**6*EA~PID*F****Widget", ("business", "article", "")),
        ("855", "*00401*", "*00040*", ("interchange", "017", "00040")),
        ("855", "*X*004010", "*X*HELLO", ("element", "7", "HELLO")),
    ],
)
def test_of_x12(kind: str, old: str, new: str, fault: tuple[str, str, object]):
    assert noted(x12_with(kind, old, new)) == [("warning", *fault)]


def test_an_envelope_around_nothing_is_noted():
    data = x12_file("855", X12["855"])
    head, rest = data.split(b"GS*", 1)
    group = b"GS*" + rest.split(b"ST*", 1)[0] + b"GE*0*7~"
    assert noted(head + b"IEA*0*000000007~") == [("warning", "interchange", "022", "")]
    assert noted(head + group + b"IEA*1*000000007~") == [("warning", "group", "5", "")]


def test_a_ship_notice_may_count_its_articles():
    assert noted(x12_with("856", "CTT*4", "CTT*1")) == []


@pytest.mark.parametrize(
    ("ta1", "fault"),
    [
        ("TA1*000000001*261120*1030*A*000", []),
        ("TA1*000000001*261320*1030*A*000", [("warning", "interchange", "022", "261320")]),
        ("TA1*000000001*261120*1030*R*999", [("warning", "interchange", "022", "999")]),
    ],
)
def test_of_a_ta1(ta1: str, fault: list[tuple[str, str, str, object]]):
    head, _, _ = x12_file("997", X12["997"]).partition(b"GS*")
    assert noted(head + ta1.encode() + b"~IEA*0*000000007~") == fault


@pytest.mark.parametrize(
    ("kind", "old", "new", "fault"),
    [
        ("ORDRSP", "DTM+137:20261120:102", "DTM+137:20261120:203", ("element", "12", "20261120")),
        ("ORDRSP", "UNS+S", "UNS+X", ("element", "12", "X")),
        ("ORDRSP", "LIN+1+3+", "LIN+1+99+", ("business", "line_status", "99")),
        ("ORDRSP", "D:96A:UN", "D:99Z:UN", ("set", "12", "99Z")),
        ("ORDRSP", "D:96A:UN", "D:96A", ("set", "13", "")),
        ("ORDRSP", "261120:1030", "261120:9930", ("interchange", "12", "9930")),
    ],
)
def test_of_edifact(kind: str, old: str, new: str, fault: tuple[str, str, object]):
    assert noted(edifact_with(kind, old, new)) == [("warning", *fault)]


def test_a_second_bgm_is_noted():
    body = EDIFACT["ORDRSP"].replace("UNS+S'", "BGM+231+Z+4'UNS+S'")
    assert noted(edifact_file("ORDRSP", body)) == [("warning", "segment", "35", "")]


@pytest.mark.parametrize("directory", ["D:96A:UN", "S:93A:UN", "D:01B:UN:EAN009", "1:911:UN", "90:1:UN"])
def test_directories_in_use(directory: str):
    assert noted(edifact_with("ORDERS", "D:96A:UN", directory)) == []


@pytest.mark.parametrize("una", ["UNA+:.? '", "UNA;+.? '", "UNA;*.? '", "UNA:+.? ~"])
def test_a_una_that_names_other_marks_than_those_used_is_passed_over(una: str):
    judged = judge_file(edifact_with("ORDERS", "UNA:+.? '", una))
    assert (judged["verdict"], [repair["code"] for repair in judged["interchanges"][0]["repairs"]]) == (
        "accepted",
        ["una"],
    )


def test_tabs_between_elements():
    assert noted(x12_file("855", X12["855"]).replace(b"*", b"\t")) == []


def test_a_terminator_too_many_is_no_rest():
    assert noted(x12_file("855", X12["855"]).replace(b"~", b"~~\n")) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (x12_file("855", X12["855"]).decode().encode("utf-16-le"), "utf16"),
        (x12_file("855", X12["855"]).decode().encode("utf-16"), "utf16"),
        (edifact_file("ORDERS", EDIFACT["ORDERS"]).decode().encode("utf-16-be"), "utf16"),
        (x12_file("855", X12["855"]).decode().encode("cp500"), "ebcdic"),
        (edifact_file("ORDERS", EDIFACT["ORDERS"]).decode().encode("cp037"), "ebcdic"),
        (b'{"error": "not found"}', "json"),
        (b'{"file": "' + x12_file("855", X12["855"]) + b'"}', "json"),
        (b'["log\\n' + x12_file("855", X12["855"]) + b'"]', "json"),
        (b"<!DOCTYPE html><html></html>", "markup"),
    ],
)
def test_files_that_are_no_edi_as_sent(data: bytes, code: str):
    assert noted(data) == [("error", "file", code, "")]


@pytest.mark.parametrize("before", [b'{ "x" }\n', b'["log"] transfer\n', b"\xc9\xe2\xc1\n"])
@pytest.mark.parametrize("file", [x12_file("855", X12["855"]), edifact_file("ORDERS", EDIFACT["ORDERS"])])
def test_what_looks_foreign_before_a_header_leaves_the_file_readable(before: bytes, file: bytes):
    assert judge_file(before + file)["verdict"] == judge_file(b"transfer log\n" + file)["verdict"]
    assert judge_file(before + file)["verdict"] == "accepted with notes"
