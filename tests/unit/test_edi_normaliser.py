"""Frames of X12 files as senders really write them: each repair is made, noted with its offset, and changes no value."""

import io
from time import thread_time

import pytest
from pyx12.x12file import X12Reader as Pyx12Reader

from core.edi.interchanges import Level, Severity
from core.edi.normaliser import Limits, normalise
from core.edi.reader import read

ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*P*>~"
BODY = "GS*PR*SUP*US*20261120*1030*7*X*004010~ST*855*0001~BAK*00*AK*PO1*20261120~SE*3*0001~GE*1*7~IEA*1*000000007~"
FILE = ISA + BODY


def codes(data: bytes) -> list[str]:
    return [repair.code for repair in normalise(data).interchanges[0].repairs]


def tags(data: bytes) -> list[str]:
    return [raw.text.partition("*")[0] for raw in normalise(data).interchanges[0].segments]


def only_set(data: bytes):
    (interchange,) = read(data).interchanges
    (document,) = interchange.groups[0].sets
    return document


def test_a_sound_file_needs_no_repair():
    assert codes(FILE.encode()) == []
    assert tags(FILE.encode()) == ["ISA", "GS", "ST", "BAK", "SE", "GE", "IEA"]
    assert only_set(FILE.encode()).faults == ()


def test_byte_order_mark_is_passed_over_and_offsets_stay_those_of_the_file():
    data = b"\xef\xbb\xbf" + FILE.encode()
    raw = normalise(data).interchanges[0]
    assert [(repair.code, repair.offset) for repair in raw.repairs] == [("byte_order_mark", 0)]
    assert raw.offset == 3
    assert read(data).faults == ()
    assert data[raw.segments[1].offset : raw.segments[1].end] == b"GS*PR*SUP*US*20261120*1030*7*X*004010~"


def test_lost_padding_is_put_back_for_the_parser_only():
    data = FILE.replace(" " * 10, " ").replace("SUPPLIER       ", "SUPPLIER").encode()
    raw = normalise(data).interchanges[0]
    assert [repair.code for repair in raw.repairs] == ["isa_width"]
    assert raw.canonical().decode()[:106] == ISA
    assert read(data).interchanges[0].header[5] == "SUPPLIER"


@pytest.mark.parametrize("version", ["00400", "00403", "00204", "00304", "00406"])
def test_isa12_that_pyx12_refuses_is_rewritten_and_kept(version: str):
    data = FILE.replace("00401", version).encode()
    raw = normalise(data).interchanges[0]
    assert [repair.code for repair in raw.repairs] == ["isa12"]
    assert [str(segment) for segment in Pyx12Reader(io.StringIO(raw.canonical().decode()))][-1] == "IEA*1*000000007~"
    assert read(data).interchanges[0].version == version


@pytest.mark.parametrize("terminator", ["~\r\n", "~\n", "\n", "\r\n", "\x15", "\x1c", "'", " "])
def test_terminators(terminator: str):
    data = FILE.replace("~", terminator).encode()
    assert tags(data) == ["ISA", "GS", "ST", "BAK", "SE", "GE", "IEA"]
    assert [repair.code for repair in normalise(data).interchanges[0].repairs] == []


def test_control_characters_as_element_marks():
    document = only_set(FILE.replace("*", "\x1d").replace("~", "\x1c").replace(">", "\x1f").encode())
    assert (document.kind, document.control, document.faults) == ("855", "0001", ())


def test_blank_before_a_terminator():
    data = FILE.replace("*20261120~SE", "*20261120  ~SE").encode()
    assert codes(data) == ["blank_before_terminator"]
    assert only_set(data).segments[1].elements[-1] == ("20261120",)


def test_isa16_left_out_and_terminator_in_its_place():
    data = FILE.replace("*P*>~", "*P*~").replace("~", "~\n").encode()
    raw = normalise(data).interchanges[0]
    assert [repair.code for repair in raw.repairs] == ["isa16_missing"]
    assert (raw.separators.component, raw.separators.segment) == ("", "~")
    assert tags(data)[-1] == "IEA"


def test_isa16_left_out_with_its_mark():
    data = FILE.replace("*P*>~", "*P~").encode()
    assert codes(data)[0] == "isa16_missing"
    assert tags(data) == ["ISA", "GS", "ST", "BAK", "SE", "GE", "IEA"]
    assert (read(data).interchanges[0].usage, read(data).interchanges[0].faults) == ("P", ())


