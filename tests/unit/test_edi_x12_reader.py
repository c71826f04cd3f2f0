"""Envelopes and maps: what is wrong is found in its place, and each set stands or falls alone."""

import hashlib

import pytest

from core.edi.interchanges import Level, Severity, Verdict, verdict
from core.edi.maps.build_maps import FOLDER, folder_files
from core.edi.normaliser import Limits
from core.edi.reader import read

ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*{usage}*>~"


def file(
    *sets: str, group: str = "PR", ge: str | None = None, iea: str = "IEA*1*000000007~", usage: str = "P"
) -> bytes:
    ge = f"GE*{len(sets)}*7~" if ge is None else ge
    head = ISA.format(usage=usage) + f"GS*{group}*SUP*US*20261120*1030*7*X*004010~"
    return (head + "".join(sets) + ge + iea).encode()


def st(body: str, kind: str = "855", control: str = "0001", count: int | None = None, end: str | None = None) -> str:
    body = body.strip("~")
    count = body.count("~") + 3 if count is None else count
    return f"ST*{kind}*{control}~{body}~SE*{count}*{end or control}~"


GOOD = "BAK*00*AK*PO1*20261120~PO1*1*10*EA***BP*SKU1~ACK*IA*10*EA*067*20261201"


def faults_of(data: bytes):
    return read(data).interchanges[0].groups[0].sets[0].faults


def test_a_good_file_whole():
    data = file(st(GOOD))
    result = read(data)
    assert result.faults == ()
    (interchange,) = result.interchanges
    assert (interchange.standard, interchange.sender_qualifier, interchange.sender_id) == ("X12", "ZZ", "SUPPLIER")
    assert (interchange.receiver_qualifier, interchange.receiver_id, interchange.control) == (
        "ZZ",
        "BACKORDER",
        "000000007",
    )
    assert (interchange.usage, interchange.is_test, interchange.version, interchange.faults) == (
        "P",
        False,
        "00401",
        (),
    )
    (group,) = interchange.groups
    assert (group.functional_id, group.control, group.version, group.sender) == ("PR", "7", "004010", "SUP")
    assert (group.claimed_sets, group.faults) == (1, ())
    (document,) = group.sets
    assert (document.kind, document.control, document.faults) == ("855", "0001", ())
    assert document.raw == st(GOOD).encode()
    assert document.sha256 == hashlib.sha256(st(GOOD).encode()).hexdigest()
    assert document.sequence == "20261120T103000-00000000000007-00000000000007-000001"
    ack = document.segments[3]
    assert (ack.tag, ack.number, ack.value(5), data[ack.offset : ack.end]) == (
        "ACK",
        4,
        "20261201",
        b"ACK*IA*10*EA*067*20261201~",
    )


def test_test_usage_is_told():
    assert read(file(st(GOOD), usage="T")).interchanges[0].is_test


def test_wrong_counts_and_references_are_warnings_for_the_partners_policy():
    data = file(st(GOOD, count=9, end="0002"), ge="GE*3*8~", iea="IEA*2*000000008~")
    interchange = read(data).interchanges[0]
    assert [fault.code for fault in interchange.faults] == ["021", "001"]
    assert [(fault.code, fault.severity) for fault in interchange.groups[0].faults] == [
        ("5", Severity.WARNING),
        ("4", Severity.WARNING),
    ]
    faults = interchange.groups[0].sets[0].faults
    assert [(fault.level, fault.code, fault.message) for fault in faults] == [
        (Level.SET, "4", "SE01 says '9' segments; 5 came."),
        (Level.SET, "3", "SE02 is '0002', ST02 is '0001'."),
    ]
    assert [verdict(faults, how) for how in ("strict", "accept", "repair")] == [
        Verdict.REJECTED,
        Verdict.ACCEPTED_WITH_ERRORS,
        Verdict.ACCEPTED,
    ]


def test_leading_zeros_of_interchange_and_group_are_numbers_those_of_sets_are_text():
    data = file(st(GOOD, end="1"), ge="GE*01*0007~", iea="IEA*01*7~")
    interchange = read(data).interchanges[0]
    assert (interchange.faults, interchange.groups[0].faults) == ((), ())
    assert [fault.code for fault in interchange.groups[0].sets[0].faults] == ["3"]


def test_missing_trailers_are_errors():
    (interchange,) = read(file("ST*855*0001~BAK*00*AK*PO1*20261120~", ge="", iea="")).interchanges
    assert [(fault.code, fault.severity) for fault in interchange.faults] == [("023", Severity.ERROR)]
    assert [fault.code for fault in interchange.groups[0].faults] == ["3"]
    assert [(fault.code, fault.severity) for fault in interchange.groups[0].sets[0].faults] == [("2", Severity.ERROR)]


