"""The reader against real public files: it never crashes, and reads as many as were measured."""

import io
import os
from collections import Counter
from pathlib import Path

import pytest
from pyx12.x12file import X12Reader as Pyx12Reader

from core.edi.decode_214 import decode_214
from core.edi.decode_850 import decode_850
from core.edi.decode_855 import decode_855
from core.edi.decode_856 import decode_856
from core.edi.decode_997 import decode_997
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Verdict, verdict
from core.edi.normaliser import normalise
from core.edi.reader import read

DATA = os.environ.get("BACKORDER_DATA")
pytestmark = pytest.mark.skipif(
    not DATA or not Path(DATA, "edi", "x12").is_dir(), reason="BACKORDER_DATA names no folder with edi/x12"
)
DECODERS = {"850": decode_850, "855": decode_855, "856": decode_856, "214": decode_214}


def files(standard: str) -> list[Path]:
    return sorted(path for path in Path(DATA or "", "edi", standard).rglob("*") if path.is_file())


def test_every_x12_file_but_one_without_a_usage_mark_is_read():
    unread = [path.name for path in files("x12") if not read(path.read_bytes()).interchanges]
    assert (len(files("x12")), unread) == (56, ["004010UCS__x12-types__literal23_test_940.rs"])


def test_pyx12_reads_what_the_normaliser_hands_out_into_the_same_segments():
    compared = 0
    for path in files("x12"):
        for raw in normalise(path.read_bytes()).interchanges:
            theirs = [str(segment) for segment in Pyx12Reader(io.StringIO(raw.canonical().decode("latin-1")))]
            assert len(theirs) == len(raw.segments), path.name
            compared += 1
    assert compared == 55


def test_verdicts_by_kind():
    seen: Counter[tuple[str, str]] = Counter()
    for path in files("x12"):
        for interchange in read(path.read_bytes()).interchanges:
            for document in (document for group in interchange.groups for document in group.sets):
                if document.kind in (*DECODERS, "997"):
                    seen[document.kind, verdict(document.faults).value] += 1
    assert seen == {
        ("214", "A"): 6,
        ("214", "E"): 1,
        ("850", "A"): 5,
        ("850", "E"): 5,
        ("850", "R"): 4,
        ("855", "A"): 14,
        ("855", "E"): 1,
        ("856", "A"): 2,
        ("856", "E"): 5,
        ("856", "R"): 2,
        ("997", "A"): 1,
        ("997", "E"): 1,
        ("997", "R"): 4,
    }


def test_every_accepted_set_is_decoded_or_refused_with_a_reason():
    guide = PartnerGuide(unit_map={"CA": 1, "CT": 1, "BX": 1, "FT": 1, "LB": 1})
    decoded = refused = 0
    for path in files("x12"):
        for interchange in read(path.read_bytes()).interchanges:
            for document in (document for group in interchange.groups for document in group.sets):
                if verdict(document.faults) is Verdict.REJECTED:
                    continue
                found = decode_997(document) if document.kind == "997" else DECODERS[document.kind](document, guide)
                assert found.document is not None or found.faults, path.name
                decoded += found.document is not None
                refused += found.document is None
    assert (decoded, refused) == (40, 1)
