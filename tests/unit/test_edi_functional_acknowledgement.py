"""997: what we answer names segment, element, code and value; what we get is read in the same terms."""

from datetime import datetime

import pytest

from core.edi.decode_997 import decode_997
from core.edi.documents import SetResult
from core.edi.guide import GroupAnswer
from core.edi.interchanges import Fault, Group, Level, Severity, Verdict, verdict
from core.edi.reader import read
from core.edi.write_997 import write_997
from core.edi.x12_writer import Envelope
from core.errors import InvalidInput

ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*P*>~"
ENVELOPE = Envelope("ZZ", "BACKORDER", "ZZ", "SUPPLIER", "US", "SUP", 42, 13, 8, datetime(2026, 11, 20, 11, 0))
GOOD = "BAK*00*AK*PO1*20261120~PO1*1*10*EA~ACK*IA*10*EA"


def group_of(*bodies: str, ge: int | None = None) -> Group:
    sets = "".join(
        f"ST*855*{at:04d}~{body}~SE*{body.count('~') + 3}*{at:04d}~" for at, body in enumerate(bodies, start=1)
    )
    count = len(bodies) if ge is None else ge
    text = f"{ISA}GS*PR*SUP*US*20261120*1030*0070*X*004010~{sets}GE*{count}*0070~IEA*1*000000007~"
    return read(text.encode()).interchanges[0].groups[0]


def results(group: Group, strictness: str = "accept") -> list[SetResult]:
    return [
        SetResult(found.kind, found.control, verdict(found.faults, strictness), found.faults) for found in group.sets
    ]


def answer(group: Group, answers: list[SetResult]) -> list[str]:
    data = write_997(group, answers, ENVELOPE)
    (interchange,) = read(data).interchanges
    assert (interchange.faults, interchange.groups[0].faults, interchange.groups[0].sets[0].faults) == ((), (), ())
    return [line for line in data.decode().replace("~", "").splitlines() if line.startswith("AK")]


def test_all_accepted():
    group = group_of(GOOD, GOOD)
    assert answer(group, results(group)) == [
        "AK1*PR*0070",
        "AK2*855*0001",
        "AK5*A",
        "AK2*855*0002",
        "AK5*A",
        "AK9*A*2*2*2",
    ]


def test_a_wrong_total_is_no_invalid_code_and_strict_alone_refuses_it():
    group = group_of(f"{GOOD}~CTT*9")
    wrong = ["AK1*PR*0070", "AK2*855*0001", "AK3*CTT*5**8"]
    assert answer(group, results(group)) == [*wrong, "AK5*E*5", "AK9*E*1*1*1"]
    assert answer(group, results(group, "strict")) == [*wrong, "AK5*R*5", "AK9*R*1*1*0"]


def test_rejection_names_segment_element_code_and_value():
    group = group_of(GOOD, "BAK*00*AK**20261320~PO1*1*ten*EA", "PO1*1*10*EA")
    assert answer(group, results(group)) == [
        "AK1*PR*0070",
        "AK2*855*0001",
        "AK5*A",
        "AK2*855*0002",
        "AK3*BAK*2**8",
        "AK4*3*324*1",
        "AK4*4*373*8*20261320",
        "AK3*PO1*3**8",
        "AK4*2*330*6*ten",
        "AK5*R*5",
        "AK2*855*0003",
        "AK3*BAK*2**3",
        "AK5*R*5",
        "AK9*P*3*3*1",
    ]


def test_accepted_with_errors_and_everything_rejected():
    group = group_of(GOOD + "~XYZ*1", ge=2)
    assert answer(group, results(group)) == [
        "AK1*PR*0070",
        "AK2*855*0001",
        "AK3*XYZ*5**1",
        "AK5*E*5",
        "AK9*E*2*1*1*5",
    ]
    assert answer(group, results(group, "strict"))[-2:] == ["AK5*R*5", "AK9*R*2*1*0*5"]
    assert answer(group, results(group, "repair")) == ["AK1*PR*0070", "AK2*855*0001", "AK5*A", "AK9*E*2*1*1*5"]


def test_wrong_count_is_told_with_the_code_of_the_set():
    body = GOOD
    text = f"{ISA}GS*PR*SUP*US*20261120*1030*70*X*004010~ST*855*0001~{body}~SE*9*0002~GE*1*70~IEA*1*000000007~"
    group = read(text.encode()).interchanges[0].groups[0]
    assert answer(group, results(group))[2] == "AK5*E*4*3"


