"""The reader against real public files: it never crashes, and reads as many as were measured."""

import io
import os
from collections import Counter
from pathlib import Path

import pytest
from pyx12.x12file import X12Reader as Pyx12Reader

from core.edi.decoders import DECODERS
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Verdict, verdict
from core.edi.normaliser import normalise
from core.edi.reader import read

DATA = os.environ.get("BACKORDER_DATA")
pytestmark = pytest.mark.skipif(
    not DATA or not Path(DATA, "edi", "x12").is_dir(), reason="BACKORDER_DATA names no folder with edi/x12"
)
DEEP = ("214", "850", "855", "856", "997")


def files(standard: str) -> list[Path]:
    return sorted(path for path in Path(DATA or "", "edi", standard).rglob("*") if path.is_file())


def test_every_x12_file_is_read():
    unread = [path.name for path in files("x12") if not read(path.read_bytes()).interchanges]
    assert (len(files("x12")), unread) == (56, [])


def test_pyx12_reads_what_the_normaliser_hands_out_into_the_same_segments():
    compared = 0
    for path in files("x12"):
        for raw in normalise(path.read_bytes()).interchanges:
            theirs = [str(segment) for segment in Pyx12Reader(io.StringIO(raw.canonical().decode("latin-1")))]
            assert len(theirs) == len(raw.segments), path.name
            compared += 1
    assert compared == 56


def test_verdicts_by_kind():
    seen: Counter[tuple[str, str]] = Counter()
    for path in files("x12"):
        for interchange in read(path.read_bytes()).interchanges:
            for document in (document for group in interchange.groups for document in group.sets):
                if document.kind in DEEP:
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
    for path in (*files("x12"), *files("edifact")):
        for interchange in read(path.read_bytes()).interchanges:
            for document in (document for group in interchange.groups for document in group.sets):
                if verdict(document.faults) is Verdict.REJECTED:
                    continue
                found = DECODERS[document.kind](document, guide)
                assert found.document is not None or found.faults, path.name
                decoded += found.document is not None
                refused += found.document is None
    assert (decoded, refused) == (123, 13)