@pytest.mark.parametrize(
    ("isa11", "version", "repetition"),
    [
        ("U", "00401", ""),
        ("^", "00401", ""),
        ("|", "00400", ""),
        (" ", "00401", ""),
        ("^", "00501", "^"),
        ("U", "00501", ""),
    ],
)
def test_isa11_is_a_repetition_mark_only_from_00402_on(isa11: str, version: str, repetition: str):
    data = FILE.replace("*U*00401*", f"*{isa11}*{version}*").encode()
    assert read(data).interchanges[0].separators.repetition == repetition


def test_isa_in_a_name_starts_no_interchange():
    data = FILE.replace("SE*3", "N1*ST*ISAAC ISA~SE*4").replace("BAK*00", "REF*ZZ*ISA~BAK*00").encode()
    assert len(normalise(data).interchanges) == 1
    assert len(normalise(b"ISAAC NEWTON").interchanges) == 0
    around = normalise(b"Order of ISAAC by VISA*1\r\n" + FILE.encode())
    assert ([fault.code for fault in around.faults], len(around.interchanges)) == (["leftover"], 1)
    assert around.interchanges[0].offset == len("Order of ISAAC by VISA*1\r\n")


def test_unterminated_last_segment_is_closed():
    data = FILE[:-1].encode()
    assert codes(data) == ["unterminated"]
    assert read(data).interchanges[0].faults == ()


def test_several_interchanges_with_other_separators_and_no_last_terminator():
    second = FILE.replace("*", "|").replace("~", "\n").replace("000000007", "000000008")
    result = read((FILE[:-1] + "\n" + second + "\n\n" + FILE).encode())
    assert [(found.control, found.separators.element) for found in result.interchanges] == [
        ("000000007", "*"),
        ("000000008", "|"),
        ("000000007", "*"),
    ]
    assert all(found.groups[0].sets[0].faults == () for found in result.interchanges)


def test_trailing_nul_and_end_of_file_mark():
    assert codes(FILE.encode() + b"\r\n\x1a\x00\x00") == ["end_of_file_mark"]


def test_wrapped_lines_are_joined():
    wrapped = "\n".join(FILE[at : at + 80] for at in range(0, len(FILE), 80))
    document = only_set(wrapped.encode())
    assert document.faults == ()
    assert [segment.tag for segment in document.segments] == ["ST", "BAK", "SE"]
    assert "wrapped_line" in codes(wrapped.encode())


def test_a_line_without_its_terminator_is_two_segments():
    data = FILE.replace("~", "~\n").replace("20261120~\nSE", "20261120\nSE").encode()
    assert codes(data) == ["terminator_missing"]
    assert [segment.tag for segment in only_set(data).segments] == ["ST", "BAK", "SE"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \r\n\x00\x1a", "empty"),
        (b"hello", "no_interchange"),
        (b"ISAAC NEWTON", "no_interchange"),
        (b"\xff\xfeI\x00", "utf16"),
        (b"ISA*00*", "isa"),
    ],
)
def test_files_without_an_interchange_give_a_sentence(data: bytes, code: str):
    result = read(data)
    assert result.interchanges == ()
    assert (result.faults[0].level, result.faults[0].severity, result.faults[0].code) == (
        Level.FILE,
        Severity.ERROR,
        code,
    )


def test_bytes_behind_the_interchange_are_noted():
    assert [(fault.code, fault.severity) for fault in read(FILE.encode() + b"garbage").faults] == [
        ("leftover", Severity.WARNING)
    ]


def test_limits():
    data = FILE.encode()
    assert read(data, Limits(file_bytes=10)).faults[0].code == "size"
    assert [fault.code for fault in read(data * 3, Limits(interchanges=2)).faults] == ["interchanges"]
    assert "segments" in [fault.code for fault in read(data, Limits(segments=3)).interchanges[0].faults]
    assert "segment_size" in [fault.code for fault in read(data, Limits(segment_bytes=20)).interchanges[0].faults]