def test_a_refusal_of_our_own_rules_is_told_too():
    group = group_of(GOOD)
    fault = Fault(
        Level.BUSINESS, Severity.ERROR, "po_number", "We know no purchase order PO1.", 2, "BAK", 3, None, "PO1"
    )
    refused = [SetResult("855", "0001", Verdict.REJECTED, (fault,))]
    assert answer(group, refused)[1:3] == ["AK2*855*0001", "AK5*R*5"]


def test_separators_in_a_bad_value_do_not_break_the_answer():
    group = group_of("BAK*00*AK*PO1*20261120~PO1*1*a>b^*EA".replace("a>b", "ab>"))
    lines = answer(group, results(group))
    assert [line for line in lines if line.startswith("AK4")] == ["AK4*2*330*6*ab"]


def test_a_value_with_our_separators_in_it_is_told_without_them():
    body = "BAK*00*AK*PO1*20261120#PO1*1*5~6*EA"
    text = (
        f"{ISA}GS*PR*SUP*US*20261120*1030*70*X*004010~".replace("~", "#")
        + f"ST*855*0001#{body}#SE*4*0001#GE*1*70#IEA*1*7#"
    )
    group = read(text.encode()).interchanges[0].groups[0]
    assert [line for line in answer(group, results(group)) if line.startswith("AK4")] == ["AK4*2*330*6*5 6"]


def test_acknowledgements_are_never_acknowledged():
    with pytest.raises(InvalidInput, match="never acknowledged"):
        write_997(Group("FA", "1", "004010", "A", "B", ()), [], ENVELOPE)


def test_every_set_needs_a_result():
    with pytest.raises(InvalidInput, match="has 1 sets, 0"):
        write_997(group_of(GOOD), [], ENVELOPE)


def test_our_997_is_read_back():
    group = group_of(GOOD, "BAK*00*AK**20261320~PO1*1*ten*EA")
    data = write_997(group, results(group), ENVELOPE)
    decoded = decode_997(read(data).interchanges[0].groups[0].sets[0])
    found = decoded.document
    assert found is not None
    assert (found.functional_id, found.group_control, found.verdict) == ("PR", "0070", "P")
    assert (found.included, found.received, found.accepted) == (2, 2, 1)
    assert [(one.kind, one.control, one.verdict, one.errors) for one in found.sets] == [
        ("855", "0001", "A", ()),
        (
            "855",
            "0002",
            "R",
            (
                "segment BAK at 2: segment has element errors",
                "segment BAK at 2, element 3: required element missing",
                "segment BAK at 2, element 4: bad date ('20261320')",
                "segment PO1 at 3: segment has element errors",
                "segment PO1 at 3, element 2: bad character ('ten')",
            ),
        ),
    ]


def test_a_999_says_the_same_in_its_own_segments():
    group = group_of(GOOD, "BAK*00*AK**20261320~PO1*1*ten*EA")
    data = write_997(group, results(group), ENVELOPE, GroupAnswer.IMPLEMENTATION)
    (interchange,) = read(data).interchanges
    (document,) = interchange.groups[0].sets
    assert (document.kind, document.version, document.segments[0].value(3)) == ("999", "005010X231A1", "005010X231A1")
    assert (interchange.version, interchange.faults, interchange.groups[0].faults, document.faults) == (
        "00501",
        (),
        (),
        (),
    )
    assert "AK5" not in {segment.tag for segment in document.segments}
    twin = decode_997(read(write_997(group, results(group), ENVELOPE)).interchanges[0].groups[0].sets[0])
    assert decode_997(document).document == twin.document


def test_a_set_that_lost_its_header_is_counted_and_not_named():
    group = group_of(GOOD, GOOD)
    text = f"{ISA}GS*PR*SUP*US*20261120*1030*7*X*004010~T*855*1~{GOOD}~SE*5*1~ST*855*2~{GOOD}~SE*5*2~GE*2*7~IEA*1*000000007~"
    group = read(text.encode()).interchanges[0].groups[0]
    assert answer(group, results(group)) == ["AK1*PR*7", "AK2*855*2", "AK5*A", "AK9*P*2*2*1"]
