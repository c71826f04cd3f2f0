"""Whatever is done to the bytes of a file: a result comes back, with the faults in it, and never an exception."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edi.decoders import DECODERS
from core.edi.documents import SetResult
from core.edi.edifact_writer import EdifactEnvelope
from core.edi.guide import DEFAULT_GUIDE
from core.edi.interchanges import verdict
from core.edi.reader import read
from core.edi.resolve_acknowledgement import OpenLine, resolve_acknowledgement
from core.edi.write_997 import write_997
from core.edi.write_contrl import write_contrl
from core.edi.x12_writer import Envelope

ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*P*>~"
SETS = {
    "PR": "ST*855*0001~BAK*00*AC*PO1*20261120~PO1*1*10*EA***BP*S1~ACK*IA*6*EA*067*20261201~ACK*BP*4*EA~CTT*1~SE*7*0001~",
    "SH": "ST*856*0001~BSN*00*A1*20261120*1030~HL*1**S~HL*2*1*O~PRF*PO1~HL*3*2*P~"
    "MAN*GM*00106141412345678908~HL*4*3*I~LIN*1*BP*S1~SN1*1*6*EA~SE*11*0001~",
    "QM": "ST*214*0001~B10*P*A1*UPSN~L11*PO1*PO~LX*1~AT7*SD*BG***20261130*0815*LT~MS1*RENO*NV*US~SE*7*0001~",
    "PO": "ST*850*0001~BEG*00*SA*PO1**20261120~PO1*1*10*EA*2.5**BP*S1~SE*4*0001~",
    "FA": "ST*997*0001~AK1*PO*7~AK2*850*0001~AK3*BEG*2**8~AK4*3*324*1~AK5*R*5~AK9*R*1*1*0~SE*8*0001~",
}
EDIFACT = [
    "BGM+231+X?'Y+4'DTM+137:20261120:102'RFF+ON:PO1'LIN+1+3+S1:IN'PIA+5+V1:SA'QTY+21:10'QTY+113:6'DTM+69:20261201:102'"
    "QTY+83:4'QVR+-4+BP'UNS+S'CNT+2:1'",
    "BGM+351+A1+9'DTM+137:20261120:102'RFF+ON:PO1'CPS+1'CPS+2+1'PAC+1'PCI+33E'GIN+BJ+00106141412345678908'LIN+1'QTY+12:6'",
    "BGM+77+R1+9'RFF+CN:T9'CNI+1'STS+1+21'DTM+334:202611200815:203'LOC+9+DEHAM:139:6:Hamburg'",
    "UCI+41+US:14+SUP:14+4+13'UCM+7+ORDERS:D:96A:UN+4+13'UCS+4+15'UCD+12+1:2'",
    "BGM+35+43+9'DTM+366:20261119:102'DTM+137:20261120:102'LIN+1++400638133:EN'QTY+145:20,5'INV+1'",
]
KINDS = ("ORDRSP", "DESADV", "IFTSTA", "CONTRL", "INVRPT")
FILES = [
    *(
        f"{ISA}GS*{kind}*SUP*US*20261120*1030*7*X*004010~{body}GE*1*7~IEA*1*000000007~".encode()
        for kind, body in SETS.items()
    ),
    *(
        f"UNA:+.? 'UNB+UNOA:3+S:14+R:14+261120:1030+55'UNH+1+{kind}:D:96A:UN'{body}UNT+9+1'UNZ+1+55'".encode()
        for kind, body in zip(KINDS, EDIFACT, strict=True)
    ),
]
ENVELOPE = Envelope("ZZ", "BACKORDER", "ZZ", "SUPPLIER", "US", "SUP", 42, 13, 8, datetime(2026, 11, 20, 11, 0))
EDIFACT_ENVELOPE = EdifactEnvelope("14", "BACKORDER", "14", "SUPPLIER", 42, 8, datetime(2026, 11, 20, 11, 0))
OPEN = [OpenLine(1, 10, "S1"), OpenLine(2, 3, "S2")]

edits = st.lists(
    st.tuples(
        st.sampled_from(["put", "cut", "swap", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 12),
        st.one_of(
            st.binary(max_size=6),
            st.sampled_from(
                [
                    b"*",
                    b"~",
                    b"\n",
                    b">",
                    b"ISA*",
                    b"SE*",
                    b"HL*1*1*I~",
                    b"\xc2\xb2",
                    b"'",
                    b"+",
                    b"?",
                    b"UNA:+.?*'",
                    b"CPS+1+1'",
                ]
            ),
        ),
    ),
    max_size=6,
)


def mutated(data: bytes, changes: list[tuple[str, float, int, bytes]]) -> bytes:
    for what, where, length, piece in changes:
        at = int(where * len(data))
        if what == "put":
            data = data[:at] + piece + data[at:]
        elif what == "cut":
            data = data[:at] + data[at + length :]
        elif what == "swap":
            data = data[:at] + piece + data[at + len(piece) :]
        else:
            data = data[:at] + data[at : at + length * 8] * 2 + data[at + length * 8 :]
    return data


def run_all(data: bytes) -> None:
    for interchange in read(data).interchanges:
        answers: list[list[SetResult]] = []
        for group in interchange.groups:
            answers.append([])
            for document in group.sets:
                assert document.raw in data
                answers[-1].append(
                    SetResult(document.kind, document.control, verdict(document.faults), document.faults)
                )
                decode = DECODERS.get(document.kind)
                found = decode(document, DEFAULT_GUIDE) if decode is not None else None
                if document.kind in ("855", "ORDRSP") and found is not None and found.document is not None:
                    resolution = resolve_acknowledgement(OPEN, found.document)
                    for ours, outcome in zip(OPEN, resolution.outcomes, strict=True):
                        if outcome.mismatch is None and outcome.answered:
                            total = outcome.accepted_quantity + outcome.backordered_quantity
                            assert total + outcome.rejected + outcome.held == ours.open_quantity
            if group.functional_id != "FA" and interchange.standard == "X12":
                (answer,) = read(write_997(group, answers[-1], ENVELOPE)).interchanges
                assert len(answer.groups[0].sets) == 1
        kinds = {document.kind for group in interchange.groups for document in group.sets}
        if interchange.standard == "EDIFACT" and kinds - {"CONTRL"}:
            (answer,) = read(write_contrl(interchange, answers, EDIFACT_ENVELOPE)).interchanges
            assert len(answer.groups[0].sets) == 1


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES), edits)
def test_mutated_files_never_crash(data: bytes, changes):
    run_all(mutated(data, changes))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_never_crash(data: bytes):
    run_all(data)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(st.sampled_from(FILES), edits)
def test_mutated_files_never_crash_long(data: bytes, changes):
    run_all(mutated(data, changes))