@pytest.mark.parametrize("blank", ["\n", "\n ", " \n"])
@pytest.mark.parametrize("frame", [FILE.partition("BAK")[0], "UNB+UNOA:3+S+R+261120:1030+55'UNH+1+ORDRSP:D:96A:UN'"])
def test_runs_of_blanks_are_read_in_linear_time(frame: str, blank: str):
    for text in (blank * 20_000, ("AB" + blank * 6_000 + "\nC'~") * 6):
        began = thread_time()
        read((frame + "AB" + text + "!").encode())
        assert thread_time() - began < 1


def test_utf8_values_are_read_as_utf8_and_others_as_latin_1():
    text = FILE.replace("SE*3", "N1*ST*Zürich~SE*4")
    assert only_set(text.encode("utf-8")).segments[2].value(2) == "Zürich"
    assert only_set(text.encode("latin-1")).segments[2].value(2) == "Zürich"


@pytest.mark.parametrize("elements", [5, 9, 13, 14])
@pytest.mark.parametrize("between", ["~\n", "\r\n", "*"])
def test_a_header_that_was_cut_off_takes_nothing_from_the_one_behind_it(elements: int, between: str):
    start = "*".join(ISA.split("*")[: elements + 1]) + between
    found = normalise((start + FILE).encode())
    assert [raw.offset for raw in found.interchanges] == [len(start)]
    assert [(fault.code, fault.offset) for fault in found.faults if fault.severity is Severity.ERROR] == [("isa", 0)]


def test_a_name_that_reads_like_a_header_is_a_value():
    data = FILE.replace("*00*          *00*", "*00*ISA       *00*", 1).encode()
    assert [raw.offset for raw in normalise(data).interchanges] == [0]
    assert normalise(data.replace(b"ISA       *", b"ISA*", 1)).faults == ()


@pytest.mark.parametrize("mark", ["Ö", "…", "🚀"])
@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "cp1252"])
def test_marks_beyond_ascii_end_segments_in_any_character_set(mark: str, charset: str):
    try:
        data = FILE.replace("~", mark).replace("BAK*00*AK*PO1", "BAK*00*AK*PO>1").encode(charset)
    except UnicodeEncodeError:
        return
    assert tags(data) == ["ISA", "GS", "ST", "BAK", "SE", "GE", "IEA"]
    assert only_set(data).segments[1].elements[2] == ("PO", "1")
    assert read(data).faults == read(data).interchanges[0].faults == ()


def test_a_component_mark_beyond_ascii():
    data = FILE.replace("*>~", "*🚀~").replace("BAK*00*AK*PO1", "BAK*00*AK*PO🚀1").encode()
    assert only_set(data).segments[1].elements[2] == ("PO", "1")


LINES = FILE.replace("~", "~\n")


@pytest.mark.parametrize(
    ("data", "component", "noted"),
    [
        (LINES.replace("*>~", "*~", 1).replace("1120~\nSE", "1120\nSE"), "", ["isa16_missing", "terminator_missing"]),
        (LINES.replace("*>~", "*", 1), "", ["isa16_missing"]),
        (LINES.replace("*>~", "*>", 1), ">", ["terminator_missing"]),
        (LINES.replace("*>~", "*>>~", 1), ">", ["isa_width"]),
    ],
)
def test_what_ends_the_lines_ends_the_segments_whatever_stands_in_isa(data: str, component: str, noted: list[str]):
    (raw,) = normalise(data.encode()).interchanges
    assert (raw.separators.component, raw.separators.segment) == (component, "~")
    assert codes(data.encode()) == noted
    assert tags(data.encode()) == ["ISA", "GS", "ST", "BAK", "SE", "GE", "IEA"]
    assert read(data.encode()).interchanges[0].faults == only_set(data.encode()).faults == ()


def test_lines_that_end_with_empty_values_end_with_the_line():
    data = (
        FILE.replace("~", "\n").replace("0001\n", "0001**\n").replace("1120\n", "1120**\n").replace("4010\n", "4010*\n")
    )
    assert normalise(data.encode()).interchanges[0].separators.segment == "\n"


@pytest.mark.parametrize("end", [":*EXTRA~", "~"])
def test_an_isa_with_more_or_fewer_elements_is_one_fault(end: str):
    header = ISA.replace(":", "").replace(">~", end) if "EXTRA" in end else "*".join(ISA.split("*")[:11]) + end
    found = normalise((header + BODY).encode())
    assert (found.interchanges, [(fault.code, fault.offset) for fault in found.faults]) == ((), [("isa", 0)])