def test_each_set_stands_alone():
    data = file(st("PO1*1*10*EA"), st(GOOD, control="0002"), st(GOOD, control="0002"))
    sets = read(data).interchanges[0].groups[0].sets
    assert [verdict(document.faults) for document in sets] == [Verdict.REJECTED, Verdict.ACCEPTED, Verdict.REJECTED]
    assert [fault.code for fault in sets[2].faults] == ["23"]


def test_required_segment_is_named_with_its_place():
    (fault,) = faults_of(file(st("PO1*1*10*EA")))
    assert (fault.level, fault.severity, fault.code, fault.segment, fault.segment_number) == (
        Level.SEGMENT,
        Severity.ERROR,
        "3",
        "BAK",
        2,
    )
    assert fault.message == "The 855 needs a BAK segment before segment 2 (PO1); there is none."


def test_required_element_and_bad_number_and_bad_date_are_named_with_element_and_value():
    faults = faults_of(file(st("BAK*00*AK**20261320~PO1*1*ten*EA")))
    assert [(fault.segment_number, fault.segment, fault.element, fault.code, fault.value) for fault in faults] == [
        (2, "BAK", 3, "1", ""),
        (2, "BAK", 4, "8", "20261320"),
        (3, "PO1", 2, "6", "ten"),
    ]
    assert faults[1].message == "BAK04 (date) of segment 2 is not a date: '20261320'."
    assert [fault.data_element for fault in faults] == ["324", "373", "330"]


@pytest.mark.parametrize("amount", ["1000.", ".5", "-2", "10", "6.00"])
def test_every_legal_form_of_a_decimal_is_accepted(amount: str):
    assert faults_of(file(st(GOOD.replace("*10*EA", f"*{amount}*EA")))) == ()


@pytest.mark.parametrize("text", ["00000000", "99999999", "20991231"])
def test_unknown_dates_are_no_faults(text: str):
    assert faults_of(file(st(GOOD.replace("20261201", text)))) == ()


def test_trailing_empty_elements_are_noise():
    assert (
        faults_of(
            file(st(GOOD.replace("PO1*20261120", "PO1*20261120*********").replace("ACK", "DTM*067*20261201****~ACK")))
        )
        == ()
    )


def test_unknown_segments_are_noted_and_do_not_stop_the_set():
    (fault,) = faults_of(file(st(GOOD + "~XYZ*1")))
    assert (fault.code, fault.severity, fault.segment, fault.segment_number) == ("1", Severity.WARNING, "XYZ", 5)


def test_set_in_the_wrong_group_and_unsupported_set():
    assert [fault.code for fault in faults_of(file(st(GOOD), group="IN"))] == ["6"]
    (fault,) = faults_of(file(st("BHT*0019*00*1", kind="837"), group="HC"))
    assert (fault.level, fault.code, fault.severity) == (Level.SET, "1", Severity.ERROR)
    assert fault.message == "Transaction set 837 is not supported."


def test_several_groups_of_several_sets_in_one_interchange():
    second = "GS*SH*SUP*US*20261120*1030*8*X*004010~" + st(
        "BSN*00*N1*20261120*1030~HL*1**S~HL*2*1*O~PRF*PO1~HL*3*2*I~SN1*1*4*EA", kind="856"
    )
    data = file(st(GOOD), st(GOOD, control="0002"), ge="GE*2*7~" + second + "GE*1*8~", iea="IEA*2*000000007~")
    groups = read(data).interchanges[0].groups
    assert [(group.functional_id, [document.kind for document in group.sets]) for group in groups] == [
        ("PR", ["855", "855"]),
        ("SH", ["856"]),
    ]
    assert all(document.faults == () for group in groups for document in group.sets)


def test_interchange_with_only_a_ta1():
    (interchange,) = read(
        (ISA.format(usage="P") + "TA1*000000007*261120*1030*A*000~IEA*0*000000007~").encode()
    ).interchanges
    assert (interchange.groups, interchange.faults) == ((), ())


def test_status_and_appointment_exclude_each_other():
    (fault,) = faults_of(file(st("B10*1*2*SCAC~LX*1~AT7*X1*NS*AA*NA*20261120*1030", kind="214"), group="QM"))
    assert (fault.code, fault.segment, fault.severity) == ("10", "AT7", Severity.WARNING)


def test_hl_parents_must_come_before_and_numbers_once():
    body = "BSN*00*N1*20261120*1030~HL*1**S~HL*2*9*O~HL*2*1*O~SN1*1*4*EA"
    faults = faults_of(file(st(body, kind="856"), group="SH"))
    assert [(fault.segment_number, fault.element, fault.value) for fault in faults] == [(4, 2, "9"), (5, 1, "2")]


