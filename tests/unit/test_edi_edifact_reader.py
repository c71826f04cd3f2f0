"""The EDIFACT reader: service marks, repairs, counts and references, character sets, and faults in the terms of CONTRL."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edi.edifact_segments import Marks, split_segment
from core.edi.interchanges import Fault, Level, Severity, Verdict, verdict
from core.edi.judge_file import judge_file
from core.edi.reader import read
from tests.unit.edi_messages import X12, x12_file

HEAD = "UNB+UNOA:3+SENDER:14+RECEIVER:14+261120:1030+55'"
BODY = (
    "UNH+1+ORDRSP:D:96A:UN:EAN008'BGM+231+A1+29'DTM+137:20261120:102'RFF+ON:PO1'LIN+1+5+S1:IN'QTY+21:10'UNS+S'UNT+8+1'"
)
GOOD = HEAD + BODY + "UNZ+1+55'"


def only(text: str | bytes):
    result = read(text if isinstance(text, bytes) else text.encode("latin-1"))
    assert result.faults == ()
    (interchange,) = result.interchanges
    return interchange


def message(text: str | bytes):
    (group,) = only(text).groups
    (document,) = group.sets
    return document


def codes(faults: tuple[Fault, ...]) -> list[tuple[str, Severity]]:
    return [(fault.code, fault.severity) for fault in faults]


def test_a_sound_interchange_has_no_faults_and_knows_its_places():
    interchange = only("UNA:+.? '" + GOOD)
    assert (interchange.faults, interchange.repairs) == ((), ())
    assert (interchange.standard, interchange.version, interchange.control) == ("EDIFACT", "UNOA:3", "55")
    assert (interchange.sender_id, interchange.sender_qualifier, interchange.receiver_id) == (
        "SENDER",
        "14",
        "RECEIVER",
    )
    assert (interchange.date, interchange.time, interchange.is_test) == ("261120", "1030", False)
    (group,) = interchange.groups
    assert (group.functional_id, group.control, group.faults) == ("", "55", ())
    (document,) = group.sets
    assert (document.kind, document.version, document.control, document.faults) == ("ORDRSP", "D96A", "1", ())
    assert [segment.tag for segment in document.segments] == ["UNH", "BGM", "DTM", "RFF", "LIN", "QTY", "UNS", "UNT"]
    assert [segment.number for segment in document.segments] == list(range(1, 9))
    assert document.raw == BODY.encode()
    bgm = document.segments[1]
    assert interchange.raw[bgm.offset - interchange.offset : bgm.end - interchange.offset] == b"BGM+231+A1+29'"
    assert document.sequence == "20261120T103000-00000000000055-00000000000000-000001"


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("A?'B", ["A'B"]),
        ("A??", ["A?"]),
        ("A???'B", ["A?'B"]),
        ("A?+B?:C", ["A+B:C"]),
        ("A:B", ["A", "B"]),
        ("?", [""]),
    ],
)
def test_release_characters(value: str, parts: list[str]):
    assert split_segment(f"BGM+{value}", Marks())[0][1] == parts


def test_a_released_terminator_does_not_end_a_segment():
    document = message(GOOD.replace("A1", "A?'1??"))
    assert document.segments[1].value(2) == "A'1?"
    assert document.faults == ()
    # A doubled one in front of the terminator is a value's own last character.
    document = message(GOOD.replace("RFF+ON:PO1'", "RFF+ON:PO1??'"))
    assert ([segment.tag for segment in document.segments[3:5]], document.segments[3].value(1, 2)) == (
        ["RFF", "LIN"],
        "PO1?",
    )


def test_a_una_with_other_marks_and_a_decimal_comma():
    text = "UNA|^,! \x1e" + GOOD.translate(str.maketrans({"+": "^", ":": "|", "'": "\x1e"})).replace("21|10", "21|10,0")
    interchange = only(text)
    assert (interchange.separators.element, interchange.separators.component) == ("^", "|")
    assert interchange.groups[0].sets[0].faults == ()
    assert judge_file(text.encode())["verdict"] == "accepted"


def test_marks_of_syntax_level_b_without_una():
    text = GOOD.translate(str.maketrans({"+": "\x1d", ":": "\x1f", "'": "\x1c"})).replace("UNOA", "UNOB")
    assert only(text).groups[0].sets[0].faults == ()


def test_repetitions_of_syntax_4():
    text = GOOD.replace("UNOA:3", "UNOA:4").replace("261120", "20261120").replace("RFF+ON:PO1", "RFF+ON:PO1*VN:7")
    for start in ("", "UNA:+.?*'"):
        rff = message(start + text).segments[3]
        assert (rff.elements, rff.repeats) == ((("ON", "PO1"),), ((1, ("VN", "7")),))
    assert message("UNA:+.? '" + text).segments[3].value(1, 2) == "PO1*VN"
    assert message(text).sequence.startswith("20261120T")


def test_lines_broken_at_80_columns_and_ends_of_line_after_terminators():
    long = GOOD.replace("A1", "A" * 70)
    wrapped = "\r\n".join(long[at : at + 80] for at in range(0, len(long), 80))
    document = message(wrapped)
    assert document.segments[1].value(2) == "A" * 70
    assert document.faults == ()
    assert {repair.code for repair in only(wrapped).repairs} == {"wrapped_line"}
    assert only(GOOD.replace("'", "'\r\n")).repairs == ()


def test_a_value_at_the_begin_of_a_broken_line_is_no_tag():
    address = "NAD+SU+1::9++NAME+STREET+CITY+USA+12345'"
    before = (HEAD + BODY).index("UNT+")
    fill = "B" * (240 - before - len("FTX+AAI+++'") - address.index("USA"))
    long = GOOD.replace("UNT+8", f"FTX+AAI+++{fill}'{address}UNT+10")
    document = message("\n".join(long[at : at + 80] for at in range(0, len(long), 80)))
    assert long[240:244] == "USA+"
    assert [segment.tag for segment in document.segments][-3:] == ["FTX", "NAD", "UNT"]


def test_padding_byte_order_mark_and_a_missing_last_terminator_are_put_right():
    data = b"\xef\xbb\xbf\r\n" + GOOD[:-1].encode() + b"\r\n\x1a\0"
    interchange = only(data)
    assert [repair.code for repair in interchange.repairs] == ["byte_order_mark", "end_of_file_mark", "unterminated"]
    assert interchange.faults == ()


def test_a_line_that_ends_without_its_terminator():
    interchange = only(GOOD.replace("'DTM", "\nDTM").replace("'RFF", "'\nRFF"))
    assert [repair.code for repair in interchange.repairs] == ["terminator_missing"]
    assert interchange.groups[0].sets[0].faults == ()


def test_a_tag_in_small_letters_is_noted():
    interchange = only(GOOD.replace("BGM", "bgm"))
    assert [repair.code for repair in interchange.repairs] == ["lower_case_tag"]
    assert interchange.groups[0].sets[0].faults == ()


@pytest.mark.parametrize(
    ("before", "after", "level", "expected"),
    [
        ("UNT+8", "UNT+9", "set", [("29", Severity.WARNING)]),
        ("UNT+8+1", "UNT+8+2", "set", [("28", Severity.WARNING)]),
        ("UNT+8+1'", "", "set", [("13", Severity.ERROR)]),
        ("UNZ+1+55", "UNZ+2+55", "interchange", [("29", Severity.WARNING)]),
        ("UNZ+1+55", "UNZ+1+56", "interchange", [("28", Severity.WARNING)]),
        ("UNZ+1+55'", "", "interchange", [("13", Severity.ERROR)]),
        ("+55'UNH", "'UNH", "interchange", [("13", Severity.ERROR), ("28", Severity.WARNING)]),
        ("UNOA:3", "UNOA:9", "interchange", [("2", Severity.ERROR)]),
        ("UNOA:3", "XXXX:3", "interchange", [("46", Severity.WARNING)]),
        ("UNOA:3", "", "interchange", [("13", Severity.ERROR)]),
        ("SENDER:14", "", "interchange", [("13", Severity.WARNING)]),
        ("UNH+1+", "UNH++", "set", [("28", Severity.WARNING), ("13", Severity.ERROR)]),
        ("ORDRSP", "PAXLST", "set", [("14", Severity.ERROR)]),
        ("BGM+231+A1+29'", "", "set", [("29", Severity.WARNING), ("13", Severity.ERROR)]),
        ("DTM+137:20261120:102", "DTM+137:20261320:102", "set", [("12", Severity.ERROR)]),
        ("DTM+137:20261120:102", "DTM+137:20261120:999", "set", [("14", Severity.WARNING)]),
        ("QTY+21:10", "QTY+21:ten", "set", [("37", Severity.ERROR)]),
        ("QTY+21:10", "QTY+21", "set", [("13", Severity.ERROR)]),
        ("RFF+ON:PO1", "XYZ+ON:PO1", "set", [("15", Severity.WARNING)]),
        ("RFF+ON:PO1", "?+ON:PO1", "set", [("15", Severity.ERROR)]),
        ("LIN+1", "PIA+5+X:SA'LIN+1", "set", [("29", Severity.WARNING), ("15", Severity.WARNING)]),
        ("UNS+S'", "UNS+S'CNT+2:3'", "set", [("29", Severity.WARNING), ("29", Severity.WARNING)]),
    ],
)
def test_what_is_wrong_is_named_at_its_level(before: str, after: str, level: str, expected):
    assert before in GOOD
    interchange = only(GOOD.replace(before, after, 1))
    document = interchange.groups[0].sets[0]
    found = {"interchange": interchange.faults, "set": document.faults}
    assert codes(found.pop(level)) == expected
    assert list(found.values()) == [()]


def test_a_fault_names_segment_element_value_and_place():
    (fault,) = message(GOOD.replace("21:10", "21:1x")).faults
    assert (fault.level, fault.segment_number, fault.segment) == (Level.ELEMENT, 6, "QTY")
    assert (fault.element, fault.component, fault.value, fault.offset) == (1, 2, "1x", GOOD.index("QTY"))
    assert fault.message == "Element 1, component 2 of QTY (quantity) in segment 6 is not a number: '1x'."


def test_messages_without_an_interchange_are_refused():
    interchange = only(BODY)
    assert codes(interchange.faults) == [("13", Severity.ERROR), ("13", Severity.ERROR)]
    assert interchange.groups[0].sets[0].faults == ()


def test_groups_are_counted_and_their_references_compared():
    ung = "UNG+ORDRSP+SENDER:14+RECEIVER:14+261120:1030+7+UN+D:96A'"
    interchange = only(HEAD + ung + BODY + "UNE+1+7'UNZ+1+55'")
    assert (interchange.faults, interchange.groups[0].faults) == ((), ())
    group = interchange.groups[0]
    assert (group.functional_id, group.control, group.version, group.sender) == ("ORDRSP", "7", "D96A", "SENDER")
    assert group.claimed_sets == 1
    wrong = only(HEAD + ung.replace("ORDRSP", "DESADV") + BODY + "UNE+2+8'" + "UNZ+1+55'").groups[0]
    assert codes(wrong.faults) == [("29", Severity.WARNING), ("28", Severity.WARNING), ("31", Severity.WARNING)]
    (open_group,) = only(HEAD + ung + BODY + "UNZ+1+55'").groups
    assert codes(open_group.faults) == [("13", Severity.ERROR)]
    mixed = only(HEAD + ung + BODY + "UNE+1+7'" + BODY.replace("+1'", "+2'").replace("UNH+1", "UNH+2") + "UNZ+1+55'")
    assert codes(mixed.faults) == [("30", Severity.WARNING)]


def test_a_reference_that_occurs_twice_stops_the_second_message():
    first, second = only(HEAD + BODY * 2 + "UNZ+2+55'").groups[0].sets
    assert first.faults == ()
    assert codes(second.faults) == [("26", Severity.ERROR)]


def test_several_interchanges_each_with_its_own_marks():
    other = "UNA|^.! ~" + GOOD.translate(str.maketrans({"+": "^", ":": "|", "'": "~"})).replace("^55", "^56")
    result = read((GOOD + "\n" + other + "\nrest").encode())
    assert [found.control for found in result.interchanges] == ["55", "56"]
    assert all(found.groups[0].sets[0].faults == () for found in result.interchanges)
    assert [(fault.code, fault.severity) for fault in result.faults] == [("leftover", Severity.WARNING)]


def test_noise_before_the_first_header():
    for noise in (b"From: me\r\n\r\n", b"To: ISA* and me\r\n"):
        result = read(noise + GOOD.encode())
        assert [found.control for found in result.interchanges] == ["55"]
        assert [(fault.code, fault.severity) for fault in result.faults] == [("leftover", Severity.WARNING)]


@pytest.mark.parametrize("order", ["XE", "EX", "XEX", "EXE", "EXXE", "XEEXE"])
@pytest.mark.parametrize("glue", [b"", b"\r\n", b"\n-- next --\n"])
def test_interchanges_of_both_standards_in_one_file(order: str, glue: bytes):
    x12 = x12_file("850", X12["850"])
    data = b"\xef\xbb\xbf" + glue.join({"X": x12, "E": GOOD.encode()}[one] for one in order)
    result = read(data)
    assert [found.standard[0] for found in result.interchanges] == list(order)
    for found in result.interchanges:
        assert data[found.offset :].startswith(found.raw)
        assert [document.faults for group in found.groups for document in group.sets] == [()]
    noted = {(fault.code, fault.severity) for fault in result.faults}
    assert noted == ({("leftover", Severity.WARNING)} if glue.strip() else set())


@pytest.mark.parametrize("lost", [1, 12, 30])
def test_where_one_is_cut_off_the_other_stands(lost: int):
    x12 = x12_file("850", X12["850"]).strip()
    for first, second, code in ((GOOD.encode(), x12, "13"), (x12, GOOD.encode(), "023")):
        cut, whole = read(first[:-lost] + b"\n" + second).interchanges
        assert [fault.code for fault in cut.faults if fault.severity is Severity.ERROR] == ([code] if lost > 1 else [])
        assert (whole.raw.strip(), whole.faults, whole.groups[0].sets[0].faults) == (second, (), ())


@pytest.mark.parametrize("order", ["XE", "EX", "XEX", "EXE"])
def test_a_damaged_header_beside_a_sound_interchange_is_an_error_at_its_place(order: str):
    damaged = x12_file("850", X12["850"]).replace(b"*ZZ*SUPPLIER       *ZZ*BACKORDER      ", b"", 1)
    parts = [damaged if one == "X" else GOOD.encode() for one in order]
    result = read(b"".join(parts))
    assert [found.standard[0] for found in result.interchanges] == [one for one in order if one == "E"]
    errors = [(fault.code, fault.offset) for fault in result.faults if fault.severity is Severity.ERROR]
    assert errors == [("isa", len(b"".join(parts[:at]))) for at, one in enumerate(order) if one == "X"]


@pytest.mark.parametrize("order", ["EX", "EXE", "EXXE", "EXEX", "XE", "XEX", "XEEX"])
def test_a_word_that_reads_like_a_header_of_the_other_standard_tears_nothing_apart(order: str):
    x12 = x12_file("850", X12["850"].replace("PID*F****Widget", "PID*F****UNA~PID*F****UNH~PID*F****UNB"))
    edifact = GOOD.replace("+A1", "+ISA").replace("PO1", "ISA").encode()
    data = b"\n".join({"X": x12, "E": edifact}[one] for one in order)
    result = read(data)
    assert [found.raw.strip() for found in result.interchanges] == [{"X": x12, "E": edifact}[one] for one in order]
    assert result.faults == ()


def test_an_interchange_that_begins_before_the_last_one_ended():
    first, second = read((HEAD + BODY + GOOD.replace("+55", "+56")).encode()).interchanges
    assert codes(first.faults) == [("13", Severity.ERROR)]
    assert second.faults == ()


@pytest.mark.parametrize(
    ("syntax", "encoding", "text"),
    [
        ("UNOC", "iso8859-1", "Größe"),
        ("UNOD", "iso8859-2", "Łódź"),
        ("UNOE", "iso8859-5", "Москва"),
        ("UNOF", "iso8859-7", "Αθήνα"),
        ("UNOK", "iso8859-9", "İzmir"),
        ("UNOY", "utf-8", "나사"),
        ("UNOW", "utf-8", "Größe"),
    ],
)
def test_character_sets(syntax: str, encoding: str, text: str):
    data = GOOD.replace("UNOA", syntax).replace("A1", "#").encode().replace(b"#", text.encode(encoding))
    assert only(data).faults == ()
    assert message(data).segments[1].value(2) == text


def test_bytes_that_the_declared_set_does_not_allow_are_noted():
    for encoding in ("utf-8", "latin-1"):
        data = GOOD.replace("A1", "Größe").encode(encoding)
        assert codes(only(data).faults) == [("21", Severity.WARNING)]
        assert message(data).segments[1].value(2) == "Größe"


def test_only_the_test_flag_makes_a_test():
    assert only(GOOD.replace("+55'UNH", "+55++++++1'UNH")).is_test
    assert only(GOOD.replace("+55'UNH", "+55++++1'UNH")).acknowledgement_requested


@pytest.mark.parametrize("start", ["", "UNA:+.? '"])
def test_a_file_that_is_cut_off_anywhere_is_rejected(start: str):
    whole = (start + GOOD).encode()
    assert judge_file(whole)["verdict"] == "accepted"
    for length in range(1, len(whole) - 1):
        assert judge_file(whole[:length])["verdict"] == "rejected", whole[:length]
    assert judge_file(whole[:-1])["verdict"] == "accepted"


def test_a_bomb_of_release_marks_is_cut_short():
    data = (HEAD + "UNH+1+ORDRSP:D:96A:UN'FTX+AAI+++" + "?" * 100_000 + "'").encode()
    (fault,) = only(data).faults[:1]
    assert fault.code == "segment_size"


@settings(max_examples=200, deadline=None)
@given(st.text("?+:'AB\n", max_size=40), st.integers(0, 5))
def test_any_text_in_a_value_splits_as_it_was_written(text: str, place: int):
    value = "".join(f"?{mark}" if mark in "?+:'" else mark for mark in text).replace("\n", "")
    parts = split_segment(f"FTX+AAI+{value}", Marks())[0]
    assert parts[2] == [text.replace("\n", "")]


def test_every_fault_makes_the_set_fail_or_be_noted():
    assert verdict(message(GOOD).faults) is Verdict.ACCEPTED
    assert verdict(message(GOOD.replace("UNT+8", "UNT+9")).faults) is Verdict.ACCEPTED_WITH_ERRORS
    assert verdict(message(GOOD.replace("UNT+8+1'", "")).faults) is Verdict.REJECTED


def test_a_message_without_its_header_is_a_message_that_is_refused():
    second = BODY.replace("UNH+1", "UNH+2").replace("UNT+8+1", "UNT+8+2")
    interchange = only(HEAD + BODY[1:] + second + "UNZ+2+55'")
    lost, sound = interchange.groups[0].sets
    assert [(f.code, f.segment, f.severity) for f in lost.faults] == [("13", "UNH", Severity.ERROR)]
    assert (lost.kind, lost.control, sound.kind, sound.faults, interchange.faults) == ("", "1", "ORDRSP", (), ())


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("BGM+231+A1", "BGM+231+" + "A" * 71, ("39", 2, 1)),
        ("QTY+21:10'", "QTY+21:10:PCE:X'", ("16", 1, 4)),
        ("LIN+1+5+S1:IN'", "LIN+1+5+S1:IN+++++Z'", ("16", 8, 1)),
        ("RFF+ON:PO1", "RFF+ON:PO\x011", ("21", 1, 2)),
        ("QTY+21:10'", "QTY+21'", ("13", 1, 2)),
        ("QTY+21:10'", "QTY+21:ten'", ("37", 1, 2)),
    ],
)
def test_elements_are_held_against_the_table(old: str, new: str, place: tuple[str, int, int]):
    (fault, *_) = message(GOOD.replace(old, new)).faults
    assert (fault.code, fault.element, fault.component) == place


def test_groups_tell_messages_apart_and_are_told_apart():
    group = "UNG+ORDRSP+S:14+R:14+261120:1030+{}+UN+D:96A'" + BODY + "UNE+1+{}'"
    assert judge_file((HEAD + group.format(1, 1) + group.format(2, 2) + "UNZ+2+55'").encode())["verdict"] == "accepted"
    twice = only(HEAD + group.format(1, 1) + group.format(1, 1) + "UNZ+2+55'")
    assert [codes(found.faults) for found in twice.groups] == [[], [("26", Severity.ERROR)]]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("<html><pre>" + GOOD + "</pre></html>", "markup"),
        ("GS*PR*SUP*US*20261120*1030*7*X*004010~", "no_interchange"),
        ("What is this?", "no_interchange"),
    ],
)
def test_what_is_no_interchange_is_said(data: str, code: str):
    result = read(data.encode())
    assert (result.interchanges, [fault.code for fault in result.faults]) == ((), [code])


def test_a_header_that_lost_its_first_letter_is_still_a_file_of_messages():
    found = read(GOOD[1:].encode())
    assert [fault.code for fault in found.faults] == ["leftover"]
    assert next((f.code, f.segment) for f in found.interchanges[0].faults) == ("13", "UNB")


def test_other_marks_without_una_are_those_of_unb_where_they_are_beyond_doubt():
    interchange = only(GOOD.translate(str.maketrans("+:'", '"=;')))
    assert [repair.code for repair in interchange.repairs] == ["una"]
    assert interchange.faults == interchange.groups[0].sets[0].faults == ()
    assert (interchange.sender_id, interchange.groups[0].sets[0].kind) == ("SENDER", "ORDRSP")