def test_limits_of_sets_and_depth():
    data = file(st(GOOD), st(GOOD, control="0002"))
    sets = list(read(data, Limits(sets=1)).interchanges[0].groups[0].sets)
    assert verdict(sets[1].faults) is Verdict.REJECTED
    for levels, is_too_deep in ((30, False), (31, True), (50, True)):
        tree = "BSN*00*N1*20261120*1030~HL*1**S~" + "~".join(f"HL*{n}*{n - 1}*P" for n in range(2, levels + 1))
        faults = faults_of(file(st(tree, kind="856"), group="SH"))
        assert any("deeper than 30 levels" in fault.message for fault in faults) is is_too_deep


@pytest.mark.parametrize("name", ["dataele.xml", "codes.xml"])
def test_the_files_of_the_map_folder_are_those_of_the_table(name: str):
    assert (FOLDER / name).read_text(encoding="utf-8") == folder_files()[name]


def test_no_map_lies_in_the_house_but_what_our_table_makes():
    assert {
        path.name for path in FOLDER.parents[1].rglob("*") if path.suffix in (".xml", ".xsd", ".json", ".csv")
    } == set(folder_files())


def test_a_set_without_its_header_is_a_set_that_is_refused():
    interchange = read(file(st(GOOD)[3:], st(GOOD, control="0002"))).interchanges[0]
    lost, sound = interchange.groups[0].sets
    assert [(f.code, f.segment, f.severity) for f in lost.faults] == [("6", "ST", Severity.ERROR)]
    assert (lost.kind, lost.control, sound.kind, sound.faults, interchange.faults) == ("", "0001", "855", (), ())


def test_stray_segments_are_one_note_and_a_group_number_is_used_once():
    group = f"GS*PR*SUP*US*20261120*1030*7*X*004010~{st(GOOD)}GE*1*7~"
    (interchange,) = read(
        (ISA.format(usage="P") + group + "N1*ST~N3*Y~" + group + "IEA*2*000000007~").encode()
    ).interchanges
    assert [(f.code, f.segment_number, f.message) for f in interchange.faults] == [
        ("stray", 9, "2 segments (N1, N3) stand outside of any transaction set.")
    ]
    assert [[(f.code, f.element, f.value) for f in found.faults] for found in interchange.groups] == [
        [],
        [("19", 6, "7")],
    ]


@pytest.mark.parametrize(
    ("segment", "place"),
    [
        ("PO1*1*10*EA***BP", ("PO1", 7, "2")),
        ("PO1*1**EA***BP*S1", ("PO1", 2, "2")),
        ("N1*ST", ("N1", 2, "2")),
        ("N9**3", ("N9", 1, "1")),
        ("TD5", ("TD5", 2, "2")),
        ("PER*BD*Joe*TE", ("PER", 4, "2")),
    ],
)
def test_elements_that_belong_together(segment: str, place: tuple[str, int, str]):
    line = segment if segment.startswith("PO1") else f"PO1*1*10*EA***BP*S1~{segment}"
    found = faults_of(file(st(f"BAK*00*AK*PO1*20261120~{line}")))
    assert [(f.segment, f.element, f.code) for f in found] == [place]


def test_a_sum_before_the_lines_is_noted_and_the_lines_are_read():
    data = file(st("BSN*00*A1*20261120*1030~CTT*1~HL*1**S~HL*2*1*O~PRF*PO1~HL*3*2*I~SN1*1*6*EA", "856"), group="SH")
    (fault,) = faults_of(data)
    assert (fault.code, fault.segment, fault.segment_number, fault.severity) == ("7", "CTT", 3, Severity.WARNING)


def test_the_header_is_looked_at():
    data = file(st(GOOD)).replace(b"261120*1030*U", b"261320*2570*U").replace(b"000000007*0", b"         *0")
    found = read(data).interchanges[0].faults
    assert [(f.code, f.element, f.value) for f in found] == [
        ("018", 13, ""),
        ("014", 9, "261320"),
        ("015", 10, "2570"),
        ("001", 2, "000000007"),
    ]


def test_a_tag_in_small_letters_is_read_and_noted():
    interchange = read(file(st(GOOD.replace("~PO1", "~po1")))).interchanges[0]
    assert interchange.groups[0].sets[0].faults == ()
    assert [repair.code for repair in interchange.repairs] == ["lower_case_tag"]


def test_the_header_of_a_group_is_looked_at():
    data = file(st(GOOD)).replace(b"*SUP*US*20261120*1030*7*X*004010", b"*SUP**20261320*9930*7*X*")
    found = read(data).interchanges[0].groups[0].faults
    assert [(f.code, f.element, f.value) for f in found] == [
        ("1", 3, ""),
        ("1", 8, ""),
        ("8", 4, "20261320"),
        ("9", 5, "9930"),
    ]
